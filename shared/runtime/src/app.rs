//! What a process holds for all of its requests.

use store::Store;
use store::author::Clock;

/// What a process holds for all of its requests. Cheap to clone.
#[derive(Clone)]
pub struct App {
    store: Option<Store>,
    clock: Clock,
}

impl App {
    /// For functions that touch the store.
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self { clock: store.clock().clone(), store: Some(store) }
    }

    /// For functions that don't: no SDK client is made.
    #[must_use]
    pub fn without_store() -> Self {
        Self { store: None, clock: Clock::default() }
    }

    /// The time.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The store, where the routes need one.
    ///
    /// # Errors
    /// `internal` if a route that says that it does not connect asks for it.
    pub fn store(&self) -> Result<&Store, contract::Error> {
        self.store.as_ref().ok_or_else(|| contract::Error::internal("this process was started without a store"))
    }
}

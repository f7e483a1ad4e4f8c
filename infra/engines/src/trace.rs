//! What tests see of the calls.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use crate::role::Use;

/// Counts calls by operation, and rounds: a round begins with a call that is issued while none is in flight, so calls
/// made together are one. A `ReceiveMessage`, which may wait for long, makes none. Exact on a current-thread runtime;
/// tasks on several threads may miss each other.
#[derive(Clone, Default)]
pub struct Trace {
    seen: Arc<Mutex<Seen>>,
    watcher: Arc<RwLock<Option<Arc<Watcher>>>>,
}

type Watcher = dyn Fn(&Use) + Send + Sync;

#[derive(Debug, Default)]
struct Seen {
    snapshot: Snapshot,
    in_flight: usize,
}

/// What a trace has counted since it was reset.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// How many calls were made of each operation, retries included.
    pub calls: BTreeMap<String, u64>,
    /// How many round trips they took.
    pub rounds: u64,
    /// How many of the calls of functions were of an action on a resource, where somebody watches.
    uses: BTreeMap<(String, String), u64>,
}

impl Snapshot {
    /// How many calls were made of one operation.
    pub fn of(&self, operation: &str) -> u64 {
        self.calls.get(operation).copied().unwrap_or(0)
    }

    /// How many calls functions made of an action on a table, a queue or a secret; retries are none.
    pub fn used(&self, action: &str, resource: &str) -> u64 {
        self.uses.get(&(action.to_owned(), resource.to_owned())).copied().unwrap_or(0)
    }

    /// How many calls were made in all.
    pub fn total(&self) -> u64 {
        self.calls.values().sum()
    }
}

impl Trace {
    /// What was counted so far.
    pub fn snapshot(&self) -> Snapshot {
        self.seen().snapshot.clone()
    }

    /// Begins at nothing again.
    pub fn reset(&self) {
        self.seen().snapshot = Snapshot::default();
    }

    /// Tells `watcher` from now on what the functions make of their roles, with every call that is let through.
    pub fn watch(&self, watcher: impl Fn(&Use) + Send + Sync + 'static) {
        *self.watcher.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(watcher));
    }

    pub(crate) fn note(&self, uses: impl FnOnce() -> Vec<Use>) {
        let watcher = self.watcher.read().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(watcher) = watcher {
            for used in uses() {
                watcher(&used);
                *self.seen().snapshot.uses.entry((used.action, used.resource)).or_default() += 1;
            }
        }
    }

    /// Counts a call, which is in flight until what is returned is dropped, and says how many there were of its operation,
    /// this one included. One that `waits` is no round trip.
    pub(crate) fn begin(&self, operation: &str, waits: bool) -> (Option<InFlight>, u64) {
        let mut seen = self.seen();
        if !waits {
            if seen.in_flight == 0 {
                seen.snapshot.rounds += 1;
            }
            seen.in_flight += 1;
        }
        let nth = match seen.snapshot.calls.get_mut(operation) {
            Some(count) => {
                *count += 1;
                *count
            }
            None => {
                seen.snapshot.calls.insert(operation.to_owned(), 1);
                1
            }
        };
        ((!waits).then(|| InFlight(self.clone())), nth)
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Trace").field(&self.snapshot()).finish()
    }
}

/// Ends its call when dropped, and so when the caller gives up as well.
pub(crate) struct InFlight(Trace);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.seen().in_flight -= 1;
    }
}

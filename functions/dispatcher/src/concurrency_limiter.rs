//! How many attempts one process makes at once: its batches wait for each other here, in turn, and need not meet in the
//! store, where the slots are that all processes share.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use contract::id::{ClientId, WebhookId};
use store::endpoint_state::MAX_SLOTS;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// How long a batch waits for a permit: it costs nothing, and deferring a thousand messages again and again does.
pub(crate) const MAX_WAIT: Duration = Duration::from_secs(10);
/// Attempts of one client within this process, at the most: its slow endpoints must leave room for other clients'.
const MAX_PER_CLIENT: usize = 32;
/// Of them, those at endpoints that are not known to answer: they must leave room for the client's others.
const MAX_UNKNOWN: usize = 24;
/// Batches' turns at endpoints that one client waits for within this process, at the most, where they are known to answer
/// and where not: what waits takes up a batch, and other clients need some as well.
const MAX_WAITING: usize = 32;
/// Semaphores that are kept, at the most, of endpoints and of clients, but for those in use.
const MAX_KEPT: usize = 1_000;

type Semaphores<T> = Mutex<HashMap<T, Arc<Semaphore>>>;

/// Limits the attempts under way in this process, for each endpoint and for each client.
#[derive(Default)]
pub(crate) struct ConcurrencyLimiter {
    webhooks: Semaphores<WebhookId>,
    clients: Semaphores<ClientId>,
    unknown: Semaphores<ClientId>,
    /// By client, and by whether the endpoint is known to answer.
    waiting: Semaphores<(ClientId, bool)>,
}

/// A permit for one attempt. It is free again when this is dropped.
pub(crate) struct Permit {
    _all: Vec<OwnedSemaphorePermit>,
}

impl ConcurrencyLimiter {
    /// Acquires up to `want` permits, at least one; none if none is free in time, or too many wait for one. `answers`:
    /// whether the endpoint is known to.
    pub(crate) async fn acquire(
        &self,
        client: ClientId,
        webhook: WebhookId,
        answers: bool,
        want: usize,
    ) -> Vec<Permit> {
        // In this order: what waits for its endpoint must not have what the client's other endpoints wait for.
        let mut needed = vec![of(&self.webhooks, webhook, MAX_SLOTS)];
        if !answers {
            needed.push(of(&self.unknown, client, MAX_UNKNOWN));
        }
        needed.push(of(&self.clients, client, MAX_PER_CLIENT));

        let Ok(waiting) = of(&self.waiting, (client, answers), MAX_WAITING).try_acquire_owned() else {
            return Vec::new();
        };
        let first = async {
            let mut all = Vec::with_capacity(needed.len());
            for semaphore in &needed {
                all.push(semaphore.clone().acquire_owned().await.ok()?);
            }
            Some(Permit { _all: all })
        };
        let Ok(Some(first)) = timeout(MAX_WAIT, first).await else { return Vec::new() };
        drop(waiting);
        let another = || needed.iter().map(|semaphore| semaphore.clone().try_acquire_owned().ok()).collect();
        let mut acquired = vec![first];
        while acquired.len() < want
            && let Some(_all) = another()
        {
            acquired.push(Permit { _all });
        }
        acquired
    }
}

fn of<T: Copy + Eq + Hash>(all: &Semaphores<T>, whose: T, most: usize) -> Arc<Semaphore> {
    let mut known = all.lock().unwrap_or_else(PoisonError::into_inner);
    if known.len() > MAX_KEPT {
        known.retain(|_, semaphore| Arc::strong_count(semaphore) > 1);
    }
    known.entry(whose).or_insert_with(|| Arc::new(Semaphore::new(most))).clone()
}

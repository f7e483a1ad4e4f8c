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
/// Endpoints' turns that one client waits for within this process, at the most: what waits has a batch's place, and other
/// clients' batches need places as well.
const MAX_WAITING_PER_CLIENT: usize = 64;
/// Semaphores that are kept, at the most, of endpoints and of clients, but for those in use.
const MAX_KEPT: usize = 1_000;

type Semaphores<T> = Mutex<HashMap<T, Arc<Semaphore>>>;

/// Limits the attempts under way in this process, for each endpoint and for each client.
#[derive(Default)]
pub(crate) struct ConcurrencyLimiter {
    webhooks: Semaphores<WebhookId>,
    clients: Semaphores<ClientId>,
    waiting: Semaphores<ClientId>,
}

/// A permit for one attempt. It is free again when this is dropped.
pub(crate) struct Permit {
    _of_client: OwnedSemaphorePermit,
    _of_webhook: OwnedSemaphorePermit,
}

impl ConcurrencyLimiter {
    /// Acquires up to `want` permits, at least one; none if none is free in time, or too many wait for one.
    pub(crate) async fn acquire(&self, client: ClientId, webhook: WebhookId, want: usize) -> Vec<Permit> {
        let (of_client, of_webhook) =
            (of(&self.clients, client, MAX_PER_CLIENT), of(&self.webhooks, webhook, MAX_SLOTS));
        let Ok(waiting) = of(&self.waiting, client, MAX_WAITING_PER_CLIENT).try_acquire_owned() else {
            return Vec::new();
        };
        let first = async {
            // In this order: what waits for its endpoint must not have what the client's other endpoints wait for.
            let _of_webhook = of_webhook.clone().acquire_owned().await.ok()?;
            let _of_client = of_client.clone().acquire_owned().await.ok()?;
            Some(Permit { _of_client, _of_webhook })
        };
        let Ok(Some(first)) = timeout(MAX_WAIT, first).await else { return Vec::new() };
        drop(waiting);
        let mut acquired = vec![first];
        while acquired.len() < want {
            let (client, webhook) = (of_client.clone().try_acquire_owned(), of_webhook.clone().try_acquire_owned());
            let (Ok(_of_client), Ok(_of_webhook)) = (client, webhook) else { break };
            acquired.push(Permit { _of_client, _of_webhook });
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

//! Places at endpoints within this process: batches of one process wait for each other here, in turn, and need not
//! meet in the store.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use contract::id::WebhookId;
use store::endpoint_state::SLOTS;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// How long a batch waits for a place: long for an endpoint that answers, short for one that does not.
const WAIT: Duration = Duration::from_secs(1);
/// Endpoints that are remembered, at the most, but for those in use.
const REMEMBERED: usize = 1_000;

/// Places at endpoints within this process.
#[derive(Default)]
pub(crate) struct Places(Mutex<HashMap<WebhookId, Arc<Semaphore>>>);

impl Places {
    /// Takes up to `want` places, at least one; none if none is free in time.
    pub(crate) async fn take(&self, webhook: WebhookId, want: usize) -> Vec<OwnedSemaphorePermit> {
        let places = self.of(webhook);
        let Ok(Ok(first)) = timeout(WAIT, places.clone().acquire_owned()).await else { return Vec::new() };
        let mut taken = vec![first];
        while taken.len() < want {
            match places.clone().try_acquire_owned() {
                Ok(place) => taken.push(place),
                Err(_) => break,
            }
        }
        taken
    }

    fn of(&self, webhook: WebhookId) -> Arc<Semaphore> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() > REMEMBERED {
            known.retain(|_, places| Arc::strong_count(places) > 1);
        }
        known.entry(webhook).or_insert_with(|| Arc::new(Semaphore::new(SLOTS))).clone()
    }
}

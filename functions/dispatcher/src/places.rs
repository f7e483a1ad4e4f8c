//! Places at endpoints within this process: batches of one process wait for each other here, in turn, and need not
//! meet in the store.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use contract::id::{ClientId, WebhookId};
use store::endpoint_state::SLOTS;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// How long a batch waits for a place: it costs nothing, and putting a thousand messages back again and again does.
pub(crate) const WAIT: Duration = Duration::from_secs(10);
/// Attempts of one client within this process, at the most: its slow endpoints must leave room for other clients'.
const OF_CLIENT: usize = 32;
/// Endpoints, and clients, that are remembered, at the most, but for those in use.
const REMEMBERED: usize = 1_000;

type Known<T> = Mutex<HashMap<T, Arc<Semaphore>>>;

/// Places at endpoints within this process.
#[derive(Default)]
pub(crate) struct Places {
    webhooks: Known<WebhookId>,
    clients: Known<ClientId>,
}

/// A place at an endpoint. It is free again when this is dropped.
pub(crate) struct Place {
    _of_client: OwnedSemaphorePermit,
    _of_webhook: OwnedSemaphorePermit,
}

impl Places {
    /// Takes up to `want` places, at least one; none if none is free in time.
    pub(crate) async fn take(&self, client: ClientId, webhook: WebhookId, want: usize) -> Vec<Place> {
        let (clients, webhooks) = (of(&self.clients, client, OF_CLIENT), of(&self.webhooks, webhook, SLOTS));
        let first = async {
            let _of_client = clients.clone().acquire_owned().await.ok()?;
            let _of_webhook = webhooks.clone().acquire_owned().await.ok()?;
            Some(Place { _of_client, _of_webhook })
        };
        let Ok(Some(first)) = timeout(WAIT, first).await else { return Vec::new() };
        let mut taken = vec![first];
        while taken.len() < want {
            let (client, webhook) = (clients.clone().try_acquire_owned(), webhooks.clone().try_acquire_owned());
            let (Ok(_of_client), Ok(_of_webhook)) = (client, webhook) else { break };
            taken.push(Place { _of_client, _of_webhook });
        }
        taken
    }
}

fn of<T: Copy + Eq + Hash>(all: &Known<T>, whose: T, most: usize) -> Arc<Semaphore> {
    let mut known = all.lock().unwrap_or_else(PoisonError::into_inner);
    if known.len() > REMEMBERED {
        known.retain(|_, places| Arc::strong_count(places) > 1);
    }
    known.entry(whose).or_insert_with(|| Arc::new(Semaphore::new(most))).clone()
}

//! Deliveries to signed HTTP attempts.
//!
//! A batch of messages is sorted by endpoint, and the endpoints are served side by side: `endpoint` takes places there
//! and decides what is sent, held or put back; `attempt` makes one attempt from lease to record; `outbound` is the HTTP
//! client that never reaches the inside.

pub mod outbound;

mod attempt;
mod batch;
mod endpoint;
mod places;
mod schedule;
mod sign;

use std::sync::Arc;
use std::time::Duration;

use contract::Error;
use runtime::{App, Consumer, Permissions, Queue, Source, Worker};
use store::deliveries::Attempts;
use store::endpoint_state::EndpointStates;
use store::grant::Granted;
use store::jobs::JobStarts;

use crate::batch::Dispatcher;
use crate::outbound::{Sender, Settings};

/// `dispatcher`
pub static DISPATCHER: Consumer = Consumer {
    id: "dispatcher",
    summary: "Send deliveries to webhooks, signed",
    source: Source::Queues(&[Queue::First, Queue::Retries]),
    // A wait for a place, an attempt, and its record while the store is slow to take it.
    timeout: Duration::from_secs(70),
    start,
    permissions,
};

fn start(app: &App) -> Result<Arc<dyn Worker>, Error> {
    let store = app.store()?;
    let settings = Settings { deadline: app.webhooks.deadline, ..Settings::new(app.webhooks.rules.clone()) };
    Ok(Arc::new(Dispatcher {
        attempts: Attempts::open(store, app.webhooks.dead_before),
        states: EndpointStates::open(store, app.webhooks.dead_before),
        jobs: JobStarts::open(store),
        queues: app.queues()?.clone(),
        vault: app.vault()?.clone(),
        sender: Sender::new(settings).map_err(Error::internal)?,
        retries: app.webhooks.retries.clone(),
        deadline: app.webhooks.deadline,
        clock: app.clock().clone(),
        places: places::Places::default(),
    }))
}

fn permissions() -> Permissions {
    let items = [Attempts::grants(), EndpointStates::grants(), JobStarts::grants()].concat();
    Permissions { items: items.into_iter().collect(), sends: [Queue::Retries, Queue::Jobs].into(), data_keys: true }
}

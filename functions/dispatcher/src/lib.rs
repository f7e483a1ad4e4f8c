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
mod until;

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
    // Reads and waits for a place, an attempt, and its record while the store is slow to take it (`until`).
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

#[cfg(test)]
mod tests {
    use store::endpoint_state::SLOT;

    use super::*;

    /// What may take its whole time though nothing is wrong fits, with calls of some seconds before it.
    #[test]
    fn the_functions_time_holds_all_waits_and_an_attempt() {
        let attempt = runtime::WebhookSettings::default().deadline;
        let after = until::RECORD + until::REST + runtime::consumer::RESERVE;
        let waits = places::WAIT + endpoint::PATIENCE;
        let calls = Duration::from_secs(12);
        assert!(DISPATCHER.timeout >= calls + waits + attempt + after);
        // A slot must not be free again while its holder is at work.
        assert!(SLOT > DISPATCHER.timeout);
    }
}

//! Deliveries to signed HTTP attempts.
//!
//! A batch of messages is sorted by endpoint, and the endpoints are served side by side: `endpoint` takes places there
//! and decides what is sent, held or put back; `attempt` makes one attempt from lease to record; `mask` takes
//! secrets out of what is recorded; `outbound` is the HTTP client that never reaches the inside.

pub mod outbound;

mod attempt;
mod batch;
mod endpoint;
mod mask;
mod places;
mod schedule;
mod sign;
mod until;

use std::time::Duration;

use runtime::{Consumer, Queue, Source};

use crate::batch::Dispatcher;

/// `dispatcher`
pub static DISPATCHER: Consumer = Consumer::of::<Dispatcher>(
    "dispatcher",
    "Send deliveries to webhooks, signed",
    Source::Queues(&[Queue::First, Queue::Retries]),
    // Reads and waits for a place, an attempt, and its record while the store is slow to take it (`until`).
    Duration::from_secs(70),
);

#[cfg(test)]
mod tests {
    use store::endpoint_state::SLOT;

    use super::*;

    /// What may take its whole time though nothing is wrong fits, with calls of some seconds before it.
    #[test]
    fn the_functions_time_holds_all_waits_and_an_attempt() {
        let attempt = runtime::WebhookSettings::default().deadline;
        let after = until::RECORD + until::REST + runtime::lambda::consumer::RESERVE;
        let waits = places::WAIT + endpoint::PATIENCE;
        let calls = Duration::from_secs(12);
        assert!(DISPATCHER.timeout >= calls + waits + attempt + after);
        // A slot must not be free again while its holder is at work.
        assert!(SLOT > DISPATCHER.timeout);
    }
}

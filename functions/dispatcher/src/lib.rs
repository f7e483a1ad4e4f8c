//! Deliveries to signed HTTP attempts.
//!
//! The path of a message, a file a step. Each step owns what is known so far; its one method consumes it and gives the
//! next step, or an end with its reason (`ended`: dropped, returned to the queue, deferred, held).
//!
//! - `received`: a batch of messages is read (those that come too early turn off to `not_due`, which sends them on);
//! - `due`: its webhooks and events are loaded;
//! - `addressed`: what goes to one endpoint takes permits of the `concurrency_limiter`, slots among all dispatchers, and
//!   passes the `circuit_breaker`;
//! - `permitted`: one message takes the lease of its attempt;
//! - `leased`: the request is signed (`sign`) and sent (`outbound`, the HTTP client that never reaches the inside);
//! - `attempted`: what came of it is recorded, without secrets (`mask`), and a retry sent if it failed (`schedule`);
//! - `recorded`: the outcome, which the circuit breaker is told.
//!
//! `dispatcher` leads along this path, within the `deadlines` of a batch. A step imports the next one and what no step
//! belongs to, never one before it.

pub mod outbound;

mod addressed;
mod attempted;
mod circuit_breaker;
mod concurrency_limiter;
mod deadlines;
mod dispatcher;
mod due;
mod ended;
mod leased;
mod log;
mod mask;
mod message;
mod not_due;
mod permitted;
mod received;
mod recorded;
mod schedule;
mod services;
mod sign;

use std::time::Duration;

use runtime::{Consumer, Queue, Source};

use crate::dispatcher::Dispatcher;

/// `dispatcher`
pub static DISPATCHER: Consumer = Consumer::of::<Dispatcher>(
    "dispatcher",
    "Send deliveries to webhooks, signed",
    Source::Queues(&[Queue::FirstAttempts, Queue::Retries]),
    // Reads and waits for a slot, an attempt, and its record while the store is slow to take it (`deadlines`).
    Duration::from_secs(70),
);

#[cfg(test)]
mod tests {
    use store::endpoint_state::SLOT_TTL;

    use super::*;

    #[test]
    fn the_log_names_the_function() {
        assert_eq!(log::OPERATION, DISPATCHER.id);
    }

    /// What may take its whole time though nothing is wrong fits, with calls of some seconds before it.
    #[test]
    fn the_functions_time_holds_all_waits_and_an_attempt() {
        let attempt = runtime::WebhookSettings::default().deadline;
        let after = deadlines::RECORD_RESERVE + deadlines::BATCH_RESERVE + runtime::lambda::consumer::RESERVE;
        let waits = concurrency_limiter::MAX_WAIT + addressed::MAX_SLOT_WAIT;
        let calls = Duration::from_secs(12);
        assert!(DISPATCHER.timeout >= calls + waits + attempt + after);
        // A slot must not be free again while its holder is at work.
        assert!(SLOT_TTL > DISPATCHER.timeout);
    }
}

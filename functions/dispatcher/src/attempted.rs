//! Attempted: a message whose request was sent, with what came of it.

use std::sync::Arc;

use contract::webhook::Attempt;
use contract::{Error, Time};
use store::deliveries::{Message, Next, PERSISTENCE, Target};
use store::persist::persist;

use crate::ended::{End, Ended};
use crate::log;
use crate::mask::masked;
use crate::message::QueueMessage;
use crate::outbound::Exchange;
use crate::recorded::{Outcome, Recorded};
use crate::schedule;
use crate::services::Services;

/// A message whose attempt was made.
pub(crate) struct Attempted {
    pub(crate) message: QueueMessage,
    pub(crate) target: Arc<Target>,
    /// The request that the event came from.
    pub(crate) request_id: String,
    /// When the attempt began.
    pub(crate) at: Time,
    pub(crate) exchange: Exchange,
}

impl Attempted {
    /// Records what came of the attempt, and sends the message of the next one.
    pub(crate) async fn record(self, services: &Services) -> Result<Recorded, Ended> {
        let Self { message: queued, target, request_id, at, exchange } = self;
        let message = &queued.message;
        log::attempt(message, &request_id, &exchange);
        let next = if exchange.delivered() {
            Next::Delivered
        } else {
            schedule::after_failure(&services.retries, message, services.clock.now(), exchange.retry_after)
        };
        let outcome = Outcome::of(exchange.error, exchange.status);
        let attempt = attempt(&target, at, exchange);
        if let Err(error) = persist(PERSISTENCE, || services.attempts.record(message, &attempt, next)).await {
            let reason = "an attempt could not be recorded, shows as `unknown` and may be repeated: look at DynamoDB";
            return Err(Ended::failed(vec![queued], End::Returned, reason, &error));
        }
        match send_next(services, message, next).await {
            Ok(()) => Ok(Recorded { outcome }),
            // The message comes again, and finds its attempt ended and nothing sent after it.
            Err(error) => {
                let reason = "the message of the next attempt could not be sent: look at SQS";
                Err(Ended::failed(vec![queued], End::Returned, reason, &error))
            }
        }
    }
}

/// The record of an attempt.
fn attempt(target: &Target, at: Time, exchange: Exchange) -> Attempt {
    Attempt {
        at,
        url: Some(target.webhook.url.clone()),
        address: exchange.address.map(|address| address.to_string()),
        status_code: exchange.status,
        duration_ms: Some(u64::try_from(exchange.duration.as_millis()).unwrap_or(u64::MAX)),
        response: exchange.response.map(|response| masked(&response, target.revealed())),
        error: exchange.error,
    }
}

async fn send_next(services: &Services, message: &Message, next: Next) -> Result<(), Error> {
    let Next::Retry(due) = next else { return Ok(()) };
    services.retry.send(&[message.next(due)], services.clock.now()).await
}

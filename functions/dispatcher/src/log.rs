//! The dispatcher's lines in the log.

use contract::Error;
use store::deliveries::Message;

use crate::outbound::Exchange;

/// The function's name.
pub(crate) const OPERATION: &str = "dispatcher";

pub(crate) fn warn(what: &'static str, error: &Error) {
    tracing::warn!(operation = OPERATION, ?error, "{what}");
}

/// The line of an attempt, under the request that the event came from.
pub(crate) fn attempt(message: &Message, request_id: &str, exchange: &Exchange) {
    tracing::info!(
        operation = OPERATION,
        request_id,
        client = message.client.to_string(),
        webhook = message.webhook.to_string(),
        delivery = message.delivery.to_string(),
        event = message.event.to_string(),
        attempt = message.attempt + 1,
        status = exchange.status,
        error = exchange.error.map(|error| format!("{error:?}").to_ascii_lowercase()),
        millis = exchange.duration.as_micros() as f64 / 1000.0,
        "attempt"
    );
}

//! Deliveries: one event to one webhook.
//!
//! What is announced is written once, word for word, and each delivery has a *card* that never changes, so that writing
//! them again does no harm. Where a delivery *stands* is an item of its own, made by the lease of its first attempt.
//! The message that travels holds identifiers, the event's name and three numbers: the round (raised whenever a delivery is sent anew),
//! how many attempts were begun ever, and how many before this round. Whatever does not fit the state is stale.

mod announce;
mod attempt;
mod open;
mod read;
mod redeliver;
mod state;

pub use announce::{Announcement, Announcer};
pub use attempt::{Attempts, Content, Lease, Loaded, Next, PERSISTENCE, Standing, Target};
pub use open::{Open, Releases};
pub use read::{Deliveries, DeliveryFilter};

use contract::Time;
use contract::id::{ClientId, DeliveryId, EventId, WebhookId};
use contract::webhook::EventName;
use serde::{Deserialize, Serialize};

use std::time::Duration;

/// How long deliveries, and what was announced, are kept: 30 days.
pub(crate) const RETENTION: Duration = Duration::from_secs(30 * 24 * 3600);
/// How long a delivery is held: 7 days.
pub const HELD: Duration = Duration::from_secs(7 * 24 * 3600);

/// When a message is due that is to go at once: whoever takes it may have another clock than its sender.
pub const AT_ONCE: i64 = 0;

/// A delivery on its way: what a queue's message holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Message {
    /// Whose.
    pub client: ClientId,
    /// To whom.
    pub webhook: WebhookId,
    /// The delivery.
    pub delivery: DeliveryId,
    /// What.
    pub event: EventId,
    /// What happened.
    pub name: EventName,
    /// How often it was sent anew.
    pub round: u32,
    /// How many attempts were begun before, ever.
    pub attempt: u32,
    /// How many of them before this round.
    pub base: u32,
    /// When it is due, in milliseconds since 1970; [`AT_ONCE`] by any clock.
    pub due: i64,
    /// How often it was deferred for want of a slot at its endpoint.
    #[serde(default)]
    pub waits: u32,
    /// How often it was handed out, and may have begun something, before it was deferred.
    #[serde(default)]
    pub received: u32,
}

impl Message {
    /// The first message of a delivery.
    #[must_use]
    pub fn first(client: ClientId, webhook: WebhookId, event: EventId, name: EventName) -> Self {
        Self {
            client,
            webhook,
            delivery: delivery_id(event, webhook),
            event,
            name,
            round: 0,
            attempt: 0,
            base: 0,
            due: AT_ONCE,
            waits: 0,
            received: 0,
        }
    }

    /// The message of the attempt after this one.
    #[must_use]
    pub fn next(&self, due: Time) -> Self {
        Self { attempt: self.attempt + 1, due: due.millis(), waits: 0, received: 0, ..*self }
    }

    /// How many attempts of this round were begun before.
    #[must_use]
    pub const fn attempt_of_round(&self) -> u32 {
        self.attempt.saturating_sub(self.base)
    }
}

/// The delivery of an event to a webhook: the event's time, so that deliveries stand in its order, and a digest of
/// both, so that announcing it twice is announcing it once.
#[must_use]
pub fn delivery_id(event: EventId, webhook: WebhookId) -> DeliveryId {
    let time = event.unique().as_u128() >> 80;
    let millis = u64::try_from(time).unwrap_or_default();
    let digest = auth::sha256(format!("{event} {webhook}").as_bytes());
    let mut tail = [0; 10];
    tail.copy_from_slice(&digest[..10]);
    DeliveryId::new(uuid::Builder::from_unix_timestamp_millis(millis, &tail).into_uuid())
}

/// When the event of a delivery was committed.
pub(crate) fn time_of(delivery: DeliveryId) -> Time {
    Time::from_millis(i64::try_from(delivery.unique().as_u128() >> 80).unwrap_or_default())
}

/// When the items of a delivery vanish, in seconds since 1970.
pub(crate) fn ttl(delivery: DeliveryId) -> i64 {
    time_of(delivery).plus(RETENTION).seconds()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delivery_is_known_by_its_event_and_webhook_and_stands_in_the_events_order() {
        let id = |millis, tail| uuid::Builder::from_unix_timestamp_millis(millis, &[tail; 10]).into_uuid();
        let (event, webhook) = (EventId::new(id(1_700_000_000_000, 1)), WebhookId::new(id(1, 2)));
        let delivery = delivery_id(event, webhook);
        assert_eq!(delivery, delivery_id(event, webhook));
        assert_ne!(delivery, delivery_id(event, WebhookId::new(id(1, 3))));
        assert_eq!(time_of(delivery).millis(), 1_700_000_000_000);
        assert!(delivery < delivery_id(EventId::new(id(1_700_000_000_001, 0)), webhook));
    }
}

//! Where a delivery stands, and the resource that is made of it.

use std::collections::HashMap;
use std::time::Duration;

use contract::id::{DeliveryId, EventId, WebhookId};
use contract::webhook::{Attempt, AttemptError, Delivery, DeliveryStatus, EventName};
use contract::{Error, Time};

use super::{HELD, time_of};
use crate::dynamo::{Item, get_number, get_text, must, must_parse, number, text};
use crate::keys::{self, Key};

/// After this long nobody is at work on an attempt any more: the deadline of one, and something over.
pub(super) const ATTEMPT: Duration = Duration::from_secs(45);
/// Attempts whose results are kept.
pub(super) const ATTEMPTS_KEPT: u32 = 100;
/// An answer of more bytes has an item of its own.
pub(super) const INLINE: usize = 256;

/// The attribute with the time at which the `number`th attempt began, from 1.
pub(super) fn start_of(number: u32) -> String {
    format!("s_{number}")
}

/// The attribute with what became of the `number`th attempt.
pub(super) fn result_of(number: u32) -> String {
    format!("a_{number}")
}

/// What a status has come to: nobody writes down that a delivery was held for too long.
pub(super) fn status_at(status: DeliveryStatus, delivery: DeliveryId, now: Time) -> DeliveryStatus {
    if status == DeliveryStatus::Held && time_of(delivery).plus(HELD) < now { DeliveryStatus::Failed } else { status }
}

/// Where a delivery stands.
pub(super) struct State {
    pub(super) status: DeliveryStatus,
    pub(super) round: u32,
    /// Attempts that were begun, ever.
    pub(super) attempt: u32,
    pub(super) base: u32,
    pub(super) next_at: Option<Time>,
    item: Item,
}

impl State {
    pub(super) fn read(item: Item) -> Result<Self, Error> {
        let status = must_parse(&item, "status")?;
        Ok(Self {
            status,
            round: must(get_number(&item, "round"), "round")?,
            attempt: must(get_number(&item, "attempt"), "attempt")?,
            base: get_number(&item, "base").unwrap_or(0),
            next_at: get_number(&item, "nextAt").map(Time::from_millis),
            item,
        })
    }

    pub(super) fn holder(&self) -> Option<&str> {
        get_text(&self.item, "holder")
    }

    pub(super) fn started(&self, number: u32) -> Option<Time> {
        get_number(&self.item, &start_of(number)).map(Time::from_millis)
    }

    pub(super) fn result(&self, number: u32) -> Option<Attempt> {
        serde_json::from_str(get_text(&self.item, &result_of(number))?).ok()
    }

    /// Whether someone may be at work on the last attempt, which began then.
    fn is_under_way(&self, began: Time, now: Time) -> bool {
        let moving = matches!(self.status, DeliveryStatus::Pending | DeliveryStatus::Retrying);
        moving && began.plus(ATTEMPT) >= now
    }

    /// The attempts that are kept; those without a result and without anyone at work on them are `unknown`.
    fn attempts(&self, responses: &HashMap<Key, Item>, now: Time, key: impl Fn(u32) -> Key) -> Vec<Attempt> {
        let first = self.attempt.saturating_sub(ATTEMPTS_KEPT) + 1;
        let attempt = |number: u32| match self.result(number) {
            Some(mut result) => {
                if let Some(row) = responses.get(&key(number)) {
                    result.response = get_text(row, "response").map(str::to_owned);
                }
                Some(result)
            }
            None => self.started(number).map(|at| Attempt {
                at,
                url: None,
                address: None,
                status_code: None,
                duration_ms: None,
                response: None,
                error: (number < self.attempt || !self.is_under_way(at, now)).then_some(AttemptError::Unknown),
            }),
        };
        (first..=self.attempt).filter_map(attempt).collect()
    }
}

/// What never changes of a delivery.
pub(super) struct Card {
    pub(super) id: DeliveryId,
    pub(super) webhook: WebhookId,
    pub(super) event_id: EventId,
    pub(super) event: EventName,
}

impl Card {
    pub(super) fn item(&self, key: &Key) -> Item {
        let mut item = crate::dynamo::key_attributes(key);
        item.insert("webhook".to_owned(), text(self.webhook.to_string()));
        item.insert("event".to_owned(), text(self.event.name()));
        item.insert("of".to_owned(), text(self.event_id.to_string()));
        item.insert("ttl".to_owned(), number(super::ttl(self.id)));
        item
    }

    pub(super) fn read(item: &Item) -> Result<Self, Error> {
        let field = |name| must(get_text(item, name), name);
        let bad = |name: &str| Error::internal(format!("a delivery's card has no `{name}`"));
        Ok(Self {
            id: field("sk")?.parse().map_err(|_| bad("sk"))?,
            webhook: field("webhook")?.parse().map_err(|_| bad("webhook"))?,
            event_id: field("of")?.parse().map_err(|_| bad("of"))?,
            event: field("event")?.parse().map_err(|_| bad("event"))?,
        })
    }

    /// DocumentKeys of answers that have items of their own.
    pub(super) fn responses(&self, client: contract::id::ClientId, state: Option<&State>) -> Vec<Key> {
        let Some(state) = state else { return Vec::new() };
        let first = state.attempt.saturating_sub(ATTEMPTS_KEPT) + 1;
        let long = |number: &u32| get_number::<u8>(&state.item, &format!("r_{number}")).is_some();
        let key = |number| keys::delivery_response(client, self.webhook, self.id, number);
        (first..=state.attempt).filter(long).map(key).collect()
    }

    /// The resource, without its attempts.
    pub(super) fn delivery(&self, state: Option<&State>, now: Time) -> Delivery {
        let created_at = time_of(self.id);
        let status = match state.map(|state| state.status) {
            None => DeliveryStatus::Pending,
            Some(status) => status_at(status, self.id, now),
        };
        Delivery {
            id: self.id,
            webhook_id: self.webhook,
            event_id: self.event_id,
            event: self.event,
            status,
            attempt_count: state.map_or(0, |state| state.attempt),
            next_attempt_at: state.and_then(|state| state.next_at),
            attempts: None,
            created_at,
        }
    }

    /// The resource with its attempts.
    pub(super) fn whole(
        &self,
        client: contract::id::ClientId,
        state: Option<&State>,
        responses: &HashMap<Key, Item>,
        now: Time,
    ) -> Delivery {
        let key = |number| keys::delivery_response(client, self.webhook, self.id, number);
        let attempts = state.map(|state| state.attempts(responses, now, key)).unwrap_or_default();
        Delivery { attempts: Some(attempts), ..self.delivery(state, now) }
    }
}

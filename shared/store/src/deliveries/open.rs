//! Deliveries that are held or have failed, each with a row beside its state, in the order of their events: what
//! release, recovery and probes go through.
//!
//! A release raises the round and marks the row in one transaction, then sends, then removes the row. Whoever dies in
//! between is followed by another who finds the mark and sends again, under the same round: twice is once.

use contract::id::{ClientId, DeliveryId, EventId, WebhookId};
use contract::webhook::{Delivery, DeliveryStatus, EventName};
use contract::{Error, Time};

use super::state::{Card, State, status_at};
use super::{Message, ttl};
use crate::author::unique;
use crate::change::{Change, Outcome, Written};
use crate::dynamo::{Item, KeyRange, get_number, get_text, must, must_parse, number, text};
use crate::grant::granted;
use crate::keys;
use crate::retry::{Step, update_with_retry};
use crate::tables::Table;
use crate::{Store, endpoint_state};

/// An event that no item of the log carries: what is written there is recognised by other means.
pub(super) fn no_event(store: &Store) -> EventId {
    EventId::new(unique(store.clock().now()))
}

/// The condition under which a message's attempt may still begin: nothing has happened since it was sent.
pub(super) fn untouched(change: Change, message: &Message) -> Change {
    if message.round == 0 && message.attempt == 0 {
        return change.when_absent();
    }
    change
        .when("#round = :round AND #attempt = :attempt AND (#status = :pending OR #status = :retrying)")
        .with(":round", number(message.round))
        .with(":attempt", number(message.attempt))
        .with(":pending", text(DeliveryStatus::Pending.name()))
        .with(":retrying", text(DeliveryStatus::Retrying.name()))
}

/// The row that says that a delivery is open, after so many attempts.
pub(super) fn row(message: &Message, status: DeliveryStatus, attempts: u32) -> Change {
    Change::put(keys::open_delivery(message.client, message.webhook, message.delivery))
        .set("of", text(message.event.to_string()))
        .set("event", text(message.name.name()))
        .set("status", text(status.name()))
        .set("round", number(message.round))
        .set("attempt", number(attempts))
        .set("ttl", number(ttl(message.delivery)))
}

/// Holds a delivery whose next attempt has not begun; false, and it stays as it is, if it has moved on.
pub(super) async fn hold(store: &Store, message: &Message) -> Result<bool, Error> {
    let state = Change::update(keys::delivery_state(message.client, message.webhook, message.delivery))
        .set("status", text(DeliveryStatus::Held.name()))
        .set("round", number(message.round))
        .set("attempt", number(message.attempt))
        .set("base", number(message.base))
        .set("ttl", number(ttl(message.delivery)))
        .remove("nextAt");
    let changes = vec![untouched(state, message), row(message, DeliveryStatus::Held, message.attempt)];
    Ok(matches!(store.commit(changes, no_event(store)).await?, Outcome::Done))
}

/// A delivery that is held or has failed.
#[derive(Debug, Clone)]
pub struct Open {
    /// The delivery.
    pub delivery: DeliveryId,
    /// Whether it is held, or has failed: also by being held for too long, which nobody writes down.
    pub status: DeliveryStatus,
    event: EventId,
    name: EventName,
    round: u32,
    attempts: u32,
    /// The round that it has been released into, by someone who may not have lived to send it.
    released: Option<u32>,
}

impl Open {
    pub(super) fn read(item: &Item, now: Time) -> Result<Self, Error> {
        let sk = must(get_text(item, "sk"), "sk")?;
        let delivery = must(keys::open_delivery_of(sk), "sk")?;
        let status = must_parse(item, "status")?;
        Ok(Self {
            delivery,
            status: status_at(status, delivery, now),
            event: must_parse(item, "of")?,
            name: must_parse(item, "event")?,
            round: must(get_number(item, "round"), "round")?,
            attempts: must(get_number(item, "attempt"), "attempt")?,
            released: get_number(item, "released"),
        })
    }

    /// The resource, unless it has been released.
    pub(super) fn shown(&self, webhook: WebhookId, now: Time) -> Option<Delivery> {
        let card = Card { id: self.delivery, webhook, event_id: self.event, event: self.name };
        let shown = || Delivery { status: self.status, attempt_count: self.attempts, ..card.delivery(None, now) };
        self.released.is_none().then(shown)
    }
}

/// Sends on what is held or has failed.
#[derive(Clone)]
pub struct Releases {
    store: Store,
}

granted! {
    Releases {
        Main BatchGetItem [Client, Webhooks];
        Log GetItem [Deliveries, WebhookState];
        Log Query [Deliveries];
        Log UpdateItem [Deliveries];
        Log DeleteItem [Deliveries];
    }
}

impl Releases {
    /// The releases of a store.
    #[must_use]
    pub fn open(store: &Store) -> Self {
        Self { store: store.clone() }
    }

    /// Whether a webhook is there and on, in a client that is open.
    ///
    /// # Errors
    /// `unavailable`, `internal`.
    pub async fn is_active(&self, client: ClientId, webhook: WebhookId) -> Result<bool, Error> {
        self.store.is_active(client, webhook).await
    }

    /// Whether an endpoint's circuit breaker is open or half-open: it does not answer, and is probed now and then.
    ///
    /// # Errors
    /// `unavailable`, `internal`.
    pub async fn is_circuit_open(&self, webhook: WebhookId) -> Result<bool, Error> {
        let state = self.store.get(&keys::webhook_state(webhook)).await?;
        Ok(state.is_some_and(|state| endpoint_state::health(&state).open_until.is_some()))
    }

    /// Open deliveries of a webhook, oldest first, after one of them, of events from a time on.
    ///
    /// # Errors
    /// `unavailable`, `internal`.
    pub async fn page(
        &self,
        client: ClientId,
        webhook: WebhookId,
        since: Time,
        after: Option<DeliveryId>,
        limit: usize,
    ) -> Result<Vec<Open>, Error> {
        // The greatest sort key before the first delivery of that time.
        let start = || format!("{}{}{:012x}", keys::OPEN, DeliveryId::PREFIX, since.millis().max(0));
        let after = after.map_or_else(start, |id| format!("{}{id}", keys::OPEN));
        let pk = keys::deliveries_pk(client, webhook);
        let range =
            KeyRange { table: Table::Log, pk: &pk, prefix: keys::OPEN, after: Some(&after), limit: Some(limit) };
        let items = self.store.query(&range).await?;
        let now = self.store.clock().now();
        items.iter().map(|item| Open::read(item, now)).collect()
    }

    /// Raises a delivery into another round and gives the message to send; nothing if it has moved on by itself, or
    /// was held for too long. After sending, it is to be [`Releases::forget`]ten.
    ///
    /// # Errors
    /// `unavailable`, `internal`.
    pub async fn release(&self, client: ClientId, webhook: WebhookId, open: &Open) -> Result<Option<Message>, Error> {
        let now = self.store.clock().now();
        let key = keys::delivery_state(client, webhook, open.delivery);
        update_with_retry!({
            let state = self.store.get(&key).await?.map(State::read).transpose()?;
            let Some(state) = state else { return Ok(Step::Done(None)) };
            let message = Message {
                delivery: open.delivery,
                round: state.round,
                attempt: state.attempt,
                base: state.attempt,
                ..Message::first(client, webhook, open.event, open.name)
            };
            if state.round == open.round + 1 && state.attempt == state.base && state.status == DeliveryStatus::Pending {
                // Released before, perhaps by one who did not live to send it.
                return Ok(Step::Done(Some(message)));
            }
            let over = open.status == DeliveryStatus::Held
                && status_at(open.status, open.delivery, now) != DeliveryStatus::Held;
            let is_open = matches!(state.status, DeliveryStatus::Held | DeliveryStatus::Failed);
            if open.released.is_some() || over || state.round != open.round || !is_open {
                return Ok(Step::Done(None));
            }
            let message = Message { round: state.round + 1, ..message };
            let raise = raise(&key, &state, &message);
            let mark = Change::update(keys::open_delivery(client, webhook, open.delivery))
                .set("released", number(message.round))
                .when("#round = :round")
                .with(":round", number(open.round));
            if let Outcome::Done = self.store.commit(vec![raise, mark], no_event(&self.store)).await? {
                return Ok(Step::Done(Some(message)));
            }
            Ok(Step::Stale { base: 0 })
        })
    }

    /// Removes the row of a delivery that was released and sent; one that has been opened anew stays.
    ///
    /// # Errors
    /// `unavailable`, `internal`.
    pub async fn forget(&self, client: ClientId, webhook: WebhookId, open: &Open) -> Result<(), Error> {
        let gone = Change::delete(keys::open_delivery(client, webhook, open.delivery))
            .when("#round = :round")
            .with(":round", number(open.round));
        match self.store.conditional_write(gone).await? {
            Written::Done | Written::Refused(_) => Ok(()),
        }
    }
}

/// The change of a state that begins another round.
pub(super) fn raise(key: &keys::Key, state: &State, message: &Message) -> Change {
    Change::update(key.clone())
        .set("status", text(DeliveryStatus::Pending.name()))
        .set("round", number(message.round))
        .set("base", number(state.attempt))
        .remove("nextAt")
        .when("#round = :before AND #attempt = :attempt")
        .with(":before", number(state.round))
        .with(":attempt", number(state.attempt))
}

//! Attempts: the lease that records that one begins, and what became of it.

use std::collections::HashMap;
use std::time::Duration;

use auth::{Keyring, WebhookSecret};
use contract::id::{ClientId, EventId, WebhookId};
use contract::webhook::{Attempt, DeliveryStatus, DisabledReason, Headers, Webhook};
use contract::{Error, Time};

use super::open::{hold, no_event, row, untouched};
use super::state::{ATTEMPT, ATTEMPTS_KEPT, INLINE, State, result_of, start_of};
use super::{AT_ONCE, Message, ttl};
use crate::Store;
use crate::author::{Author, RequestInfo, Seed};
use crate::change::{Change, Outcome, Written};
use crate::document::{Document, deleted_at};
use crate::dynamo::{Item, get_text, must, number, text};
use crate::endpoint_state::{Health, health};
use crate::grant::granted;
use crate::keys::{self, Key};
use crate::persist::persist;
use crate::webhooks::Endpoint;

/// How long an attempt's lease and its record are tried: what is not recorded shows as `unknown`.
pub const PERSISTENCE: Duration = Duration::from_secs(20);

/// A message that is handed out for the first time is a copy, or a dead letter that was redriven: what its attempt's
/// holder has not recorded after this long it never will. Longer than [`ATTEMPT`], for clocks that differ.
const REDRIVEN: Duration = Duration::from_secs(300);

/// Where a delivery goes.
pub struct Target {
    /// The webhook.
    pub webhook: Webhook,
    /// Whether it is on, in a client that is open.
    pub is_on: bool,
    /// What signs, newest first.
    pub secrets: Vec<WebhookSecret>,
    /// The headers that its owner chose, with their values.
    pub headers: Headers,
}

impl Target {
    /// All that only its receiver may know.
    pub fn revealed(&self) -> impl Iterator<Item = &str> {
        let secrets = self.secrets.iter().map(WebhookSecret::reveal);
        secrets.chain(self.headers.iter().map(|(_, value)| value.reveal()))
    }
}

/// What is sent.
#[derive(Clone)]
pub struct Content {
    /// The name of the event, for the header.
    pub event: String,
    /// The body, word for word.
    pub body: String,
    /// The request that did what is announced.
    pub request_id: String,
}

/// Whether an attempt may begin.
#[derive(Debug)]
pub enum Lease {
    /// It has begun; it is ours.
    Taken,
    /// The one before died without a word; this message is next.
    Died(Message),
    /// It is under way elsewhere: to be looked at again later.
    Elsewhere,
    /// It ended, and what comes after it may not have been sent.
    FollowUp(Message),
    /// There is nothing to do.
    Over,
}

/// Where a message stands whose time has not come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Its attempt may still begin.
    ToCome,
    /// Its attempt has begun, by another clock.
    Begun,
    /// There is nothing to do.
    Over,
}

/// What comes after an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Nothing: it arrived.
    Delivered,
    /// Another at this time.
    Retry(Time),
    /// Nothing: it failed for good.
    Failed,
}

/// Attempts, as the dispatcher makes them.
#[derive(Clone)]
pub struct Attempts {
    store: Store,
    /// What was begun before this by a process that is known to be dead.
    dead_before: Option<Time>,
}

granted! {
    Attempts {
        Main BatchGetItem [Client, Webhooks];
        Main GetItem [Webhooks];
        Main UpdateItem [Webhooks];
        Log BatchGetItem [Events, Deliveries, WebhookState];
        Log GetItem [Deliveries];
        Log PutItem [Deliveries];
        Log UpdateItem [Deliveries];
    }
}

impl Attempts {
    /// The attempts of a store. `dead_before`: leases taken before it are of a process that is known to be dead.
    #[must_use]
    pub fn open(store: &Store, dead_before: Option<Time>) -> Self {
        Self { store: store.clone(), dead_before }
    }

    /// Where messages go, how it stands there, and what they say, in one round trip: nothing for a webhook that was
    /// deleted or for what is no longer kept.
    ///
    /// # Errors
    /// `unavailable`, `internal`.
    pub async fn load(&self, messages: &[Message], ring: &Keyring) -> Result<Loaded, Error> {
        let mut keys: Vec<Key> = Vec::new();
        for message in messages {
            keys.push(keys::client(message.client));
            keys.push(keys::webhook(message.client, message.webhook));
            keys.push(keys::webhook_state(message.webhook));
            keys.push(keys::event(message.client, message.event, 0));
        }
        keys.sort_unstable_by(|a, b| (a.table, &a.pk, &a.sk).cmp(&(b.table, &b.pk, &b.sk)));
        keys.dedup();
        let mut items = self.store.batch_get_all(&keys.iter().collect::<Vec<_>>()).await?;
        let (mut targets, mut states, mut contents) = (HashMap::new(), HashMap::new(), HashMap::new());
        let now = self.store.clock().now();
        for message in messages {
            if let Some(item) = items.remove(&keys::webhook(message.client, message.webhook)) {
                let is_open = items.get(&keys::client(message.client)).is_some_and(|card| deleted_at(card).is_none());
                targets.insert(message.webhook, target(&item, (message.client, is_open), now, ring));
            }
            if let Some(item) = items.remove(&keys::webhook_state(message.webhook)) {
                states.insert(message.webhook, health(&item));
            }
            if let Some(item) = items.remove(&keys::event(message.client, message.event, 0)) {
                contents.insert(message.event, self.content(message.client, message.event, item).await);
            }
        }
        Ok(Loaded { targets, states, contents })
    }

    async fn content(&self, client: ClientId, event: EventId, first: Item) -> Result<Content, Error> {
        let body = self.store.join(&first, |piece| keys::event(client, event, piece)).await?;
        let body = String::from_utf8(body).map_err(Error::internal)?;
        let field = |name| must(get_text(&first, name).map(str::to_owned), name);
        Ok(Content { event: field("event")?, body, request_id: field("requestId")? })
    }

    /// Whether a webhook is on, in a client that is open.
    ///
    /// # Errors
    /// `unavailable`, `internal`.
    pub async fn is_active(&self, client: ClientId, webhook: WebhookId) -> Result<bool, Error> {
        self.store.is_active(client, webhook).await
    }

    /// Where messages stand whose time has not come.
    ///
    /// # Errors
    /// `unavailable`, `internal`.
    pub async fn standings(&self, messages: &[Message]) -> Result<Vec<Standing>, Error> {
        let key = |message: &Message| keys::delivery_state(message.client, message.webhook, message.delivery);
        let mut keys: Vec<Key> = messages.iter().map(key).collect();
        keys.sort_unstable_by(|a, b| (&a.pk, &a.sk).cmp(&(&b.pk, &b.sk)));
        keys.dedup();
        let states = self.store.batch_get_all(&keys.iter().collect::<Vec<_>>()).await?;
        let standing = |message: &Message| {
            let Some(state) = states.get(&key(message)).cloned().map(State::read).transpose()? else {
                return Ok(Standing::ToCome);
            };
            let moving = matches!(state.status, DeliveryStatus::Pending | DeliveryStatus::Retrying);
            Ok(match state.attempt.checked_sub(message.attempt) {
                _ if !moving || state.round != message.round => Standing::Over,
                Some(0) => Standing::ToCome,
                Some(1) => Standing::Begun,
                _ => Standing::Over,
            })
        };
        messages.iter().map(standing).collect()
    }

    /// Begins the attempt that a message is for. `received`: how often the queue has handed the message out.
    ///
    /// # Errors
    /// `unavailable`, `internal`.
    pub async fn lease(&self, message: &Message, received: u32) -> Result<Lease, Error> {
        // The same one in every try: one that was committed and of which nobody heard is ours.
        let holder = auth::hex(&auth::random::bytes::<8>());
        persist(PERSISTENCE, || self.try_lease(message, received, &holder)).await
    }

    async fn try_lease(&self, message: &Message, received: u32, holder: &str) -> Result<Lease, Error> {
        let now = self.store.clock().now();
        let number_of_it = message.attempt + 1;
        let mut change = Change::update(keys::delivery_state(message.client, message.webhook, message.delivery))
            .set("round", number(message.round))
            .set("attempt", number(number_of_it))
            .set("base", number(message.base))
            .set("holder", text(holder))
            .set(&start_of(number_of_it), number(now.millis()))
            .set("ttl", number(ttl(message.delivery)))
            .remove("nextAt");
        if message.attempt_of_round() == 0 {
            change = change.set("status", text(DeliveryStatus::Pending.name()));
        }
        if let Some(old) = number_of_it.checked_sub(ATTEMPTS_KEPT).filter(|old| *old > 0) {
            change = change.remove(&start_of(old)).remove(&result_of(old)).remove(&format!("r_{old}"));
        }
        match self.store.conditional_write(untouched(change, message)).await? {
            Written::Done => Ok(Lease::Taken),
            // It has vanished after its 30 days.
            Written::Refused(None) => Ok(Lease::Over),
            Written::Refused(Some(item)) => {
                let state = State::read(item)?;
                // Ours, committed by a try whose answer was lost.
                let ours = state.holder() == Some(holder);
                Ok(if ours { Lease::Taken } else { self.refused(message, &state, received, now) })
            }
        }
    }

    fn refused(&self, message: &Message, state: &State, received: u32, now: Time) -> Lease {
        let number_of_it = message.attempt + 1;
        let moving = matches!(state.status, DeliveryStatus::Pending | DeliveryStatus::Retrying);
        if state.round != message.round || !moving || state.attempt != number_of_it {
            return Lease::Over;
        }
        let past = |time: Time, span| time.plus(span) < now;
        let next = message.next(Time::from_millis(AT_ONCE));
        // Handed out for the first time, it is a copy, while the one whose attempt this is still lies in the queue.
        let copy = received < 2;
        if state.result(number_of_it).is_some() {
            let follows = !copy || state.next_at.is_none_or(|due| past(due, REDRIVEN));
            let due = state.next_at.unwrap_or(now);
            return if follows { Lease::FollowUp(message.next(due)) } else { Lease::Over };
        }
        let started = state.started(number_of_it);
        if copy {
            let redriven = started.is_none_or(|started| past(started, REDRIVEN));
            return if redriven { Lease::Died(next) } else { Lease::Over };
        }
        let of_the_dead = |started| self.dead_before.is_some_and(|dead| started < dead);
        let dead = started.is_none_or(|started| past(started, ATTEMPT) || of_the_dead(started));
        // Of two clocks one may be wrong: a message that came back twice has waited for long enough.
        if dead || received > 2 { Lease::Died(next) } else { Lease::Elsewhere }
    }

    /// Records what became of the attempt that a message was for, and what comes after it.
    ///
    /// # Errors
    /// `unavailable`, `internal`; the attempt then is `unknown`.
    pub async fn record(&self, message: &Message, attempt: &Attempt, next: Next) -> Result<(), Error> {
        let number_of_it = message.attempt + 1;
        let mut kept = attempt.clone();
        // As it will be written: a byte of an answer may become six.
        let written = |text: &String| serde_json::to_string(text).map_or(usize::MAX, |text| text.len());
        let long = kept.response.take_if(|response| written(response) > INLINE);
        if let Some(response) = &long {
            let key = keys::delivery_response(message.client, message.webhook, message.delivery, number_of_it);
            let put = Change::put(key).set("response", text(response)).set("ttl", number(ttl(message.delivery)));
            self.store.conditional_write(put).await?;
        }
        let result = serde_json::to_string(&kept).map_err(Error::internal)?;
        let key = keys::delivery_state(message.client, message.webhook, message.delivery);
        let with_result = |change: Change| {
            let change = change.set(&result_of(number_of_it), text(&result));
            if long.is_some() { change.set(&format!("r_{number_of_it}"), number(1)) } else { change }
        };
        let mut own = with_result(Change::update(key.clone()).set("status", text(status_after(next).name())))
            .when("#round = :round AND #attempt = :attempt")
            .with(":round", number(message.round))
            .with(":attempt", number(number_of_it));
        if let Next::Retry(due) = next {
            own = own.set("nextAt", number(due.millis()));
        }
        let done = match next {
            Next::Failed => {
                let changes = vec![own, row(message, DeliveryStatus::Failed, number_of_it)];
                matches!(self.store.commit(changes, no_event(&self.store)).await?, Outcome::Done)
            }
            Next::Delivered | Next::Retry(_) => matches!(self.store.conditional_write(own).await?, Written::Done),
        };
        if !done {
            // Sent anew meanwhile, or taken over: what became of it is still worth knowing.
            let begun = format!("attribute_exists(#{})", start_of(number_of_it));
            self.store.conditional_write(with_result(Change::update(key)).when(&begun)).await?;
        }
        Ok(())
    }

    /// Gives up a delivery whose last attempt died without a word.
    ///
    /// # Errors
    /// `unavailable`, `internal`.
    pub async fn give_up(&self, message: &Message) -> Result<(), Error> {
        let state = Change::update(keys::delivery_state(message.client, message.webhook, message.delivery))
            .set("status", text(DeliveryStatus::Failed.name()));
        let changes = vec![untouched(state, message), row(message, DeliveryStatus::Failed, message.attempt)];
        self.store.commit(changes, no_event(&self.store)).await.map(|_| ())
    }

    /// Holds a delivery until its webhook is on, or answers, again; false if it has moved on.
    ///
    /// # Errors
    /// `unavailable`, `internal`.
    pub async fn hold(&self, message: &Message) -> Result<bool, Error> {
        hold(&self.store, message).await
    }

    /// What a message says that can't be held.
    ///
    /// # Errors
    /// `unavailable`, `internal`.
    pub async fn moved_on(&self, message: &Message, received: u32) -> Result<Lease, Error> {
        let key = keys::delivery_state(message.client, message.webhook, message.delivery);
        let state = self.store.get(&key).await?.map(State::read).transpose()?;
        let now = self.store.clock().now();
        Ok(state.map_or(Lease::Over, |state| self.refused(message, &state, received, now)))
    }

    /// Switches a webhook off because of what its endpoint answered.
    ///
    /// # Errors
    /// `unavailable`, `internal`.
    pub async fn disable(&self, client: ClientId, webhook: WebhookId, reason: DisabledReason) -> Result<(), Error> {
        let seed = Seed::new(self.store.clock().now());
        let request_id = format!("req_{}", auth::hex(&auth::random::bytes::<16>()));
        let origin = RequestInfo { address: None, agent: "dispatcher".to_owned(), request_id };
        self.store.disable(client, webhook, reason, &Author::new("system", &origin, seed)).await
    }
}

fn target(item: &Item, (client, is_open): (ClientId, bool), now: Time, ring: &Keyring) -> Result<Target, Error> {
    let endpoint = Document::<Endpoint>::read(item)?.value;
    let secrets = endpoint.live_secrets(client, now, ring)?;
    let headers = endpoint.headers(client, ring)?;
    let is_on = is_open && endpoint.webhook.active;
    Ok(Target { webhook: endpoint.webhook, is_on, secrets, headers })
}

fn status_after(next: Next) -> DeliveryStatus {
    match next {
        Next::Delivered => DeliveryStatus::Delivered,
        Next::Retry(_) => DeliveryStatus::Retrying,
        Next::Failed => DeliveryStatus::Failed,
    }
}

/// Where messages go and what they say; one that can't be read is no reason not to send the others.
pub struct Loaded {
    /// By webhook; none for one that was deleted.
    pub targets: HashMap<WebhookId, Result<Target, Error>>,
    /// How their endpoints stand, by webhook; none for one that nothing was sent to lately.
    pub states: HashMap<WebhookId, Health>,
    /// By event; none for one that is no longer kept.
    pub contents: HashMap<EventId, Result<Content, Error>>,
}

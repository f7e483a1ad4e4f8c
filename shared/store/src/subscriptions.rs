//! Subscriptions: what a client may use, and what the payment service says of it.

use std::marker::PhantomData;
use std::time::Duration;

use contract::Error;
use contract::id::{ClientId, EventId};
use contract::subscription::{Limits, Plan, Subscription, SubscriptionStatus};

use crate::author::unique;
use crate::change::{Change, Outcome};
use crate::document::to_doc;
use crate::dynamo::{get_number, get_text, must, number, text};
use crate::grant::{Create, Get, granted};
use crate::keys;
use crate::limits::{COUNTED_GLOBAL_FIELDS, COUNTED_MEMBERS, COUNTED_WEBHOOKS};
use crate::retry::{Step, update_with_retry};
use crate::standing::StoredSubscription;
use crate::{OpContext, Store};

/// How long an event of the payment service's is remembered: it sends one anew for three days.
const REMEMBERED: Duration = Duration::from_secs(30 * 24 * 3600);

/// The subscription of the request's client.
pub struct Subscriptions<A> {
    op: OpContext,
    access: PhantomData<A>,
}

granted! {
    Subscriptions<Get> { Main BatchGetItem [Client, Counts]; }
    Subscriptions<Create> { Main GetItem [Client]; }
    SubscriptionEvents {
        Main GetItem [Client];
        Main UpdateItem [Client];
        Log GetItem [BillingEvents];
        Log PutItem [BillingEvents];
    }
}

impl<A> Subscriptions<A> {
    /// Of the request's client.
    #[must_use]
    pub fn open(op: &OpContext) -> Self {
        Self { op: op.clone(), access: PhantomData }
    }
}

impl Subscriptions<Get> {
    /// The subscription, with what there is of what is counted.
    ///
    /// # Errors
    /// None of the contract's.
    pub async fn get(&self) -> Result<Subscription, Error> {
        let client = self.op.scope.client();
        let [fields, webhooks, members] =
            [COUNTED_GLOBAL_FIELDS, COUNTED_WEBHOOKS, COUNTED_MEMBERS].map(|counted| counted.counter(client));
        let card = keys::client(client);
        let [card, fields, webhooks, members] = self.op.store.batch_get([&card, &fields, &webhooks, &members]).await?;
        let stored = StoredSubscription::of(&must(card, "client")?)?;
        let count = |item: Option<crate::dynamo::Item>| item.and_then(|item| get_number(&item, "count")).unwrap_or(0);
        let usage = Limits {
            fields: Some(count(fields)),
            webhooks: Some(count(webhooks)),
            members: Some(count(members)),
            ..Limits::default()
        };
        let plan = stored.plan();
        Ok(Subscription { limits: plan.limits(), plan, status: stored.status, usage })
    }
}

/// What the payment service knows a client by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payer {
    /// Its customer, once it has paid for something.
    pub customer: Option<String>,
    /// Whether a subscription there is in force.
    pub is_subscribed: bool,
}

impl Subscriptions<Create> {
    /// What the payment service knows the client by.
    ///
    /// # Errors
    /// None of the contract's.
    pub async fn payer(&self) -> Result<Payer, Error> {
        let card = self.op.store.get(&keys::client(self.op.scope.client())).await?;
        let stored = StoredSubscription::of(&must(card, "client")?)?;
        let is_subscribed = stored.id.is_some() && stored.status != SubscriptionStatus::Inactive;
        Ok(Payer { customer: stored.customer, is_subscribed })
    }
}

/// What an event of the payment service's says of a subscription there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubscriptionEvent {
    /// The event's identifier.
    pub id: String,
    /// When it was made, in seconds since 1970; of those of one second the later kind counts (created, updated, deleted).
    pub at: i64,
    /// Which kind it is of, in this order.
    pub kind: u8,
    /// The client that it was made for.
    pub client: ClientId,
    /// The customer.
    pub customer: String,
    /// The subscription.
    pub subscription: String,
    /// The plan that is paid for, if it is one of ours.
    pub plan: Option<Plan>,
    /// Where it stands.
    pub status: SubscriptionStatus,
}

impl SubscriptionEvent {
    /// Sorts as events do.
    fn stamp(&self) -> String {
        format!("{:012}.{}", self.at.max(0), self.kind)
    }

    /// What a client's subscription becomes by it; nothing, if something that is newer is known, or if it is about the end
    /// of another one than the one in force.
    fn on(&self, stored: &StoredSubscription, known: Option<&str>) -> Option<StoredSubscription> {
        let is_old = known.is_some_and(|known| *known > *self.stamp());
        let is_other = stored.id.as_ref().is_some_and(|id| *id != self.subscription);
        if is_old || (is_other && self.status == SubscriptionStatus::Inactive) {
            return None;
        }
        Some(StoredSubscription {
            plan: self.plan.as_ref().map_or_else(|| stored.plan.clone(), Plan::to_string),
            status: self.status,
            customer: Some(self.customer.clone()),
            id: Some(self.subscription.clone()),
        })
    }
}

/// Events of the payment service's.
#[derive(Clone)]
pub struct SubscriptionEvents {
    store: Store,
}

/// What became of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// The client's subscription is as it says.
    Applied,
    /// It came before.
    Before,
    /// Something newer is known, or it is about another subscription than the one in force.
    Outdated,
    /// There is no such client.
    Unknown,
}

impl SubscriptionEvents {
    /// Of a store.
    #[must_use]
    pub fn open(store: &Store) -> Self {
        Self { store: store.clone() }
    }

    /// Sets a client's subscription by an event, once.
    ///
    /// # Errors
    /// `unavailable`, `internal`; then it has to come again.
    pub async fn apply(&self, event: &SubscriptionEvent) -> Result<Heard, Error> {
        let (store, now) = (&self.store, self.store.clock().now());
        let (heard, key) = (keys::billing_event(&event.id), keys::client(event.client));
        let written = EventId::new(unique(now));
        update_with_retry!({
            if store.get(&heard).await?.is_some() {
                return Ok(Step::Done(Heard::Before));
            }
            let Some(card) = store.get(&key).await? else { return Ok(Step::Done(Heard::Unknown)) };
            let known = get_text(&card, "billedAt");
            let Some(next) = event.on(&StoredSubscription::of(&card)?, known) else {
                return Ok(Step::Done(Heard::Outdated));
            };
            let note = Change::put(heard.clone()).set("ttl", number(now.plus(REMEMBERED).seconds())).when_absent();
            let changes = vec![note.unstamped(), set(event.client, &next, &event.stamp(), known)?];
            match store.commit(changes, written).await? {
                Outcome::Done => {
                    store.forget_standing(event.client);
                    Ok(Step::Done(Heard::Applied))
                }
                Outcome::Stale => Ok(Step::Stale { base: 0 }),
            }
        })
    }

    /// Puts a client on a plan, by whoever runs the deployment; events from before count no more.
    ///
    /// # Errors
    /// `unavailable`, `internal`.
    pub async fn set_plan(&self, client: ClientId, plan: &Plan, status: SubscriptionStatus) -> Result<Heard, Error> {
        let (store, now) = (&self.store, self.store.clock().now());
        let (key, written) = (keys::client(client), EventId::new(unique(now)));
        update_with_retry!({
            let Some(card) = store.get(&key).await? else { return Ok(Step::Done(Heard::Unknown)) };
            let known = get_text(&card, "billedAt");
            let next = StoredSubscription { plan: plan.to_string(), status, ..StoredSubscription::of(&card)? };
            let stamp = format!("{:012}.9", now.seconds());
            match store.commit(vec![set(client, &next, &stamp, known)?], written).await? {
                Outcome::Done => {
                    store.forget_standing(client);
                    Ok(Step::Done(Heard::Applied))
                }
                Outcome::Stale => Ok(Step::Stale { base: 0 }),
            }
        })
    }
}

/// The write of a subscription, if nothing came in between; beside the client's document, whose version stays.
fn set(client: ClientId, next: &StoredSubscription, stamp: &str, known: Option<&str>) -> Result<Change, Error> {
    let change = Change::update(keys::client(client))
        .set("subscription", text(to_doc(next)?))
        .set("billedAt", text(stamp))
        .when_present()
        .unstamped();
    Ok(match known {
        None => change.when("attribute_not_exists(#billedAt)"),
        Some(known) => change.when("#billedAt = :known").with(":known", text(known)),
    })
}

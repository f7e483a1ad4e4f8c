//! Subscriptions: what a client may use, and what the payment service says of it.

use std::marker::PhantomData;
use std::time::Duration;

use contract::Error;
use contract::id::ClientId;
use contract::subscription::{Limits, Plan, Subscription, SubscriptionStatus};

use crate::author::Author;
use crate::change::{Change, Outcome};
use crate::document::to_doc;
use crate::dynamo::{Item, get_number, get_text, must, number, text};
use crate::grant::{Create, Get, granted};
use crate::keys;
use crate::limits::{COUNTED_GLOBAL_FIELDS, COUNTED_MEMBERS, COUNTED_TENANTS, COUNTED_WEBHOOKS};
use crate::payments::Payments;
pub use crate::payments::{Heard, SubscriptionEvent};
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
        let counted = [COUNTED_TENANTS, COUNTED_GLOBAL_FIELDS, COUNTED_WEBHOOKS, COUNTED_MEMBERS];
        let [tenants, fields, webhooks, members] = counted.map(|counted| counted.counter(client));
        let (store, card) = (&self.op.store, keys::client(client));
        let [card, tenants, fields, webhooks, members] =
            store.batch_get([&card, &tenants, &fields, &webhooks, &members]).await?;
        let stored = StoredSubscription::of(&must(card, "client")?)?;
        let count = |item: Option<Item>| item.and_then(|item| get_number(&item, "count")).unwrap_or(0);
        // Entities are not counted: a first save is one write, and would be four.
        let usage = Limits {
            tenants: Some(count(tenants)),
            fields: Some(count(fields)),
            webhooks: Some(count(webhooks)),
            members: Some(count(members)),
            ..Limits::default()
        };
        let plan = stored.plan();
        Ok(Subscription { limits: store.allowed(plan.limits()), plan, status: stored.status, usage })
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
        let payments = Payments::of(&must(card, "client")?)?;
        Ok(Payer { customer: payments.customer().map(str::to_owned), is_subscribed: payments.is_subscribed() })
    }
}

/// Events of the payment service's.
#[derive(Clone)]
pub struct SubscriptionEvents {
    store: Store,
}

impl SubscriptionEvents {
    /// Of a store.
    #[must_use]
    pub fn open(store: &Store) -> Self {
        Self { store: store.clone() }
    }

    /// Takes in what an event says of a subscription, once, and gives its client what follows.
    ///
    /// # Errors
    /// `unavailable`, `internal`; then it has to come again.
    pub async fn apply(&self, event: &SubscriptionEvent) -> Result<Heard, Error> {
        let (store, now) = (&self.store, self.store.clock().now());
        let (heard, key) = (keys::billing_event(&event.id), keys::client(event.client));
        let author = Author::of_no_caller("stripe", "take-billing-event", now);
        let written = author.event();
        update_with_retry!({
            if store.get(&heard).await?.is_some() {
                return Ok(Step::Done(Heard::Before));
            }
            let Some(card) = store.get(&key).await? else { return Ok(Step::Done(Heard::Unknown)) };
            let mut payments = Payments::of(&card)?;
            let became = payments.hear(event);
            if became == Heard::Outdated {
                return Ok(Step::Done(became));
            }
            let note = Change::put(heard.clone()).set("ttl", number(now.plus(REMEMBERED).seconds())).when_absent();
            let changes = vec![note.unstamped(), set(event.client, &payments, &card)?.stamped(&author, written)];
            match store.commit(changes, written).await? {
                Outcome::Done => {
                    store.forget_standing(event.client);
                    Ok(Step::Done(became))
                }
                Outcome::Stale => Ok(Step::Stale { base: 0 }),
            }
        })
    }

    /// Puts a client on a plan, by whoever runs the deployment, until a newer event says that a plan of ours is paid for.
    ///
    /// # Errors
    /// `unavailable`, `internal`.
    pub async fn set_plan(
        &self,
        client: ClientId,
        plan: &Plan,
        status: SubscriptionStatus,
        author: &Author,
    ) -> Result<Heard, Error> {
        let (store, key, written) = (&self.store, keys::client(client), author.event());
        update_with_retry!({
            let Some(card) = store.get(&key).await? else { return Ok(Step::Done(Heard::Unknown)) };
            let mut payments = Payments::of(&card)?;
            payments.set(author.at().seconds(), plan, status);
            match store.commit(vec![set(client, &payments, &card)?.stamped(author, written)], written).await? {
                Outcome::Done => {
                    store.forget_standing(client);
                    Ok(Step::Done(Heard::Applied))
                }
                Outcome::Stale => Ok(Step::Stale { base: 0 }),
            }
        })
    }
}

/// The write of what is known and what follows, if nothing came in between. The version of the client's document stays.
fn set(client: ClientId, next: &Payments, card: &Item) -> Result<Change, Error> {
    let change = Change::update(keys::client(client))
        .set("subscription", text(to_doc(&next.subscription())?))
        .set("payments", text(to_doc(next)?))
        .when_present();
    Ok(match get_text(card, "payments") {
        None => change.when("attribute_not_exists(#payments)"),
        Some(known) => change.when("#payments = :known").with(":known", text(known)),
    })
}

//! Subscriptions, by what the payment service says and by whoever runs the deployment.

use std::time::Duration;

use contract::Error;
use contract::subscription::SubscriptionStatus::{self, Active, Inactive, PastDue};
use hedgerow_store::grant::{Create, Get};
use hedgerow_store::subscriptions::{Heard, SubscriptionEvent, SubscriptionEvents, Subscriptions};

use crate::fixture::{Account, Tables, named};

/// Kinds, in the order in which they count within a second.
const CREATED: u8 = 0;
const UPDATED: u8 = 1;
const DELETED: u8 = 2;

/// What happens to subscriptions `a` to `z`, made a second after the other; the price is the plan's name.
struct Happens<'h>(i64, u8, &'h str, &'h str, SubscriptionStatus);

/// An account, and when its events begin.
struct Billed {
    account: Account,
    begin: i64,
}

impl Billed {
    async fn new() -> Self {
        let account = Tables::new().await.account().await;
        let begin = account.tables.clock.now().seconds();
        Self { account, begin }
    }

    async fn hears(&self, Happens(at, kind, subscription, plan, status): &Happens<'_>) -> Result<Heard, Error> {
        self.hears_of_price(&format!("price_{plan}"), &Happens(*at, *kind, subscription, plan, *status)).await
    }

    async fn hears_of_price(&self, price: &str, happens: &Happens<'_>) -> Result<Heard, Error> {
        let Happens(after, kind, subscription, plan, status) = *happens;
        let event = SubscriptionEvent {
            id: format!("evt_{subscription}_{after}_{kind}"),
            at: self.begin + after,
            kind,
            client: self.account.scope.client(),
            customer: format!("cus_{subscription}"),
            subscription: format!("sub_{subscription}"),
            created: i64::from(subscription.as_bytes()[0]),
            price: Some(price.to_owned()),
            plan: plan.parse().ok(),
            status,
        };
        SubscriptionEvents::open(&self.account.store).apply(&event).await
    }

    async fn is_put_on(&self, plan: &str, status: SubscriptionStatus) -> Result<Heard, Error> {
        let events = SubscriptionEvents::open(&self.account.store);
        let author = self.account.tables.author();
        events.set_plan(self.account.scope.client(), &named(plan), status, &author).await
    }

    async fn has(&self) -> Result<(String, SubscriptionStatus), Error> {
        let subscription = Subscriptions::<Get>::open(&self.account.op()).get().await?;
        Ok((subscription.plan.to_string(), subscription.status))
    }

    async fn is_subscribed(&self) -> Result<bool, Error> {
        Ok(Subscriptions::<Create>::open(&self.account.op()).payer().await?.is_subscribed)
    }
}

fn is(plan: &str, status: SubscriptionStatus) -> (String, SubscriptionStatus) {
    (plan.to_owned(), status)
}

/// Every order of so many.
fn orders(of: usize) -> Vec<Vec<usize>> {
    let Some(last) = of.checked_sub(1) else { return vec![vec![]] };
    let place = |order: Vec<usize>| (0..of).map(move |at| [&order[..at], &[last], &order[at..]].concat());
    orders(last).into_iter().flat_map(place).collect()
}

#[tokio::test]
async fn the_newest_in_force_counts_in_whatever_order_events_come() -> Result<(), Error> {
    let replaced = [
        Happens(0, CREATED, "b", "starter", Active),
        Happens(50, UPDATED, "a", "business", Active),
        Happens(60, DELETED, "a", "business", Inactive),
    ];
    let other_left = [
        Happens(10, UPDATED, "c", "team", PastDue),
        Happens(20, UPDATED, "b", "starter", Active),
        Happens(30, DELETED, "b", "starter", Inactive),
    ];
    let within_a_second = [
        Happens(0, CREATED, "b", "starter", Active),
        Happens(9, DELETED, "b", "starter", Inactive),
        Happens(9, CREATED, "d", "team", Active),
    ];
    let none_left = [
        Happens(0, CREATED, "b", "starter", Active),
        Happens(8, DELETED, "c", "team", Inactive),
        Happens(9, DELETED, "b", "starter", Inactive),
    ];
    for (events, expected) in [
        (replaced, is("starter", Active)),
        (other_left, is("team", PastDue)),
        (within_a_second, is("team", Active)),
        (none_left, is("team", Inactive)),
    ] {
        for order in orders(events.len()) {
            let billed = Billed::new().await;
            for at in &order {
                billed.hears(&events[*at]).await?;
            }
            assert_eq!(billed.has().await?, expected, "{order:?}");
            assert_eq!(billed.is_subscribed().await?, expected.1 != Inactive, "{order:?}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn of_many_subscriptions_those_in_force_are_remembered() -> Result<(), Error> {
    let billed = Billed::new().await;
    billed.hears(&Happens(0, CREATED, "a", "business", Active)).await?;
    for (at, other) in (1..).zip('b'..='z') {
        billed.hears(&Happens(at, DELETED, &other.to_string(), "team", Inactive)).await?;
    }
    assert_eq!(billed.has().await?, is("business", Active));
    // The end of a late one is still known.
    assert_eq!(billed.hears(&Happens(2, UPDATED, "z", "team", Active)).await?, Heard::Outdated);
    Ok(())
}

#[tokio::test]
async fn a_price_that_is_no_plans_buys_none() -> Result<(), Error> {
    let billed = Billed::new().await;
    billed.hears_of_price("price_1", &Happens(0, CREATED, "b", "business", Active)).await?;
    // Its lookup key has moved on, and it is still paid.
    let same = billed.hears_of_price("price_1", &Happens(1, UPDATED, "b", "", PastDue)).await?;
    assert_eq!((same, billed.has().await?), (Heard::Applied, is("business", PastDue)));
    let other = billed.hears_of_price("price_2", &Happens(2, UPDATED, "b", "", Active)).await?;
    assert_eq!((other, billed.has().await?), (Heard::NoPlan, is("open", Active)));
    // Whoever runs the deployment helps, and the next event of the price takes nothing away.
    billed.is_put_on("team", Active).await?;
    billed.hears_of_price("price_2", &Happens(9000, UPDATED, "b", "", Active)).await?;
    assert_eq!(billed.has().await?, is("team", Active));
    // What buys a plan goes before a newer one that buys none.
    billed.hears(&Happens(9001, CREATED, "a", "starter", Active)).await?;
    assert_eq!(billed.has().await?, is("starter", Active));
    Ok(())
}

#[tokio::test]
async fn what_is_set_here_holds_until_a_plan_is_paid_for_and_says_nothing_of_what_is() -> Result<(), Error> {
    let billed = Billed::new().await;
    billed.is_put_on("team", PastDue).await?;
    assert!(!billed.is_subscribed().await?);
    billed.hears(&Happens(1000, CREATED, "b", "starter", Active)).await?;
    billed.hears(&Happens(2000, DELETED, "b", "starter", Inactive)).await?;
    assert_eq!(billed.has().await?, is("starter", Inactive));
    billed.account.tables.clock.advance(Duration::from_secs(4000));
    billed.is_put_on("team", Active).await?;
    assert_eq!((billed.has().await?, billed.is_subscribed().await?), (is("team", Active), false));
    // Made before, and an end.
    billed.hears(&Happens(3000, CREATED, "c", "business", Active)).await?;
    billed.hears(&Happens(9000, DELETED, "a", "business", Inactive)).await?;
    assert_eq!((billed.has().await?, billed.is_subscribed().await?), (is("team", Active), true));
    billed.is_put_on("team", Inactive).await?;
    assert_eq!((billed.has().await?, billed.is_subscribed().await?), (is("team", Inactive), true));
    billed.hears(&Happens(9001, UPDATED, "c", "business", Active)).await?;
    assert_eq!(billed.has().await?, is("business", Active));
    Ok(())
}

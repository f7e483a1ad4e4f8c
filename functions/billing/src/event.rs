//! Stripe's events about subscriptions (Stripe API reference, "The Event object", "The Subscription object"), as far as they
//! are of use here.

use contract::subscription::{Plan, SubscriptionStatus};
use contract::{Code, Error};
use serde::Deserialize;
use store::subscriptions::SubscriptionEvent;

/// Identifiers of theirs have at most this many characters.
const MAX_ID: usize = 255;

#[derive(Deserialize)]
struct Event<'e> {
    id: &'e str,
    #[serde(rename = "type")]
    kind: &'e str,
    created: i64,
}

#[derive(Deserialize)]
struct OfSubscription {
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    object: Subscription,
}

#[derive(Deserialize)]
struct Subscription {
    id: String,
    customer: String,
    #[serde(default)]
    created: i64,
    status: String,
    items: Items,
    #[serde(default)]
    metadata: Metadata,
}

#[derive(Deserialize)]
struct Items {
    data: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    price: Price,
}

#[derive(Deserialize)]
struct Price {
    id: String,
    lookup_key: Option<String>,
}

/// What our checkout has them say.
#[derive(Default, Deserialize)]
struct Metadata {
    #[serde(rename = "clientId")]
    client_id: Option<String>,
}

/// An event about the subscription of a client of ours; nothing, if it is about something else.
///
/// # Errors
/// `malformed_request` for what is none.
pub(crate) fn read(body: &[u8]) -> Result<Option<SubscriptionEvent>, Error> {
    let event: Event<'_> = parse(body)?;
    let kind = match event.kind {
        "customer.subscription.created" => 0,
        "customer.subscription.updated" | "customer.subscription.paused" | "customer.subscription.resumed" => 1,
        "customer.subscription.deleted" => 2,
        _ => return Ok(None),
    };
    let Subscription { id, customer, created, status, items, metadata } = parse::<OfSubscription>(body)?.data.object;
    let prices = items.data.iter().map(|item| &*item.price.id);
    if [event.id, &id, &customer].into_iter().chain(prices).any(|id| id.is_empty() || id.len() > MAX_ID) {
        return Err(malformed());
    }
    let client = metadata.client_id.and_then(|id| id.parse().ok());
    let (Some(client), Some(status)) = (client, status_of(&status)) else { return Ok(None) };
    let plan_of = |price: &Price| price.lookup_key.as_ref()?.parse::<Plan>().ok();
    let mut prices: Vec<_> = items.data.into_iter().map(|item| item.price).collect();
    // That of a plan, or else the first.
    prices.sort_by_key(|price| plan_of(price).is_none());
    let price = prices.into_iter().next();
    let (plan, price) = (price.as_ref().and_then(plan_of), price.map(|price| price.id));
    let (id, at, subscription) = (event.id.to_owned(), event.created, id);
    Ok(Some(SubscriptionEvent { id, at, kind, client, customer, subscription, created, price, plan, status }))
}

fn parse<'b, T: Deserialize<'b>>(body: &'b [u8]) -> Result<T, Error> {
    serde_json::from_slice(body).map_err(|_| malformed())
}

fn malformed() -> Error {
    Error::saying(Code::MalformedRequest, "The body is no event of Stripe's.")
}

/// Where theirs stands, as ours; nothing while its first payment is under way, or after that has failed: what the client
/// had before goes on.
fn status_of(theirs: &str) -> Option<SubscriptionStatus> {
    match theirs {
        "active" => Some(SubscriptionStatus::Active),
        "trialing" => Some(SubscriptionStatus::Trialing),
        "past_due" => Some(SubscriptionStatus::PastDue),
        "incomplete" | "incomplete_expired" => None,
        // `canceled`, `unpaid`, `paused`, and whatever comes to be.
        _ => Some(SubscriptionStatus::Inactive),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn whatever_comes_is_read_without_harm(body: Vec<u8>, text in ".*") {
            prop_assert!(!matches!(read(&body), Ok(Some(_))) && !matches!(read(text.as_bytes()), Ok(Some(_))));
        }
    }
}

//! `POST /api/billing/stripe`

use auth::StripeSignature;
use contract::resource::Empty;
use contract::{Code, Error};
use runtime::{Billing, Found, Now, SignedBody};
use store::subscriptions::{Heard, SubscriptionEvents};

use crate::event;

pub(crate) async fn take(
    billing: Billing,
    subscriptions: SubscriptionEvents,
    now: Now,
    signed: SignedBody,
) -> Result<Found<Empty>, Error> {
    let secret = billing.webhook_secret().await?;
    let signature = signed.signature.as_deref().and_then(StripeSignature::parse);
    if !signature.is_some_and(|signature| signature.is_of(&signed.body, &secret, now.0)) {
        return Err(Code::Unauthenticated.into());
    }
    let Some(event) = event::read(&signed.body)? else { return Ok(Found(Empty {})) };
    let (id, client) = (event.id.as_str(), event.client.to_string());
    let operation = crate::TAKE_EVENT.route.id;
    match subscriptions.apply(&event).await? {
        Heard::Applied => {
            let (plan, status) = (event.plan.as_ref().map(ToString::to_string), event.status.name());
            tracing::info!(operation, event = id, client, plan, status, "a subscription was set by Stripe");
        }
        Heard::NoPlan => {
            let price = event.price.as_deref().unwrap_or("(none)");
            tracing::error!(
                operation,
                event = id,
                client,
                "Stripe's price {price} has no lookup key of a plan: what pays it counts as the initial plan; give the price \
                 a plan's name as its lookup key and change something of the subscription in Stripe, or put the client on a \
                 plan with `hedgerow admin set-plan`"
            );
        }
        Heard::Before | Heard::Outdated => {
            tracing::info!(operation, event = id, client, "an event of Stripe's says nothing new");
        }
        Heard::Unknown => {
            tracing::warn!(operation, event = id, client, "an event of Stripe's is about a client that is not here");
        }
    }
    Ok(Found(Empty {}))
}

//! `POST /api/v1/subscription/checkout`

use contract::subscription::{BillingPage, Plan};
use contract::{Error, Origin, Problems};
use deserr::Deserr;
use runtime::{Billing, Body, Created, LoggedIn};
use schemars::JsonSchema;
use store::grant::Create;
use store::subscriptions::Subscriptions;

use crate::stripe::{self, Checkout};

/// What is to be paid for.
#[derive(Deserr, JsonSchema)]
#[deserr(error = Problems, rename_all = camelCase, deny_unknown_fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct CreateCheckout {
    plan: Plan,
}

impl Body for CreateCheckout {}

pub(crate) async fn checkout(
    session: LoggedIn,
    subscriptions: Subscriptions<Create>,
    billing: Billing,
    origin: Origin,
    body: CreateCheckout,
) -> Result<Created<BillingPage>, Error> {
    let key = billing.secret_key().await?;
    let payer = subscriptions.payer().await?;
    if payer.is_subscribed {
        let message =
            "There is a subscription already: `POST /api/v1/subscription/portal` leads to where it is changed.";
        return Err(Problems::one("plan", "already_subscribed", message).into());
    }
    let checkout = Checkout {
        client: session.0.scope.client(),
        plan: &body.plan,
        customer: payer.customer.as_deref(),
        email: &session.0.user.email,
        origin: &origin,
    };
    Ok(Created(BillingPage { url: stripe::checkout(billing.api(), &key, &checkout).await? }))
}

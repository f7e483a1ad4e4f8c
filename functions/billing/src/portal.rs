//! `POST /api/v1/subscription/portal`

use contract::subscription::BillingPage;
use contract::{Code, Error, Origin};
use runtime::{Billing, Created};
use store::grant::Create;
use store::subscriptions::Subscriptions;

use crate::stripe;

pub(crate) async fn portal(
    subscriptions: Subscriptions<Create>,
    billing: Billing,
    origin: Origin,
) -> Result<Created<BillingPage>, Error> {
    let key = billing.secret_key().await?;
    let Some(customer) = subscriptions.payer().await?.customer else {
        let message = "Nothing has been paid for yet: begin with `POST /api/v1/subscription/checkout`.";
        return Err(Error::saying(Code::BillingNotConfigured, message));
    };
    Ok(Created(BillingPage { url: stripe::portal(billing.api(), &key, &customer, &origin).await? }))
}

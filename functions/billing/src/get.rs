//! `GET /api/v1/subscription`

use contract::Error;
use contract::subscription::Subscription;
use runtime::Found;
use store::grant::Get;
use store::subscriptions::Subscriptions;

pub(crate) async fn get(subscriptions: Subscriptions<Get>) -> Result<Found<Subscription>, Error> {
    Ok(Found(subscriptions.get().await?))
}

//! `GET /api/v1/webhooks/{id}`

use contract::Error;
use contract::id::WebhookId;
use contract::webhook::Webhook;
use runtime::Found;
use store::grant::Get;
use store::webhooks::Webhooks;

pub(crate) async fn get(webhooks: Webhooks<Get>, id: WebhookId) -> Result<Found<Webhook>, Error> {
    Ok(Found(webhooks.get(id).await?))
}

//! `GET /api/v1/webhooks/{id}`

use contract::Error;
use contract::id::WebhookId;
use contract::webhook::Webhook;
use runtime::Found;
use store::grant::Read;
use store::webhooks::Webhooks;

pub(crate) async fn get(webhooks: Webhooks<Read>, id: WebhookId) -> Result<Found<Webhook>, Error> {
    Ok(Found(webhooks.get(id).await?))
}

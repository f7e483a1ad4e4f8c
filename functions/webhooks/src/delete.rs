//! `DELETE /api/v1/webhooks/{id}`

use contract::Error;
use contract::id::WebhookId;
use runtime::{IfMatch, NoContent};
use store::grant::Delete;
use store::webhooks::Webhooks;

pub(crate) async fn delete(webhooks: Webhooks<Delete>, id: WebhookId, if_match: IfMatch) -> Result<NoContent, Error> {
    webhooks.delete(id, if_match.0).await?;
    Ok(NoContent)
}

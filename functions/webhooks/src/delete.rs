//! `DELETE /api/v1/webhooks/{id}`

use contract::id::WebhookId;
use contract::{Error, Precondition};
use runtime::NoContent;
use store::grant::Delete;
use store::webhooks::Webhooks;

pub(crate) async fn delete(
    webhooks: Webhooks<Delete>,
    id: WebhookId,
    precondition: Option<Precondition>,
) -> Result<NoContent, Error> {
    webhooks.delete(id, precondition).await?;
    Ok(NoContent)
}

//! `GET /api/v1/webhooks`

use contract::Error;
use contract::webhook::Webhook;
use runtime::Listed;
use store::grant::List;
use store::page::PageRequest;
use store::webhooks::Webhooks;

pub(crate) async fn list(webhooks: Webhooks<List>, page: PageRequest) -> Result<Listed<Webhook>, Error> {
    Ok(Listed(webhooks.list(&page).await?))
}

//! `GET /api/v1/webhooks`

use contract::Error;
use contract::webhook::Webhook;
use runtime::Listed;
use store::grant::Read;
use store::page::PageRequest;
use store::webhooks::Webhooks;

pub(crate) async fn list(webhooks: Webhooks<Read>, page: PageRequest) -> Result<Listed<Webhook>, Error> {
    Ok(Listed(webhooks.list(&page).await?))
}

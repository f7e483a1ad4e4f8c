//! `GET /api/v1/api-keys`

use contract::Error;
use contract::resource::ApiKey;
use runtime::Listed;
use store::api_keys::ApiKeys;
use store::grant::List;
use store::page::PageRequest;

pub(crate) async fn list(keys: ApiKeys<List>, page: PageRequest) -> Result<Listed<ApiKey>, Error> {
    Ok(Listed(keys.list(&page).await?))
}

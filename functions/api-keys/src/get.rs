//! `GET /api/v1/api-keys/{id}`

use contract::Error;
use contract::id::KeyId;
use contract::resource::ApiKey;
use runtime::Found;
use store::api_keys::ApiKeys;
use store::grant::Get;

pub(crate) async fn get(keys: ApiKeys<Get>, id: KeyId) -> Result<Found<ApiKey>, Error> {
    Ok(Found(keys.get(id).await?))
}

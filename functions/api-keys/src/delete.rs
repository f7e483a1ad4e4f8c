//! `DELETE /api/v1/api-keys/{id}`

use contract::Error;
use contract::id::KeyId;
use runtime::{IfMatch, NoContent};
use store::api_keys::ApiKeys;
use store::grant::Delete;

pub(crate) async fn delete(keys: ApiKeys<Delete>, id: KeyId, if_match: IfMatch) -> Result<NoContent, Error> {
    keys.delete(id, if_match.0).await?;
    Ok(NoContent)
}

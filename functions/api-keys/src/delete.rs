//! `DELETE /api/v1/api-keys/{id}`

use contract::Error;
use contract::id::KeyId;
use runtime::{IfMatch, NoContent};
use store::api_keys::ApiKeys;
use store::grant::Write;

pub(crate) async fn delete(keys: ApiKeys<Write>, id: KeyId, if_match: IfMatch) -> Result<NoContent, Error> {
    keys.delete(id, if_match.0).await?;
    Ok(NoContent)
}

//! `DELETE /api/v1/api-keys/{id}`

use contract::id::KeyId;
use contract::{Error, Precondition};
use runtime::NoContent;
use store::api_keys::ApiKeys;
use store::grant::Delete;

pub(crate) async fn delete(
    keys: ApiKeys<Delete>,
    id: KeyId,
    precondition: Option<Precondition>,
) -> Result<NoContent, Error> {
    keys.delete(id, precondition).await?;
    Ok(NoContent)
}

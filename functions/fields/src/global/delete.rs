//! `DELETE /api/v1/global-fields/{id}`

use contract::Error;
use runtime::parameters::GlobalFieldId;
use runtime::{IfMatch, NoContent};
use store::global_fields::GlobalFields;
use store::grant::Delete;

pub(crate) async fn delete(
    fields: GlobalFields<Delete>,
    id: GlobalFieldId,
    if_match: IfMatch,
) -> Result<NoContent, Error> {
    fields.delete(id.0, if_match.0).await?;
    Ok(NoContent)
}

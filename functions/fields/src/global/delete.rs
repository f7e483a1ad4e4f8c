//! `DELETE /api/v1/global-fields/{id}`

use contract::{Error, Precondition};
use runtime::NoContent;
use runtime::extract::parameters::GlobalFieldId;
use store::global_fields::GlobalFields;
use store::grant::Delete;

pub(crate) async fn delete(
    fields: GlobalFields<Delete>,
    id: GlobalFieldId,
    precondition: Option<Precondition>,
) -> Result<NoContent, Error> {
    fields.delete(id.0, precondition).await?;
    Ok(NoContent)
}

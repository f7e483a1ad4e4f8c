//! `POST /api/v1/global-fields/{id}/restore`

use contract::Error;
use contract::resource::GlobalField;
use runtime::parameters::GlobalFieldId;
use runtime::{Found, IfMatch};
use store::global_fields::GlobalFields;
use store::grant::Restore;

pub(crate) async fn restore(
    fields: GlobalFields<Restore>,
    id: GlobalFieldId,
    if_match: IfMatch,
) -> Result<Found<GlobalField>, Error> {
    Ok(Found(fields.restore(id.0, if_match.0).await?))
}

//! `POST /api/v1/global-fields/{id}/restore`

use contract::resource::GlobalField;
use contract::{Error, Precondition};
use runtime::Found;
use runtime::extract::parameters::GlobalFieldId;
use store::global_fields::GlobalFields;
use store::grant::Restore;

pub(crate) async fn restore(
    fields: GlobalFields<Restore>,
    id: GlobalFieldId,
    precondition: Option<Precondition>,
) -> Result<Found<GlobalField>, Error> {
    Ok(Found(fields.restore(id.0, precondition).await?))
}

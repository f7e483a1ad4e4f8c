//! `POST /api/v1/global-fields/{id}/restore`

use contract::Error;
use contract::resource::GlobalField;
use runtime::Found;
use runtime::parameters::GlobalFieldId;
use store::global_fields::GlobalFields;
use store::grant::Write;

pub(crate) async fn restore(fields: GlobalFields<Write>, id: GlobalFieldId) -> Result<Found<GlobalField>, Error> {
    Ok(Found(fields.restore(id.0).await?))
}

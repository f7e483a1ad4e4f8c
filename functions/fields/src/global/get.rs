//! `GET /api/v1/global-fields/{id}`

use contract::Error;
use contract::resource::GlobalField;
use runtime::Found;
use runtime::extract::parameters::GlobalFieldId;
use store::global_fields::GlobalFields;
use store::grant::Get;

pub(crate) async fn get(fields: GlobalFields<Get>, id: GlobalFieldId) -> Result<Found<GlobalField>, Error> {
    Ok(Found(fields.get(id.0).await?))
}

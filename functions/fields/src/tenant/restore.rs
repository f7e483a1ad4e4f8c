//! `POST /api/v1/tenants/{tenantId}/field-groups/{groupId}/fields/{fieldId}/restore`

use contract::names::GroupRef;
use contract::resource::TenantField;
use contract::{Error, Precondition};
use runtime::Found;
use runtime::extract::parameters::TenantFieldId;
use store::grant::Restore;
use store::tenant_fields::TenantFields;

pub(crate) async fn restore(
    fields: TenantFields<Restore>,
    group: GroupRef,
    field: TenantFieldId,
    precondition: Option<Precondition>,
) -> Result<Found<TenantField>, Error> {
    Ok(Found(fields.restore(&group, field.0, precondition).await?))
}

//! `GET /api/v1/tenants/{tenantId}/field-groups/{groupId}/fields/{fieldId}`

use contract::Error;
use contract::names::GroupRef;
use contract::resource::TenantField;
use runtime::Found;
use runtime::extract::parameters::TenantFieldId;
use store::grant::Get;
use store::tenant_fields::TenantFields;

pub(crate) async fn get(
    fields: TenantFields<Get>,
    group: GroupRef,
    field: TenantFieldId,
) -> Result<Found<TenantField>, Error> {
    Ok(Found(fields.get(&group, field.0).await?))
}

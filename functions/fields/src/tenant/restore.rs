//! `POST /api/v1/tenants/{tenantId}/field-groups/{groupId}/fields/{fieldId}/restore`

use contract::Error;
use contract::names::GroupRef;
use contract::resource::TenantField;
use runtime::parameters::TenantFieldId;
use runtime::{Found, IfMatch};
use store::grant::Restore;
use store::tenant_fields::TenantFields;

pub(crate) async fn restore(
    fields: TenantFields<Restore>,
    group: GroupRef,
    field: TenantFieldId,
    if_match: IfMatch,
) -> Result<Found<TenantField>, Error> {
    Ok(Found(fields.restore(&group, field.0, if_match.0).await?))
}

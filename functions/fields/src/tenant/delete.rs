//! `DELETE /api/v1/tenants/{tenantId}/field-groups/{groupId}/fields/{fieldId}`

use contract::Error;
use contract::names::GroupRef;
use runtime::parameters::TenantFieldId;
use runtime::{IfMatch, NoContent};
use store::grant::Delete;
use store::tenant_fields::TenantFields;

pub(crate) async fn delete(
    fields: TenantFields<Delete>,
    group: GroupRef,
    field: TenantFieldId,
    if_match: IfMatch,
) -> Result<NoContent, Error> {
    fields.delete(&group, field.0, if_match.0).await?;
    Ok(NoContent)
}

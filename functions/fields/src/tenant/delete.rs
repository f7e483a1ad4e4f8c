//! `DELETE /api/v1/tenants/{tenantId}/field-groups/{groupId}/fields/{fieldId}`

use contract::names::GroupRef;
use contract::{Error, Precondition};
use runtime::NoContent;
use runtime::extract::parameters::TenantFieldId;
use store::grant::Delete;
use store::tenant_fields::TenantFields;

pub(crate) async fn delete(
    fields: TenantFields<Delete>,
    group: GroupRef,
    field: TenantFieldId,
    precondition: Option<Precondition>,
) -> Result<NoContent, Error> {
    fields.delete(&group, field.0, precondition).await?;
    Ok(NoContent)
}

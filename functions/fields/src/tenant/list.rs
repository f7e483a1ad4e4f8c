//! `GET /api/v1/tenants/{tenantId}/field-groups/{groupId}/fields`

use contract::Error;
use contract::names::GroupRef;
use contract::resource::Field;
use runtime::Listed;
use store::grant::List;
use store::page::PageRequest;
use store::tenant_fields::TenantFields;

pub(crate) async fn list(
    fields: TenantFields<List>,
    group: GroupRef,
    page: PageRequest,
) -> Result<Listed<Field>, Error> {
    Ok(Listed(fields.list(&group, &page).await?))
}

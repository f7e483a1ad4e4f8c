//! `GET /api/v1/tenants/{tenantId}/field-groups/{groupId}/entities`

use contract::Error;
use contract::names::GroupRef;
use contract::resource::EntityValues;
use runtime::Listed;
use store::grant::List;
use store::page::PageRequest;
use store::values::Values;

pub(crate) async fn list_entities(
    values: Values<List>,
    group: GroupRef,
    page: PageRequest,
) -> Result<Listed<EntityValues>, Error> {
    Ok(Listed(values.list(&group, &page).await?))
}

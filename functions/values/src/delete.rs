//! `DELETE /api/v1/tenants/{tenantId}/field-groups/{groupId}/entities/{entityId}/values`

use contract::names::{EntityId, GroupRef};
use contract::{Error, Precondition};
use runtime::NoContent;
use store::grant::Delete;
use store::values::Values;

pub(crate) async fn delete(
    values: Values<Delete>,
    group: GroupRef,
    entity: EntityId,
    precondition: Option<Precondition>,
) -> Result<NoContent, Error> {
    values.delete(&group, &entity, precondition).await?;
    Ok(NoContent)
}

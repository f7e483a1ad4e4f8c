//! `DELETE /api/v1/tenants/{tenantId}/field-groups/{groupId}/entities/{entityId}/values`

use contract::Error;
use contract::names::{EntityId, GroupRef};
use runtime::{IfMatch, NoContent};
use store::grant::Delete;
use store::values::Values;

pub(crate) async fn delete(
    values: Values<Delete>,
    group: GroupRef,
    entity: EntityId,
    if_match: IfMatch,
) -> Result<NoContent, Error> {
    values.delete(&group, &entity, if_match.0).await?;
    Ok(NoContent)
}

//! `POST /api/v1/tenants/{tenantId}/field-groups/{groupId}/entities/{entityId}/values/restore`

use contract::Error;
use contract::names::{EntityId, GroupRef};
use contract::resource::EntityValues;
use runtime::{Found, IfMatch};
use store::grant::Restore;
use store::values::Values;

pub(crate) async fn restore(
    values: Values<Restore>,
    group: GroupRef,
    entity: EntityId,
    if_match: IfMatch,
) -> Result<Found<EntityValues>, Error> {
    Ok(Found(values.restore(&group, &entity, if_match.0).await?))
}

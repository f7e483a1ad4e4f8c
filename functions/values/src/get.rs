//! `GET /api/v1/tenants/{tenantId}/field-groups/{groupId}/entities/{entityId}/values`

use contract::Error;
use contract::names::{EntityId, GroupRef};
use contract::resource::EntityValues;
use runtime::Found;
use store::grant::Get;
use store::values::Values;

pub(crate) async fn get(values: Values<Get>, group: GroupRef, entity: EntityId) -> Result<Found<EntityValues>, Error> {
    Ok(Found(values.get(&group, &entity).await?))
}

//! `POST /api/v1/tenants/{tenantId}/field-groups/{groupId}/entities/{entityId}/values/restore`

use contract::names::{EntityId, GroupRef};
use contract::resource::EntityValues;
use contract::{Error, Precondition};
use runtime::Found;
use store::grant::Restore;
use store::values::Values;

pub(crate) async fn restore(
    values: Values<Restore>,
    group: GroupRef,
    entity: EntityId,
    precondition: Option<Precondition>,
) -> Result<Found<EntityValues>, Error> {
    Ok(Found(values.restore(&group, &entity, precondition).await?))
}

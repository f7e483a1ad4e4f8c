//! `PUT /api/v1/tenants/{tenantId}/field-groups/{groupId}/entities/{entityId}/values`

use contract::names::{EntityId, GroupRef};
use contract::resource::EntityValues;
use contract::{Error, Precondition};
use runtime::Found;
use store::grant::Write;
use store::values::{Save, Values};

use crate::sent::SentValues;

pub(crate) async fn replace(
    values: Values<Write>,
    group: GroupRef,
    entity: EntityId,
    precondition: Option<Precondition>,
    body: SentValues,
) -> Result<Found<EntityValues>, Error> {
    Ok(Found(values.save(&group, &entity, &body.0, Save::Replace, precondition).await?))
}

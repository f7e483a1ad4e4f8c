//! `PUT /api/v1/tenants/{tenantId}/field-groups/{groupId}/entities/{entityId}/values`

use contract::names::{EntityId, GroupRef};
use contract::resource::EntityValues;
use contract::{Error, Precondition};
use runtime::{Found, PartialBody};
use store::grant::Write;
use store::values::{Save, Values};

use crate::sent::{self, SentValues};

pub(crate) async fn replace(
    values: Values<Write>,
    group: GroupRef,
    entity: EntityId,
    precondition: Option<Precondition>,
    body: PartialBody<SentValues>,
) -> Result<Found<EntityValues>, Error> {
    let sent = sent::of(&body)?;
    body.told(values.save(&group, &entity, sent, Save::Replace, precondition).await).map(Found)
}

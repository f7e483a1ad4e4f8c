//! `POST /api/v1/field-groups/{groupId}/restore`

use contract::names::GroupRef;
use contract::resource::FieldGroup;
use contract::{Error, Precondition};
use runtime::Found;
use store::field_groups::FieldGroups;
use store::grant::Restore;

pub(crate) async fn restore(
    groups: FieldGroups<Restore>,
    group: GroupRef,
    precondition: Option<Precondition>,
) -> Result<Found<FieldGroup>, Error> {
    Ok(Found(groups.restore(&group, precondition).await?))
}

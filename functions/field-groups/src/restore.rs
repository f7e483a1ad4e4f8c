//! `POST /api/v1/field-groups/{groupId}/restore`

use contract::Error;
use contract::names::GroupRef;
use contract::resource::FieldGroup;
use runtime::Found;
use store::field_groups::FieldGroups;
use store::grant::Write;

pub(crate) async fn restore(groups: FieldGroups<Write>, group: GroupRef) -> Result<Found<FieldGroup>, Error> {
    Ok(Found(groups.restore(&group).await?))
}

//! `GET /api/v1/field-groups/{groupId}`

use contract::Error;
use contract::names::GroupRef;
use contract::resource::FieldGroup;
use runtime::Found;
use store::field_groups::FieldGroups;
use store::grant::Get;

pub(crate) async fn get(groups: FieldGroups<Get>, group: GroupRef) -> Result<Found<FieldGroup>, Error> {
    Ok(Found(groups.get(&group).await?))
}

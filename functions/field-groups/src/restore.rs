//! `POST /api/v1/field-groups/{groupId}/restore`

use contract::Error;
use contract::names::GroupRef;
use contract::resource::FieldGroup;
use runtime::{Found, IfMatch};
use store::field_groups::FieldGroups;
use store::grant::Restore;

pub(crate) async fn restore(
    groups: FieldGroups<Restore>,
    group: GroupRef,
    if_match: IfMatch,
) -> Result<Found<FieldGroup>, Error> {
    Ok(Found(groups.restore(&group, if_match.0).await?))
}

//! `DELETE /api/v1/field-groups/{groupId}`

use contract::Error;
use contract::names::GroupRef;
use runtime::{IfMatch, NoContent};
use store::field_groups::FieldGroups;
use store::grant::Delete;

pub(crate) async fn delete(
    groups: FieldGroups<Delete>,
    group: GroupRef,
    if_match: IfMatch,
) -> Result<NoContent, Error> {
    groups.delete(&group, if_match.0).await?;
    Ok(NoContent)
}

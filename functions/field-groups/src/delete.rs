//! `DELETE /api/v1/field-groups/{groupId}`

use contract::names::GroupRef;
use contract::{Error, Precondition};
use runtime::NoContent;
use store::field_groups::FieldGroups;
use store::grant::Delete;

pub(crate) async fn delete(
    groups: FieldGroups<Delete>,
    group: GroupRef,
    precondition: Option<Precondition>,
) -> Result<NoContent, Error> {
    groups.delete(&group, precondition).await?;
    Ok(NoContent)
}

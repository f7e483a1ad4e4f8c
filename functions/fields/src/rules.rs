//! What holds for a global field's groups, when it is made and when it is changed.

use contract::Problems;
use contract::id::GroupId;
use deserr::Deserr;
use schemars::JsonSchema;
use store::global_fields::MAX_GROUPS;

/// 1 to [`MAX_GROUPS`] groups, as they were sent: the member `fieldGroupIds`.
#[derive(Deserr, JsonSchema)]
#[deserr(error = Problems, try_from(Vec<GroupId>) = checked -> Problems)]
#[schemars(inline, transparent)]
pub(crate) struct Groups(#[schemars(length(min = 1, max = 40))] pub(crate) Vec<GroupId>);

fn checked(groups: Vec<GroupId>) -> Result<Groups, Problems> {
    if groups.is_empty() {
        return Err(Problems::one("fieldGroupIds", "too_few", "Must have at least 1 element."));
    }
    if groups.len() > MAX_GROUPS {
        let message = format!("Must have at most {MAX_GROUPS} elements.");
        return Err(Problems::one("fieldGroupIds", "too_many", message));
    }
    Ok(Groups(groups))
}

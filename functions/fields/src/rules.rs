//! What holds for a global field's groups, when it is made and when it is changed.

use std::collections::HashSet;

use contract::Problems;
use contract::id::GroupId;
use deserr::Deserr;
use schemars::JsonSchema;
use store::global_fields::MAX_GROUPS;

/// 1 to [`MAX_GROUPS`] groups, each once: the member `fieldGroupIds`.
#[derive(Deserr, JsonSchema)]
#[deserr(error = Problems, try_from(Vec<GroupId>) = checked -> Problems)]
#[schemars(inline, transparent, extend("uniqueItems" = true))]
pub(crate) struct Groups(#[schemars(length(min = 1, max = 40))] pub(crate) Vec<GroupId>);

fn checked(groups: Vec<GroupId>) -> Result<Groups, Problems> {
    let mut problems = Problems::default();
    if groups.is_empty() {
        problems.add("fieldGroupIds", "too_few", "Must have at least 1 element.");
    }
    if groups.len() > MAX_GROUPS {
        problems.add("fieldGroupIds", "too_many", format!("Must have at most {MAX_GROUPS} elements."));
    }
    let mut seen = HashSet::new();
    for (at, group) in groups.iter().enumerate().take(MAX_GROUPS) {
        if !seen.insert(group) {
            problems.add(format!("fieldGroupIds[{at}]"), "duplicate", "Is there more than once.");
        }
    }
    problems.or(Groups(groups))
}

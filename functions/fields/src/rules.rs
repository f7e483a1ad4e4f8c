//! What can be read of a field's members, when it is made and when it is changed.

use contract::Problems;
use contract::id::GroupId;
use contract::schema::FieldType;
use deserr::{Deserr, IntoValue, Value, ValuePointerRef};
use runtime::PartialBody;
use schemars::JsonSchema;
use store::global_fields::MAX_GROUPS;

/// 1 to [`MAX_GROUPS`] groups, as they were sent: the member `fieldGroupIds`.
#[derive(JsonSchema)]
#[schemars(inline, transparent)]
pub(crate) struct Groups(#[schemars(length(min = 1, max = 40))] pub(crate) Vec<GroupId>);

impl Deserr<Problems> for Groups {
    fn deserialize_from_value<V: IntoValue>(value: Value<V>, location: ValuePointerRef<'_>) -> Result<Self, Problems> {
        contract::elements(value, location, 1..=MAX_GROUPS).map(Self)
    }
}

/// The identifiers in the member `fieldGroupIds`, each with its place, whatever else is in it.
pub(crate) fn named_groups<B>(body: &PartialBody<B>) -> Vec<(usize, GroupId)> {
    let list = body.sent("fieldGroupIds").and_then(|list| list.as_array()).into_iter().flatten();
    let named = list.enumerate().take(MAX_GROUPS);
    named.filter_map(|(at, id)| Some((at, id.as_str()?.parse().ok()?))).collect()
}

/// The type in the member `schema`, whatever else is in it.
pub(crate) fn named_type<B>(body: &PartialBody<B>) -> Option<FieldType> {
    let name = body.sent("schema")?.get("type")?.as_str()?;
    FieldType::ALL.into_iter().find(|known| known.as_str() == name)
}

/// Whether the member `schema` has a pattern, which is compiled, whatever else is in it.
pub(crate) fn has_pattern(body: &serde_json::Value) -> bool {
    body.pointer("/schema/validation/pattern").is_some_and(serde_json::Value::is_string)
}

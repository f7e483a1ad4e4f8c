//! The body of a save: a flat map. What its members may be is the fields' to say.

use std::borrow::Cow;

use contract::Problems;
use deserr::{Deserr, IntoValue, Value, ValuePointerRef};
use runtime::{Body, PartialBody};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use store::values::Sent;

/// Values by field key; `null` clears.
pub(crate) struct SentValues;

impl Body for SentValues {}

impl Deserr<Problems> for SentValues {
    fn deserialize_from_value<V: IntoValue>(value: Value<V>, _: ValuePointerRef<'_>) -> Result<Self, Problems> {
        match value {
            Value::Map(_) => Ok(Self),
            _ => Err(Problems::one("", "wrong_type", "The body must be an object from field keys to values.")),
        }
    }
}

/// What is to be saved, with the numbers in it that can't be kept.
pub(crate) fn of(body: &PartialBody<SentValues>) -> Result<Sent<'_>, Problems> {
    body.object().map(|values| Sent { values, wrong: body.wrong() }).ok_or_else(|| body.wrong())
}

impl JsonSchema for SentValues {
    fn schema_name() -> Cow<'static, str> {
        "SentValues".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "object",
            "description": "Field key to value; `null` clears.",
            "propertyNames": { "pattern": "^[a-z][a-z0-9_]{0,63}$" },
            "additionalProperties": true
        })
    }
}

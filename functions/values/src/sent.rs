//! The body of a save: a flat map. What its members may be is the fields' to say.

use std::borrow::Cow;

use contract::Problems;
use deserr::{Deserr, IntoValue, Value, ValuePointerRef};
use runtime::Body;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::Map;

/// Values by field key; `null` clears.
pub(crate) struct SentValues(pub(crate) Map<String, serde_json::Value>);

impl Body for SentValues {}

impl Deserr<Problems> for SentValues {
    fn deserialize_from_value<V: IntoValue>(value: Value<V>, _: ValuePointerRef<'_>) -> Result<Self, Problems> {
        match serde_json::Value::from(value) {
            serde_json::Value::Object(map) => Ok(Self(map)),
            _ => Err(Problems::one("", "wrong_type", "The body must be an object from field keys to values.")),
        }
    }
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

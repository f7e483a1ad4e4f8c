//! A field's schema as the OpenAPI document describes it.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::{FieldSchema, FieldType};

impl JsonSchema for FieldSchema {
    fn schema_name() -> Cow<'static, str> {
        "FieldSchema".into()
    }

    fn schema_id() -> Cow<'static, str> {
        concat!(module_path!(), "::FieldSchema").into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let length = json_schema!({"type": "integer", "minimum": 0, "maximum": 262_144});
        let items = json_schema!({"type": "integer", "minimum": 0, "maximum": 500});
        let option = json_schema!({"type": "string", "minLength": 1, "maxLength": 200});
        let point = |bound: &str| {
            json_schema!({
                "description": format!(
                    "The {bound} value: for number a number, for date a YYYY-MM-DD, for datetime an RFC 3339 time."
                ),
                "type": ["number", "string"],
            })
        };
        json_schema!({
            "description": "Which values a field takes. A rule must belong to the type.",
            "type": "object",
            "properties": {
                "type": generator.subschema_for::<FieldType>(),
                "validation": {
                    "type": "object",
                    "properties": {
                        "required": {
                            "description": "Whether a complete record must have a value.",
                            "type": "boolean",
                        },
                        "minLength": length,
                        "maxLength": length,
                        "pattern": {
                            "description": "For string and textarea: a linear-time regular expression, without \
                                look-around and back-references, that must match anywhere. At most 1000 bytes.",
                            "type": "string",
                            "maxLength": 1_000,
                        },
                        "min": point("least"),
                        "max": point("greatest"),
                        "integer": {
                            "description": "For number: whether it must be a whole one.",
                            "type": "boolean",
                        },
                        "options": {
                            "description": "For select and multiselect, which must have them. The values are distinct.",
                            "type": "array",
                            "minItems": 1,
                            "maxItems": 500,
                            "items": {
                                "oneOf": [
                                    option,
                                    {
                                        "type": "object",
                                        "properties": {
                                            "value": option,
                                            "label": {"type": "string", "maxLength": 200},
                                        },
                                        "required": ["value", "label"],
                                        "additionalProperties": false,
                                    },
                                ],
                            },
                        },
                        "minItems": items,
                        "maxItems": items,
                    },
                    "additionalProperties": false,
                },
                "ui": {
                    "type": "object",
                    "properties": {
                        "placeholder": {"type": "string", "maxLength": 200},
                        "helpText": {"type": "string", "maxLength": 2_000},
                        "order": {"type": "integer", "format": "int64"},
                    },
                    "additionalProperties": false,
                },
                "default": {"description": "The value that the field takes where an entity's first save, or a replacement, does not name it; null there keeps it empty."},
            },
            "required": ["type"],
            "additionalProperties": false,
        })
    }
}

#[cfg(test)]
mod tests {

    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn names_every_type_and_every_rule() {
        let schema = serde_json::to_value(schemars::schema_for!(FieldSchema)).unwrap();
        let types = schema.pointer("/$defs/FieldType").unwrap().to_string();
        let rules = schema.pointer("/properties/validation/properties").and_then(Value::as_object).unwrap();
        for field_type in FieldType::ALL {
            assert!(types.contains(&format!("\"{}\"", field_type.as_str())), "{types}");
            assert!(field_type.rules().iter().all(|rule| rules.contains_key(*rule)));
        }
        assert_eq!(schema.pointer("/required"), Some(&json!(["type"])));
    }
}

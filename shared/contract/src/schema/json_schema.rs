//! A field's schema as the OpenAPI document describes it: a form for each type, with the rules of that type alone.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value, json};

use super::{FieldSchema, FieldType};
use crate::patterns::{self, NO_NUL};

impl JsonSchema for FieldSchema {
    fn schema_name() -> Cow<'static, str> {
        "FieldSchema".into()
    }

    fn schema_id() -> Cow<'static, str> {
        concat!(module_path!(), "::FieldSchema").into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let ui = generator.subschema_for::<Ui>();
        let forms: Vec<Value> = FieldType::ALL.into_iter().map(|field_type| form(field_type, &ui)).collect();
        json_schema!({
            "description": "Which values a field takes. `min` is not over `max`, and so with the other bounds; the \
                default obeys the rules. At most 64 KiB as JSON.",
            "oneOf": forms,
        })
    }
}

fn form(field_type: FieldType, ui: &Schema) -> Value {
    let rules: Map<String, Value> =
        field_type.rules().iter().map(|name| ((*name).to_owned(), rule(field_type, name))).collect();
    let mut validation = json!({"type": "object", "properties": rules, "additionalProperties": false});
    let mut required = vec!["type"];
    if field_type.rules().contains(&"options") {
        validation["required"] = json!(["options"]);
        required.push("validation");
    } else {
        validation = optional(validation);
    }
    let mut default = optional(value(field_type));
    default["description"] = json!(
        "The value that the field takes where an entity's first save, or a replacement, does not name it; null there \
         keeps it empty."
    );
    json!({
        "type": "object",
        "properties": {
            "type": {"type": "string", "const": field_type.as_str()},
            "validation": validation,
            "ui": {"anyOf": [ui, {"type": "null"}]},
            "default": default,
        },
        "required": required,
        "additionalProperties": false,
    })
}

/// `null` is as if the member were left out.
fn optional(mut schema: Value) -> Value {
    schema["type"] = json!([schema["type"], "null"]);
    schema
}

/// The values of a type.
fn value(field_type: FieldType) -> Value {
    let text = json!({"type": "string", "pattern": NO_NUL});
    match field_type {
        FieldType::String | FieldType::Textarea | FieldType::Select => text,
        FieldType::Number => json!({
            "description": "A number that a double holds as it is written; an integer up to 2^53.",
            "type": "number",
        }),
        FieldType::Boolean => json!({"type": "boolean"}),
        FieldType::Date => json!({"type": "string", "format": "date"}),
        FieldType::Datetime => json!({"type": "string", "format": "date-time", "pattern": patterns::TIME}),
        FieldType::Multiselect => json!({"type": "array", "maxItems": 500, "uniqueItems": true, "items": text}),
        FieldType::Email => {
            json!({"type": "string", "format": "idn-email", "maxLength": 254, "pattern": patterns::email()})
        }
        FieldType::Url => {
            json!({"type": "string", "format": "iri", "maxLength": 2_048, "pattern": patterns::web_address()})
        }
    }
}

/// 2^53
const MAX_WHOLE: i64 = 1 << 53;

fn rule(field_type: FieldType, name: &str) -> Value {
    if name == "options" {
        return options();
    }
    optional(match name {
        "required" => json!({
            "description": "Whether a complete record must have a value: a text that is not empty, a multiselect that \
                is not [].",
            "type": "boolean",
        }),
        "minLength" | "maxLength" => json!({"type": "integer", "minimum": 0, "maximum": 262_144}),
        "minItems" | "maxItems" => json!({"type": "integer", "minimum": 0, "maximum": 500}),
        "min" | "max" => value(field_type),
        "integer" => json!({"description": "Whether it must be a whole number, up to 2^53.", "type": "boolean"}),
        _ => json!({
            "description": "An ECMA-262 regular expression (as with the flag u) without look-around and \
                back-references, that must match anywhere. A text that is held against a pattern \
                has at most 10000 characters; fewer where the pattern is a dear one, as the answer says then.",
            "type": "string",
            "format": "regex",
            "maxLength": 1_000,
            "pattern": NO_NUL,
        }),
    })
}

fn options() -> Value {
    let text = json!({"type": "string", "minLength": 1, "maxLength": 200, "pattern": patterns::line()});
    let labelled = json!({
        "type": "object",
        "properties": {"value": text, "label": text},
        "required": ["value", "label"],
        "additionalProperties": false,
    });
    json!({
        "description": "The values are distinct, in NFC and trimmed; lengths are counted so.",
        "type": "array",
        "minItems": 1,
        "maxItems": 500,
        "items": {"oneOf": [text, labelled]},
    })
}

/// What a form shows.
struct Ui;

impl JsonSchema for Ui {
    fn schema_name() -> Cow<'static, str> {
        "FieldUi".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let text = |most: u32| json!({"type": ["string", "null"], "maxLength": most, "pattern": patterns::lines()});
        json_schema!({
            "description": "What a form shows.",
            "type": "object",
            "properties": {
                "placeholder": text(200),
                "helpText": text(2_000),
                "order": {
                    "description": "Where the field stands among others.",
                    "type": ["integer", "null"],
                    "minimum": -MAX_WHOLE,
                    "maximum": MAX_WHOLE,
                },
            },
            "additionalProperties": false,
        })
    }
}

#[cfg(test)]
mod tests {

    use super::*;

    #[test]
    fn every_type_has_a_form_with_its_rules_alone() {
        let schema = serde_json::to_value(schemars::schema_for!(FieldSchema)).unwrap();
        let forms = schema["oneOf"].as_array().unwrap();
        assert_eq!(forms.len(), FieldType::ALL.len());
        for (form, field_type) in forms.iter().zip(FieldType::ALL) {
            let properties = &form["properties"];
            assert_eq!(properties["type"]["const"], field_type.as_str());
            let mut rules: Vec<&str> =
                properties["validation"]["properties"].as_object().unwrap().keys().map(String::as_str).collect();
            let mut own = field_type.rules().to_vec();
            rules.sort_unstable();
            own.sort_unstable();
            assert_eq!(rules, own);
        }
    }
}

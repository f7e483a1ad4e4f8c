//! A field's schema: which values a custom field takes. A [`FieldSchema`] that exists is a valid one.

mod definition;
mod formats;
mod json_schema;
mod number;
mod pattern;
#[cfg(test)]
mod properties;
mod rules;
mod value;

use std::sync::Arc;

use deserr::{Deserr, IntoValue, ValuePointerRef};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::Value;

pub(crate) use self::formats::is_url;
pub use self::pattern::QUICK_STEPS;
use self::pattern::{MAX_STEPS, Pattern};
use crate::problem::{Problems, path_of};

/// What kind of value a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FieldType {
    /// A line of text.
    String,
    /// A longer text.
    Textarea,
    /// A finite number.
    Number,
    /// True or false.
    Boolean,
    /// A calendar date, `YYYY-MM-DD`.
    Date,
    /// An instant, RFC 3339.
    Datetime,
    /// One of the options.
    Select,
    /// Distinct ones of the options.
    Multiselect,
    /// An e-mail address.
    Email,
    /// An http or https address.
    Url,
}

impl FieldType {
    /// Every type, in the contract's order.
    pub const ALL: [Self; 10] = [
        Self::String,
        Self::Textarea,
        Self::Number,
        Self::Boolean,
        Self::Date,
        Self::Datetime,
        Self::Select,
        Self::Multiselect,
        Self::Email,
        Self::Url,
    ];

    /// The type's name in the contract.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Textarea => "textarea",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::Date => "date",
            Self::Datetime => "datetime",
            Self::Select => "select",
            Self::Multiselect => "multiselect",
            Self::Email => "email",
            Self::Url => "url",
        }
    }

    /// The rules that a field of this type may have, in canonical order.
    #[must_use]
    pub const fn rules(self) -> &'static [&'static str] {
        match self {
            Self::String | Self::Textarea => &["required", "minLength", "maxLength", "pattern"],
            Self::Number => &["required", "min", "max", "integer"],
            Self::Date | Self::Datetime => &["required", "min", "max"],
            Self::Select => &["required", "options"],
            Self::Multiselect => &["required", "options", "minItems", "maxItems"],
            Self::Boolean | Self::Email | Self::Url => &["required"],
        }
    }
}

/// The schema of one field. Cloning it shares the definition.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldSchema(Arc<definition::Definition>);

impl FieldSchema {
    /// Reads a schema; `path` is where it stands in the input, for example `schema`.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn parse(value: Value, path: &str) -> Result<Self, Problems> {
        definition::parse(value, path, false).map(|definition| Self(Arc::new(definition)))
    }

    /// The type of the field's values.
    #[must_use]
    pub fn field_type(&self) -> FieldType {
        self.0.field_type
    }

    /// Whether a complete record must have a value here.
    #[must_use]
    pub fn required(&self) -> bool {
        self.0.validation.as_ref().and_then(|rules| rules.required).unwrap_or(false)
    }

    /// Where the field stands among others.
    #[must_use]
    pub fn order(&self) -> Option<i64> {
        self.0.ui.as_ref().and_then(|ui| ui.order)
    }

    /// The value that the field takes where none is named with an entity's first save, or with a replacement.
    #[must_use]
    pub fn default(&self) -> Option<&Value> {
        self.0.default.as_ref()
    }

    /// A value that breaks no rule, as it is kept: options and e-mails in NFC, trimmed.
    #[must_use]
    pub fn kept(&self, value: &Value) -> Value {
        value::kept(self.0.field_type, value)
    }

    /// Whether a complete record lacks something here: a text that is required is not empty, nor a multiselect `[]`.
    #[must_use]
    pub fn lacks(&self, value: Option<&Value>) -> bool {
        self.required() && value.is_none_or(value::is_empty)
    }

    /// Whether there are steps left to hold `value` against the pattern, if there is one, of those that one save may
    /// take; they are added to those that are `spent`. Beyond them nothing is compiled.
    #[must_use]
    pub fn spend(&self, value: &Value, spent: &mut usize) -> bool {
        let Some((pattern, length)) = self.matched(value) else { return true };
        if *spent <= MAX_STEPS {
            *spent = spent.saturating_add(pattern.cost()).saturating_add(pattern.steps(length));
        }
        *spent <= MAX_STEPS
    }

    /// The steps that holding `value` against the pattern is to take now, at the most, about 10 ns each. One that is not
    /// compiled takes longer than [`QUICK_STEPS`], for all that is known.
    #[must_use]
    pub fn foreseen_steps(&self, value: &Value) -> usize {
        match self.matched(value) {
            Some((pattern, length)) if pattern.is_compiled() => pattern.steps(length),
            Some(_) => QUICK_STEPS + 1,
            None => 0,
        }
    }

    /// The pattern that `value` is held against, and its length in characters.
    fn matched<'s>(&'s self, value: &Value) -> Option<(&'s Pattern, usize)> {
        let pattern = self.0.validation.as_ref()?.pattern.as_ref()?;
        Some((pattern, value.as_str()?.chars().count()))
    }

    /// The bytes on the heap that the schema takes, about: what a cache counts it as.
    #[must_use]
    pub fn weight(&self) -> usize {
        self.0.weight()
    }

    /// Adds every rule that `value` breaks; `path` is where the value stands in the input.
    pub fn check(&self, value: &Value, path: &str, problems: &mut Problems) {
        match &self.0.validation {
            Some(rules) => value::check(self.0.field_type, rules, value, path, problems),
            None => value::check(self.0.field_type, &rules::Rules::default(), value, path, problems),
        }
    }
}

impl Serialize for FieldSchema {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for FieldSchema {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let accepted = definition::parse(Value::deserialize(deserializer)?, "schema", true);
        accepted.map(|definition| Self(Arc::new(definition))).map_err(|problems| {
            let all: Vec<String> =
                problems.as_slice().iter().map(|found| format!("{}: {}", found.path, found.message)).collect();
            de::Error::custom(all.join(" "))
        })
    }
}

impl Deserr<Problems> for FieldSchema {
    fn deserialize_from_value<V: IntoValue>(
        value: deserr::Value<V>,
        location: ValuePointerRef<'_>,
    ) -> Result<Self, Problems> {
        Self::parse(Value::from(value), &path_of(location))
    }
}

#[cfg(test)]
mod tests {

    use serde_json::json;

    use super::*;

    #[derive(Debug, deserr::Deserr)]
    #[deserr(error = Problems, deny_unknown_fields)]
    struct Body {
        fields: Vec<Inner>,
    }

    #[derive(Debug, deserr::Deserr)]
    #[deserr(error = Problems, deny_unknown_fields)]
    struct Inner {
        schema: FieldSchema,
    }

    #[test]
    fn a_body_that_holds_schemas_names_their_places() {
        let found = deserr::deserialize::<Body, _, Problems>(json!({"fields": [
            {"schema": {"type": "string"}},
            {"schema": {"type": "select", "validation": {"options": ["a", 2]}, "ui": {"order": "x"}}},
            {"schema": 7},
            {},
        ]}))
        .unwrap_err();
        let paths: Vec<&str> = found.as_slice().iter().map(|problem| problem.path.as_str()).collect();
        assert_eq!(
            paths,
            [
                "fields[1].schema.validation.options[1]",
                "fields[1].schema.ui.order",
                "fields[2].schema",
                "fields[3].schema"
            ]
        );
        let body = deserr::deserialize::<Body, _, Problems>(json!({"fields": [{"schema": {"type": "url"}}]})).unwrap();
        assert_eq!(body.fields.first().unwrap().schema.field_type(), FieldType::Url);
        let bare = deserr::deserialize::<FieldSchema, _, Problems>(json!({"type": "file"})).unwrap_err();
        assert_eq!(bare.as_slice().first().unwrap().path, "type");
    }

    #[test]
    fn is_written_as_it_was_given_in_canonical_order() {
        let text = r#"{"default":["b"],"ui":{"order":-2.0,"helpText":"h","placeholder":"p"},"type":"multiselect",
            "validation":{"maxItems":2,"minItems":1,"options":["b",{"label":"A","value":"a"}],"required":true}}"#;
        let schema: FieldSchema = serde_json::from_str(text).unwrap();
        let written = concat!(
            r#"{"type":"multiselect","validation":{"required":true,"options":["b",{"value":"a","label":"A"}],"#,
            r#""minItems":1,"maxItems":2},"ui":{"placeholder":"p","helpText":"h","order":-2},"default":["b"]}"#
        );
        assert_eq!(serde_json::to_string(&schema).unwrap(), written);
        assert_eq!(serde_json::from_str::<FieldSchema>(written).unwrap(), schema);
        assert_eq!(schema.order(), Some(-2));
        assert!(schema.required());
        for text in [
            r#"{"type":"string"}"#,
            r#"{"type":"boolean","default":false}"#,
            r#"{"type":"number","validation":{"min":-0.5,"max":18446744073709551615}}"#,
            r#"{"type":"datetime","validation":{"min":"2026-01-01T00:00:00.5+02:00"}}"#,
            r#"{"type":"string","validation":{"minLength":1,"maxLength":2,"pattern":"^a"}}"#,
        ] {
            let schema: FieldSchema = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_string(&schema).unwrap(), text);
            assert!(!schema.required());
            assert_eq!(schema.order(), None);
        }
    }

    #[test]
    fn what_says_nothing_is_left_out() {
        for (given, kept) in [
            (json!({"type": "date", "validation": {}, "ui": {}, "default": null}), json!({"type": "date"})),
            (json!({"type": "url", "validation": {"required": false}}), json!({"type": "url"})),
            (json!({"type": "number", "validation": {"integer": false, "min": null}}), json!({"type": "number"})),
            (
                json!({"type": "string", "validation": {"minLength": 0, "maxLength": 0}, "ui": {"order": null}}),
                json!({"type": "string", "validation": {"maxLength": 0}}),
            ),
            (
                json!({"type": "multiselect", "validation": {"options": ["a"], "minItems": 0}, "ui": {"order": 0}}),
                json!({"type": "multiselect", "validation": {"options": ["a"]}, "ui": {"order": 0}}),
            ),
        ] {
            assert_eq!(serde_json::to_value(FieldSchema::parse(given, "schema").unwrap()).unwrap(), kept);
        }
    }

    #[test]
    fn what_the_store_kept_is_checked_again() {
        let error = serde_json::from_str::<FieldSchema>(r#"{"type":"nope","ui":1}"#).unwrap_err().to_string();
        assert!(error.starts_with("schema.type: Must be one of: string, "), "{error}");
        assert!(error.contains("schema.ui: Must be an object."), "{error}");
    }

    #[test]
    fn weighs_at_least_what_it_holds() {
        let weight = |schema: Value| FieldSchema::parse(schema, "schema").unwrap().weight();
        let plain = weight(json!({"type": "string"}));
        assert!((1..2_000).contains(&plain), "{plain}");
        assert!(weight(json!({"type": "string", "ui": {"helpText": "x".repeat(2_000)}})) >= plain + 2_000);
        assert!(weight(json!({"type": "string", "default": "x".repeat(50_000)})) >= plain + 50_000);
        let options: Vec<String> = (0..500).map(|n| format!("{n:050}")).collect();
        let list = json!({"type": "multiselect", "validation": {"options": options}, "default": options});
        assert!(weight(list) >= plain + 50_000);
    }

    /// As it is read from the store: nothing is compiled yet.
    fn matched(pattern: &str) -> FieldSchema {
        serde_json::from_value(json!({"type": "string", "validation": {"pattern": pattern}})).unwrap()
    }

    #[test]
    fn everyday_patterns_are_for_all_of_a_saves_values() {
        let mut spent = 0;
        for number in 0..130 {
            for pattern in [r"^.{1,255}$", r"^\w{3,30}$", r"^[\p{L} '-]{1,30}$"] {
                let schema = matched(&format!("{pattern}|{number}"));
                assert!(schema.spend(&json!("Ada Lovelace"), &mut spent), "{number} {pattern} {spent}");
            }
        }
    }

    #[test]
    fn dear_patterns_are_for_a_few_and_beyond_those_nothing_is_compiled() {
        let names = ["Lu", "Ll", "Lo", "Mn", "Nd", "No", "Po", "Sm", "So", "Cn", "L", "M", "N", "P", "S", "C"];
        let pairs: Vec<String> = (0..names.len())
            .flat_map(|a| (0..a).map(move |b| (a, b)))
            .map(|(a, b)| format!(r"[\p{{{}}}\p{{{}}}]?", names[a], names[b]))
            .collect();
        let dear = |number: usize| {
            let sets: String = pairs.iter().cycle().skip(number).take(55).map(String::as_str).collect();
            matched(&format!("{sets}(?:a?){{1000}}{number}"))
        };
        // Whether it is matched, too long for that, or compiled already.
        let mut passed = Vec::new();
        for text in ["7".to_owned(), "7".repeat(10_000), "7".to_owned()] {
            let (mut spent, mut beyond) = (0, 0);
            for number in 0..100 {
                let schema = dear(number);
                if !schema.spend(&json!(text), &mut spent) {
                    beyond += 1;
                    assert!(beyond == 1 || schema.foreseen_steps(&json!(text)) > QUICK_STEPS, "{number}");
                }
            }
            passed.push(100 - beyond);
            assert!(matched("a").spend(&json!(true), &mut spent), "what is not matched takes no steps");
        }
        assert!((10..50).contains(&passed[0]) && passed.iter().all(|one| *one == passed[0]), "{passed:?}");
    }

    #[test]
    fn types_have_their_names() {
        for field_type in FieldType::ALL {
            assert_eq!(serde_json::to_value(field_type).unwrap(), field_type.as_str());
        }
    }
}

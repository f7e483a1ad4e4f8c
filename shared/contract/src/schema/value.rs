//! A value against the rules of its field.

use std::cmp::Ordering;
use std::collections::HashSet;

use serde_json::Value;

use super::rules::{Choice, Point, Rules};
use super::{FieldType, formats, number};
use crate::email;
use crate::problem::Problems;
use crate::prose::normal;

/// A list holds no more elements than there can be options.
pub(super) const MAX_ITEMS: usize = 500;

/// So many options are named to whoever names none of them.
const MAX_NAMED: usize = 10;

/// `1 character`, `80 characters`.
pub(super) fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// A value that is none where one is required.
pub(super) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}

/// The form in which a value that breaks no rule is kept: options as they were defined, addresses in their normal form.
pub(super) fn kept(field_type: FieldType, value: &Value) -> Value {
    match (field_type, value) {
        (FieldType::Select, Value::String(text)) => normal(text).into(),
        (FieldType::Email, Value::String(text)) => email::read(text).map_or_else(|_| value.clone(), Value::from),
        (FieldType::Multiselect, Value::Array(items)) => {
            items.iter().map(|item| item.as_str().map_or_else(|| item.clone(), |text| normal(text).into())).collect()
        }
        _ => value.clone(),
    }
}

/// Adds what `value` breaks. A rule that is absent is not broken, so a part of a schema can be checked against too.
pub(super) fn check(field_type: FieldType, rules: &Rules, value: &Value, path: &str, problems: &mut Problems) {
    if rules.required == Some(true) && is_empty(value) {
        return problems.add(path, "required", "Is required.");
    }
    match field_type {
        FieldType::String | FieldType::Textarea => {
            if let Some(text) = text(value, path, problems) {
                check_text(rules, text, path, problems);
            }
        }
        FieldType::Email => {
            if let Some(Err(broken)) = text(value, path, problems).map(email::read) {
                problems.add(path, broken.code, broken.message);
            }
        }
        FieldType::Url => {
            if text(value, path, problems).is_some_and(|text| !formats::is_url(text)) {
                problems.add(path, "invalid_url", INVALID_URL);
            }
        }
        FieldType::Select => {
            if let Some(text) = text(value, path, problems) {
                check_option(rules, text, path, problems);
            }
        }
        FieldType::Boolean => {
            if !value.is_boolean() {
                problems.add(path, "wrong_type", "Must be true or false.");
            }
        }
        FieldType::Number | FieldType::Date | FieldType::Datetime => match Point::read(field_type, value) {
            Ok(point) => check_point(rules, &point, path, problems),
            Err(broken) => problems.add(path, broken.code, broken.message),
        },
        FieldType::Multiselect => match value {
            Value::Array(items) => check_items(rules, items, path, problems),
            _ => problems.add(path, "wrong_type", "Must be a list of strings."),
        },
    }
}

const INVALID_URL: &str = "Must be an address like https://example.com/page, http or https, of at most 2048 bytes; \
                           without a user name, a backslash or a blank.";

fn text<'v>(value: &'v Value, path: &str, problems: &mut Problems) -> Option<&'v str> {
    let text = value.as_str();
    if text.is_none() {
        problems.add(path, "wrong_type", "Must be a string.");
    }
    text
}

fn check_text(rules: &Rules, text: &str, path: &str, problems: &mut Problems) {
    if text.contains('\0') {
        problems.add(path, "nul", "Must not hold the character NUL.");
    }
    let length = text.chars().count();
    if let Some(min) = rules.min_length.filter(|min| length < *min) {
        problems.add(path, "too_short", format!("Must have at least {}.", count(min, "character")));
    }
    if let Some(max) = rules.max_length.filter(|max| length > *max) {
        problems.add(path, "too_long", format!("Must have at most {}.", count(max, "character")));
    }
    let Some(pattern) = rules.pattern.as_ref().filter(|_| rules.max_length.is_none_or(|max| length <= max)) else {
        return;
    };
    let most = pattern.longest();
    if length > most {
        let message = format!("Must have at most {}, since it has to match a pattern.", count(most, "character"));
        problems.add(path, "too_long", message);
    } else if !pattern.matches(text) {
        problems.add(path, "pattern", format!("Must match the pattern {}", pattern.source()));
    }
}

fn check_point(rules: &Rules, point: &Point, path: &str, problems: &mut Problems) {
    let (least, most) = match point {
        Point::Number(_) => ("Must be at least", "Must be at most"),
        Point::Date(..) | Point::Instant(..) => ("Must not be before", "Must not be after"),
    };
    if let Point::Number(value) = point
        && rules.integer == Some(true)
    {
        if !number::is_integral(value) {
            problems.add(path, "not_integer", "Must be a whole number.");
        } else if !number::is_safe_integer(value) {
            let most = number::MAX_SAFE;
            problems.add(path, "out_of_range", format!("Must lie between -{most} and {most}."));
        }
    }
    if let Some(min) = rules.min.as_ref().filter(|min| point.compare(min) == Ordering::Less) {
        problems.add(path, "too_small", format!("{least} {min}."));
    }
    if let Some(max) = rules.max.as_ref().filter(|max| point.compare(max) == Ordering::Greater) {
        problems.add(path, "too_large", format!("{most} {max}."));
    }
}

fn check_option(rules: &Rules, text: &str, path: &str, problems: &mut Problems) {
    let Some(options) = &rules.options else { return };
    let text = normal(text);
    if options.iter().all(|option| option.value() != &*text) {
        problems.add(path, "not_an_option", not_an_option(options));
    }
}

/// Names the options if they are few and short.
fn not_an_option(options: &[Choice]) -> String {
    let names: Vec<&str> = options.iter().map(Choice::value).take(MAX_NAMED + 1).collect();
    let names = (names.len() <= MAX_NAMED).then(|| names.join(", ")).filter(|names| names.chars().count() <= 200);
    names.map_or_else(|| "Must be one of the field's options.".to_owned(), |names| format!("Must be one of: {names}."))
}

fn check_items(rules: &Rules, items: &[Value], path: &str, problems: &mut Problems) {
    if let Some(min) = rules.min_items.filter(|min| items.len() < *min) {
        problems.add(path, "too_few", format!("Must have at least {}.", count(min, "element")));
    }
    let max = rules.max_items.unwrap_or(MAX_ITEMS);
    if items.len() > max {
        problems.add(path, "too_many", format!("Must have at most {}.", count(max, "element")));
    }
    // The rest of a list that is too long anyway would only make the answer longer.
    let mut seen = HashSet::new();
    for (index, item) in items.iter().take(MAX_ITEMS).enumerate() {
        let path = format!("{path}[{index}]");
        if let Some(text) = text(item, &path, problems) {
            check_option(rules, text, &path, problems);
            if !seen.insert(normal(text)) {
                problems.add(path, "duplicate", "Must not be listed twice.");
            }
        }
    }
}

#[cfg(test)]
mod tests {

    use serde_json::json;

    use super::*;
    use crate::schema::FieldSchema;
    use crate::schema::pattern::MAX_MATCHED;

    /// The codes that a value gets, with the path where it is not the value's own.
    fn codes(schema: &Value, value: &Value) -> Vec<String> {
        let mut problems = Problems::default();
        FieldSchema::parse(schema.clone(), "schema").unwrap().check(value, "v", &mut problems);
        let name = |path: &str| path.strip_prefix('v').unwrap().to_owned();
        problems.as_slice().iter().map(|found| name(&found.path) + found.code).collect()
    }

    fn table(schema: &Value, rows: &[(Value, &[&str])]) {
        for (value, expected) in rows {
            assert_eq!(codes(schema, value), *expected, "{schema} {value}");
        }
    }

    #[test]
    fn texts() {
        for name in ["string", "textarea"] {
            let schema = json!({"type": name, "validation": {"minLength": 2, "maxLength": 3, "pattern": "^[a-zé]*$"}});
            table(
                &schema,
                &[
                    (json!("ab"), &[]),
                    (json!("ééé"), &[]),
                    (json!("a"), &["too_short"]),
                    (json!(""), &["too_short"]),
                    (json!("abcd"), &["too_long"]),
                    (json!("AB"), &["pattern"]),
                    (json!("\0"), &["nul", "too_short", "pattern"]),
                    (json!("ABCD"), &["too_long"]),
                    (json!(1), &["wrong_type"]),
                    (json!(["ab"]), &["wrong_type"]),
                ],
            );
            let long = |length: usize| json!("a".repeat(length));
            let matched = json!({"type": name, "validation": {"pattern": "^a*$"}});
            table(&matched, &[(long(MAX_MATCHED), &[]), (long(MAX_MATCHED + 1), &["too_long"])]);
            table(&json!({"type": name}), &[(long(MAX_MATCHED + 1), &[])]);
            let dear = json!({"type": name, "validation": {"pattern": "[ab]*b[ab]{3000}c"}});
            table(&dear, &[(long(1_000), &["pattern"]), (long(8_000), &["too_long"])]);
            table(&json!({"type": name}), &[(json!(""), &[]), (json!("a\nb\u{1f600}"), &[]), (json!("a\0"), &["nul"])]);
        }
    }

    #[test]
    fn numbers() {
        let big = 9_007_199_254_740_991_u64;
        let schema = json!({"type": "number", "validation": {"min": -1.5, "max": big, "integer": true}});
        table(
            &schema,
            &[
                (json!(0), &[]),
                (json!(-1), &[]),
                (json!(3.0), &[]),
                (json!(big), &[]),
                (json!(big + 1), &["too_large"]),
                (json!(0.5), &["not_integer"]),
                (json!(5.0), &[]),
                (json!(1e30), &["out_of_range", "too_large"]),
                (json!(-1.5), &["not_integer"]),
                (json!(-1.75), &["not_integer", "too_small"]),
                (json!(1e300), &["out_of_range", "too_large"]),
                (json!(u64::MAX), &["out_of_range", "too_large"]),
                (json!(i64::MIN), &["out_of_range", "too_small"]),
                (json!("1"), &["wrong_type"]),
                (json!(true), &["wrong_type"]),
            ],
        );
        table(&json!({"type": "number", "validation": {"integer": false}}), &[(json!(0.5), &[]), (json!(1e308), &[])]);
    }

    #[test]
    fn booleans_and_addresses() {
        table(
            &json!({"type": "boolean"}),
            &[(json!(false), &[]), (json!(0), &["wrong_type"]), (json!("true"), &["wrong_type"])],
        );
        table(
            &json!({"type": "email"}),
            &[
                (json!("a@b.example"), &[]),
                (json!(" jose\u{301}@b.example"), &[]),
                (json!("a@b"), &["invalid_email"]),
                (json!("a@b.example\0"), &["invalid_email"]),
                (json!({}), &["wrong_type"]),
            ],
        );
        table(
            &json!({"type": "url"}),
            &[
                (json!("https://b.example"), &[]),
                (json!("javascript:alert(1)"), &["invalid_url"]),
                (json!(1), &["wrong_type"]),
            ],
        );
    }

    #[test]
    fn dates_and_instants() {
        table(
            &json!({"type": "date", "validation": {"min": "2026-01-02", "max": "2026-01-03"}}),
            &[
                (json!("2026-01-02"), &[]),
                (json!("2026-01-03"), &[]),
                (json!("2026-01-01"), &["too_small"]),
                (json!("2027-01-01"), &["too_large"]),
                (json!("2026-02-30"), &["invalid_date"]),
                (json!("2026-01-02T00:00:00Z"), &["invalid_date"]),
                (json!(20_260_102), &["wrong_type"]),
            ],
        );
        table(
            &json!({"type": "datetime", "validation": {"min": "2026-01-02T00:00:00+02:00", "max": "2026-01-03T00:00:00Z"}}),
            &[
                (json!("2026-01-01T22:00:00Z"), &[]),
                (json!("2026-01-01T21:59:59.999999999Z"), &["too_small"]),
                (json!("2026-01-03T01:00:00+01:00"), &[]),
                (json!("2026-01-03T00:00:00-00:01"), &["too_large"]),
                (json!("2026-01-02"), &["invalid_datetime"]),
                (json!(0), &["wrong_type"]),
            ],
        );
    }

    #[test]
    fn selections() {
        let options = json!(["a", {"value": "b", "label": "B"}, "c"]);
        table(
            &json!({"type": "select", "validation": {"options": options}}),
            &[
                (json!("a"), &[]),
                (json!("b"), &[]),
                (json!("B"), &["not_an_option"]),
                (json!(""), &["not_an_option"]),
                (json!(["a"]), &["wrong_type"]),
            ],
        );
        table(
            &json!({"type": "multiselect", "validation": {"options": options, "minItems": 1, "maxItems": 2}}),
            &[
                (json!(["a"]), &[]),
                (json!(["c", "b"]), &[]),
                (json!([]), &["too_few"]),
                (json!(["a", "b", "c"]), &["too_many"]),
                (json!(["a", "a"]), &["[1]duplicate"]),
                (
                    json!(["x", 1, "x"]),
                    &["too_many", "[0]not_an_option", "[1]wrong_type", "[2]not_an_option", "[2]duplicate"],
                ),
                (json!("a"), &["wrong_type"]),
            ],
        );
        let open = json!({"type": "multiselect", "validation": {"options": options}});
        table(&open, &[(json!([]), &[])]);
        let many = codes(&open, &json!(vec![0; 100_000]));
        assert_eq!((many.len(), many.first().unwrap().as_str()), (MAX_ITEMS + 1, "too_many"));
    }

    #[test]
    fn an_empty_value_is_none_where_one_is_required() {
        for (schema, value) in [
            (json!({"type": "string", "validation": {"required": true, "minLength": 2}}), json!("")),
            (json!({"type": "textarea", "validation": {"required": true}}), json!("")),
            (json!({"type": "email", "validation": {"required": true}}), json!("")),
            (json!({"type": "multiselect", "validation": {"required": true, "options": ["a"]}}), json!([])),
        ] {
            assert_eq!(codes(&schema, &value), ["required"], "{schema}");
            let parsed = FieldSchema::parse(schema, "schema").unwrap();
            assert!(parsed.lacks(Some(&value)) && parsed.lacks(None));
        }
        let zero = json!({"type": "number", "validation": {"required": true}});
        assert!(codes(&zero, &json!(0)).is_empty());
        let open = FieldSchema::parse(json!({"type": "string"}), "schema").unwrap();
        assert!(!open.lacks(None) && !open.lacks(Some(&json!(""))));
    }

    #[test]
    fn options_and_addresses_have_one_form() {
        let options = json!(["Cafe\u{301}", {"value": "o\u{308}", "label": "Ö"}]);
        let select = json!({"type": "select", "validation": {"options": options}});
        table(&select, &[(json!("Café"), &[]), (json!(" Cafe\u{301}"), &[]), (json!("Cafe"), &["not_an_option"])]);
        let many = json!({"type": "multiselect", "validation": {"options": options}});
        table(&many, &[(json!(["Café", "ö"]), &[]), (json!(["Café", "Cafe\u{301}"]), &["[1]duplicate"])]);
        let kept = |schema: Value, value: Value| FieldSchema::parse(schema, "schema").unwrap().kept(&value);
        assert_eq!(kept(select, json!("Cafe\u{301} ")), json!("Café"));
        assert_eq!(kept(many, json!(["o\u{308}"])), json!(["ö"]));
        assert_eq!(kept(json!({"type": "email"}), json!(" jose\u{301}@b.example")), json!("josé@b.example"));
        assert_eq!(kept(json!({"type": "email"}), json!("a@b。example")), json!("a@b.example"));
        for text in ["string", "textarea"] {
            assert_eq!(kept(json!({"type": text}), json!(" e\u{301}")), json!(" e\u{301}"), "exactly as sent");
        }
    }

    #[test]
    fn messages_name_what_is_taken() {
        let many: Vec<String> = (0..11).map(|n| n.to_string()).collect();
        let select = |options: Value| json!({"type": "select", "validation": {"options": options}});
        let labelled = json!(["gold", {"value": "silver", "label": "Silver"}]);
        for (schema, value, message) in [
            (json!({"type": "string", "validation": {"maxLength": 1}}), json!("ab"), "Must have at most 1 character."),
            (select(labelled), json!("Silver"), "Must be one of: gold, silver."),
            (select(json!(many[..10])), json!("x"), "Must be one of: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9."),
            (select(json!(many)), json!("x"), "Must be one of the field's options."),
            (select(json!(["a".repeat(100), "b".repeat(99)])), json!("x"), "Must be one of the field's options."),
            (json!({"type": "date"}), json!(1), "Must be a string, a date written YYYY-MM-DD."),
        ] {
            let mut problems = Problems::default();
            FieldSchema::parse(schema, "schema").unwrap().check(&value, "values.name", &mut problems);
            let found = problems.as_slice().first().unwrap();
            assert_eq!((found.path.as_str(), found.message.as_str()), ("values.name", message));
        }
    }
}

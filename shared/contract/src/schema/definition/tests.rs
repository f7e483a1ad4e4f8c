use serde_json::json;

use super::*;

/// `path code` of everything that is wrong.
fn wrong(schema: Value) -> Vec<String> {
    let Err(problems) = parse(schema, "schema", false) else { return Vec::new() };
    problems.as_slice().iter().map(|found| format!("{} {}", found.path, found.code)).collect()
}

/// The same for the one rule `name` of a type.
fn rule(field_type: &str, name: &str, rule: &Value) -> Vec<String> {
    let mut validation = json!({name: rule});
    if name != "options" && field_type.ends_with("select") {
        validation.as_object_mut().unwrap().insert("options".to_owned(), json!(["a", "b"]));
    }
    let strip = |found: String| found.replacen(&format!("schema.validation.{name}"), "", 1).trim_start().to_owned();
    wrong(json!({"type": field_type, "validation": validation})).into_iter().map(strip).collect()
}

#[test]
fn every_failure_is_named_at_once() {
    let schema = json!({
        "type": "multiselect",
        "extra": 1,
        "validation": {"options": ["a", 7, "a", {"value": ""}, {"value": "d", "label": "D", "x": 1}], "pattern": "a",
            "minItems": 9, "maxItems": 8, "required": "yes", "min": 0, "richTextConfig": {}},
        "ui": {"placeholder": 1, "helpText": "\u{7}", "order": 1.5, "colour": "red"},
        "default": "a",
    });
    assert_eq!(
        wrong(schema),
        [
            "schema.validation.pattern not_for_type",
            "schema.validation.min not_for_type",
            "schema.validation.required wrong_type",
            "schema.validation.options[1] wrong_type",
            "schema.validation.options[2] duplicate",
            "schema.validation.options[3].label required",
            "schema.validation.options[3].value too_short",
            "schema.validation.options[4].x unknown_member",
            "schema.validation.minItems contradiction",
            "schema.validation.minItems contradiction",
            "schema.validation.richTextConfig unknown_member",
            "schema.ui.placeholder wrong_type",
            "schema.ui.helpText control_character",
            "schema.ui.order not_integer",
            "schema.ui.colour unknown_member",
            "schema.default wrong_type",
            "schema.extra unknown_member",
        ]
    );
}

#[test]
fn the_whole() {
    for (schema, expected) in [
        (json!({"type": "string"}), vec![]),
        (json!({}), vec!["schema.type required"]),
        (json!({"type": "richtext"}), vec!["schema.type not_an_option"]),
        (json!({"type": "file"}), vec!["schema.type not_an_option"]),
        (json!({"type": "String"}), vec!["schema.type not_an_option"]),
        (json!({"type": null}), vec!["schema.type required"]),
        (json!({"type": "string", "validation": null, "ui": null, "default": null}), vec![]),
        (
            json!({"type": "string", "validation": {"required": null, "minLength": null, "pattern": null, "min": null}}),
            vec![],
        ),
        (json!({"type": "url", "ui": {"placeholder": null, "helpText": null, "order": null}}), vec![]),
        (json!({"type": "select", "validation": {"options": null}}), vec!["schema.validation.options required"]),
        (json!({"type": "string", "extra": null}), vec!["schema.extra unknown_member"]),
        (json!([]), vec!["schema wrong_type"]),
        (json!(null), vec!["schema wrong_type"]),
        (
            json!({"type": "string", "validation": 0, "ui": []}),
            vec!["schema.validation wrong_type", "schema.ui wrong_type"],
        ),
        (json!({"type": "select"}), vec!["schema.validation.options required"]),
        (json!({"type": "select", "validation": {}}), vec!["schema.validation.options required"]),
        (json!({"type": "multiselect", "validation": {"options": 1}}), vec!["schema.validation.options wrong_type"]),
        (
            json!({"type": 1, "validation": {"minLength": -1, "min": "?"}, "default": 1}),
            vec!["schema.type wrong_type", "schema.validation.minLength too_small"],
        ),
    ] {
        assert_eq!(wrong(schema.clone()), expected, "{schema}");
    }
    let root = parse(json!({"type": "string", "ui": {"order": "x"}, "a": 1}), "", false).unwrap_err();
    let paths: Vec<&str> = root.as_slice().iter().map(|found| found.path.as_str()).collect();
    assert_eq!(paths, ["ui.order", "a"]);
}

#[test]
fn rules_belong_to_types() {
    for field_type in FieldType::ALL {
        for name in ALL_RULES {
            let found = rule(field_type.as_str(), name, &json!({}));
            let expected = if field_type.rules().contains(name) { "wrong_type" } else { "not_for_type" };
            assert!(found.contains(&expected.to_owned()), "{} {name} {found:?}", field_type.as_str());
        }
    }
}

#[test]
fn single_rules_are_bounded() {
    let long = "x".repeat(201);
    for (field_type, name, value, expected) in [
        ("string", "minLength", json!(0), None),
        ("string", "maxLength", json!(262_144), None),
        ("string", "maxLength", json!(3.0), None),
        ("string", "maxLength", json!(262_145), Some("too_large")),
        ("string", "maxLength", json!(u64::MAX), Some("too_large")),
        ("string", "maxLength", json!(1e300), Some("too_large")),
        ("string", "minLength", json!(-1e300), Some("too_small")),
        ("string", "minLength", json!(-1), Some("too_small")),
        ("string", "minLength", json!(0.5), Some("not_integer")),
        ("string", "minLength", json!("1"), Some("wrong_type")),
        ("textarea", "pattern", json!("^a+$"), None),
        ("textarea", "pattern", json!("x".repeat(1_000)), None),
        ("textarea", "pattern", json!("x".repeat(1_001)), Some("too_long")),
        ("textarea", "pattern", json!("é".repeat(1_000)), None),
        ("textarea", "pattern", json!("a\0"), Some("nul")),
        ("textarea", "pattern", json!(r"a\0"), None),
        ("textarea", "pattern", json!("(?=a)"), Some("invalid_pattern")),
        ("textarea", "pattern", json!(["a"]), Some("wrong_type")),
        ("number", "min", json!(-0.5), None),
        ("number", "min", json!("1"), Some("wrong_type")),
        ("number", "integer", json!(1), Some("wrong_type")),
        ("date", "min", json!("2026-01-01"), None),
        ("date", "max", json!("2026-02-30"), Some("invalid_date")),
        ("date", "max", json!(1), Some("wrong_type")),
        ("datetime", "min", json!("2026-01-01T00:00:00Z"), None),
        ("datetime", "min", json!("2026-01-01"), Some("invalid_datetime")),
        ("select", "options", json!(["x".repeat(200)]), None),
        ("select", "options", json!([{"value": "a", "label": ""}]), Some("[0].label too_short")),
        ("select", "options", json!([{"value": "a", "label": "\u{200b}"}]), Some("[0].label invisible_character")),
        ("select", "options", json!([{"value": "a", "label": null}]), Some("[0].label required")),
        ("select", "options", json!([" "]), Some("[0] too_short")),
        ("select", "options", json!(["a\u{feff}"]), Some("[0] invisible_character")),
        ("select", "options", json!(["Cafe\u{301}", "Café"]), Some("[1] duplicate")),
        ("select", "options", json!(["a", " a"]), Some("[1] duplicate")),
        ("select", "options", json!([null]), Some("[0] wrong_type")),
        ("select", "options", json!([]), Some("too_few")),
        ("select", "options", json!([""]), Some("[0] too_short")),
        ("select", "options", json!([long]), Some("[0] too_long")),
        ("select", "options", json!(["a\0"]), Some("[0] control_character")),
        ("select", "options", json!([{"value": "a", "label": long}]), Some("[0].label too_long")),
        ("select", "options", json!([{"label": "a"}]), Some("[0].value required")),
        ("select", "options", json!(["a", {"value": "a", "label": "A"}]), Some("[1] duplicate")),
        ("multiselect", "minItems", json!(2), None),
        ("multiselect", "minItems", json!(3), Some("contradiction")),
        ("multiselect", "maxItems", json!(500), None),
        ("multiselect", "maxItems", json!(501), Some("too_large")),
    ] {
        let found = rule(field_type, name, &value);
        assert_eq!(found, Vec::from_iter(expected), "{field_type} {name} {value}");
    }
    let mut options: Vec<Value> = (0..500).map(|n| json!(n.to_string())).collect();
    assert!(rule("select", "options", &json!(options)).is_empty());
    options.push(json!("500"));
    assert_eq!(rule("select", "options", &json!(options)), ["too_many"]);
    options[7] = json!(7);
    assert_eq!(rule("select", "options", &json!(options)), ["too_many", "[7] wrong_type"]);
}

#[test]
fn ui_is_bounded() {
    for (ui, expected) in [
        (json!({"placeholder": "é".repeat(200), "helpText": "é\n".repeat(1_000), "order": -MAX_ORDER}), vec![]),
        (
            json!({"placeholder": "é".repeat(201), "helpText": "é".repeat(2_001), "order": MAX_ORDER + 1}),
            vec!["schema.ui.placeholder too_long", "schema.ui.helpText too_long", "schema.ui.order too_large"],
        ),
        (json!({"order": "1"}), vec!["schema.ui.order wrong_type"]),
    ] {
        assert_eq!(wrong(json!({"type": "url", "ui": ui})), expected);
    }
}

#[test]
fn contradictions() {
    for (field_type, validation, path) in [
        ("number", json!({"min": 2, "max": 1.5}), "min"),
        ("number", json!({"min": 9_007_199_254_740_993_u64, "max": 9_007_199_254_740_992_u64}), "min"),
        ("number", json!({"min": 1.2, "max": 1.8, "integer": true}), "min"),
        ("date", json!({"min": "2026-01-02", "max": "2026-01-01"}), "min"),
        ("datetime", json!({"min": "2026-01-01T00:00:00Z", "max": "2026-01-01T00:00:00+00:01"}), "min"),
        ("string", json!({"minLength": 2, "maxLength": 1}), "minLength"),
        ("string", json!({"minLength": 10_001, "pattern": "a"}), "minLength"),
        ("textarea", json!({"minLength": 9_000, "pattern": "a{3000}"}), "minLength"),
        ("string", json!({"required": true, "maxLength": 0}), "maxLength"),
        ("number", json!({"integer": true, "min": 1e300}), "min"),
        ("number", json!({"integer": true, "max": -1e16}), "max"),
        ("multiselect", json!({"options": ["a"], "required": true, "maxItems": 0}), "maxItems"),
        ("multiselect", json!({"options": ["a", "b"], "minItems": 2, "maxItems": 1}), "minItems"),
        ("multiselect", json!({"options": ["a", "b"], "minItems": 3}), "minItems"),
    ] {
        let found = wrong(json!({"type": field_type, "validation": validation}));
        assert_eq!(found, [format!("schema.validation.{path} contradiction")], "{validation}");
    }
    for (field_type, validation) in [
        ("number", json!({"min": 1.2, "max": 1.8})),
        ("number", json!({"min": 1, "max": 1.0, "integer": true})),
        ("datetime", json!({"min": "2026-01-01T00:00:00Z", "max": "2026-01-01T01:00:00+01:00"})),
        ("number", json!({"integer": true, "min": 9_007_199_254_740_992_u64})),
        ("number", json!({"min": 1e300})),
        ("string", json!({"minLength": 2, "maxLength": 2})),
        ("textarea", json!({"maxLength": 0})),
        ("multiselect", json!({"options": ["a"], "maxItems": 0})),
        ("multiselect", json!({"options": ["a"], "minItems": 1, "maxItems": 9})),
    ] {
        assert!(wrong(json!({"type": field_type, "validation": validation})).is_empty(), "{validation}");
    }
}

#[test]
fn a_default_is_held_to_the_rules_that_hold_up() {
    for (schema, expected) in [
        (json!({"type": "number", "validation": {"min": 5}, "default": 4}), vec!["schema.default too_small"]),
        (json!({"type": "string", "validation": {"required": true}, "default": ""}), vec!["schema.default required"]),
        (json!({"type": "string", "default": "a\0"}), vec!["schema.default nul"]),
        (json!({"type": "date", "default": "2026-02-30"}), vec!["schema.default invalid_date"]),
        (
            json!({"type": "string", "validation": {"pattern": "("}, "default": 5}),
            vec!["schema.validation.pattern invalid_pattern", "schema.default wrong_type"],
        ),
        (
            json!({"type": "string", "validation": {"pattern": "(", "maxLength": 1}, "default": "ab"}),
            vec!["schema.validation.pattern invalid_pattern", "schema.default too_long"],
        ),
        (
            json!({"type": "string", "validation": {"minLength": 10_001, "pattern": "^a*$"}, "default": "b"}),
            vec!["schema.validation.minLength contradiction", "schema.default pattern"],
        ),
        (
            json!({"type": "select", "validation": {"options": ["a"]}, "default": "b"}),
            vec!["schema.default not_an_option"],
        ),
        (
            json!({"type": "multiselect", "validation": {"options": ["a"]}, "default": ["a", "a"]}),
            vec!["schema.default[1] duplicate"],
        ),
        (
            json!({"type": "select", "validation": {"options": ["a", 1]}, "default": "b"}),
            vec!["schema.validation.options[1] wrong_type"],
        ),
        (
            json!({"type": "number", "validation": {"min": 5, "max": 1}, "default": 3}),
            vec!["schema.validation.min contradiction"],
        ),
    ] {
        assert_eq!(wrong(schema.clone()), expected, "{schema}");
    }
}

#[test]
fn the_whole_is_bounded() {
    let option = |n: usize| json!({"value": format!("{n:03}{}", "a".repeat(100)), "label": "b".repeat(100)});
    let options: Vec<Value> = (0..500).map(option).collect();
    assert_eq!(wrong(json!({"type": "select", "validation": {"options": options}})), ["schema too_large"]);

    let members: Map<String, Value> = (0..100_000).map(|n| (n.to_string(), json!(0))).collect();
    assert_eq!(wrong(Value::Object(members)).len(), 2 + MAX_UNKNOWN);
    for garbage in ["(a{1000}){1000}", r"\w{50000}", "(", "é[^", "((((a{9}){9}){9}){9})"] {
        let pattern = garbage.repeat(1_048_576 / garbage.len());
        let found = wrong(json!({"type": "string", "validation": {"pattern": pattern}}));
        assert_eq!(found, ["schema too_large", "schema.validation.pattern too_long"]);
    }
}

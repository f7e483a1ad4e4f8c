//! Schemas of fields: what a definition may say, and that everything wrong with one is named at once.

use hedgerow_tests::app::{App, Caller, fields, id};
use serde_json::{Value, json};

async fn define(key: &Caller, schema: &Value) -> hedgerow_tests::answer::Answer {
    let body = json!({ "key": format!("f{}", fastid(schema)), "label": "L", "schema": schema });
    key.post(&fields("acme", "product")).json(&body).await
}

/// A key of its own for every schema.
fn fastid(schema: &Value) -> u64 {
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};
    let mut hasher = DefaultHasher::new();
    schema.to_string().hash(&mut hasher);
    hasher.finish()
}

async fn client(app: &App) -> Caller {
    let key = app.account("ada").await.key;
    key.group("product").await;
    key
}

#[expect(clippy::needless_pass_by_value, reason = "callers write it on the spot")]
fn typed(field_type: &str, validation: Value) -> Value {
    json!({ "type": field_type, "validation": validation })
}

#[tokio::test]
async fn every_rule_of_every_type_is_kept() {
    let app = App::start().await;
    let key = client(&app).await;
    let options = json!(["a", { "value": "b", "label": "B" }]);
    for schema in [
        json!({ "type": "string" }),
        typed("string", json!({ "required": true, "minLength": 2, "maxLength": 5, "pattern": "^[a-z]*$" })),
        typed("textarea", json!({ "minLength": 1, "maxLength": 1, "pattern": "" })),
        typed("number", json!({ "required": true, "min": -1.5, "max": 1e300 })),
        typed("number", json!({ "min": 3, "max": 3, "integer": true })),
        typed("boolean", json!({ "required": true })),
        typed("date", json!({ "required": true, "min": "2024-02-29", "max": "2024-02-29" })),
        typed(
            "datetime",
            json!({ "required": true, "min": "2026-01-01T00:00:00Z", "max": "2026-01-01T02:00:00+01:00" }),
        ),
        typed("select", json!({ "required": true, "options": options })),
        typed("multiselect", json!({ "required": true, "options": options, "minItems": 1, "maxItems": 2 })),
        typed("email", json!({ "required": true })),
        typed("url", json!({ "required": true })),
        typed("select", json!({ "options": (0..500).map(|n| n.to_string()).collect::<Vec<_>>() })),
        json!({ "type": "string", "ui": { "placeholder": "p", "helpText": "two\nlines", "order": -5 }, "default": "d" }),
        json!({ "type": "number", "default": 0 }),
        json!({ "type": "boolean", "default": false }),
        json!({ "type": "multiselect", "validation": { "options": ["a"] }, "default": [] }),
    ] {
        let made = define(&key, &schema).await.data(201);
        assert_eq!(made["schema"], schema);
        let path = format!("{}/{}", fields("acme", "product"), id(&made));
        assert_eq!(key.get(&path).await.data(200)["schema"], schema);
    }
}

#[tokio::test]
async fn what_a_schema_may_not_say_is_named_with_its_place() {
    let app = App::start().await;
    let key = client(&app).await;
    let before = key.everything("acme", "product").await;
    let many: Vec<String> = (0..501).map(|n| n.to_string()).collect();
    let of = |rule: &str| format!("schema.validation.{rule}");
    let mut cases: Vec<(Value, Vec<String>)> = vec![
        (json!({}), vec!["schema.type".into()]),
        (json!({ "type": "text" }), vec!["schema.type".into()]),
        (json!({ "type": "String" }), vec!["schema.type".into()]),
        (json!({ "type": 1, "x": 1, "ui": [] }), vec!["schema.type".into(), "schema.ui".into(), "schema.x".into()]),
        (json!({ "type": "string", "validation": [] }), vec!["schema.validation".into()]),
        (json!({ "type": null, "unknown": null }), vec!["schema.type".into(), "schema.unknown".into()]),
        (
            json!({ "type": "string", "ui": { "order": 1.5, "placeholder": 1, "helpText": [], "color": 1 } }),
            vec![
                "schema.ui.color".into(),
                "schema.ui.helpText".into(),
                "schema.ui.order".into(),
                "schema.ui.placeholder".into(),
            ],
        ),
        (json!({ "type": "string", "ui": { "helpText": "a\u{0}" } }), vec!["schema.ui.helpText".into()]),
        (json!({ "type": "select" }), vec![of("options")]),
        (json!({ "type": "multiselect", "validation": {} }), vec![of("options")]),
        (
            typed(
                "select",
                json!({ "options": ["a", "", 3, "a", { "value": "b" }, { "value": "a", "label": "A" }, null] }),
            ),
            vec![
                of("options[1]"),
                of("options[2]"),
                of("options[3]"),
                of("options[4].label"),
                of("options[5]"),
                of("options[6]"),
            ],
        ),
        (
            typed("select", json!({ "options": [{ "value": 1, "label": 2, "x": 3 }, "a\u{0}"] })),
            vec![of("options[0].label"), of("options[0].value"), of("options[0].x"), of("options[1]")],
        ),
    ];
    cases.push((
        json!({ "type": "string", "validation": { "pattern": "(" }, "default": 5 }),
        vec!["schema.default".into(), of("pattern")],
    ));
    // One broken rule each.
    for (field_type, validation, place) in [
        ("string", json!({ "required": "yes" }), "required"),
        ("string", json!({ "minLength": -1 }), "minLength"),
        ("string", json!({ "minLength": 1.5 }), "minLength"),
        ("string", json!({ "maxLength": "5" }), "maxLength"),
        ("string", json!({ "maxLength": 1e300 }), "maxLength"),
        ("string", json!({ "minLength": 2, "maxLength": 1 }), "minLength"),
        ("textarea", json!({ "required": true, "maxLength": 0 }), "maxLength"),
        ("textarea", json!({ "pattern": "(" }), "pattern"),
        ("textarea", json!({ "pattern": "\\b(?i:\\b)" }), "pattern"),
        ("textarea", json!({ "pattern": "(?=a)" }), "pattern"),
        ("textarea", json!({ "pattern": "(a)\\1" }), "pattern"),
        ("textarea", json!({ "pattern": "(?<n>a)\\k<n>" }), "pattern"),
        ("textarea", json!({ "pattern": "(?<!a)b" }), "pattern"),
        ("textarea", json!({ "pattern": "(?P<n>a)" }), "pattern"),
        ("textarea", json!({ "pattern": "\\pL" }), "pattern"),
        ("string", json!({ "pattern": 1 }), "pattern"),
        ("string", json!({ "pattern": "a".repeat(5_000) }), "pattern"),
        ("string", json!({ "pattern": "((a{1,100}){1,100}){1,100}" }), "pattern"),
        ("string", json!({ "pattern": "a\u{0}" }), "pattern"),
        ("number", json!({ "min": "1" }), "min"),
        ("number", json!({ "min": 2, "max": 1 }), "min"),
        ("number", json!({ "min": 0.1, "max": 0.9, "integer": true }), "min"),
        ("number", json!({ "integer": 1 }), "integer"),
        ("number", json!({ "min": 1e300, "integer": true }), "min"),
        ("date", json!({ "min": "2026-02-30" }), "min"),
        ("date", json!({ "max": "2026-01-01T00:00:00Z" }), "max"),
        ("date", json!({ "max": 20_260_101 }), "max"),
        ("date", json!({ "min": "2026-01-02", "max": "2026-01-01" }), "min"),
        ("datetime", json!({ "min": "2026-01-01" }), "min"),
        ("datetime", json!({ "min": "2026-01-01T00:00:00Z", "max": "2026-01-01T00:30:00+01:00" }), "min"),
        ("select", json!({ "options": [] }), "options"),
        ("select", json!({ "options": many }), "options"),
        ("select", json!({ "options": { "a": "A" } }), "options"),
        ("select", json!({ "options": ["Cafe\u{301}", "Caf\u{e9}"] }), "options[1]"),
        ("select", json!({ "options": ["a", " a"] }), "options[1]"),
        ("select", json!({ "options": ["a\u{200b}"] }), "options[0]"),
        ("select", json!({ "options": [{ "value": "a", "label": "\u{feff}" }] }), "options[0].label"),
        ("select", json!({ "options": [{ "value": "a", "label": " " }] }), "options[0].label"),
        ("select", json!({ "options": null }), "options"),
        ("multiselect", json!({ "options": ["a", "b"], "minItems": 3 }), "minItems"),
        ("multiselect", json!({ "options": ["a", "b"], "minItems": 2, "maxItems": 1 }), "minItems"),
        ("multiselect", json!({ "options": ["a"], "required": true, "maxItems": 0 }), "maxItems"),
        ("multiselect", json!({ "options": ["a"], "maxItems": true }), "maxItems"),
    ] {
        cases.push((typed(field_type, validation), vec![of(place)]));
    }
    for (schema, places) in cases {
        let answer = define(&key, &schema).await;
        answer.wrong(&places.iter().map(String::as_str).collect::<Vec<_>>());
        let body = json!({ "key": "f", "label": "L", "schema": schema, "fieldGroupIds": ["fg_0"] });
        let answer = key.post("/api/v1/global-fields").json(&body).await;
        assert_eq!(answer.places(), [vec!["fieldGroupIds[0]".to_owned()], places].concat(), "{answer}");
    }
    assert_eq!(key.everything("acme", "product").await, before);
}

#[tokio::test]
async fn a_rule_of_another_type_is_refused() {
    let app = App::start().await;
    let key = client(&app).await;
    let rules = [
        ("minLength", json!(1)),
        ("maxLength", json!(1)),
        ("pattern", json!("a")),
        ("min", json!(1)),
        ("max", json!(1)),
        ("integer", json!(true)),
        ("options", json!(["a"])),
        ("minItems", json!(0)),
        ("maxItems", json!(1)),
        ("maxBytes", json!(1)),
        ("extensions", json!(["a"])),
        ("richTextConfig", json!({})),
        ("unique", json!(true)),
    ];
    for (field_type, own) in [
        ("string", &["minLength", "maxLength", "pattern"][..]),
        ("textarea", &["minLength", "maxLength", "pattern"]),
        ("number", &["min", "max", "integer"]),
        ("boolean", &[]),
        ("date", &["min", "max"]),
        ("datetime", &["min", "max"]),
        ("select", &["options"]),
        ("multiselect", &["options", "minItems", "maxItems"]),
        ("email", &[]),
        ("url", &[]),
    ] {
        let mut validation = json!({ "required": true });
        if own.contains(&"options") {
            validation["options"] = json!(["a"]);
        }
        let foreign: Vec<_> = rules.iter().filter(|(name, _)| !own.contains(name)).collect();
        let mut all = validation.clone();
        for (name, value) in foreign {
            let mut one = validation.clone();
            one[*name] = value.clone();
            all[*name] = value.clone();
            define(&key, &typed(field_type, one)).await.wrong(&[&format!("schema.validation.{name}")]);
        }
        let named = define(&key, &typed(field_type, all)).await.places().len();
        assert_eq!(named, rules.len() - own.len(), "{field_type}: all at once");
    }
}

#[tokio::test]
async fn a_default_keeps_the_fields_own_rules() {
    let app = App::start().await;
    let key = client(&app).await;
    for (schema, place) in [
        (json!({ "type": "string", "default": 1 }), ""),
        (json!({ "type": "string", "validation": { "required": true }, "default": "" }), ""),
        (json!({ "type": "multiselect", "validation": { "options": ["a"], "required": true }, "default": [] }), ""),
        (json!({ "type": "email", "default": "<script>@x.de" }), ""),
        (json!({ "type": "string", "default": "a\u{0}" }), ""),
        (json!({ "type": "string", "validation": { "maxLength": 2 }, "default": "abc" }), ""),
        (json!({ "type": "string", "validation": { "pattern": "^a" }, "default": "b" }), ""),
        (json!({ "type": "number", "validation": { "max": 1 }, "default": 2 }), ""),
        (json!({ "type": "number", "validation": { "integer": true }, "default": 0.5 }), ""),
        (json!({ "type": "boolean", "default": "true" }), ""),
        (json!({ "type": "date", "default": "2026-13-01" }), ""),
        (json!({ "type": "datetime", "default": "2026-01-01" }), ""),
        (json!({ "type": "select", "validation": { "options": ["a"] }, "default": "b" }), ""),
        (json!({ "type": "multiselect", "validation": { "options": ["a"] }, "default": ["a", "b"] }), "[1]"),
        (
            json!({ "type": "multiselect", "validation": { "options": ["a", "b"], "maxItems": 1 }, "default": ["a", "b"] }),
            "",
        ),
        (json!({ "type": "email", "default": "nobody" }), ""),
        (json!({ "type": "url", "default": "ftp://example.com" }), ""),
    ] {
        define(&key, &schema).await.wrong(&[&format!("schema.default{place}")]);
    }
}

#[tokio::test]
async fn a_schema_is_checked_the_same_when_it_is_changed() {
    let app = App::start().await;
    let key = client(&app).await;
    let field = define(&key, &json!({ "type": "string", "default": "abc" })).await.data(201);
    let path = format!("{}/{}", fields("acme", "product"), id(&field));
    let bad = json!({ "type": "string", "validation": { "maxLength": 2, "min": 1 }, "default": "abc" });
    key.patch(&path).json(&json!({ "schema": bad })).await.wrong(&["schema.default", "schema.validation.min"]);
    assert_eq!(key.get(&path).await.data(200), field);
    // A schema is given whole: what it leaves out is gone.
    let changed = key.patch(&path).json(&json!({ "schema": { "type": "string" } })).await.data(200);
    assert_eq!(changed["schema"], json!({ "type": "string" }));
}

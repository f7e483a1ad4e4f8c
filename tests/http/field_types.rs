//! Every type of field: which values it takes, and that they come back as they went in.

use hedgerow_tests::app::{App, Caller, values};
use serde_json::{Value, json};

/// One field `f` of this schema, in a tenant of its own; values that it takes, and values that it does not with the
/// places that are named.
pub(crate) async fn table(schema: Value, good: &[Value], bad: &[(Value, &str)]) {
    let app = App::start().await;
    let key: Caller = app.account("ada").await.key;
    key.group("product").await;
    key.own("acme", "product", "f", schema.clone()).await;
    let path = values("acme", "product", "e");
    for value in good {
        for method in ["POST", "PUT"] {
            let answer = key.call(method, &path).json(&json!({ "f": value })).await;
            assert_eq!(answer.data(200)["values"], json!({ "f": value }), "{schema} {value}");
        }
        let found = key.get(&path).await;
        // As text, so that 1 and 1.0 are two things.
        assert_eq!(found.data(200)["values"]["f"].to_string(), value.to_string());
    }
    let before = key.get(&path).await.data(200);
    for (value, place) in bad {
        for method in ["POST", "PUT"] {
            let answer = key.call(method, &path).json(&json!({ "f": value })).await;
            answer.fails(422, "validation_failed");
            assert!(answer.places().contains(&format!("f{place}")), "{schema} {value}: {answer}");
        }
    }
    assert_eq!(key.get(&path).await.data(200), before);
}

/// What no type but its own takes.
pub(crate) fn alien(own: &str) -> Vec<(Value, &'static str)> {
    let all = [
        ("text", json!("text")),
        ("number", json!(7)),
        ("boolean", json!(true)),
        ("list", json!(["text"])),
        ("object", json!({})),
    ];
    all.into_iter().filter(|(kind, _)| *kind != own).map(|(_, value)| (value, "")).collect()
}

#[tokio::test]
async fn texts() {
    for field_type in ["string", "textarea"] {
        let good = [json!(""), json!("Ünï\n\t\"\\ 日本 🌳"), json!("null"), json!("\u{7f}\u{2028}\u{feff}")];
        let mut bad = alien("text");
        bad.extend([(json!("a\u{0}b"), ""), (json!("\u{0}"), "")]);
        table(json!({ "type": field_type }), &good, &bad).await;
        // Lengths are in Unicode scalar values: neither bytes nor UTF-16.
        let rules = json!({ "minLength": 2, "maxLength": 3 });
        let good = [json!("ab"), json!("🌳🌳🌳"), json!("e\u{301}e")];
        let bad = [
            (json!("a"), ""),
            (json!("🌳"), ""),
            (json!("abcd"), ""),
            (json!(""), ""),
            (json!("e\u{301}e\u{301}"), ""),
        ];
        table(json!({ "type": field_type, "validation": rules }), &good, &bad).await;
    }
    // A pattern matches anywhere unless it is anchored.
    let anywhere = json!({ "type": "string", "validation": { "pattern": "[0-9]{2}" } });
    table(anywhere, &[json!("a12b"), json!("12")], &[(json!("a1b2"), ""), (json!(""), "")]).await;
    let anchored = json!({ "type": "string", "validation": { "pattern": "^(a+)+$" } });
    let long = json!(format!("{}!", "a".repeat(50_000)));
    table(anchored, &[json!("aaa")], &[(long, ""), (json!("ba"), ""), (json!("aaa\n"), "")]).await;
}

#[tokio::test]
async fn booleans() {
    let mut bad = alien("boolean");
    bad.extend([(json!("true"), ""), (json!(0), ""), (json!(1), "")]);
    table(json!({ "type": "boolean" }), &[json!(true), json!(false)], &bad).await;
}

#[tokio::test]
async fn dates() {
    let mut bad = alien("none");
    for text in [
        "2026-02-29",
        "2026-13-01",
        "2026-00-10",
        "2026-1-1",
        "26-01-01",
        "2026-01-01T00:00:00Z",
        "20260101",
        "",
        " 2026-01-01",
        "2026-01-01 ",
        "+2026-01-01",
        "2026-W01-1",
    ] {
        bad.push((json!(text), ""));
    }
    let good = ["2024-02-29", "2026-12-31", "0001-01-01", "9999-12-31"].map(|text| json!(text));
    table(json!({ "type": "date" }), &good, &bad).await;
    let rules = json!({ "min": "2026-01-02", "max": "2026-01-03" });
    let good = [json!("2026-01-02"), json!("2026-01-03")];
    table(
        json!({ "type": "date", "validation": rules }),
        &good,
        &[(json!("2026-01-01"), ""), (json!("2026-01-04"), "")],
    )
    .await;
}

#[tokio::test]
async fn datetimes() {
    let mut bad = alien("none");
    for text in [
        "2026-01-01",
        "2026-01-01T00:00:00",
        "2026-01-01T25:00:00Z",
        "2026-02-30T00:00:00Z",
        "2026-01-01T00:00Z",
        "2026-01-01T00:00:00+0100",
        "2026-01-01T00:00:00Z[UTC]",
        "1767225600",
        "",
        "2026-01-01T00:00:00 +01:00",
        "2026-01-01 00:00:00Z",
    ] {
        bad.push((json!(text), ""));
    }
    let good = [
        "2026-01-01T00:00:00Z",
        "2026-01-01t00:00:00z",
        "2026-01-01T23:59:59.123456+05:30",
        "2024-02-29T12:00:00-12:00",
        "9999-12-31T23:59:59Z",
    ];
    table(json!({ "type": "datetime" }), &good.map(|text| json!(text)), &bad).await;
    let rules = json!({ "min": "2026-01-01T00:00:00Z", "max": "2026-01-02T00:00:00Z" });
    let good = [json!("2026-01-01T01:00:00+01:00"), json!("2026-01-02T00:00:00Z")];
    let bad = [(json!("2026-01-01T00:59:59+01:00"), ""), (json!("2026-01-02T00:00:00-00:01"), "")];
    table(json!({ "type": "datetime", "validation": rules }), &good, &bad).await;
}

#[tokio::test]
async fn selections() {
    let options = json!(["red", { "value": "green", "label": "Green" }, "blue"]);
    let mut bad = alien("none");
    bad.extend([
        (json!("Green"), ""),
        (json!("RED"), ""),
        (json!(""), ""),
        (json!("red\u{0}"), ""),
        (json!(["red"]), ""),
    ]);
    let select = json!({ "type": "select", "validation": { "options": options } });
    table(select, &[json!("red"), json!("green")], &bad).await;

    let multiselect = json!({ "type": "multiselect", "validation": { "options": options } });
    let mut bad: Vec<_> = alien("list");
    bad.extend([
        (json!("red"), ""),
        (json!(["red", "red"]), "[1]"),
        (json!(["red", "Green"]), "[1]"),
        (json!([1, "red", null]), "[0]"),
        (json!([1, "red", null]), "[2]"),
        (json!([["red"]]), "[0]"),
    ]);
    table(multiselect, &[json!([]), json!(["blue", "red"]), json!(["red", "green", "blue"])], &bad).await;
    let bounded = json!({ "type": "multiselect", "validation": { "options": options, "minItems": 1, "maxItems": 2 } });
    table(
        bounded,
        &[json!(["red"]), json!(["red", "blue"])],
        &[(json!([]), ""), (json!(["red", "green", "blue"]), "")],
    )
    .await;
}

#[tokio::test]
async fn addresses() {
    let mut bad = alien("none");
    for text in [
        "a",
        "a@",
        "@b.example",
        "a b@c.example",
        "a@b@c.example",
        "a@b..example",
        "",
        "a\u{0}@b.example",
        "a..b@x.de",
        "<script>@x.de",
        "a@127.0.0.1",
        "a@localhost",
        "\u{feff}a@b.example",
        "a\u{200b}@b.example",
        "a\u{ad}@b.example",
        "a@b\u{2060}.example",
        "\u{202e}a@b.example",
    ] {
        bad.push((json!(text), ""));
    }
    let good = [
        "a@b.example",
        "A.b+c@sub.example.co",
        "o'hara@example.com",
        "josé@correo.example",
        "संपर्क@डाटामेल.भारत",
        "می\u{200c}خواهم@نامه\u{200c}ای.com",
        "用户@例子.广告",
    ]
    .map(|text| json!(text));
    table(json!({ "type": "email" }), &good, &bad).await;

    let mut bad = alien("none");
    for text in [
        "example.com",
        "ftp://example.com",
        "javascript:alert(1)",
        "http://",
        "//example.com",
        "",
        "https://exa mple.com",
        "data:text/html,x",
        "mailto:a@b.example",
        "https://a\u{0}b.example",
        " https://example.com",
    ] {
        bad.push((json!(text), ""));
    }
    let good =
        ["https://example.com", "http://example.com:8080/a?b=c#d", "https://example.com/%C3%A9", "http://127.0.0.1/"];
    table(json!({ "type": "url" }), &good.map(|text| json!(text)), &bad).await;
}

#[tokio::test]
async fn every_type_can_be_required_and_cleared() {
    let app = App::start().await;
    let key = app.account("ada").await.key;
    key.group("product").await;
    let path = values("acme", "product", "e");
    let options = json!(["a", "b"]);
    let mut sent = json!({});
    let types = [
        ("string", json!("s")),
        ("textarea", json!("t")),
        ("number", json!(0)),
        ("boolean", json!(false)),
        ("date", json!("2026-01-01")),
        ("datetime", json!("2026-01-01T00:00:00Z")),
        ("select", json!("a")),
        ("multiselect", json!(["a"])),
        ("email", json!("a@b.example")),
        ("url", json!("https://a.example")),
    ];
    for (field_type, value) in &types {
        let mut validation = json!({ "required": true });
        if field_type.ends_with("select") {
            validation["options"] = options.clone();
        }
        key.own("acme", "product", field_type, json!({ "type": field_type, "validation": validation })).await;
        sent[*field_type] = value.clone();
    }
    let names = types.each_ref().map(|(name, _)| *name);
    let mut sorted = names;
    sorted.sort_unstable();
    let empty = key.save("acme", "product", "e", json!({})).await;
    assert_eq!(empty["missing"], json!(names), "in the fields' order");
    key.put(&path).json(&json!({})).await.wrong(&sorted);
    // Zero and false are values, an empty text and an empty list are none.
    let full = key.put(&path).json(&sent).await.data(200);
    assert_eq!((&full["values"], &full["missing"]), (&sent, &json!([])));
    let empty = |name: &str| if name == "multiselect" { json!([]) } else { json!("") };
    for name in names {
        for none in [Value::Null, empty(name)] {
            let mut body = sent.clone();
            body[name] = none;
            for method in ["PUT", "POST"] {
                key.call(method, &path).json(&body).await.wrong(&[name]);
            }
        }
    }
    assert_eq!(key.get(&path).await.data(200), full);
}

#[tokio::test]
async fn defaults_fill_what_was_not_named() {
    let app = App::start().await;
    let key = app.account("ada").await.key;
    let group = key.group("product").await;
    let required = json!({ "type": "string", "validation": { "required": true }, "default": "d" });
    key.global("a", required, &[&group]).await;
    key.own("acme", "product", "b", json!({ "type": "number", "default": 0 })).await;
    let path = values("acme", "product", "e");
    let first = key.put(&path).json(&json!({})).await.data(200);
    assert_eq!((&first["values"], &first["missing"]), (&json!({ "a": "d", "b": 0 }), &json!([])));
    let own = key.save("acme", "product", "e", json!({ "a": "x", "b": null })).await;
    assert_eq!(own["values"], json!({ "a": "x" }));
    // A default that comes later is no value of what was saved before.
    key.own("acme", "product", "c", json!({ "type": "boolean", "default": true })).await;
    assert_eq!(key.get(&path).await.data(200)["values"], json!({ "a": "x" }));
    assert_eq!(
        key.put(&path).json(&json!({ "b": 1 })).await.data(200)["values"],
        json!({ "a": "d", "b": 1, "c": true })
    );
}

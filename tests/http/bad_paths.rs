//! Identifiers in the path that are none: refused by name, nothing touched.

use hedgerow_tests::app::{App, fields, values};
use hedgerow_tests::routes::{filled, routes};
use serde_json::json;

use hedgerow_tests::raw;

/// Not one of these is an identifier or a key of anything, once it is decoded.
const NEVER: [&str; 24] = [
    "%2F",
    "a%2Fb",
    "a%2fb",
    "%23",
    "a%23b",
    "%00",
    "a%00",
    "%20",
    "a%20",
    "%C3%A9",
    "%E2%80%AE",
    "%FF",
    ".",
    "..",
    "%2E",
    "%2e%2E",
    "a%3Fb",
    "a%5Cb",
    "%252F",
    "%zz",
    "a%0A",
    "a%7C",
    "a+b",
    "a;b",
];

#[tokio::test]
async fn a_parameter_that_is_no_identifier_is_named() {
    let app = App::start().await;
    let account = app.account("ada").await;
    account.key.group("product").await;
    account.key.own("acme", "product", "color", json!({ "type": "string" })).await;
    account.key.save("acme", "product", "sku-1", json!({ "color": "red" })).await;
    let before = account.key.everything("acme", "product").await;
    let too_long = "a".repeat(129);
    for route in routes().filter(|route| route.path.starts_with("/api/v1/")) {
        let caller = account.who_may(route);
        let lines = format!("{}content-type: application/json\r\n", caller.lines());
        for name in route.parameters() {
            for bad in NEVER.iter().copied().chain([too_long.as_str()]) {
                // The other parameters are right; this one goes where its name stands.
                let path = filled(&route.path.replace(&format!("{{{name}}}"), bad), route.package);
                let body: &[u8] = if name == "id" || name == "fieldId" { b"{}" } else { body_of(route.id) };
                let answer = raw::send(app.address, route.method.name(), &path, &lines, body).await;
                answer.fails(422, "validation_failed");
                assert!(answer.places().contains(&name.to_owned()), "{answer}");
            }
        }
    }
    assert_eq!(account.key.everything("acme", "product").await, before);
}

/// A body that the route would take.
fn body_of(id: &str) -> &'static [u8] {
    match id {
        "create-tenant-field" => br#"{"key": "new", "label": "New", "schema": {"type": "string"}}"#,
        "merge-values" | "replace-values" => br#"{"color": "blue"}"#,
        _ => b"{}",
    }
}

#[tokio::test]
async fn every_wrong_parameter_is_named_together_with_the_body() {
    let app = App::start().await;
    let key = app.account("ada").await.key;
    let path = values("a%20b", "A", "%C3%A9");
    for method in ["GET", "DELETE"] {
        key.call(method, &path).await.wrong(&["entityId", "groupId", "tenantId"]);
    }
    for body in [json!({ "a": 1 }), json!({})] {
        key.put(&path).json(&body).await.wrong(&["entityId", "groupId", "tenantId"]);
    }
    key.post(&path).json(&json!([])).await.wrong(&["", "entityId", "groupId", "tenantId"]);
    let body = json!({ "key": "A", "schema": { "type": "select", "validation": { "options": ["a", "b", 3] } } });
    let places = ["groupId", "key", "label", "schema.validation.options[2]", "tenantId"];
    key.post(&fields("%20", "%20")).json(&body).await.wrong(&places);
    let own = format!("{}/fld_1", fields("%20", "%20"));
    key.patch(&own)
        .json(&json!({ "label": "", "x": 1 }))
        .await
        .wrong(&["fieldId", "groupId", "label", "tenantId", "x"]);
    // Where there is no body to be told of, too.
    for (path, names) in [
        (format!("{}/restore", values("%20", "A", "%20")), &["entityId", "groupId", "tenantId", "x"][..]),
        (format!("{own}/restore"), &["fieldId", "groupId", "tenantId", "x"]),
        ("/api/v1/field-groups/A/restore".to_owned(), &["groupId", "x"]),
        ("/api/v1/global-fields/1/restore".to_owned(), &["id", "x"]),
        ("/api/v1/webhooks/1/test".to_owned(), &["id", "x"]),
        ("/api/v1/webhooks/1/rotate-secret".to_owned(), &["graceSeconds", "id", "x"]),
        ("/api/v1/webhooks/1/recover".to_owned(), &["id", "since", "x"]),
        ("/api/v1/deliveries/1/redeliver".to_owned(), &["id", "x"]),
    ] {
        key.post(&path).json(&json!({ "x": 1 })).await.wrong(names);
        key.post(&path).body("application/json", "{").await.fails(400, "malformed_request");
    }
    key.patch("/api/v1/global-fields/1").json(&json!({ "label": 1 })).await.wrong(&["id", "label"]);
    // What can't be read at all goes before.
    key.put(&path).body("application/json", "{").await.fails(400, "malformed_request");
    key.put(&path).bare("{}").await.fails(415, "unsupported_media_type");
    key.delete(&path).at("1").await.fails(400, "malformed_request");
}

#[tokio::test]
async fn identifiers_at_their_bounds_are_taken_as_they_are() {
    let app = App::start().await;
    let key = app.account("ada").await.key;
    key.group("product").await;
    for name in ["...", "a", "A", "a.b", "_", ":", "@", "-", "a%2Eb", "%41", "0", &"x".repeat(128)] {
        let path = values(name, "product", name);
        let lines = format!("{}content-type: application/json\r\n", key.lines());
        let saved = raw::send(app.address, "POST", &path, &lines, b"{}").await.data(200);
        let decoded = name.replace("%2E", ".").replace("%41", "A");
        assert_eq!((&saved["tenantId"], &saved["entityId"]), (&json!(decoded), &json!(decoded)));
    }
}

#[tokio::test]
async fn paths_are_not_tidied_up() {
    let app = App::start().await;
    let key = app.account("ada").await.key;
    key.group("product").await;
    for path in [
        "/api/v1/field-groups/",
        "//api/v1/field-groups",
        "/api//v1/field-groups",
        "/api/v1/./field-groups",
        "/api/v1/x/../field-groups",
        "/api/v1/field-groups/product/",
        "/api/v1/field-groups%2Fproduct",
        "/api/v1/Field-Groups",
        "/api/v1%2Ffield-groups",
        "/API/v1/field-groups",
        "/api/v1/tenants//field-groups/product/fields",
        "/api/v1/tenants/acme/field-groups//fields",
        "/",
        "/api",
        "/api/v1",
        "/api/v2/field-groups",
        "/api/v1/field-groups;x=1",
        "/%",
    ] {
        let answer = raw::send(app.address, "GET", path, &key.lines(), b"").await;
        answer.fails(404, "route_not_found");
    }
}

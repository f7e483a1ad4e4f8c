//! A body with several failures is told of each, wherever it is found: in its form, in the light of other members, of
//! the time, of what is stored.

use hedgerow_tests::app::{App, fields, id, values};
use serde_json::{Value, json};

const PAST: &str = "2020-01-01T00:00:00Z";
const FUTURE: &str = "2100-01-01T00:00:00Z";

#[tokio::test]
async fn every_failure_of_a_body_is_named() {
    let app = App::start().await;
    let account = app.account("ada").await;
    let (owner, key, anyone) = (&account.owner, &account.key, &app.anonymous());
    let group = key.group("product").await;
    let foreign = app.account("bob").await.key.group("product").await;
    let (there, foreign, absent) = (id(&group), id(&foreign), format!("fg_{}", "0".repeat(32)));
    let global = key.global("title", json!({ "type": "url" }), &[&group]).await;
    let own = key.own("acme", "product", "n", json!({ "type": "number" })).await;
    key.own("acme", "product", "t", json!({ "type": "string" })).await;
    key.own("acme", "product", "r", json!({ "type": "string", "validation": { "required": true } })).await;
    let options = json!({ "type": "multiselect", "validation": { "options": ["a"] } });
    key.own("acme", "product", "m", options).await;
    let preview = owner.post("/api/v1/api-keys").json(&json!({ "name": "B", "type": "preview" })).await.data(201);
    let server = owner.post("/api/v1/api-keys").json(&json!({ "name": "A", "type": "management" })).await.data(201);
    let hook = json!({ "url": "https://example.com", "events": ["*"], "headers": { "X-A": "1" } });
    let hook = key.post("/api/v1/webhooks").json(&hook).await.data(201);

    let keys = "/api/v1/api-keys".to_owned();
    let (preview, server) = (format!("{keys}/{}", id(&preview)), format!("{keys}/{}", id(&server)));
    let groups = "/api/v1/field-groups".to_owned();
    let group = format!("{groups}/product");
    let globals = "/api/v1/global-fields".to_owned();
    let global = format!("{globals}/{}", id(&global));
    let owns = fields("acme", "product");
    let own = format!("{owns}/{}", id(&own));
    let saved = values("acme", "product", "sku");
    let hooks = "/api/v1/webhooks".to_owned();
    let hook = format!("{hooks}/{}", id(&hook));
    let (recover, rotate) = (format!("{hook}/recover"), format!("{hook}/rotate-secret"));
    let signature = |name: &str| json!({ "name": name, "format": "hex" });
    let numbers = r#"{"n": 1e400, "t": 1, "m": ["a", 0.10000000000000001], "unknown": true}"#;
    let rate = r#"{"name": "", "rateLimit": {"requestsPerSecond": 1e400}, "permissions": ["values:read"]}"#;
    let key_of = |more: Value| {
        let mut body = json!({ "type": "preview", "permissions": ["values:read"], "expiresAt": PAST });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body.to_string()
    };
    let told = json!({
        "url": "https://example.com#x", "events": [], "headers": { "X-Sig": "1" }, "signatureHeader": signature("x-sig"),
    });
    let changed = json!({
        "url": "nothing", "active": 1, "headers": { "X-A": null, "X-B": null }, "signatureHeader": signature("X-A"),
    });
    // As many as there may be, one more, and a wrong one among them.
    let many = |wrong: Value, most: usize, right: &dyn Fn(usize) -> Value| {
        std::iter::once(wrong).chain((0..most).map(right)).collect::<Value>()
    };
    let too_long = json!({
        "url": "https://example.com",
        "events": many(json!("no"), 50, &|_| json!("*")),
        "tenantIds": many(json!("a b"), 100, &|n| json!(n.to_string())),
        "headers": (0..20).map(|n| (format!("X-{n}"), json!("v"))).chain([("X-Bad".to_owned(), json!(1))])
            .collect::<Value>(),
    });
    let long_key = json!({
        "permissions": many(json!(1), 100, &|_| json!("values:read")),
        "allowedIps": many(json!("x"), 100, &|_| json!("10.0.0.0/8")),
    });
    let long_groups = json!({ "label": "L", "fieldGroupIds": many(json!("x"), 40, &|_| json!(there)) });
    let mixed_groups = json!({ "schema": { "type": "email" }, "fieldGroupIds": ["x", there, absent, absent] });
    let long_options = json!({ "label": "", "schema": {
        "type": "multiselect", "validation": { "options": many(json!(""), 500, &|n| json!(n.to_string())) },
    } });
    // Headers of which one is wrong by itself, one by what is stored, one by another member.
    let three_headers = |collides: &str| {
        json!({
            "headers": { "X-Bad": "é", "X-None": null, "x-sig": "1", collides: "2" }, "signatureHeader": signature("X-Sig"),
        })
    };
    let made_headers = json!({
        "url": "https://example.com", "events": ["*"],
        "headers": { "X-Bad": 1, "x-sig": "1" }, "signatureHeader": signature("X-Sig"),
    });
    let absentees = json!({
        "key": "A", "label": "L", "schema": { "type": "url" }, "fieldGroupIds": [there, foreign, there, absent, foreign],
    });
    for (caller, method, path, body, places) in [
        (owner, "POST", &keys, key_of(json!({ "name": "A" })), &["expiresAt", "permissions"][..]),
        (owner, "POST", &keys, key_of(json!({ "x": 1 })), &["expiresAt", "name", "permissions", "x"]),
        (owner, "POST", &keys, key_of(json!({ "name": "", "type": "no" })), &["expiresAt", "name", "type"]),
        (owner, "PATCH", &preview, key_of(json!({ "name": "" })), &["expiresAt", "name", "permissions", "type"]),
        (owner, "PATCH", &preview, rate.to_owned(), &["name", "permissions", "rateLimit.requestsPerSecond"]),
        (owner, "PATCH", &server, json!({ "permissions": [], "active": 1 }).to_string(), &["active", "permissions"]),
        (key, "POST", &groups, json!({ "key": "A", "name": "" }).to_string(), &["key", "name"]),
        (
            key,
            "PATCH",
            &group,
            json!({ "publishing": 1, "name": "", "x": 1 }).to_string(),
            &["name", "publishing", "x"],
        ),
        (key, "POST", &globals, absentees.to_string(), &["fieldGroupIds[1]", "fieldGroupIds[3]", "key"]),
        (
            key,
            "PATCH",
            &global,
            json!({ "label": "", "schema": { "type": "email" }, "fieldGroupIds": [absent] }).to_string(),
            &["fieldGroupIds[0]", "label", "schema.type"],
        ),
        (
            key,
            "PATCH",
            &global,
            json!({ "schema": { "type": "email" }, "fieldGroupIds": [there, absent] }).to_string(),
            &["fieldGroupIds[1]", "schema.type"],
        ),
        (
            key,
            "POST",
            &owns,
            json!({ "key": "A", "label": "", "schema": {} }).to_string(),
            &["key", "label", "schema.type"],
        ),
        (
            key,
            "PATCH",
            &own,
            json!({ "label": "", "schema": { "type": "string" } }).to_string(),
            &["label", "schema.type"],
        ),
        (key, "POST", &saved, numbers.to_owned(), &["m[1]", "n", "t", "unknown"]),
        (key, "PUT", &saved, numbers.to_owned(), &["m[1]", "n", "r", "t", "unknown"]),
        (key, "PUT", &saved, "[1e400]".to_owned(), &["", "[0]"]),
        (key, "POST", &hooks, told.to_string(), &["events", "headers.X-Sig", "url"]),
        (key, "PATCH", &hook, changed.to_string(), &["active", "headers.X-A", "headers.X-B", "url"]),
        (
            key,
            "PATCH",
            &hook,
            three_headers("X-Sig-New").to_string(),
            &["headers.X-Bad", "headers.X-None", "headers.X-Sig-New", "headers.x-sig"],
        ),
        (key, "POST", &hooks, made_headers.to_string(), &["headers.X-Bad", "headers.x-sig"]),
        (
            key,
            "POST",
            &hooks,
            too_long.to_string(),
            &["events", "events[0]", "headers", "headers.X-Bad", "tenantIds", "tenantIds[0]"],
        ),
        (
            owner,
            "PATCH",
            &server,
            long_key.to_string(),
            &["allowedIps", "allowedIps[0]", "permissions", "permissions[0]"],
        ),
        (key, "PATCH", &global, long_groups.to_string(), &["fieldGroupIds", "fieldGroupIds[0]"]),
        (key, "PATCH", &global, mixed_groups.to_string(), &["fieldGroupIds[0]", "fieldGroupIds[2]", "schema.type"]),
        (
            key,
            "PATCH",
            &own,
            long_options.to_string(),
            &["label", "schema.type", "schema.validation.options", "schema.validation.options[0]"],
        ),
        (key, "POST", &recover, json!({ "since": FUTURE, "x": 1 }).to_string(), &["since", "x"]),
        (key, "POST", &rotate, json!({ "graceSeconds": -1, "x": 1 }).to_string(), &["graceSeconds", "x"]),
        (
            anyone,
            "POST",
            &"/api/auth/signup".to_owned(),
            json!({ "email": "x", "password": "1", "clientName": "" }).to_string(),
            &["clientName", "email", "password"],
        ),
        (
            anyone,
            "POST",
            &"/api/auth/login".to_owned(),
            json!({ "email": "x", "password": 1, "x": 1 }).to_string(),
            &["email", "password", "x"],
        ),
    ] {
        caller.call(method, path).body("application/json", body).await.wrong(places);
    }
    key.get(&saved).await.fails(404, "values_not_found");

    // How many secrets sign is asked once the body is right.
    for _ in 0..4 {
        key.post(&rotate).json(&json!({ "graceSeconds": 60 })).await.expect(200);
    }
    key.post(&rotate).json(&json!({ "graceSeconds": 60, "x": 1 })).await.wrong(&["x"]);
    key.post(&rotate).json(&json!({ "graceSeconds": 60 })).await.wrong(&["graceSeconds"]);

    // What stands in the way before anything is looked at stays what is told.
    let gone = format!("{hooks}/whk_{}", "0".repeat(32));
    key.patch(&gone).json(&json!({ "active": 1, "url": "nothing" })).await.wrong(&["active"]);
    key.patch(&gone).json(&json!({ "active": false })).await.fails(404, "webhook_not_found");
    key.patch(&format!("{hooks}/nothing")).json(&json!({ "active": 1 })).await.wrong(&["active", "id"]);
    key.patch(&hook).at("\"9\"").json(&json!({ "active": 1 })).await.wrong(&["active"]);
    key.patch(&hook).at("\"9\"").json(&json!({ "active": false })).await.fails(409, "version_conflict");
}

//! Whole bodies, as documents: a change of one is a change of what callers see.

use hedgerow_tests::app::{App, entities, fields, id, values};
use serde_json::{Value, json};

/// Identifiers and times become their kind.
fn redacted(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(redacted),
        Value::Object(members) => members.values_mut().for_each(redacted),
        Value::String(text) => {
            let time = text.len() == 24 && text.starts_with("20") && text.ends_with('Z');
            let unique = text
                .rsplit_once('_')
                .filter(|(_, rest)| rest.len() == 32 && rest.bytes().all(|b| b.is_ascii_hexdigit()));
            if time {
                *text = "(time)".to_owned();
            } else if let Some((kind, _)) = unique {
                *text = format!("{kind}_…");
            } else if text.starts_with("hr_") {
                *text = format!("{}…", &text[..8]);
            }
        }
        _ => {}
    }
}

fn shown(mut body: Value) -> Value {
    redacted(&mut body);
    body
}

#[tokio::test]
async fn bodies() {
    let app = App::start().await;
    let body = json!({ "email": "ada@example.com", "password": "correct horse", "clientName": "Acme" });
    let signed_up = app.anonymous().post("/api/auth/signup").json(&body).await;
    insta::assert_json_snapshot!("signup", shown(signed_up.json()));
    let owner = app.with_cookie(&hedgerow_tests::app::cookie_of(&signed_up));

    let body = json!({ "name": "Server", "type": "management", "permissions": ["schema:read", "schema:write"] });
    insta::assert_json_snapshot!("api_key", shown(owner.post("/api/v1/api-keys").json(&body).await.json()));
    let group = owner.group("product").await;
    let title = json!({ "type": "string", "validation": { "required": true, "maxLength": 80 }, "ui": { "order": 1 } });
    owner.global("title", title, &[&group]).await;
    let own =
        owner.own("acme", "product", "color", json!({ "type": "select", "validation": { "options": ["red"] } })).await;
    insta::assert_json_snapshot!("field_groups", shown(owner.get("/api/v1/field-groups").await.json()));
    insta::assert_json_snapshot!("global_fields", shown(owner.get("/api/v1/global-fields").await.json()));
    let path = format!("{}/{}", fields("acme", "product"), id(&own));
    insta::assert_json_snapshot!("tenant_field", shown(owner.get(&path).await.json()));
    insta::assert_json_snapshot!("merged_fields", shown(owner.get(&fields("acme", "product")).await.json()));
    owner.save("acme", "product", "sku-1", json!({ "color": "red" })).await;
    insta::assert_json_snapshot!("entities", shown(owner.get(&entities("acme", "product")).await.json()));
    insta::assert_json_snapshot!("tenants", shown(owner.get("/api/v1/tenants").await.json()));
    let path = values("acme", "product", "sku-1");
    insta::assert_json_snapshot!("values", shown(owner.get(&path).await.json()));
    let wrong = owner.put(&path).json(&json!({ "color": "blue", "colour": "red" })).await;
    insta::assert_json_snapshot!("validation_failed", shown(wrong.json()));
    let stale = owner.post(&path).at("\"4\"").json(&json!({})).await;
    insta::assert_json_snapshot!("version_conflict", shown(stale.json()));
    insta::assert_json_snapshot!("unauthenticated", shown(app.anonymous().get("/api/v1/tenants").await.json()));
}

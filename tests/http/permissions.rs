//! What a credential may do once it is known.

use contract::route::Meta;
use contract::routes::ROUTES;
use serde_json::json;

use crate::app::{App, Caller};
use crate::credentials::a_path_of;

const ALL: [&str; 10] = [
    "schema:read",
    "schema:write",
    "values:read",
    "values:write",
    "webhooks:read",
    "webhooks:write",
    "sites:write",
    "tenants:erase",
    "tokens:create",
    "audit:read",
];

/// What a management key needs for a route, any of these, as the contract's words suggest; nothing if only a session
/// enters.
fn needed(meta: &Meta) -> &'static [&'static str] {
    let read = meta.method.name() == "GET";
    let of_values = ["/values", "/entities", "/tenants"].iter().any(|end| meta.path.ends_with(end))
        || meta.path.contains("/entities/");
    let resource = meta.path.split('/').nth(3).unwrap();
    match (resource, of_values, read) {
        ("api-keys", ..) => &[],
        // Whoever may start a job may follow it.
        ("jobs", ..) => &["webhooks:read", "webhooks:write"],
        ("webhooks" | "deliveries", _, true) => &["webhooks:read"],
        ("webhooks" | "deliveries", _, false) => &["webhooks:write"],
        (_, true, true) => &["values:read"],
        (_, true, false) => &["values:write"],
        (_, false, true) => &["schema:read"],
        (_, false, false) => &["schema:write"],
    }
}

fn management() -> impl Iterator<Item = &'static Meta> {
    ROUTES.iter().copied().filter(|meta| meta.path.starts_with("/api/v1/"))
}

async fn key(app: &App, owner: &Caller, body: serde_json::Value) -> Caller {
    let made = owner.post("/api/v1/api-keys").json(&body).await.data(201);
    app.with_key(made["key"].as_str().unwrap())
}

#[tokio::test]
async fn a_key_does_what_its_permissions_name_and_no_more() {
    let app = App::start().await;
    let owner = app.account("ada").await.owner;
    for permission in ALL {
        let body = json!({ "name": "A", "type": "management", "permissions": [permission] });
        let key = key(&app, &owner, body).await;
        for meta in management() {
            let answer = key.call(meta.method.name(), &a_path_of(meta)).await;
            if needed(meta).contains(&permission) {
                assert_ne!(answer.status, 403, "{permission}: {answer}");
                assert_ne!(answer.status, 401, "{permission}: {answer}");
            } else {
                answer.fails(403, "forbidden");
                let message = answer.json()["message"].as_str().unwrap().to_owned();
                let named = needed(meta).iter().any(|permission| message.contains(permission));
                assert!(named || (needed(meta).is_empty() && message.contains("session")), "{answer}");
            }
        }
    }
}

#[tokio::test]
async fn a_change_of_permissions_counts() {
    let app = App::start().await;
    let owner = app.account("ada").await.owner;
    let body = json!({ "name": "A", "type": "management", "permissions": ["schema:read"] });
    let made = owner.post("/api/v1/api-keys").json(&body).await.data(201);
    let key = app.with_key(made["key"].as_str().unwrap());
    key.get("/api/v1/field-groups").await.expect(200);
    let path = format!("/api/v1/api-keys/{}", crate::app::id(&made));
    owner.patch(&path).json(&json!({ "permissions": ["schema:write"] })).await.expect(200);
    key.get("/api/v1/field-groups").await.fails(403, "forbidden");
    key.group("product").await;
}

#[tokio::test]
async fn delivery_and_preview_keys_have_no_business_here() {
    let app = App::start().await;
    let owner = app.account("ada").await.owner;
    for key_type in ["delivery", "preview"] {
        let key = key(&app, &owner, json!({ "name": "A", "type": key_type })).await;
        for meta in management() {
            let answer = key.call(meta.method.name(), &a_path_of(meta)).await;
            match needed(meta) {
                [] => assert_eq!(answer.status, 403, "{answer}"),
                _ => answer.fails(403, "wrong_key_type"),
            }
        }
    }
}

#[tokio::test]
async fn a_session_reaches_all_of_it() {
    let app = App::start().await;
    let owner = app.account("ada").await.owner;
    owner.group("product").await;
    for meta in management() {
        let answer = owner.call(meta.method.name(), &a_path_of(meta)).await;
        assert!(![401, 403].contains(&answer.status), "{answer}");
    }
}

#[tokio::test]
async fn who_may_not_is_told_so_before_anything_else() {
    let app = App::start().await;
    let account = app.account("ada").await;
    account.key.group("product").await;
    let body = json!({ "name": "A", "type": "management", "permissions": ["values:read"] });
    let reader = key(&app, &account.owner, body).await;
    for path in ["/api/v1/field-groups/absent", "/api/v1/field-groups/product", "/api/v1/field-groups/%20"] {
        reader.patch(path).bare("{").await.fails(403, "forbidden");
        reader.delete(path).at("nonsense").await.fails(403, "forbidden");
    }
    account.key.get("/api/v1/field-groups/product").await.expect(200);
}

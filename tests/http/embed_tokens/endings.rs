//! How tokens end: by time, by a revocation, with the key that made them.

use std::time::Duration;

use hedgerow_tests::app::{App, each, fields, id, values};
use serde_json::json;

use super::{Shop, bearing, revocation, token};
use crate::permissions::key;

const SECONDS: fn(u64) -> Duration = Duration::from_secs;

#[tokio::test]
async fn a_token_is_over_when_its_time_is() {
    let shop = Shop::open().await;
    let path = values("acme", "product", "sku-1");
    let token = shop.token(json!({ "tenantId": "acme", "ttlSeconds": 60 })).await;
    shop.app.clock.advance(SECONDS(60 + 28));
    token.get(&path).await.expect(200);
    shop.app.clock.advance(SECONDS(3));
    token.get(&path).await.fails(401, "unauthenticated");
}

#[tokio::test]
async fn a_revocation_ends_all_that_were_made_before_and_none_that_come_after() {
    let shop = Shop::open().await;
    let (path, key) = (values("acme", "product", "sku-1"), &shop.account.key);
    let of_acme = || shop.token(json!({ "tenantId": "acme", "ttlSeconds": 3_600 }));
    let (one, other) = (of_acme().await, of_acme().await);
    let elsewhere = shop.token(json!({ "tenantId": "globex" })).await;
    for token in [&one, &other] {
        token.get(&path).await.expect(200);
    }
    key.post(&revocation("acme")).await.expect(204);
    for token in [&one, &other] {
        token.get(&path).await.fails(401, "unauthenticated");
    }
    elsewhere.get(&values("globex", "product", "sku-1")).await.expect(200);
    // In the same second.
    let new = of_acme().await;
    new.get(&path).await.expect(200);
    // Repeated under its key, it is the same one.
    key.post(&revocation("acme")).once("1").await.expect(204);
    let newer = of_acme().await;
    key.post(&revocation("acme")).once("1").await.expect(204);
    new.get(&path).await.fails(401, "unauthenticated");
    newer.get(&path).await.expect(200);
    // The tenant is what it was.
    key.save("acme", "product", "sku-3", json!({ "title": "After" })).await;
    assert_eq!(each(&key.get("/api/v1/tenants").await.page().0, "tenantId"), ["acme", "globex"]);
}

#[tokio::test]
async fn a_tenant_that_has_not_been_used_has_tokens_to_revoke() {
    let app = App::start().await;
    let account = app.account("ada").await;
    let key = &account.key;
    key.group("product").await;
    let of_acme = || async { bearing(&app.anonymous(), &token(key, &json!({ "tenantId": "acme" })).await) };
    let old = of_acme().await;
    key.post(&revocation("acme")).await.expect(204);
    old.get(&fields("acme", "product")).await.fails(401, "unauthenticated");
    assert!(key.get("/api/v1/tenants").await.page().0.is_empty(), "it is no tenant yet");
    // Its first use makes it one, and does not bring the token back.
    key.save("acme", "product", "sku-1", json!({})).await;
    assert_eq!(each(&key.get("/api/v1/tenants").await.page().0, "tenantId"), ["acme"]);
    old.get(&fields("acme", "product")).await.fails(401, "unauthenticated");
    of_acme().await.get(&fields("acme", "product")).await.expect(200);
}

#[tokio::test]
async fn who_revokes_is_who_may_make() {
    let app = App::start().await;
    let account = app.account("ada").await;
    let of = |permission: &str| json!({ "name": "A", "type": "management", "permissions": [permission] });
    let makes = key(&app, &account.owner, of("tokens:create")).await;
    makes.post(&revocation("acme")).await.expect(204);
    account.owner.post(&revocation("acme")).await.expect(204);
    let erases = key(&app, &account.owner, of("tenants:erase")).await;
    erases.post(&revocation("acme")).await.fails(403, "forbidden");
    let own = bearing(&app.anonymous(), &token(&account.key, &json!({ "tenantId": "acme" })).await);
    own.post(&revocation("acme")).await.fails(403, "forbidden");
    account.key.post(&revocation("a%20b")).once("1").await.wrong(&["tenantId"]);
    account.key.post(&revocation("acme")).json(&json!({ "before": "now" })).await.wrong(&["before"]);
}

/// Whatever becomes of the key that made a token becomes of the token, when the key is looked at next.
#[tokio::test]
async fn a_token_dies_with_its_key() {
    let shop = Shop::open().await;
    let (owner, path) = (&shop.account.owner, values("acme", "product", "sku-1"));
    let soon = shop.app.clock.now().plus(SECONDS(120)).to_string();
    let mut made = Vec::new();
    for extra in [json!({}), json!({}), json!({ "expiresAt": soon }), json!({})] {
        let mut body = json!({ "name": "A", "type": "management" });
        body.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        let key = owner.post("/api/v1/api-keys").json(&body).await.data(201);
        let caller = shop.app.with_key(key["key"].as_str().unwrap());
        let token = bearing(&shop.app.anonymous(), &token(&caller, &json!({ "tenantId": "acme" })).await);
        token.get(&path).await.expect(200);
        made.push((format!("/api/v1/api-keys/{}", id(&key)), token));
    }
    let [(deleted, first), (off, second), (_, third), (kept, fourth)] = made.try_into().ok().unwrap();
    owner.delete(&deleted).await.expect(204);
    owner.patch(&off).json(&json!({ "active": false })).await.expect(200);
    owner.patch(&kept).json(&json!({ "permissions": ["tokens:create", "values:read"] })).await.expect(200);
    shop.app.clock.advance(SECONDS(5));
    first.get(&path).await.fails(401, "unauthenticated");
    second.get(&path).await.fails(401, "unauthenticated");
    third.get(&path).await.expect(200);
    // A token is worth no more than its key.
    fourth.get(&path).await.expect(200);
    fourth.post(&path).json(&json!({})).await.fails(403, "forbidden");
    owner.patch(&off).json(&json!({ "active": true })).await.expect(200);
    shop.app.clock.advance(SECONDS(120));
    third.get(&path).await.fails(401, "unauthenticated");
    second.get(&path).await.expect(200);
}

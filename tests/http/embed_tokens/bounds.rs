//! What a token reaches: its tenant, its group, its entity, by its permissions, from its pages; and nothing else.

use std::time::Duration;

use contract::permission::TokenPermission;
use hedgerow_tests::app::{App, Caller, entities, fields, id, values};
use hedgerow_tests::routes::{a_path_of, routes};
use runtime::spec::access::TokenAccess;
use runtime::{Access, Method, Route};
use serde_json::{Value, json};

use super::{Shop, bearing, token};

/// A request on a route that would do something, and what comes of it.
async fn tried(caller: &Caller, route: &Route, path: &str) -> hedgerow_tests::answer::Answer {
    let call = caller.call(route.method.name(), path);
    match (route.id, route.method) {
        ("create-tenant-field", _) => {
            let body = json!({ "key": "intruder", "label": "L", "schema": { "type": "string" } });
            call.json(&body).await
        }
        ("update-tenant-field", _) => call.json(&json!({ "label": "Intruder" })).await,
        ("merge-values" | "replace-values", _) => call.json(&json!({ "title": "Intruder" })).await,
        _ => call.await,
    }
}

fn path(route: &Route, tenant: &str, group: &str, entity: &str, field: &str) -> String {
    route
        .path
        .replace("{tenantId}", tenant)
        .replace("{groupId}", group)
        .replace("{entityId}", entity)
        .replace("{fieldId}", field)
}

fn taking() -> impl Iterator<Item = &'static Route> {
    routes().filter(|route| route.access.takes_tokens())
}

#[test]
fn every_route_that_takes_tokens_names_a_tenant_and_a_group() {
    let mut ids: Vec<_> = taking().map(|route| route.id).collect();
    for route in taking() {
        let parameters: Vec<_> = route.parameters().collect();
        assert!(parameters.starts_with(&["tenantId", "groupId"]), "{}", route.id);
    }
    ids.sort_unstable();
    assert_eq!(
        ids,
        [
            "create-tenant-field",
            "delete-tenant-field",
            "delete-values",
            "get-tenant-field",
            "get-values",
            "list-entities",
            "list-fields",
            "merge-values",
            "replace-values",
            "restore-tenant-field",
            "restore-values",
            "update-tenant-field",
        ]
    );
}

#[tokio::test]
async fn nothing_of_another_tenant_group_or_entity_is_touched_by_any_route() {
    let shop = Shop::open().await;
    let all = ["values:read", "values:write", "fields:write"];
    let token = shop
        .token(json!({ "tenantId": "acme", "fieldGroupKey": "product", "entityId": "sku-1", "permissions": all }))
        .await;
    let group = id(&shop.group).to_owned();
    let of = |tenant: &str, group: &str| shop.account.key.get(&fields(tenant, group)).into_future();
    let field =
        |list: &Value| list.as_array().unwrap().iter().find(|one| one["key"] == "color").map(|one| id(one).to_owned());
    let before = shop.all().await;
    for (tenant, at, entity, code) in [
        ("globex", "product", "sku-1", "tenant_not_found"),
        ("globex", "other", "sku-2", "tenant_not_found"),
        ("nobody", "product", "sku-1", "tenant_not_found"),
        ("ACME", "product", "sku-1", "tenant_not_found"),
        ("acme%2e", "product", "sku-1", "tenant_not_found"),
        ("acme", "other", "sku-1", "field_group_not_found"),
        ("acme", "absent", "sku-1", "field_group_not_found"),
        ("acme", "fg_0193a1b2c3d47ef08123456789abcdef", "sku-1", "field_group_not_found"),
        ("acme", "product", "sku-2", "values_not_found"),
        ("acme", "product", "absent", "values_not_found"),
        ("acme", group.as_str(), "sku-2", "values_not_found"),
    ] {
        let known = if at == "absent" || at.starts_with("fg_") { "product" } else { at };
        let own = field(&of(if tenant == "globex" { "globex" } else { "acme" }, known).await.data(200)).unwrap();
        for route in taking() {
            let about_entities = route.path.contains("{entityId}");
            if code == "values_not_found" && !about_entities {
                continue;
            }
            let answer = tried(&token, route, &path(route, tenant, at, entity, &own)).await;
            assert!(answer.status == 404 && answer.json()["error"] == code, "{}: {answer}", route.id);
        }
    }
    // What is there reads as what is not.
    for (there, absent) in [
        (values("acme", "product", "sku-2"), values("acme", "product", "absent")),
        (values("acme", "other", "sku-1"), values("acme", "absent", "sku-1")),
        (values("globex", "product", "sku-1"), values("nobody", "product", "sku-1")),
    ] {
        let (there, absent) = (token.get(&there).await, token.get(&absent).await);
        assert_eq!(there.but_for_request_id(), absent.but_for_request_id());
    }
    token.get(&entities("acme", "product")).await.fails(403, "forbidden");
    assert_eq!(shop.all().await, before);
    // Its own it reaches, by either name of the group.
    for group in ["product", group.as_str()] {
        token.get(&values("acme", group, "sku-1")).await.expect(200);
        token.get(&fields("acme", group)).await.expect(200);
    }
    token.save("acme", "product", "sku-1", json!({ "title": "Own" })).await;
}

/// A token that is bound to less reaches more, and still no other tenant.
#[tokio::test]
async fn a_token_of_a_tenant_reaches_all_of_the_tenant_alone() {
    let shop = Shop::open().await;
    let token = shop.token(json!({ "tenantId": "acme" })).await;
    for group in ["product", "other"] {
        assert_eq!(token.get(&entities("acme", group)).await.page().0.len(), 2);
        token.save("acme", group, "sku-2", json!({ "title": "Saved" })).await;
        token.get(&entities("globex", group)).await.fails(404, "tenant_not_found");
    }
    token.get(&fields("acme", "absent")).await.fails(404, "field_group_not_found");
    let one = shop.token(json!({ "tenantId": "acme", "entityId": "sku-1" })).await;
    for group in ["product", "other"] {
        one.get(&values("acme", group, "sku-1")).await.expect(200);
        one.get(&values("acme", group, "sku-2")).await.fails(404, "values_not_found");
    }
    // A tenant that has not been used yet.
    let new = shop.token(json!({ "tenantId": "initech" })).await;
    new.get(&values("initech", "product", "sku-1")).await.fails(404, "values_not_found");
    new.save("initech", "product", "sku-1", json!({ "title": "First" })).await;
    // Another client's token of the same names.
    let bob = shop.app.account("bob").await;
    bob.key.group("product").await;
    let bobs = bearing(&shop.app.anonymous(), &super::token(&bob.key, &json!({ "tenantId": "acme" })).await);
    bobs.get(&values("acme", "product", "sku-1")).await.fails(404, "values_not_found");
    bobs.get(&fields("acme", id(&shop.group))).await.fails(404, "field_group_not_found");
}

/// A token is bound to a group, not to the key that the group had.
#[tokio::test]
async fn another_group_under_the_same_key_is_another_group() {
    let shop = Shop::open().await;
    let key = &shop.account.key;
    let token = shop.token(json!({ "tenantId": "acme", "fieldGroupKey": "product" })).await;
    token.get(&fields("acme", "product")).await.expect(200);
    key.delete("/api/v1/field-groups/product").await.expect(204);
    let new = key.group("product").await;
    key.save("acme", "product", "sku-1", json!({})).await;
    for group in ["product", id(&new), id(&shop.group)] {
        token.get(&fields("acme", group)).await.fails(404, "field_group_not_found");
        token.get(&values("acme", group, "sku-1")).await.fails(404, "field_group_not_found");
    }
}

#[tokio::test]
async fn a_token_does_what_its_permissions_say() {
    let shop = Shop::open().await;
    for permission in TokenPermission::ALL {
        let token = shop.token(json!({ "tenantId": "acme", "permissions": [permission.name()] })).await;
        for route in routes().filter(|route| route.access != Access::Public) {
            let needed = match route.access.token() {
                TokenAccess::Values(needed) | TokenAccess::Fields(Some(needed)) => Some(needed),
                TokenAccess::Fields(None) => None,
                TokenAccess::Refused => {
                    token.call(route.method.name(), &a_path_of(route)).await.fails(403, "forbidden");
                    continue;
                }
            };
            // Each function looks at the key that made it.
            shop.app.clock.advance(Duration::from_secs(5));
            let answer = token.call(route.method.name(), &a_path_of(route)).await;
            let lacking = needed.filter(|needed| needed != permission);
            match lacking {
                Some(lacking) => {
                    answer.fails(403, "forbidden");
                    assert!(answer.json()["message"].as_str().unwrap().contains(lacking.name()), "{answer}");
                }
                None => assert!(![401, 403].contains(&answer.status), "{}: {answer}", route.id),
            }
            // A `POST` without a permission says so before its body is looked at.
            if lacking.is_some() && route.method == Method::Post {
                token.post(&a_path_of(route)).bare("{").await.fails(403, "forbidden");
            }
        }
    }
}

#[tokio::test]
async fn a_token_goes_in_one_header_alone() {
    let app = App::start().await;
    let account = app.account("ada").await;
    account.key.group("product").await;
    let made = token(&account.key, &json!({ "tenantId": "acme" })).await;
    let (anyone, path) = (app.anonymous(), fields("acme", "product"));
    bearing(&anyone, &made).get(&path).await.expect(200);
    anyone.with("authorization", &format!("bearer {made}")).get(&path).await.expect(200);
    anyone.with("x-api-key", &made).get(&path).await.fails(401, "unauthenticated");
    anyone.with("x-api-key", &format!("Bearer {made}")).get(&path).await.fails(401, "unauthenticated");
    anyone.with("cookie", &format!("__Host-hedgerow_session={made}")).get(&path).await.fails(401, "unauthenticated");
    anyone.get(&format!("{path}?token={made}")).await.fails(401, "unauthenticated");
    anyone.with("authorization", &format!("Basic {made}")).get(&path).await.fails(401, "unauthenticated");
    // Beside an explicit credential it is one too many; a cookie is not looked at.
    bearing(&anyone, &made).with("x-api-key", &account.secret).get(&path).await.fails(400, "malformed_request");
    bearing(&anyone, &made).with("cookie", &account.cookie).get("/api/v1/api-keys").await.fails(403, "forbidden");
}

#[tokio::test]
async fn a_token_is_used_from_its_pages_alone() {
    let shop = Shop::open().await;
    let path = values("acme", "product", "sku-1");
    let origins = json!(["https://app.example.com", "https://admin.example.com:8443"]);
    let bound = shop.token(json!({ "tenantId": "acme", "origins": origins })).await;
    let port = shop.app.address.port();
    let (own, named) = (format!("http://127.0.0.1:{port}"), format!("http://localhost:{port}"));
    for allowed in ["https://app.example.com", "https://admin.example.com:8443", &own, &named] {
        bound.with("origin", allowed).get(&path).await.expect(200);
    }
    bound.get(&path).await.expect(200);
    for refused in [
        "https://evil.example",
        "https://app.example.com.evil.example",
        "https://app.example.com:8443",
        "https://admin.example.com",
        "http://app.example.com",
        "https://APP.example.com",
        "http://localhost",
        "http://localhost:80",
        "null",
        "",
        "*",
        "https://app.example.com, https://evil.example",
        "https://app.example.com/",
    ] {
        bound.with("origin", refused).get(&path).await.fails(403, "origin_not_allowed");
        bound.with("origin", refused).post(&path).json(&json!({})).await.fails(403, "origin_not_allowed");
    }
    let twice = bound.with("origin", "https://app.example.com").with("origin", "https://evil.example");
    twice.get(&path).await.fails(403, "origin_not_allowed");
    // Without a list, any page.
    let free = shop.token(json!({ "tenantId": "acme" })).await;
    free.with("origin", "https://anywhere.example").get(&path).await.expect(200);
}

/// Who repeats a request is the tenant, not the token, which is a new one every few minutes.
#[tokio::test]
async fn a_request_is_repeated_with_the_next_token() {
    let shop = Shop::open().await;
    let [first, second, bound] = [
        shop.token(json!({ "tenantId": "acme" })).await,
        shop.token(json!({ "tenantId": "acme" })).await,
        shop.token(json!({ "tenantId": "acme", "fieldGroupKey": "other" })).await,
    ];
    let path = values("acme", "product", "sku-9");
    let once = first.post(&path).once("1").json(&json!({ "title": "Once" })).await.expect(200);
    let again = second.post(&path).once("1").json(&json!({ "title": "Once" })).await.expect(200);
    assert_eq!((again.header("idempotency-replayed"), &again.body), ("true", &once.body));
    // What was answered is not told to a token that does not reach it.
    bound.post(&path).once("1").json(&json!({ "title": "Once" })).await.fails(404, "field_group_not_found");
    // A key is another caller.
    let keyed = shop.account.key.post(&path).once("1").json(&json!({ "title": "Once" })).await.expect(200);
    assert!(keyed.all("idempotency-replayed").is_empty());
}

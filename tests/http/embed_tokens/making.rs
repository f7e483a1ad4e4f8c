//! `POST /api/auth/token`

use std::time::Duration;

use hedgerow_tests::app::{App, fields, id, values};
use serde_json::{Value, json};

use super::{TOKEN, bearing, claims, token};
use crate::permissions::key;

#[tokio::test]
async fn a_token_says_what_the_contract_has_it_say() {
    let app = App::start().await;
    let account = app.account("ada").await;
    let group = account.key.group("product").await;
    let made = account.key.post(TOKEN).json(&json!({ "tenantId": "acme" })).await.data(201);
    assert_eq!(made.as_object().unwrap().keys().collect::<Vec<_>>(), ["expiresAt", "token"]);
    let said = claims(made["token"].as_str().unwrap());
    let client = account.owner.get("/api/auth/session").await.data(200)["client"]["id"].clone();
    let (keys, _) = account.owner.get("/api/v1/api-keys").await.page();
    let iat = said["iat"].as_u64().unwrap();
    let expected = json!({
        "iss": format!("http://{}", app.address), "aud": "hedgerow-embed", "clientId": client, "keyId": keys[0]["id"],
        "tenantId": "acme", "permissions": ["values:read", "values:write"],
        "iat": iat, "nbf": iat, "exp": iat + 900, "jti": said["jti"],
    });
    assert_eq!(said, expected);
    assert!(said["jti"].as_str().unwrap().starts_with("tok_"));
    let expires = app.clock.now().plus(Duration::from_secs(900)).to_string();
    assert!(
        made["expiresAt"].as_str().unwrap() <= expires.as_str()
            && made["expiresAt"].as_str().unwrap().ends_with(".000Z")
    );

    let body = json!({
        "tenantId": "acme", "fieldGroupKey": "product", "entityId": "sku-1", "fieldLimit": 5, "ttlSeconds": 60,
        "permissions": ["values:read"], "origins": ["https://app.example.com", "http://localhost:5173"],
    });
    let said = claims(&token(&account.key, &body).await);
    let expected = json!({
        "fieldGroupId": id(&group), "fieldGroupKey": "product", "entityId": "sku-1", "fieldLimit": 5,
        "permissions": ["values:read", "fields:write"],
        "origins": ["https://app.example.com", "http://localhost:5173"],
    });
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(said[name], *value, "{name}");
    }
    assert_eq!(said["exp"].as_u64().unwrap() - said["iat"].as_u64().unwrap(), 60);
    let limited = claims(&token(&account.key, &json!({ "tenantId": "acme", "fieldLimit": 0 })).await);
    assert_eq!(limited["permissions"], json!(["values:read", "values:write", "fields:write"]));
}

#[tokio::test]
async fn what_is_wrong_is_named_all_at_once() {
    let app = App::start().await;
    let account = app.account("ada").await;
    let with = |members: Value| {
        let mut body = json!({ "tenantId": "acme" });
        body.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        account.key.post(TOKEN).json(&body)
    };
    for (members, place) in [
        (json!({ "ttlSeconds": 59 }), "ttlSeconds"),
        (json!({ "ttlSeconds": 3_601 }), "ttlSeconds"),
        (json!({ "ttlSeconds": 60.5 }), "ttlSeconds"),
        (json!({ "ttlSeconds": "900" }), "ttlSeconds"),
        (json!({ "fieldLimit": -1 }), "fieldLimit"),
        (json!({ "fieldLimit": 10_001 }), "fieldLimit"),
        (json!({ "permissions": [] }), "permissions"),
        (json!({ "permissions": ["schema:write"] }), "permissions[0]"),
        (json!({ "permissions": ["tokens:create"] }), "permissions[0]"),
        (json!({ "permissions": "values:read" }), "permissions"),
        (json!({ "entityId": ".." }), "entityId"),
        (json!({ "fieldGroupKey": "fg_0193a1b2c3d47ef08123456789abcdef" }), "fieldGroupKey"),
        (json!({ "origins": [] }), "origins"),
        (json!({ "origins": ["https://a.example", "https://a.example"] }), "origins"),
        (json!({ "origins": (0..11).map(|n| format!("https://a{n}.example")).collect::<Vec<_>>() }), "origins"),
        (json!({ "origins": ["*"] }), "origins[0]"),
        (json!({ "origins": ["https://*.example.com"] }), "origins[0]"),
        (json!({ "origins": ["https://a.example/"] }), "origins[0]"),
        (json!({ "origins": ["https://a.example/path"] }), "origins[0]"),
        (json!({ "origins": ["https://a.example", "http://a.example"] }), "origins[1]"),
        (json!({ "origins": ["null"] }), "origins[0]"),
        (json!({ "clientId": "cl_1" }), "clientId"),
        (json!({ "fieldGroupId": "fg_1" }), "fieldGroupId"),
    ] {
        with(members).await.wrong(&[place]);
    }
    for ttl in [60, 3_600] {
        let made = with(json!({ "ttlSeconds": ttl })).await.data(201);
        let said = claims(made["token"].as_str().unwrap());
        assert_eq!(said["exp"].as_u64().unwrap() - said["iat"].as_u64().unwrap(), ttl);
    }
    account.key.post(TOKEN).json(&json!({ "ttlSeconds": 1, "entityId": "" })).await.wrong(&[
        "entityId",
        "tenantId",
        "ttlSeconds",
    ]);
    with(json!({ "fieldGroupKey": "absent" })).await.fails(404, "field_group_not_found");
    with(json!({ "fieldGroupKey": null, "entityId": null, "origins": null })).await.expect(201);
}

/// A group that is deleted is as absent as another client's.
#[tokio::test]
async fn a_group_has_to_be_the_clients_own() {
    let app = App::start().await;
    let (ada, bob) = (app.account("ada").await, app.account("bob").await);
    bob.key.group("bobs").await;
    ada.key.group("old").await;
    ada.key.delete("/api/v1/field-groups/old").await.expect(204);
    let of = |group| json!({ "tenantId": "acme", "fieldGroupKey": group });
    let absent = ada.key.post(TOKEN).json(&of("absent")).await;
    for group in ["bobs", "old"] {
        let answer = ada.key.post(TOKEN).json(&of(group)).await;
        answer.fails(404, "field_group_not_found");
        assert_eq!(answer.but_for_request_id(), absent.but_for_request_id());
    }
}

#[tokio::test]
async fn only_a_key_makes_tokens_and_none_hands_out_what_it_has_not() {
    let app = App::start().await;
    let account = app.account("ada").await;
    let body = json!({ "tenantId": "acme" });
    app.anonymous().post(TOKEN).json(&body).await.fails(401, "unauthenticated");
    account.owner.post(TOKEN).json(&body).await.fails(403, "forbidden");
    let made = bearing(&app.anonymous(), &token(&account.key, &json!({ "tenantId": "acme", "fieldLimit": 9 })).await);
    made.post(TOKEN).json(&body).await.fails(403, "forbidden");
    for key_type in ["delivery", "preview"] {
        let key = key(&app, &account.owner, json!({ "name": "A", "type": key_type })).await;
        key.post(TOKEN).json(&body).await.fails(403, "wrong_key_type");
    }
    let of = |permissions: Value| json!({ "name": "A", "type": "management", "permissions": permissions });
    let all_but = ["schema:read", "schema:write", "values:read", "values:write", "tenants:erase", "audit:read"];
    key(&app, &account.owner, of(json!(all_but))).await.post(TOKEN).json(&body).await.fails(403, "forbidden");

    let reader = key(&app, &account.owner, of(json!(["tokens:create", "values:read"]))).await;
    for (wanted, lacking) in [
        (json!({}), "values:write"),
        (json!({ "permissions": ["values:write"] }), "values:write"),
        (json!({ "permissions": ["values:read", "fields:write"] }), "schema:write"),
        (json!({ "permissions": ["values:read"], "fieldLimit": 1 }), "schema:write"),
    ] {
        let mut body = body.clone();
        body.as_object_mut().unwrap().extend(wanted.as_object().unwrap().clone());
        let answer = reader.post(TOKEN).json(&body).await;
        answer.fails(403, "forbidden");
        assert!(answer.json()["message"].as_str().unwrap().contains(lacking), "{answer}");
    }
    let read = json!({ "tenantId": "acme", "permissions": ["values:read"] });
    let read = bearing(&app.anonymous(), &token(&reader, &read).await);
    account.key.group("product").await;
    read.get(&fields("acme", "product")).await.expect(200);
    read.post(&values("acme", "product", "sku-1")).json(&json!({})).await.fails(403, "forbidden");
}

//! What was not made here, or was altered since, gets nowhere, and the answer does not tell why.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hedgerow_tests::app::{App, values};
use hedgerow_tests::routes::{a_path_of, routes};
use serde_json::{Value, json};

use super::{Shop, bearing, claims, token};

fn part(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

#[tokio::test]
async fn whatever_is_wrong_with_a_token_reads_the_same() {
    let shop = Shop::open().await;
    let elsewhere = App::start().await.account("ada").await;
    let body = json!({ "tenantId": "acme" });
    let (own, foreign) = (token(&shop.account.key, &body).await, token(&elsewhere.key, &body).await);
    let parts: Vec<&str> = own.split('.').collect();
    let (header, signature) = (parts[0], parts[2]);
    let said: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).unwrap()).unwrap();
    let headed = |members: Value| {
        let mut said = said.clone();
        said.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        format!("{}.{}.{signature}", part(&said), parts[1])
    };
    let claiming = |members: Value| {
        let mut said = claims(&own);
        said.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        format!("{header}.{}.{signature}", part(&said))
    };
    let path = values("acme", "product", "sku-1");
    bearing(&shop.app.anonymous(), &own).get(&path).await.expect(200);
    let mut first = None;
    for (what, text) in [
        ("another deployment's", foreign),
        ("none", headed(json!({ "alg": "none" }))),
        ("none, unsigned", format!("{}.{}.", part(&json!({ "alg": "none" })), parts[1])),
        ("RS256", headed(json!({ "alg": "RS256" }))),
        ("HS384", headed(json!({ "alg": "HS384" }))),
        ("another key", headed(json!({ "kid": "00000000-0000-4000-8000-000000000000" }))),
        ("no key", headed(json!({ "kid": null }))),
        ("crit", headed(json!({ "crit": ["exp"] }))),
        ("jku", headed(json!({ "jku": "https://evil.example" }))),
        ("another type", headed(json!({ "typ": "at+jwt" }))),
        ("another tenant", claiming(json!({ "tenantId": "globex" }))),
        ("more permissions", claiming(json!({ "permissions": ["values:read", "values:write", "fields:write"] }))),
        ("a later end", claiming(json!({ "exp": claims(&own)["exp"].as_u64().unwrap() + 1 }))),
        ("cut short", own[..own.len() - 1].to_owned()),
        ("and more", format!("{own}A")),
        ("padded", format!("{own}=")),
        ("four parts", format!("{own}.{signature}")),
        ("no signature", format!("{header}.{}.", parts[1])),
        ("huge", format!("{header}.{}.{signature}", "A".repeat(7_000))),
        ("nothing but dots", "..".to_owned()),
    ] {
        let answer = bearing(&shop.app.anonymous(), &text).get(&path).await;
        answer.fails(401, "unauthenticated");
        let first = first.get_or_insert_with(|| answer.clone());
        assert_eq!(answer.but_for_request_id(), first.but_for_request_id(), "{what}");
    }
}

/// Where no token enters, it is told so unread: few functions have the keys that verify one.
#[tokio::test]
async fn a_token_is_told_where_it_does_not_enter() {
    let app = App::start().await;
    let account = app.account("ada").await;
    let made = token(&account.key, &json!({ "tenantId": "acme" })).await;
    let trace = app.backend.engine.as_ref().unwrap().connector.trace();
    trace.reset();
    for route in routes().filter(|route| route.access != runtime::Access::Public && !route.access.takes_tokens()) {
        let answer = bearing(&app.anonymous(), &made).call(route.method.name(), &a_path_of(route)).await;
        answer.fails(403, "forbidden");
    }
    let counted = trace.snapshot().used("UpdateItem", "hedgerow-counters");
    assert_eq!(trace.snapshot().total(), counted);
}

/// Signatures are looked at before anything of the tenant, and unknown keys are not asked for again and again.
#[tokio::test]
async fn what_is_forged_costs_nothing() {
    let shop = Shop::open().await;
    let path = values("acme", "product", "sku-1");
    let own = token(&shop.account.key, &json!({ "tenantId": "acme" })).await;
    let parts: Vec<&str> = own.split('.').collect();
    let trace = shop.app.backend.engine.as_ref().unwrap().connector.trace();
    // A first unknown one may be of a key that is new.
    shop.app.clock.advance(std::time::Duration::from_secs(10));
    trace.reset();
    let forged = |n: u32| {
        let header = json!({ "typ": "JWT", "alg": "HS256", "kid": format!("{n:032}") });
        format!("{}.{}.{}", part(&header), parts[1], parts[2])
    };
    let sent = (0..40).map(|n| {
        let caller = bearing(&shop.app.anonymous(), &forged(n));
        let path = path.clone();
        tokio::spawn(async move { caller.get(&path).await.fails(401, "unauthenticated") })
    });
    for sent in sent.collect::<Vec<_>>() {
        sent.await.unwrap();
    }
    let asked = trace.snapshot();
    let but_counted = || trace.snapshot().total() - trace.snapshot().used("UpdateItem", "hedgerow-counters");
    assert_eq!((asked.of("GetSecretValue"), but_counted()), (2, 2), "both stages, once");
    shop.app.clock.advance(std::time::Duration::from_secs(10));
    for n in 40..50 {
        bearing(&shop.app.anonymous(), &forged(n)).get(&path).await.fails(401, "unauthenticated");
    }
    assert_eq!(but_counted(), 4);
    // What is known is not forgotten over it.
    bearing(&shop.app.anonymous(), &own).get(&path).await.expect(200);
}

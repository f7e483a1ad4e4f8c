//! The rotation of the keys that sign tokens, as Secrets Manager has it done, under traffic.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use engines::Role;
use hedgerow_tests::app::{App, values};
use runtime::lambda::consumer;
use serde_json::{Value, json};

use super::Shop;

/// Has the keys rotated, by the function that does and under its role.
async fn rotate(app: &App, version: &str) {
    let function = functions::consumers().into_iter().find(|consumer| consumer.id == "rotate-token-keys").unwrap();
    let role = Role::new(function.id, app.backend.permissions(&(function.permissions)()));
    let worker = (function.start)(&app.backend.app).unwrap();
    for step in ["createSecret", "setSecret", "testSecret", "finishSecret"] {
        let event = json!({ "Step": step, "SecretId": "hedgerow/token-keys", "ClientRequestToken": version });
        let run = consumer::run(function, &worker, event, function.timeout);
        assert_eq!(role.hold(run).await.unwrap(), consumer::Batch::default(), "{step}");
    }
}

/// The key that signed a token, as it says.
fn kid(token: &str) -> Value {
    let header = URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap()).unwrap();
    serde_json::from_slice::<Value>(&header).unwrap()["kid"].clone()
}

#[tokio::test]
async fn tokens_go_on_when_the_keys_are_rotated() {
    let shop = Shop::open().await;
    let (app, key) = (&shop.app, &shop.account.key);
    let (body, path) = (json!({ "tenantId": "acme", "ttlSeconds": 3_600 }), values("acme", "product", "sku-1"));
    let old = super::token(key, &body).await;
    let [first, second] = ["1", "2"].map(|digit| digit.repeat(36));
    rotate(app, &first).await;
    // Until every instance knows the new key, the old one signs.
    app.clock.advance(Duration::from_secs(290));
    let between = super::token(key, &body).await;
    assert_eq!(kid(&between), kid(&old));
    app.clock.advance(Duration::from_secs(20));
    let new = super::token(key, &body).await;
    assert_eq!(kid(&new), first);
    let works = async |token: &str| super::bearing(&app.anonymous(), token).get(&path).await.status;
    for token in [&old, &between, &new] {
        assert_eq!(works(token).await, 200);
    }

    // The next rotation drops the key before the last, whose tokens are dead by then, unless somebody is in a hurry.
    rotate(app, &second).await;
    app.clock.advance(Duration::from_secs(310));
    for (token, status) in [(&old, 401), (&between, 401), (&new, 200)] {
        assert_eq!(works(token).await, status);
    }
    let last = super::token(key, &body).await;
    assert_eq!((kid(&last), works(&last).await), (json!(second), 200));
}

/// A step that is asked for again is taken once.
#[tokio::test]
async fn a_rotation_that_is_repeated_makes_one_key() {
    let shop = Shop::open().await;
    let old = super::token(&shop.account.key, &json!({ "tenantId": "acme" })).await;
    let version = "1".repeat(36);
    rotate(&shop.app, &version).await;
    rotate(&shop.app, &version).await;
    shop.app.clock.advance(Duration::from_secs(310));
    let new = super::token(&shop.account.key, &json!({ "tenantId": "acme" })).await;
    assert_eq!(kid(&new), version);
    for token in [old, new] {
        super::bearing(&shop.app.anonymous(), &token).get(&values("acme", "product", "sku-1")).await.expect(200);
    }
}

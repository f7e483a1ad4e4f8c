//! The rotation of the keys that sign tokens, as Secrets Manager has it done, under traffic.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use engines::Role;
use runtime::lambda::consumer;
use serde_json::{Value, json};

use super::Shop;
use crate::app::{App, values};

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
async fn a_rotation_ends_no_token_before_its_time() {
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
    app.clock.advance(Duration::from_secs(3_500));
    assert_eq!((works(&old).await, works(&new).await), (401, 200), "by its time");

    // The next rotation drops the key before the last.
    let newest = super::token(key, &body).await;
    rotate(app, &second).await;
    app.clock.advance(Duration::from_secs(310));
    assert_eq!(works(&newest).await, 200);
    let last = super::token(key, &body).await;
    assert_eq!(kid(&last), second);
}

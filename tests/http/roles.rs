//! What roles grant for what seldom happens: that it works.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use engines::Fault;
use hedgerow_tests::app::{App, id};
use serde_json::json;

/// Its first answer is not kept, as of a function that dies right after its write.
#[tokio::test]
async fn an_api_key_whose_secret_nobody_has_is_made_again() {
    let app = App::start().await;
    let account = app.account("ada").await;
    let body = json!({ "name": "Server", "type": "management" });
    let make = || account.owner.post("/api/v1/api-keys").once("k").json(&body);
    let connector = app.backend.engine.as_ref().unwrap().connector.clone();
    let claims = Arc::new(AtomicU32::new(0));
    connector.faults().set(move |call| {
        let of_the_gate = String::from_utf8_lossy(call.body).contains("\"I#");
        (of_the_gate && claims.fetch_add(1, Ordering::Relaxed) > 0).then_some(Fault::Internal)
    });
    let first = make().await.data(201);
    connector.faults().clear();
    app.advance(Duration::from_secs(61));
    let second = make().await.data(201);
    assert_eq!(id(&first), id(&second));
    assert_ne!(first["key"], second["key"]);
    app.with_key(first["key"].as_str().unwrap()).get("/api/v1/field-groups").await.fails(401, "unauthenticated");
    app.with_key(second["key"].as_str().unwrap()).get("/api/v1/field-groups").await.expect(200);
}

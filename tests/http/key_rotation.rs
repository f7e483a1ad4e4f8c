//! API keys rotated, and seen in use.

use std::future::IntoFuture as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use hedgerow_tests::app::{App, Caller, id, values};
use hedgerow_tests::process::PATIENCE;
use hedgerow_tests::routes::{a_path_of, routes};
use hedgerow_tests::wait::until;
use runtime::Access;
use serde_json::{Value, json};

const KEYS: &str = "/api/v1/api-keys";
const GROUPS: &str = "/api/v1/field-groups";

async fn make(owner: &Caller, key_type: &str) -> (String, String) {
    let made = owner.post(KEYS).json(&json!({ "name": "Server", "type": key_type })).await.data(201);
    (format!("{KEYS}/{}", id(&made)), made["key"].as_str().unwrap().to_owned())
}

async fn rotate(owner: &Caller, path: &str, seconds: u32) -> (Value, String) {
    let body = json!({ "graceSeconds": seconds });
    let mut rotated = owner.post(&format!("{path}/rotate")).json(&body).await.data(201);
    let key = rotated.as_object_mut().unwrap().remove("key").unwrap();
    (rotated, key.as_str().unwrap().to_owned())
}

#[tokio::test]
async fn a_rotated_key_is_the_same_key_and_shows_who_still_uses_the_old_one() {
    let app = App::behind(1).await;
    let account = app.account("ada").await;
    let (path, old) = make(&account.owner, "management").await;
    let before = account.owner.get(&path).await.data(200);
    assert_eq!(
        (&before["lastUsedAt"], &before["lastUsedAddress"], &before["previous"]),
        (&Value::Null, &Value::Null, &Value::Null)
    );
    app.with_key(&old).from("192.0.2.1").get(GROUPS).await.expect(200);
    let used = account.owner.get(&path).await.expect(200);
    assert_eq!(used.etag(), "\"1\"", "a use is no change");
    assert_eq!(used.data(200)["lastUsedAddress"], "192.0.2.1");

    let answer = account.owner.post(&format!("{path}/rotate")).json(&json!({ "graceSeconds": 3_600 })).await;
    assert_eq!(answer.etag(), "\"2\"");
    let mut rotated = answer.data(201);
    let new = rotated.as_object_mut().unwrap().remove("key").unwrap().as_str().unwrap().to_owned();
    assert_eq!((&rotated["id"], rotated["prefix"].as_str()), (&before["id"], Some(&new[..12])));
    assert_eq!((rotated["previous"]["prefix"].as_str(), &rotated["lastUsedAt"]), (Some(&old[..12]), &Value::Null));
    assert_eq!(rotated["previous"]["lastUsedAddress"], "192.0.2.1");
    assert_eq!(account.owner.get(&path).await.data(200), rotated);

    app.clock.advance(Duration::from_secs(60));
    app.with_key(&new).from("192.0.2.2").get(GROUPS).await.expect(200);
    // Who is refused something uses it, too.
    app.with_key(&old).from("192.0.2.3").get(KEYS).await.fails(403, "forbidden");
    let seen = account.owner.get(&path).await.data(200);
    assert_eq!(
        (&seen["lastUsedAddress"], &seen["previous"]["lastUsedAddress"]),
        (&json!("192.0.2.2"), &json!("192.0.2.3"))
    );
    assert!(seen["previous"]["lastUsedAt"].as_str() > rotated["previous"]["lastUsedAt"].as_str());
    assert!(account.owner.get(KEYS).await.page().0.contains(&seen));

    app.clock.advance(Duration::from_secs(3_600));
    app.with_key(&old).get(GROUPS).await.fails(401, "unauthenticated");
    app.with_key(&new).get(GROUPS).await.expect(200);
    let owner = app.log_in(&account).await;
    assert_eq!(owner.get(&path).await.data(200)["previous"], Value::Null);
}

#[tokio::test]
async fn how_a_key_is_rotated_and_how_not() {
    let app = App::start().await;
    let account = app.account("ada").await;
    for (key_type, prefix) in [("management", "hr_live_"), ("delivery", "hr_read_"), ("preview", "hr_prev_")] {
        let (path, old) = make(&account.owner, key_type).await;
        let (_, new) = rotate(&account.owner, &path, 0).await;
        assert!(new.starts_with(prefix) && new != old);
        until(Duration::from_secs(10), || async { app.with_key(&old).get(GROUPS).await.status == 401 }).await;
    }
    let (path, old) = make(&account.owner, "management").await;
    let rotation = format!("{path}/rotate");
    for (body, wrong) in [
        (json!({}), "graceSeconds"),
        (json!({ "graceSeconds": -1 }), "graceSeconds"),
        (json!({ "graceSeconds": 604_801 }), "graceSeconds"),
        (json!({ "graceSeconds": 1.5 }), "graceSeconds"),
        (json!({ "graceSeconds": "60" }), "graceSeconds"),
        (json!({ "graceSeconds": 0, "key": "mine" }), "key"),
    ] {
        account.owner.post(&rotation).json(&body).await.wrong(&[wrong]);
    }
    let body = json!({ "graceSeconds": 604_800 });
    account.owner.post(&rotation).json(&body).at("\"7\"").await.fails(409, "version_conflict");
    account
        .owner
        .post(&format!("{KEYS}/key_{}/rotate", "0".repeat(32)))
        .once("refused")
        .json(&body)
        .await
        .fails(404, "api_key_not_found");
    account.key.post(&rotation).json(&body).await.fails(403, "forbidden");
    app.account("eve").await.owner.post(&rotation).json(&body).await.fails(404, "api_key_not_found");
    assert_eq!(account.owner.get(&path).await.data(200)["version"], 1);

    let first = account.owner.post(&rotation).json(&body).once("once").await.data(201);
    let again = account.owner.post(&rotation).json(&body).once("once").await;
    assert_eq!((again.header("idempotency-replayed"), &again.data(201)["key"]), ("true", &Value::Null));
    assert_eq!(account.owner.get(&path).await.data(200)["version"], 2, "once");
    let new = first["key"].as_str().unwrap();
    for key in [&old, new] {
        app.with_key(key).get(GROUPS).await.expect(200);
    }
    // The oldest ends: of a key there are two at the most.
    let (_, newest) = rotate(&account.owner, &path, 60).await;
    app.with_key(&old).get(GROUPS).await.fails(401, "unauthenticated");
    for key in [new, &newest] {
        app.with_key(key).get(GROUPS).await.expect(200);
    }
    account.owner.delete(&path).await.expect(204);
    for key in [new, &newest] {
        app.with_key(key).get(GROUPS).await.fails(401, "unauthenticated");
    }
}

/// Callers read and write all the time, each with the key that its own configuration has by then.
#[tokio::test]
async fn a_key_is_rotated_under_traffic_without_one_failed_request() {
    let app = Arc::new(App::start().await);
    let account = app.account("ada").await;
    account.key.group("product").await;
    account.key.own("acme", "product", "title", json!({ "type": "string" })).await;
    let (path, first) = make(&account.owner, "management").await;
    let (current, rolled_out) = (Arc::new(std::sync::Mutex::new(first.clone())), Arc::new(AtomicU64::new(0)));
    let (stop, answered) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let callers: Vec<_> = (0..8)
        .map(|number| {
            let (app, current, rolled_out) = (app.clone(), current.clone(), rolled_out.clone());
            let (stop, answered) = (stop.clone(), answered.clone());
            tokio::spawn(async move {
                let (mut key, path) = (String::new(), values("acme", "product", &format!("sku-{number}")));
                while !stop.load(Ordering::Relaxed) {
                    let newest = current.lock().unwrap().clone();
                    if newest != key {
                        key = newest;
                        rolled_out.fetch_add(1, Ordering::Relaxed);
                    }
                    let caller = app.with_key(&key);
                    caller.post(&path).json(&json!({ "title": key[..12] })).await.expect(200);
                    caller.get(&path).await.expect(200);
                    answered.fetch_add(2, Ordering::Relaxed);
                }
            })
        })
        .collect();
    let reached = |counter: &Arc<AtomicU64>, goal: u64| {
        let counter = counter.clone();
        until(PATIENCE, move || {
            let counter = counter.clone();
            async move { counter.load(Ordering::Relaxed) >= goal }
        })
    };
    let mut old = first;
    for round in 1..=3 {
        // All have the key before, and use it while the next one is made.
        reached(&rolled_out, 8 * round).await;
        reached(&answered, answered.load(Ordering::Relaxed) + 16).await;
        let (_, new) = rotate(&account.owner, &path, 3_600).await;
        reached(&answered, answered.load(Ordering::Relaxed) + 16).await;
        *current.lock().unwrap() = new.clone();
        old = new;
    }
    reached(&rolled_out, 32).await;
    stop.store(true, Ordering::Relaxed);
    for caller in callers {
        caller.await.unwrap();
    }
    app.with_key(&old).get(GROUPS).await.expect(200);
}

/// What can't be a key is not looked up, and nobody's use is noted.
#[tokio::test]
async fn a_mistyped_key_costs_no_look_up() {
    let app = App::start().await;
    let account = app.account("ada").await;
    let trace = app.backend.engine.as_ref().unwrap().connector.trace();
    trace.reset();
    for at in 0..account.secret.len() {
        let mut typed = account.secret.clone().into_bytes();
        typed[at] = if typed[at] == b'x' { b'y' } else { b'x' };
        let typed = String::from_utf8(typed).unwrap();
        app.with_key(&typed).get(GROUPS).await.fails(401, "unauthenticated");
        app.anonymous()
            .with("authorization", &format!("Bearer {typed}"))
            .get(GROUPS)
            .await
            .fails(401, "unauthenticated");
    }
    let asked = trace.snapshot();
    assert_eq!((asked.of("GetItem"), asked.of("BatchGetItem"), asked.used("UpdateItem", "hedgerow-log")), (0, 0, 0));
}

/// A read stays a read for a minute; then the use is written down, whatever is asked for.
#[tokio::test]
async fn every_route_notes_the_use_of_a_key() {
    let app = App::start().await;
    let account = app.account("ada").await;
    let updates =
        || app.backend.engine.as_ref().unwrap().connector.trace().snapshot().used("UpdateItem", "hedgerow-log");
    account.key.get(GROUPS).await.expect(200);
    let before = updates();
    let reads: Vec<_> = (0..20).map(|_| tokio::spawn(account.key.get(GROUPS).into_future())).collect();
    for read in reads {
        read.await.unwrap().expect(200);
    }
    assert_eq!(updates(), before);
    for route in routes().filter(|route| matches!(route.access, Access::Credential { .. })) {
        app.clock.advance(Duration::from_secs(60));
        let before = updates();
        account.key.call(route.method.name(), &a_path_of(route)).await;
        assert!(updates() > before, "{}", route.id);
    }
}

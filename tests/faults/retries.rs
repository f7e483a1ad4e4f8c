//! A process dies after a request is committed and before its answer is kept; then something else happens, and then the
//! request comes again under its `Idempotency-Key`: what happened in between stays.

use std::future::IntoFuture as _;
use std::time::Duration;

use engines::{Engines, Fault};
use hedgerow_tests::answer::Answer;
use hedgerow_tests::app::{App, Caller, fields, id, values};
use hedgerow_tests::wait::PATIENCE;
use serde_json::{Value, json};
use store::author::Clock;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::rig::over;

/// Two processes over the same tables, one of which never comes to keep an answer.
struct Two {
    dying: Caller,
    living: Caller,
    owner: Caller,
    dying_owner: Caller,
    clock: Clock,
    /// That it was about to keep one.
    committed: UnboundedReceiver<()>,
    requests: usize,
    _apps: [App; 2],
}

impl Two {
    async fn start() -> Self {
        let (engines, clock) = (Engines::memory().unwrap(), Clock::default());
        let apps = [over(&engines, clock.clone()).await, over(&engines, clock.clone()).await];
        let account = apps[1].account("ada").await;
        let (arrived, committed) = unbounded_channel();
        let of_idempotency = |body: &[u8]| body.windows(3).any(|three| three == b"\"I#");
        apps[0].backend.engine.as_ref().unwrap().connector.faults().set(move |call| {
            let keeps = call.operation == "UpdateItem" && of_idempotency(call.body);
            keeps.then(|| {
                let _ = arrived.send(());
                Fault::Slow(Duration::from_secs(24 * 3600))
            })
        });
        let (dying, dying_owner) = (apps[0].with_key(&account.secret), apps[0].with_cookie(&account.cookie));
        Self {
            dying,
            living: account.key,
            owner: account.owner,
            dying_owner,
            clock,
            committed,
            requests: 0,
            _apps: apps,
        }
    }

    /// The request is committed, nobody is told, and its lease runs out.
    async fn dies(&mut self, by_owner: bool, path: &str, once: &str, body: &Value) {
        let caller = if by_owner { &self.dying_owner } else { &self.dying };
        let call = tokio::spawn(caller.post(path).once(once).json(body).into_future());
        tokio::time::timeout(PATIENCE, self.committed.recv()).await.unwrap();
        call.abort();
        self.clock.advance(Duration::from_secs(61));
    }

    /// The request dies, `between` happens, and the request comes again: it succeeds, and nothing is as it was not.
    async fn again(&mut self, path: &str, body: Value, between: &[(&str, &str, Value)], read: &str) -> Answer {
        let by_owner = path.starts_with("/api/v1/api-keys");
        self.requests += 1;
        let once = self.requests.to_string();
        self.dies(by_owner, path, &once, &body).await;
        let caller = if by_owner { &self.owner } else { &self.living };
        for (method, path, body) in between {
            let call = caller.call(method, path);
            let answer = if *method == "DELETE" { call.await } else { call.json(body).await };
            assert!([200, 201, 204].contains(&answer.status), "{answer}");
        }
        let before = caller.get(read).await;
        let retry = caller.post(path).once(&once).json(&body).await;
        assert!([200, 201].contains(&retry.status) && retry.all("idempotency-replayed").is_empty(), "{retry}");
        let after = caller.get(read).await;
        assert_eq!((after.status, after.all("etag")), (before.status, before.all("etag")), "{path} {between:?}");
        if after.status == 200 {
            assert_eq!(after.json()["data"], before.json()["data"], "{path} {between:?}");
            assert_eq!(retry.all("etag"), after.all("etag"));
        }
        // From now on this is its answer.
        let replay = caller.post(path).once(&once).json(&body).await;
        assert_eq!(replay.header("idempotency-replayed"), "true", "{replay}");
        retry
    }
}

#[tokio::test]
async fn what_was_saved_deleted_or_restored_before_a_retry_stays() {
    let mut two = Two::start().await;
    let key = two.living.clone();
    let group = key.group("product").await;
    let spare = key.group("spare").await;
    let own = key.own("acme", "product", "color", json!({ "type": "string" })).await;
    key.own("acme", "product", "size", json!({ "type": "string" })).await;
    let global = key.global("title", json!({ "type": "string" }), &[&group]).await;
    let saved = values("acme", "product", "sku");
    let saved_restore = format!("{saved}/restore");

    let red = json!({ "color": "red" });
    let blue = ("POST", saved.as_str(), json!({ "color": "blue" }));
    let large = ("POST", saved.as_str(), json!({ "size": "large" }));
    let (gone, back) = (("DELETE", saved.as_str(), json!({})), ("POST", saved_restore.as_str(), json!({})));
    for between in [
        &[][..],
        std::slice::from_ref(&blue),
        &[blue.clone(), large.clone()],
        std::slice::from_ref(&gone),
        &[gone.clone(), blue.clone()],
        &[gone.clone(), back.clone()],
        &[gone.clone(), back, blue.clone()],
    ] {
        key.call("PUT", &saved).json(&json!({ "size": "small" })).await.expect(200);
        let retry = two.again(&saved, red.clone(), between, &saved).await.data(200);
        if between.is_empty() {
            assert_eq!(retry["values"], json!({ "color": "red", "size": "small" }));
        }
    }

    let changed = json!({ "label": "Changed" });
    for (place, change) in [
        (saved.clone(), blue),
        (format!("{}/{}", fields("acme", "product"), id(&own)), ("PATCH", "", changed.clone())),
        (format!("/api/v1/global-fields/{}", id(&global)), ("PATCH", "", changed)),
        (format!("/api/v1/field-groups/{}", id(&spare)), ("PATCH", "", json!({ "name": "Changed" }))),
    ] {
        let restore = format!("{place}/restore");
        let (change, gone, back) = (
            (change.0, place.as_str(), change.2),
            ("DELETE", place.as_str(), json!({})),
            ("POST", restore.as_str(), json!({})),
        );
        let all = [change, gone.clone(), back, gone];
        for between in [&all[..0], &all[..1], &all[1..2], &all[1..3], &all[..3], &all[..]] {
            if key.get(&place).await.status == 200 {
                key.delete(&place).await.expect(204);
            }
            two.again(&restore, json!({}), between, &place).await;
        }
    }
}

#[tokio::test]
async fn what_was_made_is_not_made_anew_over_what_became_of_it() {
    let mut two = Two::start().await;
    let (key, owner) = (two.living.clone(), two.owner.clone());
    let group = key.group("product").await;
    let created = |list: &str, number: usize| match list {
        "/api/v1/field-groups" => json!({ "key": format!("g{number}"), "name": "A" }),
        "/api/v1/webhooks" => json!({ "url": "https://example.com", "events": ["*"], "active": false }),
        "/api/v1/api-keys" => json!({ "name": "A", "type": "management" }),
        "/api/v1/global-fields" => json!({
            "key": format!("f{number}"), "label": "A", "schema": { "type": "url" }, "fieldGroupIds": [group["id"]],
        }),
        _ => json!({ "key": format!("t{number}"), "label": "A", "schema": { "type": "url" } }),
    };
    for (list, read, change, soft) in [
        ("/api/v1/field-groups".to_owned(), "/api/v1/field-groups".to_owned(), json!({ "name": "B" }), true),
        ("/api/v1/global-fields".to_owned(), "/api/v1/global-fields".to_owned(), json!({ "label": "B" }), true),
        (fields("acme", "product"), fields("acme", "product"), json!({ "label": "B" }), true),
        ("/api/v1/webhooks".to_owned(), "/api/v1/webhooks".to_owned(), json!({ "description": "B" }), false),
        ("/api/v1/api-keys".to_owned(), "/api/v1/api-keys".to_owned(), json!({ "name": "B" }), false),
    ] {
        let caller = if list.ends_with("api-keys") { &owner } else { &key };
        for (number, deleted) in [(1, false), (2, true)].into_iter().filter(|(_, deleted)| soft || !deleted) {
            let (body, once) = (created(&list, number), format!("{list} {number}"));
            let known = caller.get(&read).await.page().0;
            two.dies(list.ends_with("api-keys"), &list, &once, &body).await;
            let listed = caller.get(&read).await.page().0;
            let made = listed.iter().find(|made| !known.iter().any(|old| old["id"] == made["id"])).unwrap();
            let place = format!("{list}/{}", id(made));
            let changed = caller.patch(&place).json(&change).await.data(200);
            if deleted {
                caller.delete(&place).await.expect(204);
            }
            let retry = caller.post(&list).once(&once).json(&body).await.data(201);
            assert_eq!(retry["id"], made["id"]);
            for name in change.as_object().unwrap().keys() {
                assert_eq!(retry[name], changed[name], "{retry}");
            }
            let count = caller.get(&read).await.page().0.len();
            assert_eq!(count, if deleted { known.len() } else { known.len() + 1 }, "{list}");
        }
    }
}

#[tokio::test]
async fn a_secret_that_was_rotated_before_a_retry_stays_the_newest() {
    let mut two = Two::start().await;
    let key = two.living.clone();
    let hook = json!({ "url": "https://example.com", "events": ["*"], "active": false });
    let place = format!("/api/v1/webhooks/{}", id(&key.post("/api/v1/webhooks").json(&hook).await.data(201)));
    let rotate = format!("{place}/rotate-secret");
    let (body, change) = (json!({ "graceSeconds": 0 }), ("PATCH", place.as_str(), json!({ "description": "B" })));
    for between in [&[][..], &[change]] {
        let retry = two.again(&rotate, body.clone(), between, &place).await;
        assert!(retry.data(200)["secret"].is_string());
    }
    let other = ("POST", rotate.as_str(), json!({ "graceSeconds": 60 }));
    let retry = two.again(&rotate, body, &[other], &place).await;
    assert_eq!(retry.data(200)["secret"], Value::Null);
}

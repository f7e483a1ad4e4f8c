//! `Idempotency-Key`: the first answer, again.

use std::time::Duration;

use hedgerow_tests::answer::Answer;
use hedgerow_tests::app::{App, fields, id, values};
use hedgerow_tests::wait::hurried;
use serde_json::{Value, json};

pub(crate) const GROUPS: &str = "/api/v1/field-groups";

pub(crate) fn group(key: &str) -> Value {
    json!({ "key": key, "name": key })
}

/// That it is the first answer again, and says so.
#[track_caller]
pub(crate) fn replays(first: &Answer, again: &Answer) {
    assert!(first.all("idempotency-replayed").is_empty(), "{first}");
    assert_eq!(again.header("idempotency-replayed"), "true", "{again}");
    assert_eq!((first.status, &first.body), (again.status, &again.body), "{again}");
    assert_eq!(first.all("etag"), again.all("etag"));
    assert_eq!(first.all("content-type"), again.all("content-type"));
}

#[tokio::test]
async fn the_first_answer_is_given_again() {
    let app = App::start().await;
    let key = app.account("ada").await.key;
    let first = key.post(GROUPS).once("k").json(&group("a")).await.expect(201);
    for _ in 0..3 {
        replays(&first, &key.post(GROUPS).once("k").json(&group("a")).await);
    }
    assert_eq!(key.get(GROUPS).await.page().0.len(), 1);
    // Whatever happened meanwhile.
    key.delete("/api/v1/field-groups/a").await.expect(204);
    replays(&first, &key.post(GROUPS).once("k").json(&group("a")).await);
    assert_eq!(key.get(GROUPS).await.page().0.len(), 0);
    key.post(GROUPS).json(&group("a")).await.expect(201);
}

#[tokio::test]
async fn it_holds_on_every_route_that_posts() {
    let app = App::start().await;
    let account = app.account("ada").await;
    let key = &account.key;
    let made = key.group("product").await;
    let own = key.own("acme", "product", "color", json!({ "type": "number" })).await;
    let global = key.global("title", json!({ "type": "string" }), &[&made]).await;
    key.save("acme", "product", "gone", json!({})).await;
    let (own, global) =
        (format!("{}/{}", fields("acme", "product"), id(&own)), format!("/api/v1/global-fields/{}", id(&global)));
    let group_path = format!("{GROUPS}/{}", id(&made));
    let hook = json!({ "url": "https://example.com/hooks", "events": ["*"], "active": false });
    let hook_path = format!("/api/v1/webhooks/{}", id(&key.post("/api/v1/webhooks").json(&hook).await.data(201)));
    let ping = key.post(&format!("{hook_path}/test")).await.data(202);
    let field = json!({ "key": "new", "label": "N", "schema": { "type": "string" } });
    let mut in_group = field.clone();
    in_group["fieldGroupIds"] = json!([made["id"]]);
    in_group["key"] = json!("newer");
    // Often, so that no accident makes it pass.
    for round in 0..8 {
        let entity = values("acme", "product", &format!("e{round}"));
        field_keys(&mut in_group, round);
        let mut own_field = field.clone();
        field_keys(&mut own_field, round);
        let gone = values("acme", "product", "gone");
        for deleted in [&own, &global, &gone, &group_path] {
            key.delete(deleted).await.expect(204);
            let path = format!("{deleted}/restore");
            let first = key.post(&path).once(&format!("restore-{round}")).await.expect(200);
            replays(&first, &key.post(&path).once(&format!("restore-{round}")).await);
        }
        for (path, body) in [
            (GROUPS, group(&format!("g{round}"))),
            ("/api/v1/global-fields", in_group.clone()),
            (&fields("acme", "product"), own_field),
            (&entity, json!({ "color": round })),
            (&format!("{hook_path}/test"), json!({})),
            (&format!("{hook_path}/recover"), json!({ "since": "2026-01-01T00:00:00Z" })),
            (&format!("/api/v1/deliveries/{}/redeliver", id(&ping)), json!({})),
        ] {
            let once = format!("post-{round}");
            let first = key.post(path).once(&once).json(&body).await;
            assert!([200, 201, 202].contains(&first.status), "{first}");
            replays(&first, &key.post(path).once(&once).json(&body).await);
        }
        assert_eq!(key.get(&entity).await.data(200)["version"], 1);
    }
    assert_eq!(key.get(&format!("{hook_path}/deliveries")).await.page().0.len(), 9);
}

fn field_keys(body: &mut Value, round: u32) {
    let key = body["key"].as_str().unwrap().split('_').next().unwrap().to_owned();
    body["key"] = json!(format!("{key}_{round}"));
}

#[tokio::test]
async fn a_secret_is_not_shown_again() {
    let app = App::start().await;
    let owner = app.account("ada").await.owner;
    let body = json!({ "name": "A", "type": "management" });
    let first = owner.post("/api/v1/api-keys").once("k").json(&body).await;
    let again = owner.post("/api/v1/api-keys").once("k").json(&body).await;
    let mut expected = first.data(201);
    let key = expected["key"].as_str().unwrap().to_owned();
    expected["key"] = Value::Null;
    assert_eq!(again.data(201), expected);
    assert_eq!((again.header("idempotency-replayed"), again.etag()), ("true", "\"1\""));
    assert_eq!(owner.get("/api/v1/api-keys").await.page().0.len(), 2);
    app.with_key(&key).get(GROUPS).await.expect(200);
}

#[tokio::test]
async fn another_body_under_the_same_key_is_refused() {
    let app = App::start().await;
    let key = app.account("ada").await.key;
    let first = key.post(GROUPS).once("k").json(&group("a")).await.expect(201);
    for other in [group("b"), json!({}), json!([])] {
        key.post(GROUPS).once("k").json(&other).await.fails(422, "idempotency_key_reused");
    }
    replays(&first, &key.post(GROUPS).once("k").json(&group("a")).await);
    assert_eq!(key.get(GROUPS).await.page().0.len(), 1);
}

#[tokio::test]
async fn another_path_another_caller_or_another_key_is_another_request() {
    let app = App::start().await;
    let (account, bob) = (app.account("ada").await, app.account("bob").await);
    let made = account.owner.post("/api/v1/api-keys").json(&json!({ "name": "B", "type": "management" })).await;
    let second_key = app.with_key(made.data(201)["key"].as_str().unwrap());
    let fresh = |answer: &Answer| answer.all("idempotency-replayed").is_empty();
    for (caller, status) in [(&account.key, 201), (&bob.key, 201), (&account.owner, 409), (&second_key, 409)] {
        let answer = caller.post(GROUPS).once("k").json(&group("a")).await.expect(status);
        assert!(fresh(&answer), "{answer}");
    }
    account.key.group("b").await;
    for (tenant, in_group, entity) in
        [("acme", "a", "e1"), ("acme", "a", "e2"), ("globex", "a", "e1"), ("acme", "b", "e1"), ("e1", "a", "acme")]
    {
        let path = values(tenant, in_group, entity);
        let answer = account.key.post(&path).once("k").json(&json!({})).await.expect(200);
        assert!(fresh(&answer), "{answer}");
        assert_eq!(account.key.get(&path).await.data(200)["version"], 1);
    }
    account.key.post(GROUPS).once("K").json(&group("c")).await.expect(201);
}

#[tokio::test]
async fn another_media_type_or_precondition_under_the_same_key_is_refused() {
    let app = App::start().await;
    let key = app.account("ada").await.key;
    key.group("product").await;
    key.own("acme", "product", "color", json!({ "type": "string" })).await;
    let path = values("acme", "product", "e");
    key.save("acme", "product", "e", json!({ "color": "red" })).await;
    let body = json!({ "color": "blue" }).to_string();
    let post = |once: &str, content_type: &str| key.post(&path).once(once).body(content_type, body.clone());
    let first = post("k", "application/json").at("\"1\"").await.expect(200);
    // Spelled otherwise, it is the same media type.
    for same in ["application/json", "application/json; charset=utf-8", "Application/JSON"] {
        replays(&first, &post("k", same).at("\"1\"").await);
    }
    for other in ["text/plain", "application/merge-patch+json"] {
        post("k", other).at("\"1\"").await.fails(422, "idempotency_key_reused");
    }
    for other in ["\"2\"", "*", "nonsense"] {
        post("k", "application/json").at(other).await.fails(422, "idempotency_key_reused");
    }
    post("k", "application/json").await.fails(422, "idempotency_key_reused");
    let none = |call: hedgerow_tests::app::Call| call.header("if-none-match", "*");
    none(post("k", "application/json").at("\"1\"")).await.fails(422, "idempotency_key_reused");
    assert_eq!(key.get(&path).await.data(200)["version"], 2);
}

#[tokio::test]
async fn refusals_are_not_remembered() {
    let app = App::start().await;
    let key = app.account("ada").await.key;
    let path = values("acme", "product", "e");
    let red = json!({ "color": "red" });
    let save = || key.post(&path).once("k").json(&red);
    let fresh = |answer: Answer| assert!(answer.all("idempotency-replayed").is_empty(), "{answer}");
    // The same request, once what stood in its way is gone.
    save().await.fails(404, "field_group_not_found");
    key.group("product").await;
    save().await.wrong(&["color"]);
    key.own("acme", "product", "color", json!({ "type": "string" })).await;
    fresh(save().await.expect(200));
    let again = save().await.expect(200);
    assert_eq!(again.header("idempotency-replayed"), "true");

    // Another request, put right.
    let groups = || key.post(GROUPS).once("k");
    groups().body("application/json", "{").await.fails(400, "malformed_request");
    groups().body("text/plain", group("b").to_string()).await.fails(415, "unsupported_media_type");
    groups().json(&json!({ "key": "b" })).await.wrong(&["name"]);
    groups().json(&group("product")).await.fails(409, "key_taken");
    fresh(groups().json(&group("b")).await.expect(201));

    let stale = |version: &str| key.post(&path).once("v").at(version).json(&json!({ "color": "blue" }));
    stale("\"7\"").await.fails(409, "version_conflict");
    stale("seven").await.fails(400, "malformed_request");
    fresh(stale("\"1\"").await.expect(200));
}

/// What grows most on its way into JSON, and past what is kept in one item.
#[tokio::test]
async fn an_answer_is_remembered_however_long_it_is() {
    let app = App::start().await;
    let account = app.account("ada").await;
    let key = &account.key;
    key.group("product").await;
    key.own("acme", "product", "big", json!({ "type": "textarea" })).await;
    let (quotes, control) = (json!({ "big": "\"".repeat(120_000) }), json!({ "big": "\u{1}".repeat(43_000) }));
    for (entity, sent) in [("quotes", quotes), ("control", control)] {
        let path = values("acme", "product", entity);
        let first = key.post(&path).once(entity).json(&sent).await.expect(200);
        assert!(first.body.len() > 240_000);
        account.owner.post(&path).json(&json!({ "big": "another's" })).await.expect(200);
        let other = key.get(&path).await.data(200);
        replays(&first, &key.post(&path).once(entity).json(&sent).await);
        assert_eq!(key.get(&path).await.data(200), other, "the other save is not lost");
    }
    // A restoration answers as much.
    let path = values("acme", "product", "quotes");
    key.post(&path).json(&json!({ "big": "\"".repeat(110_000) })).await.expect(200);
    key.delete(&path).await.expect(204);
    let restore = format!("{path}/restore");
    let first = key.post(&restore).once("restore").await.expect(200);
    assert!(first.body.len() > 220_000);
    replays(&first, &key.post(&restore).once("restore").await);
}

#[tokio::test]
async fn whatever_is_refused_leaves_the_key_free() {
    let app = App::start().await;
    let account = app.account("ada").await;
    let key = &account.key;
    key.group("product").await;
    let hook = json!({ "url": "https://example.com/", "events": ["*"], "active": false });
    let hook = format!("/api/v1/webhooks/{}", id(&key.post("/api/v1/webhooks").json(&hook).await.data(201)));
    let nobodys = |prefix: &str| format!("{prefix}_{}", "0".repeat(32));
    let by_key = [
        (GROUPS.to_owned(), 422),
        ("/api/v1/global-fields".to_owned(), 422),
        (fields("acme", "product"), 422),
        ("/api/v1/webhooks".to_owned(), 422),
        (format!("{hook}/recover"), 422),
        (values("acme", "nothing", "e"), 404),
        (format!("/api/v1/webhooks/{}/test", nobodys("whk")), 404),
        (format!("/api/v1/webhooks/{}/rotate-secret", nobodys("whk")), 422),
        (format!("/api/v1/deliveries/{}/redeliver", nobodys("dlv")), 404),
        (format!("{GROUPS}/nothing/restore"), 404),
        (format!("/api/v1/global-fields/{}/restore", nobodys("fld")), 404),
        (format!("{}/{}/restore", fields("acme", "product"), nobodys("fld")), 404),
        (format!("{}/restore", values("acme", "product", "e")), 404),
    ];
    let by_owner = [("/api/v1/api-keys".to_owned(), 422)];
    for (caller, routes) in [(key, &by_key[..]), (&account.owner, &by_owner[..])] {
        for (path, status) in routes {
            caller.post(path).once("k").json(&json!({})).await.expect(*status);
            // Another body under the same key: it is read, as nothing is kept under that.
            let again = caller.post(path).once("k").json(&json!({ "stranger": 1 })).await;
            assert!(
                again.all("idempotency-replayed").is_empty() && again.json()["error"] != "idempotency_key_reused",
                "{again}"
            );
        }
    }
}

#[tokio::test]
async fn what_failed_is_gone_on_with() {
    let app = App::start().await;
    let account = app.account("ada").await;
    account.key.group("a").await;
    // Not who, and so not what.
    app.anonymous().post(GROUPS).once("k").json(&group("b")).await.fails(401, "unauthenticated");
    let connector = &app.backend.engine.as_ref().unwrap().connector;
    connector.faults().set(|call| (call.operation == "TransactWriteItems").then_some(engines::Fault::Throttling));
    hurried(account.key.post(GROUPS).once("k").json(&group("b"))).await.fails(503, "unavailable");
    connector.faults().clear();
    let answer = account.key.post(GROUPS).once("k").json(&group("b")).await.expect(201);
    assert!(answer.all("idempotency-replayed").is_empty());
    // It is committed, and nobody hears of it.
    connector.faults().set(|call| (call.operation == "TransactWriteItems").then_some(engines::Fault::Lost));
    hurried(account.key.post(GROUPS).once("l").json(&group("c"))).await.fails(503, "unavailable");
    connector.faults().clear();
    let made = account.key.get(&format!("{GROUPS}/c")).await.data(200);
    assert_eq!(account.key.post(GROUPS).once("l").json(&group("c")).await.data(201), made);
    // A webhook has no key that could be taken: were it made anew, there would be two.
    let hook = json!({ "url": "https://example.com/hooks", "events": ["*"], "active": false });
    let writes = ["PutItem", "TransactWriteItems"];
    let of_webhooks = |body: &[u8]| body.windows(4).any(|four| four == b"\"W#c");
    connector
        .faults()
        .set(move |call| (writes.contains(&call.operation) && of_webhooks(call.body)).then_some(engines::Fault::Lost));
    hurried(account.key.post("/api/v1/webhooks").once("w").json(&hook)).await.fails(503, "unavailable");
    connector.faults().clear();
    account.key.post("/api/v1/webhooks").once("w").json(&hook).await.expect(201);
    assert_eq!(account.key.get("/api/v1/webhooks").await.page().0.len(), 1);
}

#[tokio::test]
async fn an_answer_is_kept_for_a_day() {
    let app = App::start().await;
    let key = app.account("ada").await.key;
    let first = key.post(GROUPS).once("k").json(&group("a")).await.expect(201);
    app.clock.advance(Duration::from_secs(24 * 3600 - 60));
    replays(&first, &key.post(GROUPS).once("k").json(&group("a")).await);
    app.clock.advance(Duration::from_secs(61));
    key.post(GROUPS).once("k").json(&group("a")).await.fails(409, "key_taken");
}

#[tokio::test]
async fn a_key_is_1_to_255_printable_characters() {
    let app = App::start().await;
    let key = app.account("ada").await.key;
    for bad in ["", &"k".repeat(256), "é", "a\tb", "日本"] {
        key.post(GROUPS).once(bad).json(&group("a")).await.fails(400, "malformed_request");
        key.post(&values("acme", "a", "e")).once(bad).json(&json!({})).await.fails(400, "malformed_request");
    }
    assert_eq!(key.get(GROUPS).await.page().0.len(), 0);
    for (number, good) in ["k", "~!@#$ %^&*()_+{}|:<>?", "\"quoted\"", &"k".repeat(255)].into_iter().enumerate() {
        let body = group(&format!("g{number}"));
        let first = key.post(GROUPS).once(good).json(&body).await.expect(201);
        replays(&first, &key.post(GROUPS).once(good).json(&body).await);
    }
}

#[tokio::test]
async fn other_methods_do_not_look_at_it() {
    let app = App::start().await;
    let key = app.account("ada").await.key;
    key.group("a").await;
    for name in ["A", "B"] {
        let changed = key.patch("/api/v1/field-groups/a").once("k").json(&json!({ "name": name })).await.data(200);
        assert_eq!(changed["name"], name);
    }
    key.own("acme", "a", "color", json!({ "type": "number" })).await;
    for (number, version) in [(1, 1), (2, 2)] {
        let sent = json!({ "color": number });
        let saved = key.put(&values("acme", "a", "e")).once("k").json(&sent).await.data(200);
        assert_eq!(saved["version"], version);
    }
}

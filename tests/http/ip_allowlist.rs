//! From where a client's credentials are taken.

use std::time::Duration;

use hedgerow_tests::app::{Account, App, Caller};
use hedgerow_tests::process::{Dev, PATIENCE};
use hedgerow_tests::wait::until;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::embed_tokens::{bearing, token};

const SETTINGS: &str = "/api/v1/settings";
const GROUPS: &str = "/api/v1/field-groups";
const OFFICE: &str = "192.0.2.7";
const ELSEWHERE: &str = "198.51.100.1";

/// How long what was changed may be believed as it was.
const BELIEVED: Duration = Duration::from_secs(6);

fn in_force(entries: &Value, apply_to_admin: bool) -> Value {
    json!({ "ipAllowlist": { "enabled": true, "entries": entries, "applyToAdmin": apply_to_admin } })
}

async fn set(app: &App, by: &Account, body: &Value) {
    by.owner.from(OFFICE).patch(SETTINGS).json(body).await.expect(200);
    app.clock.advance(BELIEVED);
}

#[tokio::test]
async fn management_keys_are_taken_from_what_is_listed() {
    let app = App::behind(1).await;
    let ada = app.account("ada").await;
    ada.key.from(ELSEWHERE).get(GROUPS).await.expect(200);
    let blocks = json!(["192.0.2.0/28", "192.0.2.16/28", "2001:db8::/32", "203.0.113.9"]);
    set(&app, &ada, &in_force(&blocks, false)).await;
    let kept = ada.owner.from(ELSEWHERE).get(SETTINGS).await.data(200);
    assert_eq!(kept["ipAllowlist"]["entries"], json!(["192.0.2.0/27", "203.0.113.9", "2001:db8::/32"]));
    for (address, admitted) in [
        (OFFICE, true),
        ("192.0.2.31", true),
        ("192.0.2.32", false),
        ("::ffff:192.0.2.31", true),
        ("::ffff:192.0.2.32", false),
        ("203.0.113.9", true),
        ("203.0.113.8", false),
        ("2001:db8:ffff::1", true),
        ("2001:db9::1", false),
        ("127.0.0.1", true),
        ("::1", true),
        ("::ffff:127.0.0.1", true),
        (ELSEWHERE, false),
    ] {
        let caller = ada.key.from(address);
        let answers = [
            caller.get(GROUPS).await,
            caller.post("/api/auth/token").json(&json!({ "tenantId": "acme" })).await,
            // What no key may is no way to find out that the key is right.
            caller.get("/api/v1/api-keys").await,
        ];
        for (answer, status) in answers.into_iter().zip([200, 201, 403]) {
            match admitted {
                true => drop(answer.expect(status)),
                false => answer.fails(403, "ip_not_allowed"),
            }
        }
    }
    // Behind a proxy that tells no address, there is none.
    ada.key.get(GROUPS).await.fails(403, "ip_not_allowed");
    let eve = app.account("eve").await;
    eve.key.from(ELSEWHERE).get(GROUPS).await.expect(200);
    set(&app, &ada, &json!({ "ipAllowlist": { "enabled": false } })).await;
    ada.key.from(ELSEWHERE).get(GROUPS).await.expect(200);
}

#[tokio::test]
async fn sessions_where_it_is_said_and_pages_never() {
    let app = App::behind(1).await;
    let ada = app.account("ada").await;
    ada.key.from(OFFICE).group("product").await;
    let made = token(&ada.key.from(OFFICE), &json!({ "tenantId": "acme" })).await;
    let page = bearing(&app.anonymous(), &made);
    let fields = "/api/v1/tenants/acme/field-groups/product/fields";
    for apply_to_admin in [false, true] {
        set(&app, &ada, &in_force(&json!([OFFICE]), apply_to_admin)).await;
        page.from(ELSEWHERE).get(fields).await.expect(200);
        for path in [GROUPS, SETTINGS, "/api/auth/session"] {
            ada.owner.from(OFFICE).get(path).await.expect(200);
            ada.owner.from("127.0.0.1").get(path).await.expect(200);
            let elsewhere = ada.owner.from(ELSEWHERE).get(path).await;
            match apply_to_admin {
                true => elsewhere.fails(403, "ip_not_allowed"),
                false => drop(elsewhere.expect(200)),
            }
        }
    }
}

#[tokio::test]
async fn nobody_shuts_out_the_address_that_asks() {
    let app = App::behind(1).await;
    let ada = app.account("ada").await;
    let from = |address: &str, body: Value| ada.owner.from(address).patch(SETTINGS).json(&body);
    let others = json!(["203.0.113.0/24", "2001:db8::/32"]);
    from(OFFICE, in_force(&others, true)).await.fails(422, "ip_lockout");
    // There is nothing of it yet.
    assert_eq!(ada.owner.from(OFFICE).get(SETTINGS).await.data(200)["version"], 1);
    from("::ffff:192.0.2.7", in_force(&others, true)).await.fails(422, "ip_lockout");
    ada.owner.patch(SETTINGS).json(&in_force(&others, true)).await.fails(422, "ip_lockout");
    from("127.0.0.1", in_force(&others, true)).await.expect(200);
    from("127.0.0.1", json!({ "ipAllowlist": { "entries": [OFFICE] } })).await.expect(200);
    app.clock.advance(BELIEVED);
    from("::ffff:192.0.2.7", json!({ "ipAllowlist": { "entries": ["192.0.2.0/24"] } })).await.expect(200);
    app.clock.advance(BELIEVED);
    from(OFFICE, json!({ "ipAllowlist": { "entries": others } })).await.fails(422, "ip_lockout");
    // A list that is not in force shuts nobody out, and one of keys alone no session.
    from(OFFICE, json!({ "ipAllowlist": { "enabled": false, "entries": others } })).await.expect(200);
    from(OFFICE, json!({ "ipAllowlist": { "enabled": true } })).await.fails(422, "ip_lockout");
    from(OFFICE, json!({ "ipAllowlist": { "enabled": true, "applyToAdmin": false } })).await.expect(200);
    from(OFFICE, json!({ "ipAllowlist": { "applyToAdmin": true } })).await.fails(422, "ip_lockout");
}

#[tokio::test]
async fn a_keys_own_list_narrows_further() {
    let app = App::behind(1).await;
    let ada = app.account("ada").await;
    let new = |kind: &str| json!({ "name": "A", "type": kind, "allowedIps": ["192.0.2.7", "198.51.100.0/24"] });
    let make = async |kind: &str| {
        let made = ada.owner.from(OFFICE).post("/api/v1/api-keys").json(&new(kind)).await.data(201);
        app.with_key(made["key"].as_str().unwrap())
    };
    let (key, delivery) = (make("management").await, make("delivery").await);
    set(&app, &ada, &in_force(&json!(["192.0.2.0/24"]), false)).await;
    for (address, admitted) in [(OFFICE, true), ("192.0.2.8", false), (ELSEWHERE, false), ("127.0.0.1", false)] {
        let answer = key.from(address).get(GROUPS).await;
        match admitted {
            true => drop(answer.expect(200)),
            false => answer.fails(403, "ip_not_allowed"),
        }
    }
    // The client's list is of management keys.
    delivery.from(ELSEWHERE).get(GROUPS).await.fails(403, "wrong_key_type");
    delivery.from("192.0.2.8").get(GROUPS).await.fails(403, "ip_not_allowed");
}

#[tokio::test]
async fn a_list_is_in_force_in_every_process() {
    let folder = tempfile::tempdir().unwrap();
    let flags = ["--listen", "127.0.0.1:0", "--trusted-proxies", "1"];
    let (one, other) = tokio::join!(Dev::with(folder.path(), 1, &flags), Dev::with(folder.path(), 2, &flags));
    let (owner, elsewhere) = (one.owner().await.from(OFFICE), other.caller().from(ELSEWHERE));
    let status = async || elsewhere.get(GROUPS).await.status;
    for (enabled, expected) in [(true, 403), (false, 200)] {
        assert_eq!(status().await, if enabled { 200 } else { 403 });
        let change = json!({ "ipAllowlist": { "enabled": enabled, "entries": [OFFICE] } });
        owner.patch(SETTINGS).json(&change).await.expect(200);
        let changed = Instant::now();
        until(PATIENCE, || async { status().await == expected }).await;
        assert!(changed.elapsed() < Duration::from_secs(10), "{:?}", changed.elapsed());
        Caller::at(&other.base).with("x-api-key", &other.key).from(OFFICE).get(GROUPS).await.expect(200);
    }
}

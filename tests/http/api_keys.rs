//! API keys: made, shown once, changed, refused.

use std::time::Duration;

use hedgerow_tests::app::{App, Caller, id};
use serde_json::{Value, json};

use hedgerow_tests::raw;

const KEYS: &str = "/api/v1/api-keys";
const GROUPS: &str = "/api/v1/field-groups";

async fn make(owner: &Caller, body: Value) -> (String, String) {
    let made = owner.post(KEYS).json(&body).await.data(201);
    (format!("{KEYS}/{}", id(&made)), made["key"].as_str().unwrap().to_owned())
}

fn management() -> Value {
    json!({ "name": "Server", "type": "management" })
}

#[tokio::test]
async fn a_key_is_shown_once() {
    let app = App::start().await;
    let account = app.account("ada").await;
    for (key_type, prefix) in [("management", "hr_live_"), ("delivery", "hr_read_"), ("preview", "hr_prev_")] {
        let made = account.owner.post(KEYS).json(&json!({ "name": "A key", "type": key_type })).await;
        assert_eq!(made.etag(), "\"1\"");
        let mut data = made.data(201);
        let key = data["key"].as_str().unwrap().to_owned();
        let rest = key.strip_prefix(prefix).unwrap();
        assert!(rest.len() == 33 + 6 && rest.bytes().all(|b| b.is_ascii_alphanumeric()), "{key}");
        assert_eq!(data["prefix"], key[..12]);
        assert!(data["id"].as_str().unwrap().starts_with("key_"));

        data.as_object_mut().unwrap().remove("key");
        let path = format!("{KEYS}/{}", id(&data));
        assert_eq!(account.owner.get(&path).await.data(200), data);
        let changed = account.owner.patch(&path).json(&json!({ "name": "Another" })).await.expect(200);
        let list = account.owner.get(KEYS).await.expect(200);
        for answer in [&changed, &list] {
            assert!(!String::from_utf8_lossy(&answer.body).contains(&key));
        }
    }
    let (keys, _) = account.owner.get(KEYS).await.page();
    assert_eq!(hedgerow_tests::app::each(&keys, "type"), ["management", "management", "delivery", "preview"]);
}

#[tokio::test]
async fn members_left_out_have_their_defaults() {
    let app = App::start().await;
    let account = app.account("ada").await;
    let made = account.owner.post(KEYS).json(&management()).await.data(201);
    let all = json!([
        "schema:read",
        "schema:write",
        "values:read",
        "values:write",
        "webhooks:read",
        "webhooks:write",
        "sites:write",
        "tenants:erase",
        "tokens:create",
        "audit:read"
    ]);
    assert_eq!(made["permissions"], all);
    let rest = ["active", "expiresAt", "rateLimit", "allowedIps", "version"].map(|name| made[name].clone());
    assert_eq!(json!(rest), json!([true, null, null, null, 1]));
    let delivery = account.owner.post(KEYS).json(&json!({ "name": "A", "type": "delivery" })).await.data(201);
    assert_eq!((&delivery["permissions"], &delivery["allowedIps"]), (&Value::Null, &Value::Null));
}

#[tokio::test]
async fn what_is_sent_is_kept_and_changed() {
    let app = App::start().await;
    let account = app.account("ada").await;
    let body = json!({
        "name": "Server", "type": "management", "permissions": ["values:read"],
        "expiresAt": "2100-01-01T02:00:00+02:00", "rateLimit": { "requestsPerSecond": 10_000 },
        "allowedIps": ["10.0.0.0/8", "192.0.2.1", "2001:db8::/32"],
    });
    let made = account.owner.post(KEYS).json(&body).await.data(201);
    let of = |key: &Value| json!([key["permissions"], key["expiresAt"], key["rateLimit"], key["allowedIps"]]);
    let sent = json!([["values:read"], "2100-01-01T00:00:00.000Z", body["rateLimit"], body["allowedIps"]]);
    assert_eq!(of(&made), sent);

    let path = format!("{KEYS}/{}", id(&made));
    let renamed = account.owner.patch(&path).json(&json!({ "name": "Renamed" })).await.data(200);
    assert_eq!((of(&renamed), renamed["name"].as_str(), renamed["version"].as_u64()), (sent, Some("Renamed"), Some(2)));
    let change = json!({ "active": false, "expiresAt": null, "rateLimit": null, "allowedIps": null, "permissions": ["audit:read"] });
    let changed = account.owner.patch(&path).json(&change).await.data(200);
    assert_eq!(of(&changed), json!([["audit:read"], null, null, null]));
    assert_eq!((&changed["active"], &changed["version"]), (&json!(false), &json!(3)));
    assert_eq!(account.owner.get(&path).await.data(200), changed);
    let cleared = account.owner.patch(&path).json(&json!({ "permissions": null })).await.data(200);
    assert_eq!(cleared["permissions"], account.owner.post(KEYS).json(&management()).await.data(201)["permissions"]);
}

#[tokio::test]
async fn a_deleted_key_is_gone_for_good() {
    let app = App::start().await;
    let account = app.account("ada").await;
    let (path, key) = make(&account.owner, management()).await;
    app.with_key(&key).get(GROUPS).await.expect(200);
    account.owner.delete(&path).await.expect(204);
    app.with_key(&key).get(GROUPS).await.fails(401, "unauthenticated");
    for method in ["GET", "DELETE"] {
        account.owner.call(method, &path).await.fails(404, "api_key_not_found");
    }
    account.owner.patch(&path).json(&json!({ "active": true })).await.fails(404, "api_key_not_found");
    assert_eq!(account.owner.get(KEYS).await.page().0.len(), 1);
}

#[tokio::test]
async fn a_key_that_is_off_works_again_when_it_is_on() {
    let app = App::start().await;
    let account = app.account("ada").await;
    let (path, key) = make(&account.owner, management()).await;
    for (active, status) in [(true, 200), (false, 401), (true, 200)] {
        account.owner.patch(&path).json(&json!({ "active": active })).await.expect(200);
        app.with_key(&key).get(GROUPS).await.expect(status);
    }
}

#[tokio::test]
async fn a_key_ends_with_its_time() {
    let app = App::start().await;
    let account = app.account("ada").await;
    let day = Duration::from_secs(24 * 3600);
    let end = app.clock.now().plus(day).to_string();
    let (path, key) = make(&account.owner, json!({ "name": "A", "type": "management", "expiresAt": end })).await;
    app.with_key(&key).get(GROUPS).await.expect(200);
    app.clock.advance(day);
    app.with_key(&key).get(GROUPS).await.fails(401, "unauthenticated");
    let owner = app.log_in(&account).await;
    assert_eq!(owner.get(&path).await.data(200)["active"], true);
    let past = app.clock.now().to_string();
    owner.patch(&path).json(&json!({ "expiresAt": past })).await.wrong(&["expiresAt"]);
    owner.patch(&path).json(&json!({ "expiresAt": null })).await.expect(200);
    app.with_key(&key).get(GROUPS).await.expect(200);
}

#[tokio::test]
async fn a_key_works_from_its_addresses_alone() {
    let app = App::behind(1).await;
    let account = app.account("ada").await;
    let allowed = json!(["192.0.2.7", "198.51.100.0/24", "2001:db8::/32"]);
    let body = json!({ "name": "A", "type": "management", "allowedIps": allowed });
    let (path, key) = make(&account.owner, body).await;
    let key = app.with_key(&key);
    for good in ["192.0.2.7", "198.51.100.255", "2001:db8:1::1", "::ffff:192.0.2.7"] {
        key.from(good).get(GROUPS).await.expect(200);
    }
    for bad in ["192.0.2.8", "198.51.101.0", "2001:db9::1", "::1", "203.0.113.9"] {
        key.from(bad).get(GROUPS).await.fails(403, "ip_not_allowed");
        key.from(bad).post(GROUPS).json(&json!({ "key": "a", "name": "A" })).await.fails(403, "ip_not_allowed");
    }
    for good in ["192.0.2.7:1234", "[2001:db8::1]:443", "[2001:db8::1]", "6.6.6.6, 192.0.2.7", "x, 192.0.2.7 "] {
        key.with("x-forwarded-for", good).get(GROUPS).await.expect(200);
    }
    // What a caller adds in front of what the proxy wrote counts for nothing; what can't be read is nobody.
    for bad in ["192.0.2.7, 203.0.113.9", "192.0.2.7, unknown", "192.0.2.7,", "192.0.2.7, 6.6.6.6:1234", ""] {
        key.with("x-forwarded-for", bad).get(GROUPS).await.fails(403, "ip_not_allowed");
    }
    key.get(GROUPS).await.fails(403, "ip_not_allowed");
    account.owner.patch(&path).json(&json!({ "allowedIps": [] })).await.wrong(&["allowedIps"]);
    key.from("203.0.113.9").get(GROUPS).await.fails(403, "ip_not_allowed");
    account.owner.patch(&path).json(&json!({ "allowedIps": null })).await.expect(200);
    assert_eq!(key.from("203.0.113.9").get(GROUPS).await.page().0.len(), 0);
}

#[tokio::test]
async fn the_proxys_own_address_is_never_a_callers() {
    let app = App::behind(1).await;
    let account = app.account("ada").await;
    let body = json!({ "name": "A", "type": "management", "allowedIps": ["127.0.0.0/8", "::1", "192.0.2.7"] });
    let (_, key) = make(&account.owner, body).await;
    let mut statuses = Vec::new();
    for forwarded in [&b"\xff, 6.6.6.6"[..], b"6.6.6.6:1234", b"6.6.6.6, \xff", b"", b"nonsense", b"\xff, 192.0.2.7"] {
        let lines = [b"x-forwarded-for: ", forwarded].concat();
        let head = format!("GET {GROUPS} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n", app.address);
        let request = [head.as_bytes(), app.with_key(&key).lines().as_bytes(), &lines, b"\r\n\r\n"].concat();
        let answer = raw::exchange(app.address, format!("{forwarded:?}"), &request).await;
        statuses.push(answer.status);
    }
    assert_eq!(statuses, [403, 403, 403, 403, 403, 200]);
    app.with_key(&key).get(GROUPS).await.fails(403, "ip_not_allowed");
    // A key without rules works from nowhere as well.
    account.key.with("x-forwarded-for", "nonsense").get(GROUPS).await.expect(200);
}

#[tokio::test]
async fn without_a_proxy_nobody_says_where_a_caller_is() {
    let app = App::start().await;
    let account = app.account("ada").await;
    let body = json!({ "name": "A", "type": "management", "allowedIps": ["192.0.2.7"] });
    let (_, key) = make(&account.owner, body).await;
    app.with_key(&key).from("192.0.2.7").get(GROUPS).await.fails(403, "ip_not_allowed");
    let (_, key) =
        make(&account.owner, json!({ "name": "A", "type": "management", "allowedIps": ["127.0.0.0/8"] })).await;
    app.with_key(&key).from("192.0.2.7").get(GROUPS).await.expect(200);
}

#[tokio::test]
async fn every_wrong_member_is_named_and_no_key_is_made() {
    let app = App::start().await;
    let owner = app.account("ada").await.owner;
    let before = owner.get(KEYS).await.expect(200).json();
    owner.post(KEYS).json(&json!({})).await.wrong(&["name", "type"]);
    let body = json!({
        "name": "", "type": "super", "permissions": ["schema:read", "all", 7], "expiresAt": "tomorrow",
        "rateLimit": { "requestsPerSecond": 0, "burst": 1 }, "allowedIps": ["10.0.0.0/8", "host", "10.0.0.0/33"],
        "key": "hr_live_mine",
    });
    owner.post(KEYS).json(&body).await.wrong(&[
        "allowedIps[1]",
        "allowedIps[2]",
        "expiresAt",
        "key",
        "name",
        "permissions[1]",
        "permissions[2]",
        "rateLimit.burst",
        "rateLimit.requestsPerSecond",
        "type",
    ]);
    for (member, bad) in [
        ("permissions", json!("schema:read")),
        ("permissions", json!([])),
        ("allowedIps", json!([])),
        ("expiresAt", json!("2020-01-01T00:00:00Z")),
        ("expiresAt", json!(4_102_444_800_u64)),
        ("expiresAt", json!("2100-01-01")),
        ("rateLimit", json!(5)),
        ("rateLimit.requestsPerSecond", json!({})),
        ("rateLimit.requestsPerSecond", json!({ "requestsPerSecond": 1.5 })),
        ("rateLimit.requestsPerSecond", json!({ "requestsPerSecond": -1 })),
        ("rateLimit.requestsPerSecond", json!({ "requestsPerSecond": "5" })),
        ("allowedIps", json!({})),
        ("allowedIps", json!(vec!["10.0.0.1"; 101])),
        ("active", json!(true)),
    ] {
        let mut body = management();
        body[member.split('.').next().unwrap()] = bad;
        owner.post(KEYS).json(&body).await.wrong(&[member]);
    }
    for permissions in [json!(["values:read"]), json!([])] {
        let delivery = json!({ "name": "A", "type": "delivery", "permissions": permissions });
        owner.post(KEYS).json(&delivery).await.wrong(&["permissions"]);
    }
    assert_eq!(owner.get(KEYS).await.expect(200).json(), before);
}

#[tokio::test]
async fn what_a_change_may_not_hold() {
    let app = App::start().await;
    let owner = app.account("ada").await.owner;
    let (path, _) = make(&owner, json!({ "name": "A", "type": "delivery" })).await;
    let before = owner.get(&path).await.data(200);
    owner.patch(&path).json(&json!({ "type": "management", "prefix": "x" })).await.wrong(&["prefix", "type"]);
    owner.patch(&path).json(&json!({ "permissions": ["values:read"] })).await.wrong(&["permissions"]);
    owner
        .patch(&path)
        .json(&json!({ "permissions": [], "allowedIps": [] }))
        .await
        .wrong(&["allowedIps", "permissions"]);
    owner.patch(&path).json(&json!({ "permissions": [] })).await.wrong(&["permissions"]);
    let nulls = json!({ "name": null, "active": null });
    owner.patch(&path).json(&nulls).await.wrong(&["active", "name"]);
    owner.patch(&path).json(&json!({ "name": 1, "active": "yes" })).await.wrong(&["active", "name"]);
    assert_eq!(owner.get(&path).await.data(200), before);
}

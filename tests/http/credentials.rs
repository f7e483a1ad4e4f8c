//! The credential gate: whatever is wrong with a credential, the answer is the same.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use hedgerow_tests::answer::Answer;
use hedgerow_tests::app::{App, COOKIE, Caller, id};
use hedgerow_tests::routes::{a_path_of, routes};
use runtime::{Access, Route};
use serde_json::json;

use hedgerow_tests::raw;

const KEYS: &str = "/api/v1/api-keys";
const GROUPS: &str = "/api/v1/field-groups";

fn guarded() -> impl Iterator<Item = &'static Route> {
    routes().filter(|route| route.access != Access::Public)
}

/// One caller for every way in which a credential can be wrong.
async fn forged(app: &App) -> Vec<(&'static str, Caller)> {
    let account = app.account("ada").await;
    let elsewhere = App::start().await.account("ada").await;
    let anyone = app.anonymous();
    let bearer = |token: &str| anyone.with("authorization", &format!("Bearer {token}"));
    let key = account.secret.as_str();
    let mut others = Vec::new();
    let soon = app.clock.now().plus(Duration::from_secs(60)).to_string();
    for extra in [json!({}), json!({}), json!({ "expiresAt": soon })] {
        let mut body = json!({ "name": "A", "type": "management" });
        body.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        let made = account.owner.post(KEYS).json(&body).await.data(201);
        others.push((format!("{KEYS}/{}", id(&made)), made["key"].as_str().unwrap().to_owned()));
    }
    account.owner.delete(&others[0].0).await.expect(204);
    account.owner.patch(&others[1].0).json(&json!({ "active": false })).await.expect(200);
    app.clock.advance(Duration::from_secs(60));
    let ended = app.account("bob").await;
    ended.owner.post("/api/auth/logout").await.expect(204);
    let user = account.cookie.split(['=', '.']).nth(1).unwrap();
    let flipped = |at: usize| {
        let mut text = key.as_bytes().to_vec();
        text[at] = if text[at] == b'a' { b'b' } else { b'a' };
        String::from_utf8(text).unwrap()
    };
    vec![
        ("nothing", anyone.clone()),
        ("an empty key", anyone.with("x-api-key", "")),
        ("a wrong checksum", app.with_key(&flipped(key.len() - 1))),
        ("a wrong character", app.with_key(&flipped(20))),
        ("another prefix", app.with_key(&key.replace("hr_live_", "hr_read_"))),
        ("a key cut short", app.with_key(&key[..key.len() - 1])),
        ("a key and more", app.with_key(&format!("{key}a"))),
        ("a key in capitals", app.with_key(&key.to_uppercase())),
        ("right form, unknown", app.with_key(&elsewhere.secret)),
        ("right form, unknown, as a bearer", bearer(&elsewhere.secret)),
        ("a deleted key", app.with_key(&others[0].1)),
        ("a key that is off", app.with_key(&others[1].1)),
        ("an expired key", app.with_key(&others[2].1)),
        ("an expired key as a bearer", bearer(&others[2].1)),
        ("no bearer", bearer("")),
        ("a bearer without a scheme", anyone.with("authorization", key)),
        ("another scheme", anyone.with("authorization", &format!("Basic {key}"))),
        ("a JWT of nobody's", bearer("eyJhbGciOiJub25lIn0.eyJjbGllbnRJZCI6ImNsXzEifQ.")),
        ("a bearer of bytes", bearer("\u{e9}\u{e9}")),
        ("an empty cookie", app.with_cookie(&format!("{COOKIE}="))),
        ("garbage in the cookie", app.with_cookie(&format!("{COOKIE}=garbage"))),
        ("another secret", app.with_cookie(&format!("{COOKIE}={user}.{}", "A".repeat(43)))),
        ("another deployment's cookie", app.with_cookie(&elsewhere.cookie)),
        ("a cookie of another name", app.with_cookie(&account.cookie.replace("__Host-", ""))),
        ("a session after its logout", app.with_cookie(&ended.cookie)),
        ("a wrong key beside a good cookie", app.with_key(&flipped(20)).with("cookie", &account.cookie)),
        ("a wrong bearer beside a good cookie", bearer("x").with("cookie", &account.cookie)),
        ("a key as the cookie", app.with_cookie(&format!("{COOKIE}={key}"))),
        ("a cookie as the key", app.with_key(account.cookie.split('=').nth(1).unwrap())),
    ]
}

#[tokio::test]
async fn whatever_is_wrong_with_a_credential_reads_the_same() {
    let app = App::start().await;
    let mut first: BTreeMap<&str, Answer> = BTreeMap::new();
    for (what, caller) in forged(&app).await {
        for route in guarded() {
            let answer = caller.call(route.method.name(), &a_path_of(route)).await;
            answer.fails(401, "unauthenticated");
            let first = first.entry(route.id).or_insert_with(|| answer.clone());
            assert_eq!(answer.but_for_request_id(), first.but_for_request_id(), "{what}: {}", route.id);
        }
    }
    // Bodies are the same everywhere; of the headers what a page may read differs by route.
    let bodies: BTreeSet<String> = first.values().map(|answer| answer.but_for_request_id().2).collect();
    assert_eq!(bodies.len(), 1, "{bodies:?}");
    assert!(first.values().all(|answer| answer.header("www-authenticate") == "Bearer"));
}

#[tokio::test]
async fn a_key_goes_in_either_header_and_the_scheme_has_no_case() {
    let app = App::start().await;
    let key = app.account("ada").await.secret;
    app.with_key(&key).get(GROUPS).await.expect(200);
    for scheme in ["Bearer", "bearer", "BEARER"] {
        app.anonymous().with("authorization", &format!("{scheme} {key}")).get(GROUPS).await.expect(200);
    }
}

#[tokio::test]
async fn two_explicit_credentials_are_refused() {
    let app = App::start().await;
    let (ada, bob) = (app.account("ada").await, app.account("bob").await);
    let bearer = |key: &str| format!("Bearer {key}");
    for (first, second) in [(&ada.secret, &ada.secret), (&ada.secret, &bob.secret)] {
        for caller in [
            app.with_key(first).with("authorization", &bearer(second)),
            app.with_key(first).with("x-api-key", second),
            app.anonymous().with("authorization", &bearer(first)).with("authorization", &bearer(second)),
            app.with_key(first).with("authorization", "Bearer x"),
            app.with_key("").with("authorization", &bearer(second)),
        ] {
            caller.get(GROUPS).await.fails(400, "malformed_request");
            caller.with("cookie", &ada.cookie).get("/api/auth/session").await.fails(400, "malformed_request");
            let made = caller.post(GROUPS).json(&json!({ "key": "product", "name": "P" })).await;
            made.fails(400, "malformed_request");
        }
    }
    for account in [ada, bob] {
        assert_eq!(account.key.get(GROUPS).await.page().0.len(), 0);
    }
}

#[tokio::test]
async fn a_cookie_beside_a_key_is_not_looked_at() {
    let app = App::start().await;
    let (ada, bob) = (app.account("ada").await, app.account("bob").await);
    ada.key.group("adas").await;
    bob.key.group("bobs").await;
    let both = bob.key.with("cookie", &ada.cookie);
    assert_eq!(both.get(GROUPS).await.page().0[0]["key"], "bobs");
    // What a session alone reaches stays out of the key's reach.
    both.get(KEYS).await.fails(403, "forbidden");
    for cookie in ["garbage", "=; ;", &format!("{COOKIE}=x.y")] {
        bob.key.with("cookie", cookie).get(GROUPS).await.expect(200);
    }
}

#[tokio::test]
async fn no_credential_is_read_from_the_address_or_the_body() {
    let app = App::start().await;
    let account = app.account("ada").await;
    let key = &account.secret;
    for name in ["key", "apiKey", "api_key", "x-api-key", "X-API-Key", "token", "access_token", "authorization"] {
        app.anonymous().get(&format!("{GROUPS}?{name}={key}")).await.fails(401, "unauthenticated");
        let body = json!({ "key": "product", "name": "P", name: key });
        app.anonymous().post(GROUPS).json(&body).await.fails(401, "unauthenticated");
    }
    let cookie = account.cookie.split_once('=').unwrap().1;
    app.anonymous().get(&format!("/api/auth/session?{COOKIE}={cookie}")).await.fails(401, "unauthenticated");
    // An address with a user in front, as a proxy might see it.
    let target = format!("http://{key}:x@{}{GROUPS}", app.address);
    raw::send(app.address, "GET", &target, "", b"").await.fails(401, "unauthenticated");
}

#[tokio::test]
async fn the_cookie_is_found_among_others() {
    let app = App::start().await;
    let account = app.account("ada").await;
    for cookies in [format!("a=b; {}; c=d", account.cookie), format!("a=b;{}", account.cookie)] {
        app.with_cookie(&cookies).get("/api/auth/session").await.expect(200);
    }
}

#[tokio::test]
async fn a_refused_request_writes_nothing() {
    let app = App::start().await;
    let account = app.account("ada").await;
    account.key.group("product").await;
    let before = account.key.everything("acme", "product").await;
    for (_, caller) in [("nobody", app.anonymous()), ("a stranger", app.with_key("hr_live_x"))] {
        let path = hedgerow_tests::app::values("acme", "product", "e");
        for method in ["POST", "PUT", "DELETE"] {
            caller.call(method, &path).json(&json!({})).await.fails(401, "unauthenticated");
        }
        caller.delete(&format!("{GROUPS}/product")).await.fails(401, "unauthenticated");
    }
    assert_eq!(account.key.everything("acme", "product").await, before);
}

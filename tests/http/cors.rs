//! Which pages of other origins may call, and read what they are answered.

use std::time::Duration;

use hedgerow_tests::answer::Answer;
use hedgerow_tests::app::{Account, App, Call, Caller};
use hedgerow_tests::routes::{a_path_of, routes};
use runtime::Access;
use serde_json::{Value, json};

use crate::embed_tokens::{bearing, token};

const SETTINGS: &str = "/api/v1/settings";
const GROUPS: &str = "/api/v1/field-groups";

/// How long what was changed may be believed as it was.
const BELIEVED: Duration = Duration::from_secs(6);

const LISTED: [&str; 5] = [
    "https://app.example.com",
    "https://shop.example.com:8443",
    "https://xn--bcher-kva.example",
    "http://localhost:3000",
    "https://[2001:db8::1]",
];

/// What a browser, or somebody who plays one, may send as `Origin`, and is not listed however near it is.
const OTHERS: [&str; 41] = [
    "null",
    "",
    "*",
    "https://",
    "https://*.example.com",
    // Look-alikes, before and behind.
    "https://xapp.example.com",
    "https://evil-app.example.com",
    "https://sub.app.example.com",
    "https://example.com",
    "https://app.example.co",
    "https://app.example.comm",
    "https://app.example.com.evil.example",
    "https://app.example.com-evil.example",
    "https://app-example.com",
    "https://appXexample.com",
    "https://xn--pp-6kc.example.com",
    // The same name with another spelling, port or scheme.
    "https://App.Example.com",
    "HTTPS://app.example.com",
    "https://app.example.com.",
    "https://app.example.com:443",
    "https://app.example.com:8443",
    "https://app.example.com:80",
    "https://shop.example.com",
    "https://shop.example.com:84430",
    "https://shop.example.com:08443",
    "http://app.example.com",
    "ftp://app.example.com",
    "app.example.com",
    "//app.example.com",
    "https:app.example.com",
    "http://localhost",
    "http://localhost:3001",
    "http://localhost:3000.evil.example",
    "http://127.0.0.1:3000",
    "https://localhost:3000",
    "https://[2001:DB8::1]",
    // What goes before, after and between.
    "https://app.example.com@evil.example",
    "https://evil@app.example.com",
    "https://app.example.com/",
    "https://app.example.com, https://evil.example",
    "https://bücher.example",
];

async fn list(account: &Account, origins: &Value) {
    account.owner.patch(SETTINGS).json(&json!({ "cors": { "origins": origins } })).await.expect(200);
}

fn preflight(app: &App, origin: &str, path: &str) -> Call {
    let call = app.anonymous().call("OPTIONS", path).header("access-control-request-method", "POST");
    call.header("access-control-request-headers", "content-type,x-api-key").header("origin", origin)
}

#[track_caller]
fn is_refused(answer: &Answer) {
    let named = answer.headers.keys().filter(|name| name.as_str().starts_with("access-control-"));
    assert_eq!(named.count(), 0, "{answer} {:?}", answer.headers);
    assert_eq!(answer.header("vary"), "Origin");
}

#[track_caller]
fn is_allowed(answer: &Answer, origin: &str) {
    assert_eq!((answer.header("access-control-allow-origin"), answer.header("vary")), (origin, "Origin"), "{answer}");
    let exposed: Vec<&str> = answer.header("access-control-expose-headers").split(", ").collect();
    for name in ["X-Request-Id", "ETag", "Retry-After", "X-RateLimit-Remaining", "RateLimit-Reset", "RateLimit-Policy"]
    {
        assert!(exposed.contains(&name), "{name}");
    }
}

#[tokio::test]
async fn pages_of_listed_origins_call_and_others_read_nothing() {
    let app = App::start().await;
    let ada = app.account("ada").await;
    list(&ada, &json!(LISTED)).await;
    for origin in LISTED {
        is_allowed(&ada.key.get(GROUPS).header("origin", origin).await.expect(200), origin);
        let allowed = preflight(&app, origin, GROUPS).await.expect(204);
        assert_eq!((allowed.header("access-control-allow-origin"), allowed.header("vary")), (origin, "Origin"));
        let mut methods: Vec<&str> = allowed.header("access-control-allow-methods").split(", ").collect();
        methods.sort_unstable();
        assert_eq!(methods, ["GET", "HEAD", "POST"]);
        let headers = allowed.header("access-control-allow-headers").to_ascii_lowercase();
        for name in ["authorization", "content-type", "idempotency-key", "if-match", "if-none-match", "x-api-key"] {
            assert!(headers.split(", ").any(|one| one == name), "{name}");
        }
        assert_eq!(allowed.header("access-control-max-age"), "600");
    }
    for origin in OTHERS {
        is_refused(&ada.key.get(GROUPS).header("origin", origin).await.expect(200));
        is_refused(&preflight(&app, origin, GROUPS).await.expect(204));
    }
    for twice in [[LISTED[0], LISTED[0]], [LISTED[0], "null"]] {
        let call = |call: Call| call.header("origin", twice[0]).header("origin", twice[1]);
        is_refused(&call(ada.key.get(GROUPS)).await.expect(200));
        let asked = app.anonymous().call("OPTIONS", GROUPS).header("access-control-request-method", "GET");
        is_refused(&call(asked).await.expect(204));
    }
    is_refused(&ada.key.get(GROUPS).await.expect(200));
}

#[tokio::test]
async fn whatever_is_answered_may_be_read() {
    let app = App::start().await;
    let ada = app.account("ada").await;
    list(&ada, &json!(LISTED)).await;
    let page = |caller: &Caller| caller.with("origin", LISTED[0]);
    let (key, owner) = (page(&ada.key), page(&ada.owner).with("sec-fetch-site", "same-origin"));
    for (answer, status) in [
        (key.post(GROUPS).json(&json!({ "key": "product", "name": "Product" })).once("1").await, 201),
        (key.post(GROUPS).json(&json!({ "key": "product", "name": "Product" })).once("1").await, 201),
        (key.post(GROUPS).json(&json!({})).await, 422),
        (key.get("/api/v1/field-groups/nothing").await, 404),
        (key.get("/api/v1/api-keys").await, 403),
        (key.get("/api/v1/field-groups?cursor=x").await, 400),
        (key.call("HEAD", GROUPS).await, 200),
        (key.delete("/api/v1/field-groups/product").await, 204),
        (owner.get(GROUPS).await, 200),
    ] {
        is_allowed(&answer.expect(status), LISTED[0]);
    }
    let token = token(&ada.key, &json!({ "tenantId": "acme" })).await;
    ada.key.group("order").await;
    let fields = "/api/v1/tenants/acme/field-groups/order/fields";
    is_allowed(&page(&bearing(&app.anonymous(), &token)).get(fields).await.expect(200), LISTED[0]);
    // Nobody is known whose list it could be.
    for caller in [app.anonymous(), app.with_key("nonsense"), bearing(&app.anonymous(), "nonsense")] {
        is_refused(&page(&caller).get(GROUPS).await.expect(401));
    }
}

#[tokio::test]
async fn a_list_is_its_clients_and_a_preflight_is_of_all() {
    let app = App::start().await;
    let (ada, eve) = (app.account("ada").await, app.account("eve").await);
    let of = |account: &Account| account.key.get(GROUPS).header("origin", LISTED[0]);
    let asked = || preflight(&app, LISTED[0], GROUPS);
    is_refused(&asked().await.expect(204));
    list(&ada, &json!(LISTED)).await;
    app.clock.advance(BELIEVED);
    is_allowed(&of(&ada).await.expect(200), LISTED[0]);
    is_refused(&of(&eve).await.expect(200));
    assert_eq!(asked().await.expect(204).header("access-control-allow-origin"), LISTED[0]);
    list(&eve, &json!([LISTED[0]])).await;
    is_allowed(&of(&eve).await.expect(200), LISTED[0]);
    list(&ada, &json!(LISTED[1..])).await;
    app.clock.advance(BELIEVED);
    is_refused(&of(&ada).await.expect(200));
    is_allowed(&of(&eve).await.expect(200), LISTED[0]);
    assert_eq!(asked().await.expect(204).header("access-control-allow-origin"), LISTED[0]);
    list(&eve, &json!([])).await;
    app.clock.advance(BELIEVED);
    is_refused(&of(&eve).await.expect(200));
    is_refused(&asked().await.expect(204));
}

#[tokio::test]
async fn pages_call_what_keys_and_tokens_reach_and_nothing_else() {
    let app = App::start().await;
    let ada = app.account("ada").await;
    list(&ada, &json!(LISTED)).await;
    for route in routes().filter(|route| route.path.starts_with('/')) {
        let path = a_path_of(route);
        let answer = preflight(&app, LISTED[0], &path).await;
        let called = route.path.starts_with("/api/v1/") || route.path == "/api/auth/token";
        assert_eq!(answer.status, if called { 204 } else { 405 }, "{answer}");
        assert_eq!(answer.all("access-control-allow-origin").len(), usize::from(called), "{answer}");
        if route.access == Access::Public && route.method.name() == "GET" {
            let answer = app.anonymous().get(&path).header("origin", LISTED[0]).await.expect(200);
            assert!(answer.all("access-control-allow-origin").is_empty() && answer.all("vary").is_empty(), "{answer}");
        }
    }
    preflight(&app, LISTED[0], "/api/v1/nothing").await.fails(404, "route_not_found");
    // Who does not ask for a page asks for nothing.
    app.anonymous().call("OPTIONS", GROUPS).header("origin", LISTED[0]).await.fails(405, "method_not_allowed");
    let no_page = app.anonymous().call("OPTIONS", GROUPS).header("access-control-request-method", "GET");
    no_page.await.fails(405, "method_not_allowed");
}

//! The whole way of a request, to a running Hedgerow: whatever is sent, the answer is one of the contract's, and none that
//! says that something went wrong inside.

use hedgerow_tests::answer::Answer;
use hedgerow_tests::app::{Account, App, values};
use hedgerow_tests::raw;
use serde_json::json;
use tokio::runtime::Runtime;

use crate::mutations::{each, near};

const JSON: &str = "content-type: application/json\r\n";

/// An account with a little of everything.
struct World {
    runtime: Runtime,
    app: App,
    account: Account,
}

impl World {
    fn start() -> Self {
        let runtime = Runtime::new().unwrap();
        let (app, account) = runtime.block_on(async {
            let app = App::start().await;
            let account = app.account("ada").await;
            let groups = [account.key.group("product").await, account.key.group("spare").await];
            account.key.global("title", json!({ "type": "string" }), &[&groups[0], &groups[1]]).await;
            account.key.save("acme", "product", "sku-1", json!({ "title": "A" })).await;
            account.key.save("acme", "product", "sku-2", json!({ "title": "B" })).await;
            (app, account)
        });
        Self { runtime, app, account }
    }

    /// Sends a request whose head may hold any byte but those that would end it.
    fn send(&self, method: &str, path: &[u8], lines: &[u8], body: &[u8]) -> Answer {
        let asked = format!("{method} {}", String::from_utf8_lossy(path));
        let (address, length) = (self.app.address, body.len());
        let start = format!("HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-length: {length}\r\n");
        let request = [method.as_bytes(), b" ", path, b" ", start.as_bytes(), lines, b"\r\n", body].concat();
        let answer = self.runtime.block_on(raw::exchange(address, asked, &request));
        assert!(answer.status < 500, "{answer}");
        answer
    }

    fn key(&self) -> String {
        self.account.key.lines()
    }
}

/// Without what ends a word of the request's first line.
fn word(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().copied().filter(|byte| !matches!(byte, 0..=b' ' | 0x7f)).collect()
}

/// Without what ends a line of the head.
fn line(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().copied().filter(|byte| !matches!(byte, b'\r' | b'\n' | 0)).collect()
}

#[test]
fn paths_and_queries() {
    let world = World::start();
    let samples = &[
        "/api/v1/field-groups/product?limit=1",
        "/api/v1/tenants/acme/field-groups/product/entities/sku-1/values",
        "/api/v1/tenants/acme/field-groups/product/fields/fld_00000000000000000000000000000001",
        "/api/v1/webhooks/whk_00000000000000000000000000000001/deliveries?status=failed&from=2026-01-01T00:00:00Z",
        "/api/v1/global-fields?fieldGroupId=product&limit=100&cursor=",
        "/api/health",
    ];
    let key = world.key();
    each(1, &near(samples), |bytes| {
        let path = word(&bytes);
        for method in ["GET", "PATCH"] {
            world.send(method, &path, key.as_bytes(), b"");
        }
    });
    world.unharmed();
}

/// No cursor but one that was answered opens anything.
#[test]
fn cursors() {
    let world = World::start();
    let path = "/api/v1/tenants/acme/field-groups/product/entities?limit=1";
    let (_, next) = world.runtime.block_on(async { world.account.key.get(path).await }).page();
    let right = next.unwrap();
    let samples = &[&right];
    let key = world.key();
    each(1, &near(samples), |bytes| {
        let cursor: String = bytes.iter().map(|byte| format!("%{byte:02X}")).collect();
        let answer = world.send("GET", format!("{path}&cursor={cursor}").as_bytes(), key.as_bytes(), b"");
        match answer.status {
            200 => assert!(bytes.is_empty() || bytes == right.as_bytes(), "{answer}"),
            _ => answer.fails(400, "malformed_request"),
        }
    });
}

/// Nothing that only looks like a credential is one.
#[test]
fn credentials() {
    let world = World::start();
    let lines = [world.key(), world.account.owner.lines()].concat();
    let value = |name: &str| lines.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    let (key, cookie) = (value("x-api-key: "), value("cookie: "));
    let jwt = "Bearer eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiIsImtpZCI6IjEifQ.eyJpc3MiOiJodHRwczovL2EuZXhhbXBsZSJ9.c2ln";
    let samples = &[key, &format!("Bearer {key}"), cookie, jwt];
    each(1, &near(samples), |bytes| {
        let value = line(&bytes);
        let sent = String::from_utf8_lossy(&value).into_owned();
        for name in ["x-api-key", "authorization", "cookie"] {
            let lines = [name.as_bytes(), b": ", &value, b"\r\n"].concat();
            let answer = world.send("GET", b"/api/v1/field-groups", &lines, b"");
            match answer.status {
                200 => assert!(sent.contains(key) || sent.contains(cookie), "{name}: {sent}"),
                // The head as a whole may be refused, too.
                400 => answer.fails(400, "malformed_request"),
                431 => answer.fails(431, "headers_too_large"),
                _ => assert!(answer.status == 401 || answer.status == 403, "{name}: {sent}: {answer}"),
            }
        }
    });
}

#[test]
fn bodies() {
    let world = World::start();
    let samples = &[
        r#"{"key":"other","name":"Other","description":"d"}"#,
        r#"{"key":"color","label":"Color","schema":{"type":"select","validation":{"options":["red",{"value":"b","label":"B"}]}},"fieldGroupIds":["product"]}"#,
        r#"{"url":"http://127.0.0.1:9/","events":["field_value.*"],"tenantIds":["acme"],"headers":{"X-A":"b"},"active":false}"#,
        r#"{"title":"Łódź"}"#,
        r#"{"tenantId":"acme","fieldGroupKey":"product","permissions":["values:read"],"ttlSeconds":60}"#,
    ];
    let values = values("acme", "product", "sku-1");
    let paths = ["/api/v1/field-groups", "/api/v1/global-fields", "/api/v1/webhooks", &values, "/api/auth/token"];
    let lines = format!("{}{JSON}", world.key());
    each(1, &near(samples), |bytes| {
        for path in paths {
            world.send("POST", path.as_bytes(), lines.as_bytes(), &bytes);
        }
    });
    world.unharmed();
}

impl World {
    /// What was there can be read as before.
    fn unharmed(&self) {
        let all = self.runtime.block_on(self.account.key.everything("acme", "product"));
        assert!(!all.is_empty());
    }
}

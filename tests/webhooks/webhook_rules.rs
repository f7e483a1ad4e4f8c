//! What a webhook may say: everything that is wrong with one is named at once, and nothing is kept of it.

use engines::Engines;
use hedgerow_tests::app::{App, Caller, id};
use local::backend::Backend;
use runtime::WebhookSettings;
use serde_json::{Value, json};
use store::author::Clock;

pub(crate) const HOOKS: &str = "/api/v1/webhooks";

/// With the rules of production for where webhooks may go.
async fn in_production() -> App {
    let mut backend = Backend::embedded(Engines::memory().unwrap(), Clock::default()).await.unwrap();
    backend.app.webhooks = WebhookSettings::default();
    App::over(backend).await
}

/// The least that makes a webhook, and more.
#[expect(clippy::needless_pass_by_value, reason = "callers write it on the spot")]
pub(crate) fn hook(more: Value) -> Value {
    let mut body = json!({ "url": "https://example.com/hooks", "events": ["*"] });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

async fn none_was_made(key: &Caller) {
    assert_eq!(key.get(HOOKS).await.page().0, Vec::<Value>::new());
}

#[tokio::test]
async fn a_url_goes_where_the_deployment_allows() {
    let app = in_production().await;
    let key = app.account("ada").await.key;
    let long = format!("https://example.com/{}", "a".repeat(2048));
    for bad in [
        "",
        "example.com",
        "/hooks",
        "http://example.com/hooks",
        "https://example.com:8443/hooks",
        "https://example.com:0/",
        "ftp://example.com/",
        "file:///etc/passwd",
        "https://user@example.com/",
        "https://user:pass@example.com/",
        "https://localhost/",
        "https://intranet/",
        "https://a.localhost/",
        "https://metadata.google.internal/",
        "https://127.0.0.1/",
        "https://10.0.0.1/",
        "https://169.254.169.254/latest/meta-data/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[fd00::1]/",
        "https://0x7f.1/",
        "https://2130706433/",
        "https://0177.0.0.1/",
        "https://127.1/",
        "HTTPS://example.com/",
        "https://EXAMPLE.com/",
        "https://example.com/a/../b",
        "https://example.com/a b",
        "https://example.com\\@127.0.0.1/",
        "https://example.com/a\\b",
        "https://example.com/?a\\b",
        "https://exam\tple.com/",
        "https://@example.com/",
        "https://:@example.com/",
        "https://example.com:/",
        "https:example.com/",
        "https:///example.com/",
        "https:\\\\example.com/",
        "https://%65xample.com/",
        "https://exämple.com/",
        "https://example.com/\u{202e}",
        "https://example.com/#fragment",
        " https://example.com/",
        "https://example.com/\n",
        &long,
    ] {
        let answer = key.post(HOOKS).json(&hook(json!({ "url": bad }))).await;
        answer.wrong(&["url"]);
    }
    none_was_made(&key).await;
    let mut made = Value::Null;
    for good in [
        "https://example.com/",
        "https://example.com/hooks?team=search&x=%20",
        "https://xn--exmple-cua.com/",
        "https://hooks.example.com/a/b/c",
        "https://93.184.215.14/",
        "https://[2606:4700::6810:85e5]/hooks",
    ] {
        made = key.post(HOOKS).json(&hook(json!({ "url": good }))).await.data(201);
        assert_eq!(made["url"], good);
    }
    // The slash of an empty path is written for them.
    let bare = key.post(HOOKS).json(&hook(json!({ "url": "https://example.com" }))).await.data(201);
    assert_eq!(bare["url"], "https://example.com/");
    let path = format!("{HOOKS}/{}", id(&made));
    for bad in ["http://example.com/", "https://127.0.0.1/", "nothing"] {
        key.patch(&path).json(&json!({ "url": bad, "active": false })).await.wrong(&["url"]);
    }
    let kept = key.get(&path).await.data(200);
    assert_eq!((&kept["url"], &kept["active"], &kept["version"]), (&made["url"], &json!(true), &json!(1)));
    key.patch(&path).json(&json!({ "url": "https://example.org/b" })).await.expect(200);
}

#[tokio::test]
async fn each_member_is_checked() {
    let app = App::start().await;
    let key = app.account("ada").await.key;
    let many = |count: usize| (0..count).map(|at| format!("t{at}")).collect::<Vec<_>>();
    let headers = |count: usize| (0..count).map(|at| (format!("X-{at}"), json!("1"))).collect::<Value>();
    let cases: Vec<(Value, &[&str])> = vec![
        (json!({ "events": [] }), &["events"]),
        (json!({ "events": "*" }), &["events"]),
        (json!({ "events": null }), &["events"]),
        (json!({ "events": ["nothing", "*", 1] }), &["events[0]", "events[2]"]),
        (json!({ "events": ["field_group.*"] }), &["events[0]"]),
        (json!({ "events": ["FIELD_VALUE.SAVED", ""] }), &["events[0]", "events[1]"]),
        (json!({ "tenantIds": [] }), &["tenantIds"]),
        (json!({ "tenantIds": ["a b"] }), &["tenantIds[0]"]),
        (json!({ "tenantIds": many(101) }), &["tenantIds"]),
        (json!({ "headers": [] }), &["headers"]),
        (json!({ "headers": { "X-A": 1 } }), &["headers.X-A"]),
        // There is no value that it could keep.
        (json!({ "headers": { "X-A": null } }), &["headers.X-A"]),
        (json!({ "headers": { "Host": "x" } }), &["headers.Host"]),
        (
            json!({ "headers": { "content-length": "1", "Webhook-Id": "x" } }),
            &["headers.Webhook-Id", "headers.content-length"],
        ),
        (json!({ "headers": { "Content-Disposition": "x" } }), &["headers.Content-Disposition"]),
        (json!({ "headers": { "X-Hedgerow-Signature": "x" } }), &["headers.X-Hedgerow-Signature"]),
        (json!({ "headers": { "a b": "x" } }), &["headers.a b"]),
        (json!({ "headers": { "X-A": "a\r\nX-B: b" } }), &["headers.X-A"]),
        (json!({ "headers": { "X-A": "1", "x-a": "2" } }), &["headers.x-a"]),
        (json!({ "headers": headers(21) }), &["headers"]),
        (json!({ "headers": { "X-A": "a".repeat(4097) } }), &["headers"]),
        (json!({ "secret": "short" }), &["secret"]),
        (json!({ "secret": "whsec_AAAA" }), &["secret"]),
        (json!({ "secret": format!("whsec_{}", "!".repeat(44)) }), &["secret"]),
        (json!({ "secret": "x".repeat(513) }), &["secret"]),
        (json!({ "secret": format!("v1,whsec_{}", "A".repeat(44)) }), &["secret"]),
        (json!({ "secret": format!("\"whsec_{}\"", "A".repeat(44)) }), &["secret"]),
        (json!({ "secret": format!("v1a,whsk_{}", "A".repeat(44)) }), &["secret"]),
        (json!({ "description": "x".repeat(2001) }), &["description"]),
        (json!({ "active": 1 }), &["active"]),
        (json!({ "signatureHeader": {} }), &["signatureHeader.format", "signatureHeader.name"]),
        (json!({ "signatureHeader": { "name": "X-A", "format": "base64" } }), &["signatureHeader.format"]),
        (json!({ "signatureHeader": { "name": "Host", "format": "hex" } }), &["signatureHeader.name"]),
        (json!({ "signatureHeader": { "name": "content-md5", "format": "hex" } }), &["signatureHeader.name"]),
        (
            json!({ "signatureHeader": { "name": "a b", "format": "hex", "x": 1 } }),
            &["signatureHeader.name", "signatureHeader.x"],
        ),
        (json!({ "id": "whk_1", "version": 1 }), &["id", "version"]),
    ];
    for (more, places) in &cases {
        let answer = key.post(HOOKS).json(&hook(more.clone())).await;
        assert_eq!(answer.status, 422, "{more}");
        assert_eq!(answer.places(), *places, "{answer}");
    }
    key.post(HOOKS).json(&json!({})).await.wrong(&["events", "url"]);
    let body = json!({ "url": "gopher://x", "events": ["x"], "headers": { "Host": "" }, "tenantIds": ["%"], "x": 1 });
    let all = ["events[0]", "headers.Host", "tenantIds[0]", "url", "x"];
    key.post(HOOKS).json(&body).await.wrong(&all);
    none_was_made(&key).await;

    let made = key.post(HOOKS).json(&hook(json!({}))).await.data(201);
    let path = format!("{HOOKS}/{}", id(&made));
    let before = key.get(&path).await.data(200);
    for (more, places) in cases.iter().filter(|(more, _)| more.get("secret").is_none()) {
        let answer = key.patch(&path).json(more).await;
        answer.fails(422, "validation_failed");
        assert_eq!(answer.places(), *places, "{answer}");
    }
    key.patch(&path).json(&body).await.wrong(&all);
    let nulls = json!({ "url": null, "events": null, "active": null });
    key.patch(&path).json(&nulls).await.wrong(&["active", "events", "url"]);
    // A secret is rotated, not changed.
    key.patch(&path).json(&json!({ "secret": "x".repeat(40) })).await.wrong(&["secret"]);
    assert_eq!(key.get(&path).await.data(200), before);
}

#[tokio::test]
async fn all_that_may_be_said_is_kept_as_it_was_sent() {
    let app = App::start().await;
    let key = app.account("ada").await.key;
    let said = json!({
        "url": "http://127.0.0.1:9/hooks",
        "events": ["field_value.*", "field_group.deleted", "webhook.disabled"],
        "tenantIds": ["acme", "globex"],
        "headers": { "Authorization": "Bearer x", "X-Team": "search" },
        "description": "Two\nlines",
        "active": false,
        "signatureHeader": { "name": "X-Kopra-Signature", "format": "sha256=hex" },
    });
    let made = key.post(HOOKS).json(&said).await.data(201);
    let shown = key.get(&format!("{HOOKS}/{}", id(&made))).await.data(200);
    let names = json!({ "Authorization": null, "X-Team": null });
    for (name, value) in said.as_object().unwrap() {
        // The values of headers are secrets.
        let value = if name == "headers" { &names } else { value };
        assert_eq!((&made[name], &shown[name]), (value, value), "{name}");
    }
    // Said as null, and left out: all tenants, no description, no header of its own.
    let nulls = json!({ "tenantIds": null, "headers": null, "description": null, "signatureHeader": null, "secret": null, "active": null });
    for more in [nulls, json!({})] {
        let made = key.post(HOOKS).json(&hook(more)).await.data(201);
        for name in ["tenantIds", "description", "signatureHeader", "disabled", "previousSecretExpiresAt"] {
            assert_eq!(made[name], Value::Null, "{name}");
        }
        assert_eq!((&made["headers"], &made["active"]), (&json!({}), &json!(true)));
    }
}

#[tokio::test]
async fn no_header_takes_the_signatures_place() {
    let app = App::start().await;
    let key = app.account("ada").await.key;
    let signed = json!({ "name": "X-Kopra-Signature", "format": "hex" });
    for taken in ["X-Kopra-Signature", "x-kopra-signature", "X-Kopra-Signature-New", "X-KOPRA-SIGNATURE-NEW"] {
        let body = hook(json!({ "signatureHeader": signed, "headers": { taken: "x", "X-Free": "y" } }));
        key.post(HOOKS).json(&body).await.wrong(&[&format!("headers.{taken}")]);
    }
    none_was_made(&key).await;
    let headers = json!({ "X-Kopra-Signature": "x" });
    let made = key.post(HOOKS).json(&hook(json!({ "headers": headers }))).await.data(201);
    let path = format!("{HOOKS}/{}", id(&made));
    // Each half against the other as it stands.
    key.patch(&path).json(&json!({ "signatureHeader": signed })).await.wrong(&["headers.X-Kopra-Signature"]);
    key.patch(&path).json(&json!({ "signatureHeader": signed, "headers": {} })).await.expect(200);
    key.patch(&path).json(&json!({ "headers": headers })).await.wrong(&["headers.X-Kopra-Signature"]);
    let body = json!({ "headers": headers, "signatureHeader": null });
    let changed = key.patch(&path).json(&body).await.data(200);
    let names = json!({ "X-Kopra-Signature": null });
    assert_eq!((&changed["headers"], &changed["signatureHeader"]), (&names, &Value::Null));
}

#[tokio::test]
async fn what_is_asked_of_a_rotation_and_a_recovery_is_checked() {
    let app = App::start().await;
    let key = app.account("ada").await.key;
    let made = key.post(HOOKS).json(&hook(json!({}))).await.data(201);
    let at = |end: &str| format!("{HOOKS}/{}/{end}", id(&made));
    for bad in [json!(-1), json!(604_801), json!(1.5), json!("60"), json!(null), json!(4_294_967_296_u64)] {
        key.post(&at("rotate-secret")).json(&json!({ "graceSeconds": bad })).await.wrong(&["graceSeconds"]);
    }
    key.post(&at("rotate-secret")).json(&json!({ "x": 1 })).await.wrong(&["graceSeconds", "x"]);
    let soon = app.clock.now().plus(std::time::Duration::from_secs(5)).to_string();
    for bad in [json!("2026-01-01"), json!(0), json!(null), json!("yesterday"), json!(soon)] {
        key.post(&at("recover")).json(&json!({ "since": bad })).await.wrong(&["since"]);
    }
    key.post(&at("recover")).json(&json!({})).await.wrong(&["since"]);
    for good in ["1970-01-01T00:00:00Z", "2020-01-01T00:00:00+02:00"] {
        key.post(&at("recover")).json(&json!({ "since": good })).await.expect(202);
    }
    assert_eq!(key.get(&format!("{HOOKS}/{}", id(&made))).await.data(200)["version"], 1);
}

#[tokio::test]
async fn filters_that_can_not_be_read_are_named() {
    let app = App::start().await;
    let key = app.account("ada").await.key;
    let made = key.post(HOOKS).json(&hook(json!({ "active": false }))).await.data(201);
    let list = format!("{HOOKS}/{}/deliveries", id(&made));
    key.post(&format!("{HOOKS}/{}/test", id(&made))).await.expect(202);
    for (name, bad) in [
        ("status", "Held"),
        ("status", ""),
        ("event", "*"),
        ("event", "field_value.*"),
        ("from", "2026-01-01"),
        ("to", "1"),
        ("to", "2026-01-01T00:00:00+01:00"),
        ("from", "2026-01-01T00:00:00.000+00:00"),
        ("from", "%FF"),
        ("status", "held&status=held"),
    ] {
        let answer = key.get(&format!("{list}?{name}={bad}")).await;
        answer.fails(400, "malformed_request");
        let message = answer.json()["message"].as_str().unwrap().to_owned();
        assert!(message.contains(&format!("`{name}`")), "{message}");
        let plus = bad.contains('+');
        assert_eq!(message.contains("`%2B`"), plus, "{message}");
    }
    for (query, count) in [
        ("status=held", 1),
        ("status=pending", 0),
        ("event=test.ping&status=held", 1),
        ("event=field_value.saved", 0),
        ("from=2020-01-01T00:00:00Z", 1),
        ("from=2020-01-01T00:00:00%2B01:00&to=2100-01-01T00:00:00Z", 1),
        ("from=2100-01-01T00:00:00Z", 0),
        ("from=2100-01-01T00:00:00Z&to=2020-01-01T00:00:00Z", 0),
        ("to=2020-01-01T00:00:00Z", 0),
        ("&", 1),
    ] {
        let (found, next) = key.get(&format!("{list}?{query}")).await.page();
        assert_eq!((found.len(), next), (count, None), "{query}");
    }
}

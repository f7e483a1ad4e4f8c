//! Bodies that can't be read, or that are not what they should be: refused with the contract's code, nothing written.

use hedgerow_tests::app::{Account, App, Call, Caller, fields, id, values};
use serde_json::{Value, json};

const MIB: usize = 1024 * 1024;

/// A route that takes a body, and a body that it would take.
struct Entrance {
    caller: Caller,
    method: &'static str,
    path: String,
    good: Value,
}

impl Entrance {
    fn call(&self) -> Call {
        self.caller.call(self.method, &self.path)
    }
}

/// An account with a group, a global field, a tenant field and one entity; every route that takes a body.
async fn entrances(app: &App) -> (Account, Vec<Entrance>) {
    let account = app.account("ada").await;
    let text = json!({ "type": "string" });
    let group = account.key.group("product").await;
    let global = account.key.global("title", text.clone(), &[&group]).await;
    let own = account.key.own("acme", "product", "color", text.clone()).await;
    account.key.save("acme", "product", "sku-1", json!({ "title": "Oak" })).await;
    let (keys, _) = account.owner.get("/api/v1/api-keys").await.page();
    let (anyone, owner, key) = (app.anonymous(), &account.owner, &account.key);
    let one = |caller: &Caller, method, path: &str, good| Entrance {
        caller: caller.clone(),
        method,
        path: path.to_owned(),
        good,
    };
    let signup = json!({ "email": "eve@example.com", "password": "long enough for all", "clientName": "Eve" });
    let login = json!({ "email": "ada@example.com", "password": "long enough for all" });
    let field = json!({ "key": "new", "label": "New", "schema": text });
    let mut in_groups = field.clone();
    in_groups["key"] = json!("newer");
    in_groups["fieldGroupIds"] = json!([group["id"]]);
    let hook = json!({ "url": "https://example.com/hooks", "events": ["*"], "headers": {}, "active": false });
    let made_hook = key.post("/api/v1/webhooks").json(&hook).await.data(201);
    let hook_path = format!("/api/v1/webhooks/{}", id(&made_hook));
    let entity = values("acme", "product", "sku-1");
    let own_path = format!("{}/{}", fields("acme", "product"), id(&own));
    let all = vec![
        one(&anyone, "POST", "/api/auth/signup", signup),
        one(&anyone, "POST", "/api/auth/login", login),
        one(owner, "POST", "/api/v1/api-keys", json!({ "name": "A", "type": "management" })),
        one(owner, "PATCH", &format!("/api/v1/api-keys/{}", id(&keys[0])), json!({ "name": "B" })),
        one(key, "POST", "/api/v1/field-groups", json!({ "key": "new", "name": "New" })),
        one(key, "PATCH", "/api/v1/field-groups/product", json!({ "name": "New" })),
        one(key, "POST", "/api/v1/global-fields", in_groups),
        one(key, "PATCH", &format!("/api/v1/global-fields/{}", id(&global)), json!({ "label": "New" })),
        one(key, "POST", &fields("acme", "product"), field),
        one(key, "PATCH", &own_path, json!({ "label": "New" })),
        one(key, "POST", &entity, json!({ "title": "Elm" })),
        one(key, "PUT", &entity, json!({ "title": "Elm" })),
        one(key, "POST", "/api/v1/webhooks", hook.clone()),
        one(key, "PATCH", &hook_path, hook),
        one(key, "POST", &format!("{hook_path}/rotate-secret"), json!({ "graceSeconds": 60 })),
        one(key, "POST", &format!("{hook_path}/recover"), json!({ "since": "2026-01-01T00:00:00Z" })),
    ];
    (account, all)
}

async fn state(account: &Account) -> Vec<Value> {
    let mut all = account.key.everything("acme", "product").await;
    all.push(account.owner.get("/api/v1/api-keys").await.expect(200).json());
    all.push(account.owner.get("/api/v1/webhooks").await.expect(200).json());
    all
}

/// The text of an object with a member more, written by hand.
fn with_member(good: &Value, member: &str) -> String {
    let text = good.to_string();
    format!("{},{member}}}", text.strip_suffix('}').unwrap())
}

fn nested(depth: usize) -> String {
    format!("{}{}", "[".repeat(depth), "]".repeat(depth))
}

#[tokio::test]
async fn what_is_not_json_is_malformed() {
    let app = App::start().await;
    let (account, entrances) = entrances(&app).await;
    let before = state(&account).await;
    for entrance in &entrances {
        let good = &entrance.good;
        let name = good.as_object().unwrap().keys().next().unwrap();
        let bodies: Vec<Vec<u8>> = vec![
            b"".to_vec(),
            b" ".to_vec(),
            b"{".to_vec(),
            b"{]".to_vec(),
            b"nul".to_vec(),
            b"{'a': 1}".to_vec(),
            format!("{good} {good}").into(),
            format!("{good},").into(),
            // One mark is skipped, and only in front.
            format!("\u{feff}\u{feff}{good}").into(),
            format!(" \u{feff}{good}").into(),
            format!("{good}\u{feff}").into(),
            format!("/* */{good}").into(),
            with_member(good, "\"x\": NaN").into(),
            with_member(good, "\"x\": 01").into(),
            with_member(good, "\"x\": \"\\ud800\"").into(),
            with_member(good, "\"x\": \"\u{1}\"").into(),
            [with_member(good, "\"x\": \"").trim_end_matches('}').as_bytes(), b"\xff\"}"].concat(),
            [with_member(good, "\"x\": \"").trim_end_matches('}').as_bytes(), b"\xc0\x80\"}"].concat(),
            [with_member(good, "\"x\": \"").trim_end_matches('}').as_bytes(), b"\xed\xa0\x80\"}"].concat(),
            good.to_string().encode_utf16().flat_map(u16::to_le_bytes).collect(),
            // A member twice, its name spelt in two ways, and one within a member.
            with_member(good, &format!("\"{name}\": {}", good[name])).into(),
            with_member(good, &format!("\"\\u{:04x}{}\": 1", name.as_bytes()[0], &name[1..])).into(),
            with_member(good, "\"x\": {\"a\": 1, \"a\": 1}").into(),
            // One level is the object's own.
            with_member(good, &format!("\"x\": {}", nested(64))).into(),
            nested(65).into(),
            nested(100_000).into(),
            "{\"a\":".repeat(100_000).into(),
        ];
        for body in bodies {
            let start = String::from_utf8_lossy(&body[..body.len().min(60)]).into_owned();
            let answer = entrance.call().body("application/json", body).await;
            assert_eq!(answer.status, 400, "{start}: {answer}");
            answer.fails(400, "malformed_request");
        }
    }
    assert_eq!(state(&account).await, before);
}

#[tokio::test]
async fn sixty_four_levels_are_read() {
    let app = App::start().await;
    let (account, entrances) = entrances(&app).await;
    let before = state(&account).await;
    for entrance in &entrances {
        let body = with_member(&entrance.good, &format!("\"x\": {}", nested(63)));
        entrance.call().body("application/json", body).await.wrong(&["x"]);
    }
    assert_eq!(state(&account).await, before);
}

#[tokio::test]
async fn a_body_that_is_no_object_is_invalid() {
    let app = App::start().await;
    let (account, entrances) = entrances(&app).await;
    let before = state(&account).await;
    for entrance in &entrances {
        for body in ["null", "[]", "[{}]", "\"text\"", "1", "true", &format!("[{}]", entrance.good)] {
            entrance.call().body("application/json", body.to_owned()).await.wrong(&[""]);
        }
    }
    assert_eq!(state(&account).await, before);
}

#[tokio::test]
async fn unknown_members_and_wrong_types_are_named() {
    let app = App::start().await;
    let (account, entrances) = entrances(&app).await;
    let before = state(&account).await;
    for entrance in &entrances {
        for unknown in ["x", "", "__proto__", "a.b", "Name", "a\u{0}b", "é"] {
            let mut body = entrance.good.clone();
            body[unknown] = json!(1);
            entrance.call().json(&body).await.wrong(&[unknown]);
        }
        for (name, good) in entrance.good.as_object().unwrap() {
            for bad in [json!(7), json!(true), json!([]), json!({ "a": 1 }), json!("a"), Value::Null, json!([[]])] {
                let is_left_out = entrance.method == "POST" && name == "active";
                let clears = bad.is_null() && (entrance.path.ends_with("/values") || name == "headers" || is_left_out);
                let same_type = std::mem::discriminant(&bad) == std::mem::discriminant(good);
                if same_type || clears {
                    continue;
                }
                let mut body = entrance.good.clone();
                body[name] = bad;
                let answer = entrance.call().json(&body).await;
                answer.fails(422, "validation_failed");
                let places = answer.places();
                assert!(!places.is_empty() && places.iter().all(|place| place.starts_with(name.as_str())), "{answer}");
            }
        }
    }
    assert_eq!(state(&account).await, before);
}

#[tokio::test]
async fn only_json_is_taken() {
    let app = App::start().await;
    let (account, entrances) = entrances(&app).await;
    let before = state(&account).await;
    for entrance in &entrances {
        let good = entrance.good.to_string();
        entrance.call().bare(good.clone()).await.fails(415, "unsupported_media_type");
        for content_type in [
            "",
            "text/plain",
            "text/json",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
            "application/jsonp",
            "application/merge-patch+json",
            "application/json; charset=utf-16",
            "application/json, text/plain",
            "json",
        ] {
            let answer = entrance.call().body(content_type, good.clone()).await;
            assert_eq!(answer.status, 415, "{content_type}: {answer}");
        }
    }
    assert_eq!(state(&account).await, before);
    let entrance = &entrances[10];
    for content_type in [
        "application/json",
        "application/json; charset=utf-8",
        "application/json; charset=utf8",
        "application/json; charset=UTF8",
        "application/json; charset=\"utf8\"",
        "application/json;charset=Utf-8;x=y",
        "Application/JSON;charset=\"UTF-8\"",
    ] {
        entrance.call().body(content_type, entrance.good.to_string()).await.expect(200);
        entrance.call().body(content_type, format!("\u{feff}{}", entrance.good)).await.expect(200);
    }
}

#[tokio::test]
async fn a_body_in_a_content_coding_is_refused_whatever_it_is() {
    let app = App::start().await;
    let (account, entrances) = entrances(&app).await;
    let before = state(&account).await;
    let gzip = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0xab, 0xae, 5, 0, 0x43, 0xbf, 0xa6, 0xa3, 2, 0, 0, 0];
    for entrance in &entrances {
        for coding in ["gzip", "GZIP", "x-gzip", "br", "zstd", "deflate", "identity, gzip", "gzip, identity", "utf-8"] {
            for body in [entrance.good.to_string().into_bytes(), gzip.to_vec(), b"{".to_vec(), Vec::new()] {
                let call = entrance.call().header("content-encoding", coding).body("application/json", body);
                let answer = call.await;
                answer.fails(415, "unsupported_media_type");
                assert_eq!(answer.header("accept-encoding"), "identity");
                assert!(answer.json()["message"].as_str().unwrap().contains("Content-Encoding"), "{answer}");
            }
        }
        // A body of another type has no other coding to be told of.
        let answer = entrance.call().body("text/plain", entrance.good.to_string()).await;
        assert!(answer.status == 415 && answer.all("accept-encoding").is_empty(), "{answer}");
    }
    assert_eq!(state(&account).await, before);
    for coding in ["identity", "Identity", "", "identity, identity"] {
        let good = entrances[10].good.to_string();
        entrances[10].call().header("content-encoding", coding).body("application/json", good).await.expect(200);
    }
}

#[tokio::test]
async fn a_body_has_at_most_one_mebibyte() {
    let app = App::start().await;
    let (account, entrances) = entrances(&app).await;
    let before = state(&account).await;
    let padded = |good: &Value, length: usize| {
        let text = good.to_string();
        format!("{text}{}", " ".repeat(length - text.len()))
    };
    for entrance in &entrances {
        for length in [MIB + 1, 6 * MIB, 6 * MIB + 1, 8 * MIB] {
            let body = padded(&entrance.good, length);
            entrance.call().body("application/json", body).await.fails(413, "payload_too_large");
        }
    }
    assert_eq!(state(&account).await, before);
    for entrance in entrances.iter().filter(|one| one.path != "/api/auth/login") {
        let answer = entrance.call().body("application/json", padded(&entrance.good, MIB)).await;
        assert!([200, 201, 202].contains(&answer.status), "{answer}");
    }
}

#[tokio::test]
async fn the_many_failures_of_a_large_body_make_no_larger_answer() {
    let app = App::start().await;
    let (_, entrances) = entrances(&app).await;
    let many: serde_json::Map<String, Value> = (0..90_000).map(|n| (format!("x{n}"), json!(1))).collect();
    for entrance in &entrances {
        let answer = entrance.call().json(&Value::Object(many.clone())).await;
        answer.fails(422, "validation_failed");
        assert!(answer.body.len() < MIB, "{} bytes", answer.body.len());
    }
    let options: Vec<_> = (0..100_000).map(|_| json!(1)).collect();
    let schema = json!({ "type": "select", "validation": { "options": options } });
    let body = json!({ "key": "a", "label": "A", "schema": schema });
    let answer = entrances[8].call().json(&body).await;
    answer.fails(422, "validation_failed");
    assert!(answer.body.len() < MIB);
}

/// Every POST that takes no body: its path with the parameters of things that are there, or could be.
async fn without_bodies(app: &App, account: &Account) -> Vec<String> {
    let description = app.anonymous().get("/api/openapi.json").await.expect(200).json();
    let hook = json!({ "url": "https://example.com/hooks", "events": ["*"] });
    let hook = account.key.post("/api/v1/webhooks").json(&hook).await.data(201);
    let (mut paths, nobody) = (Vec::new(), "0".repeat(32));
    for (path, operations) in description["paths"].as_object().unwrap() {
        let operation = &operations["post"];
        if operation.is_object() && operation["requestBody"].is_null() {
            let path =
                path.replace("{tenantId}", "acme").replace("{groupId}", "product").replace("{entityId}", "sku-1");
            let path = path.replace("/webhooks/{id}", &format!("/webhooks/{}", id(&hook)));
            let path = path.replace("/deliveries/{id}", &format!("/deliveries/dlv_{nobody}"));
            let field = format!("fld_{nobody}");
            paths.push(path.replace("{fieldId}", &field).replace("{id}", &field));
        }
    }
    // Who logs out has no session for the others.
    paths.sort_by_key(|path| path.ends_with("/logout"));
    assert!(paths.len() >= 7 && paths.iter().all(|path| !path.contains('{')), "{paths:?}");
    paths
}

#[tokio::test]
async fn a_route_that_takes_no_body_takes_none() {
    let app = App::start().await;
    let (account, _) = entrances(&app).await;
    for path in without_bodies(&app, &account).await {
        let call = || account.owner.post(&path);
        for text in ["{", "nul", "\u{1}", "{}{}", "{\"a\": 1, \"a\": 1}"] {
            call().body("application/json", text).await.fails(400, "malformed_request");
        }
        for content_type in ["text/plain", "application/x-www-form-urlencoded", ""] {
            call().body(content_type, "{}").await.fails(415, "unsupported_media_type");
        }
        call().bare("{}").await.fails(415, "unsupported_media_type");
        let answer = call().json(&json!({ "dryRun": true, "a": 1 })).await;
        answer.wrong(&["a", "dryRun"]);
        assert_eq!(answer.json()["details"]["fields"][0]["message"], "Can't be set here; nothing can.");
        for no_object in [json!([]), json!("text"), Value::Null, json!(1)] {
            call().json(&no_object).await.wrong(&[""]);
        }
        for nothing in [call().json(&json!({})), call().body("application/json", ""), call().body("text/plain", "")] {
            let answer = nothing.await;
            assert!(path.ends_with("logout") || ![400, 415].contains(&answer.status), "{answer}");
        }
    }
}

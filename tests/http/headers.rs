//! What every answer carries, and what paths and methods that are none get. The values of the headers themselves are
//! looked at wherever an answer is read (`answer.rs`).

use hedgerow_tests::app::App;
use hedgerow_tests::routes::{filled, routes};
use runtime::Method;
use serde_json::json;

use hedgerow_tests::raw;

const MIB: usize = 1024 * 1024;

#[tokio::test]
async fn a_callers_request_id_is_kept_if_it_is_one() {
    let app = App::start().await;
    let key = app.account("ada").await.key;
    for good in ["a", "A.b_c-9", "...", &"x".repeat(128)] {
        let answer = key.get("/api/v1/field-groups").header("x-request-id", good).await.expect(200);
        assert_eq!(answer.request_id(), good);
        let failed = key.get("/api/v1/field-groups/nothing").header("x-request-id", good).await.expect(404);
        assert_eq!((failed.request_id(), &failed.json()["requestId"]), (good, &json!(good)));
    }
    let mut seen = std::collections::HashSet::new();
    for bad in ["", " ", "a b", "a/b", "a\"b", "é", "a:b", "<script>", &"x".repeat(129)] {
        let answer = key.get("/api/v1/field-groups").header("x-request-id", bad).await.expect(200);
        assert!(answer.request_id().starts_with("req_"), "{bad}: {}", answer.request_id());
        assert!(seen.insert(answer.request_id().to_owned()));
    }
    let answer = key.get("/api/v1/field-groups").await.expect(200);
    assert!(answer.request_id().starts_with("req_") && seen.insert(answer.request_id().to_owned()));
}

#[tokio::test]
async fn every_kind_of_answer_has_its_request_id_and_headers() {
    let app = App::start().await;
    let key = app.account("ada").await.key.with("x-request-id", "mine");
    key.group("product").await;
    let text = || "x".to_owned();
    let json = "application/json";
    for (answer, status) in [
        (key.get("/api/health").await, 200),
        (key.get("/api/openapi.json").await, 200),
        (key.post("/api/v1/field-groups").json(&json!({ "key": "a", "name": "A" })).await, 201),
        (key.delete("/api/v1/field-groups/a").await, 204),
        (key.post("/api/v1/field-groups").body(json, text()).await, 400),
        (app.anonymous().with("x-request-id", "mine").get("/api/v1/tenants").await, 401),
        (key.get("/api/v1/api-keys").await, 403),
        (key.get("/api/v1/field-groups/a").await, 404),
        (key.get("/nothing/here").await, 404),
        (key.put("/api/v1/field-groups").await, 405),
        (key.post("/api/v1/field-groups").json(&json!({ "key": "product", "name": "A" })).await, 409),
        (key.post("/api/v1/field-groups").body(json, "x".repeat(MIB + 1)).await, 413),
        (key.post("/api/v1/field-groups").body(json, "x".repeat(7 * MIB)).await, 413),
        (key.post("/api/v1/field-groups").bare(text()).await, 415),
        (key.post("/api/v1/field-groups").json(&json!({})).await, 422),
    ] {
        assert_eq!(answer.status, status, "{answer}");
        assert_eq!(answer.request_id(), "mine", "{answer}");
    }
}

#[tokio::test]
async fn a_path_that_is_none_is_not_found_with_any_credential_and_method() {
    let app = App::start().await;
    let account = app.account("ada").await;
    for caller in [&app.anonymous(), &app.with_key("nonsense"), &account.key, &account.owner] {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "TRACE", "BREW"] {
            let answer = caller.call(method, "/api/v1/nothing").await.expect(404);
            assert!(method == "HEAD" || answer.json()["error"] == "route_not_found");
        }
        caller.get("/api/v1/field-groups/a/b/c").await.fails(404, "route_not_found");
    }
}

#[tokio::test]
async fn a_method_that_a_path_does_not_take_is_told_which_it_takes() {
    let app = App::start().await;
    let key = app.account("ada").await.key;
    for (path, methods) in [
        ("/api/health", &["GET", "HEAD"][..]),
        ("/api/openapi.json", &["GET", "HEAD"]),
        ("/api/auth/signup", &["POST"]),
        ("/api/auth/session", &["GET", "HEAD"]),
        ("/api/v1/field-groups", &["GET", "HEAD", "POST"]),
        ("/api/v1/field-groups/product", &["DELETE", "GET", "HEAD", "PATCH"]),
        ("/api/v1/field-groups/product/restore", &["POST"]),
        ("/api/v1/tenants/acme/field-groups/product/fields", &["GET", "HEAD", "POST"]),
        ("/api/v1/tenants/acme/field-groups/product/entities/e/values", &["DELETE", "GET", "HEAD", "POST", "PUT"]),
    ] {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "TRACE", "BREW", "get"] {
            if methods.contains(&method) {
                continue;
            }
            for caller in [&key, &app.anonymous()] {
                let answer = caller.call(method, path).await.expect(405);
                let mut allowed: Vec<&str> = answer.header("allow").split(", ").collect();
                allowed.sort_unstable();
                assert_eq!(allowed, methods, "{method} {path}");
            }
        }
    }
    // A separator that is encoded makes no other path of it.
    let answer = raw::send(app.address, "POST", "/api/v1/field-groups/product%2Frestore", &key.lines(), b"").await;
    assert!(answer.status == 404 || !answer.header("allow").contains("POST"), "{answer}");
}

#[tokio::test]
async fn head_is_get_without_a_body() {
    let app = App::start().await;
    let account = app.account("ada").await;
    account.key.group("product").await;
    account.key.own("acme", "product", "color", json!({ "type": "string" })).await;
    account.key.save("acme", "product", "sku-1", json!({ "color": "red" })).await;
    let mut statuses = std::collections::BTreeSet::new();
    for route in routes().filter(|route| route.method == Method::Get) {
        for caller in [&account.key, &account.owner, &app.anonymous()] {
            let caller = caller.with("x-request-id", "mine");
            let path = filled(route.path, route.package);
            let got = caller.get(&path).await.but_for_request_id();
            let (status, headers, body) = caller.call("HEAD", &path).await.but_for_request_id();
            assert_eq!((status, &headers), (got.0, &got.1), "{path}");
            let has_length = got.1.iter().any(|(name, _)| name == "content-length");
            // What goes out piece by piece has none beforehand.
            let of_lines = got.1.iter().any(|(_, value)| value == "application/jsonl");
            assert!(body.is_empty() && has_length != of_lines, "{path}");
            statuses.insert(status);
        }
    }
    assert_eq!(statuses, [200, 401, 403, 404].into());
    // It writes nothing, and what only writes has none.
    account.key.call("HEAD", "/api/v1/field-groups/product/restore").await.expect(405);
}

#[tokio::test]
async fn a_body_in_pieces_is_one_body() {
    let app = App::start().await;
    let key = app.account("ada").await.key;
    let head = |lines: &str| {
        format!(
            "POST /api/v1/field-groups HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/json\r\n\
             {}{lines}transfer-encoding: chunked\r\n\r\n",
            key.lines()
        )
    };
    let whole = format!("{}a\r\n{{\"key\":\"a\"\r\nc\r\n,\"name\":\"A\"}}\r\n0\r\n\r\n", head(""));
    raw::exchange(app.address, "chunks".into(), whole.as_bytes()).await.expect(201);
    // What breaks off in the middle of its coding is not too large: it is malformed.
    let broken = format!("{}a\r\n{{\"key\":\"b\"\r\nzz\r\n", head("x-request-id: mine\r\n"));
    let answer = raw::exchange(app.address, "broken chunks".into(), broken.as_bytes()).await;
    answer.fails(400, "malformed_request");
    assert_eq!(answer.request_id(), "mine");
    // Another coding below the chunks is not taken for the body itself, nor are chunks of chunks.
    for lines in ["transfer-encoding: gzip\r\n", "transfer-encoding: chunked\r\n", "transfer-encoding: Chunked\r\n"] {
        let coded = format!("{}a\r\n{{\"key\":\"c\"\r\nc\r\n,\"name\":\"C\"}}\r\n0\r\n\r\n", head(lines));
        raw::exchange(app.address, lines.into(), coded.as_bytes()).await.fails(400, "malformed_request");
    }
    assert_eq!(key.get("/api/v1/field-groups").await.page().0.len(), 1);
}

#[tokio::test]
async fn what_callers_should_not_know_is_in_no_answer() {
    let app = App::start().await;
    let key = app.account("ada").await.key;
    for answer in [key.get("/api/health").await, key.get("/nothing").await, key.post("/api/auth/login").await] {
        for name in ["server", "x-powered-by", "access-control-allow-origin"] {
            assert!(answer.all(name).is_empty(), "{name}");
        }
    }
    // A fault of the store's is a generic sentence and the request's identifier.
    let connector = &app.backend.engine.as_ref().unwrap().connector;
    connector.faults().set(|_| Some(engines::Fault::Throttling));
    let answer = key.get("/api/v1/field-groups").await;
    connector.faults().clear();
    answer.fails(503, "unavailable");
    let text = String::from_utf8(answer.body.clone()).unwrap().to_lowercase();
    for word in ["dynamo", "throttl", "table", "hedgerow", "exception"] {
        assert!(!text.contains(word), "{text}");
    }
    key.get("/api/v1/field-groups").await.expect(200);
}

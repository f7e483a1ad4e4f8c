//! Signup, login, logout and the running session.

use hedgerow_tests::app::{App, COOKIE, Caller, cookie_of};
use serde_json::{Value, json};

const SIGNUP: &str = "/api/auth/signup";
const LOGIN: &str = "/api/auth/login";

fn signup(email: &str) -> Value {
    json!({ "email": email, "password": "correct horse", "clientName": "Acme & Co." })
}

#[tokio::test]
async fn a_signup_opens_a_client_and_logs_its_owner_in() {
    let app = App::start().await;
    let answer = app.anonymous().post(SIGNUP).json(&signup("Ada@Example.com")).await;
    let data = answer.data(201);
    assert_eq!(data["user"]["email"], "Ada@Example.com");
    assert_eq!(data["user"]["role"], "owner");
    assert!(data["user"]["id"].as_str().unwrap().starts_with("usr_"));
    assert!(data["client"]["id"].as_str().unwrap().starts_with("cl_"));
    assert_eq!(data["client"]["name"], "Acme & Co.");
    assert_eq!(data["client"]["slug"], "acme-co");
    assert!(!String::from_utf8_lossy(&answer.body).contains("correct horse"));

    let cookie = answer.header("set-cookie");
    let (pair, attributes) = cookie.split_once("; ").unwrap();
    assert!(pair.starts_with(&format!("{COOKIE}=")));
    let mut attributes: Vec<&str> = attributes.split("; ").filter(|one| !one.starts_with("Max-Age=")).collect();
    attributes.sort_unstable();
    assert_eq!(attributes, ["HttpOnly", "Path=/", "SameSite=Lax", "Secure"]);

    let session = app.with_cookie(&cookie_of(&answer)).get("/api/auth/session").await;
    assert_eq!(session.data(200), data);
}

#[tokio::test]
async fn an_address_has_one_account_however_it_is_written() {
    let app = App::start().await;
    app.anonymous().post(SIGNUP).json(&signup("ada@example.com")).await.expect(201);
    for again in ["ada@example.com", "ADA@example.COM"] {
        app.anonymous().post(SIGNUP).json(&signup(again)).await.fails(409, "email_taken");
    }
    let other = app.anonymous().post(SIGNUP).json(&signup("bob@example.com")).await.data(201);
    assert_ne!(other["client"]["slug"], "acme-co", "a slug is unique");
}

#[tokio::test]
async fn of_two_signups_at_once_one_gets_the_address() {
    let app = App::start().await;
    let (one, other) = tokio::join!(
        app.anonymous().post(SIGNUP).json(&signup("ada@example.com")).into_future(),
        app.anonymous().post(SIGNUP).json(&signup("ada@example.com")).into_future(),
    );
    let mut statuses = [one.status, other.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409]);
}

#[tokio::test]
async fn a_login_starts_a_session_of_its_own() {
    let app = App::start().await;
    let account = app.account("ada").await;
    let body = json!({ "email": "ADA@example.com", "password": account.password });
    let answer = app.anonymous().post(LOGIN).json(&body).await.expect(200);
    let cookie = cookie_of(&answer);
    assert_ne!(cookie, account.cookie);
    let session = app.with_cookie(&cookie);
    assert_eq!(session.get("/api/auth/session").await.data(200), answer.data(200));

    let out = session.post("/api/auth/logout").await.expect(204);
    let cleared = out.header("set-cookie");
    assert!(cleared.starts_with(&format!("{COOKIE}=;")) && cleared.contains("Max-Age=0"), "{cleared}");
    session.get("/api/auth/session").await.fails(401, "unauthenticated");
    session.post("/api/auth/logout").await.fails(401, "unauthenticated");
    account.owner.get("/api/auth/session").await.expect(200);
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_address_read_alike() {
    let app = App::start().await;
    let account = app.account("ada").await;
    let log_in = |email: &str, password: &str| {
        let body = json!({ "email": email, "password": password });
        app.anonymous().post(LOGIN).json(&body).into_future()
    };
    let wrong = log_in(&account.email, "not the password").await;
    log_in(&account.email, "short").await.fails(401, "invalid_credentials");
    wrong.fails(401, "invalid_credentials");
    assert!(wrong.all("set-cookie").is_empty());
    let unknown = log_in("nobody@example.com", "not the password").await;
    assert_eq!(wrong.but_for_request_id(), unknown.but_for_request_id());
    for near in [account.password.to_uppercase(), format!("{} ", account.password)] {
        log_in(&account.email, &near).await.fails(401, "invalid_credentials");
    }
}

#[tokio::test]
async fn every_wrong_member_is_named_and_no_account_is_opened() {
    let app = App::start().await;
    let anyone = app.anonymous();
    let body = json!({ "email": "ada", "password": "short", "clientName": "", "plan": "gold" });
    anyone.post(SIGNUP).json(&body).await.wrong(&["clientName", "email", "password", "plan"]);
    anyone.post(SIGNUP).json(&json!({})).await.wrong(&["clientName", "email", "password"]);
    anyone.post(LOGIN).json(&json!({ "email": 7, "password": ["x"] })).await.wrong(&["email", "password"]);
    for (member, bad) in [
        ("email", json!("ada@example")),
        ("email", json!("a b@example.com")),
        ("email", json!("ada@exa\u{0}mple.com")),
        ("email", json!(format!("{}@example.com", "a".repeat(65)))),
        ("email", json!(format!("a@{}.com", "a".repeat(250)))),
        ("email", Value::Null),
        ("password", json!("seven77")),
        ("password", json!("x".repeat(257))),
        ("password", json!("with a NUL \u{0}")),
        ("clientName", json!("two\nlines")),
        ("clientName", json!("a\u{0}b")),
        ("clientName", json!("x".repeat(201))),
        ("clientName", json!("   ")),
    ] {
        let mut body = signup("ada@example.com");
        body[member] = bad;
        anyone.post(SIGNUP).json(&body).await.wrong(&[member]);
    }
    anyone.post(SIGNUP).json(&signup("ada@example.com")).await.expect(201);
}

#[tokio::test]
async fn other_cookies_may_be_anything() {
    let app = App::start().await;
    let account = app.account("ada").await;
    for cookies in [format!("theme=dünkel; {}", account.cookie), format!("{}; a; =; ;b=c=d", account.cookie)] {
        app.with_cookie(&cookies).get("/api/auth/session").await.expect(200);
    }
}

#[tokio::test]
async fn a_session_ends_with_its_time() {
    let app = App::start().await;
    let account = app.account("ada").await;
    app.clock.advance(std::time::Duration::from_secs(400 * 24 * 3600));
    account.owner.get("/api/auth/session").await.fails(401, "unauthenticated");
    account.key.get("/api/v1/field-groups").await.expect(200);
}

#[tokio::test]
async fn only_a_session_has_a_session() {
    let app = App::start().await;
    let account = app.account("ada").await;
    for (method, path) in [("GET", "/api/auth/session"), ("POST", "/api/auth/logout")] {
        account.key.call(method, path).await.fails(403, "forbidden");
        // The key counts, the cookie beside it does not.
        let both: Caller = account.key.with("cookie", &account.cookie);
        both.call(method, path).await.fails(403, "forbidden");
        app.anonymous().call(method, path).await.fails(401, "unauthenticated");
    }
    account.owner.get("/api/auth/session").await.expect(200);
}

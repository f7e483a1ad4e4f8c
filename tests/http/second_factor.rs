//! Second factors, as an authenticator app, a mailbox and a client that requires them see them.

use std::future::IntoFuture as _;
use std::time::Duration;

use hedgerow_tests::app::{App, Caller, cookie_of};
use hedgerow_tests::person::{token_in, totp_code};
use hedgerow_tests::process::PATIENCE;
use hedgerow_tests::routes::{a_path_of, routes};
use hedgerow_tests::wait::until;
use runtime::Access;
use serde_json::{Value, json};

const LOGIN: &str = "/api/auth/login";
const TOTP: &str = "/api/auth/totp";
const CONFIRM: &str = "/api/auth/totp/confirm";
const SESSION: &str = "/api/auth/session";
const NEW: &str = "four oak tables and a lamp";
const STEP: Duration = Duration::from_secs(30);

fn code(app: &App, secret: &str) -> String {
    totp_code(secret, app.clock.now())
}

/// Turns it on: the session that goes on, the secret and the recovery codes.
async fn protect(app: &App, owner: &Caller, password: &str) -> (Caller, String, Vec<String>) {
    let secret = owner.post(TOTP).json(&json!({ "password": password })).await.data(201)["secret"].clone();
    let secret = secret.as_str().unwrap().to_owned();
    let confirmed = owner.post(CONFIRM).json(&json!({ "code": code(app, &secret) })).await;
    let codes = confirmed.data(200)["recoveryCodes"].clone();
    let codes = codes.as_array().unwrap().iter().map(|code| code.as_str().unwrap().to_owned()).collect();
    (app.with_cookie(&cookie_of(&confirmed)), secret, codes)
}

/// What the link of a mail carries, once one with this subject has come.
fn token_of(app: &App, address: &str, subject: &str) -> Option<String> {
    let mut mails = app.mails_to(address).into_iter().filter(|mail| mail.subject.contains(subject));
    token_in(&mails.next()?.text).map(str::to_owned)
}

async fn told(app: &App, address: &str, count: usize) -> Vec<String> {
    until(PATIENCE, || async { app.mails_to(address).len() >= count }).await;
    let mut subjects: Vec<String> = app.mails_to(address).into_iter().map(|mail| mail.subject).collect();
    subjects.sort();
    subjects
}

#[tokio::test]
async fn an_account_is_protected_logged_in_to_and_unprotected() {
    let mut app = App::start().await;
    app.work();
    let ada = app.account("ada").await;
    let phone = app.log_in(&ada).await;
    assert_eq!(ada.owner.get(SESSION).await.data(200)["user"]["secondFactor"], false);
    ada.owner.post(CONFIRM).json(&json!({ "code": "123456" })).await.wrong(&["code"]);
    ada.owner.post(TOTP).json(&json!({ "password": "not the password" })).await.fails(401, "invalid_credentials");
    ada.owner.post(TOTP).json(&json!({})).await.wrong(&["password"]);
    ada.key.post(TOTP).json(&json!({ "password": ada.password })).await.fails(403, "forbidden");
    let started = ada.owner.post(TOTP).json(&json!({ "password": ada.password })).await.data(201);
    let secret = started["secret"].as_str().unwrap();
    let uri = format!("otpauth://totp/Hedgerow:ada%40example.com?secret={secret}&issuer=Hedgerow");
    assert_eq!((started["uri"].as_str(), secret.len()), (Some(uri.as_str()), 32));
    for bad in [json!("12345"), json!("1234567"), json!("12345a"), json!(123_456), json!(null)] {
        ada.owner.post(CONFIRM).json(&json!({ "code": bad })).await.wrong(&["code"]);
    }
    let login = |totp: Value| {
        let body = json!({ "email": ada.email, "password": ada.password, "totp": totp });
        app.anonymous().post(LOGIN).json(&body).into_future()
    };
    // Not before it is confirmed.
    login(json!(null)).await.expect(200);

    let confirmed = ada.owner.post(CONFIRM).json(&json!({ "code": code(&app, secret) })).await;
    let codes = confirmed.data(200)["recoveryCodes"].as_array().unwrap().clone();
    assert!(codes.len() == 10 && codes.iter().all(|code| code.as_str().unwrap().len() == 19));
    let owner = app.with_cookie(&cookie_of(&confirmed));
    for ended in [&phone, &ada.owner] {
        ended.get(SESSION).await.fails(401, "unauthenticated");
    }
    assert_eq!(owner.get(SESSION).await.data(200)["user"]["secondFactor"], true);

    app.clock.advance(STEP);
    let needed = app.anonymous().post(LOGIN).json(&json!({ "email": ada.email, "password": ada.password })).await;
    needed.fails(401, "totp_required");
    login(json!(null)).await.fails(401, "totp_required");
    login(json!(7)).await.wrong(&["totp"]);
    let wrong_password = json!({ "email": ada.email, "password": "not the password", "totp": code(&app, secret) });
    let refused = app.anonymous().post(LOGIN).json(&wrong_password).await;
    let wrong_code = login(json!("000 000")).await;
    refused.fails(401, "invalid_credentials");
    assert_eq!(wrong_code.but_for_request_id(), refused.but_for_request_id());
    let now = code(&app, secret);
    login(json!(now)).await.expect(200);
    login(json!(now)).await.fails(401, "invalid_credentials");
    login(codes[0].clone()).await.expect(200);
    login(codes[0].clone()).await.fails(401, "invalid_credentials");

    owner.delete(TOTP).json(&json!({ "password": "not the password" })).await.fails(401, "invalid_credentials");
    owner.delete(TOTP).json(&json!({})).await.wrong(&["password"]);
    for _ in 0..2 {
        owner.delete(TOTP).json(&json!({ "password": ada.password })).await.expect(204);
    }
    login(json!(null)).await.expect(200);
    let subjects = told(&app, &ada.email, 3).await;
    let expected =
        ["New login to your account", "Your second factor was turned off", "Your second factor was turned on"];
    assert_eq!(subjects, expected);
}

#[tokio::test]
async fn wrong_codes_lock_the_account_and_its_mailbox_is_told() {
    let mut app = App::start().await;
    app.work();
    let ada = app.account("ada").await;
    let (owner, secret, codes) = protect(&app, &ada.owner, &ada.password).await;
    app.clock.advance(STEP);
    let login = |totp: &str| {
        let body = json!({ "email": ada.email, "password": ada.password, "totp": totp });
        app.anonymous().post(LOGIN).json(&body).into_future()
    };
    for _ in 0..10 {
        login("000000 ").await.fails(401, "invalid_credentials");
    }
    for right in [code(&app, &secret), codes[0].clone()] {
        login(&right).await.fails(401, "invalid_credentials");
    }
    // Locked, it is not told that a code is needed.
    let body = json!({ "email": ada.email, "password": ada.password });
    app.anonymous().post(LOGIN).json(&body).await.fails(401, "invalid_credentials");
    owner.get(SESSION).await.expect(200);
    assert!(told(&app, &ada.email, 2).await.contains(&"Your account is locked for a while".to_owned()));
    app.clock.advance(Duration::from_secs(30 * 60));
    login(&code(&app, &secret)).await.expect(200);
}

#[tokio::test]
async fn a_new_password_by_mail_does_not_do_without_it() {
    let mut app = App::start().await;
    app.work();
    let ada = app.account("ada").await;
    let (owner, _, codes) = protect(&app, &ada.owner, &ada.password).await;
    app.anonymous().post("/api/auth/password-reset").json(&json!({ "email": ada.email })).await.expect(202);
    let token = || token_of(&app, &ada.email, "Set a new password");
    until(PATIENCE, || async { token().is_some() }).await;
    let body = json!({ "token": token().unwrap(), "password": NEW });
    app.anonymous().post("/api/auth/password-reset/confirm").json(&body).await.expect(204);
    owner.get(SESSION).await.fails(401, "unauthenticated");
    let mut body = json!({ "email": ada.email, "password": NEW });
    app.anonymous().post(LOGIN).json(&body).await.fails(401, "totp_required");
    body["totp"] = json!(codes[0]);
    app.anonymous().post(LOGIN).json(&body).await.expect(200);
}

#[tokio::test]
async fn an_invitation_needs_it_where_there_is_one() {
    let mut app = App::start().await;
    app.work();
    let (ada, bob) = (app.account("ada").await, app.account("bob").await);
    let (_, secret, _) = protect(&app, &bob.owner, &bob.password).await;
    app.clock.advance(STEP);
    let body = json!({ "email": bob.email, "role": "editor" });
    ada.owner.post("/api/v1/members/invitations").json(&body).await.expect(201);
    let token = || token_of(&app, &bob.email, "Invitation");
    until(PATIENCE, || async { token().is_some() }).await;
    let accept = |totp: Value| {
        let body = json!({ "token": token().unwrap(), "password": NEW, "totp": totp });
        app.anonymous().post("/api/auth/invitations/accept").json(&body).into_future()
    };
    accept(json!(null)).await.fails(401, "totp_required");
    accept(json!("000000 ")).await.fails(401, "invalid_credentials");
    assert_eq!(accept(json!(code(&app, &secret))).await.data(200)["clients"].as_array().unwrap().len(), 2);
}

/// The password is asked for again, and counts wherever it is.
#[tokio::test]
async fn wrong_passwords_lock_whoever_would_set_one_up() {
    let mut app = App::start().await;
    app.work();
    let ada = app.account("ada").await;
    for _ in 0..10 {
        ada.owner.post(TOTP).json(&json!({ "password": "not the password" })).await.fails(401, "invalid_credentials");
    }
    ada.owner.post(TOTP).json(&json!({ "password": ada.password })).await.fails(401, "invalid_credentials");
    assert_eq!(told(&app, &ada.email, 1).await, ["Your account is locked for a while"]);
}

/// Neither by invitations nor by resets, as many as somebody likes, can codes be guessed.
#[tokio::test]
async fn whoever_reads_the_mailbox_can_not_guess_codes() {
    let mut app = App::start().await;
    app.work();
    let (ada, bob) = (app.account("ada").await, app.account("bob").await);
    let (_, secret, codes) = protect(&app, &bob.owner, &bob.password).await;
    app.clock.advance(STEP);
    let body = json!({ "email": bob.email, "role": "editor" });
    ada.owner.post("/api/v1/members/invitations").json(&body).await.expect(201);
    let token = |subject: &str| token_of(&app, &bob.email, subject);
    until(PATIENCE, || async { token("Invitation").is_some() }).await;
    let accept = |body: Value| app.anonymous().post("/api/auth/invitations/accept").json(&body).into_future();
    let invitation = token("Invitation").unwrap();
    // What else is wrong is told whatever the code is.
    for totp in [code(&app, &secret), "000000 ".to_owned()] {
        accept(json!({ "token": invitation, "totp": totp })).await.wrong(&["password"]);
    }
    let login = |password: &str, totp: Option<&str>| {
        let body = json!({ "email": bob.email, "password": password, "totp": totp });
        app.anonymous().post(LOGIN).json(&body).into_future()
    };
    for _ in 0..10 {
        let body = json!({ "token": invitation, "password": NEW, "totp": "000000 " });
        accept(body).await.fails(401, "invalid_credentials");
    }
    until(PATIENCE, || async { app.mails_to(&bob.email).iter().any(|mail| mail.subject.contains("locked")) }).await;
    for right in [code(&app, &secret), codes[0].clone()] {
        let body = json!({ "token": invitation, "password": NEW, "totp": right });
        accept(body).await.fails(401, "invalid_credentials");
    }
    app.anonymous().post("/api/auth/password-reset").json(&json!({ "email": bob.email })).await.expect(202);
    until(PATIENCE, || async { token("Set a new").is_some() }).await;
    let body = json!({ "token": token("Set a new").unwrap(), "password": NEW });
    app.anonymous().post("/api/auth/password-reset/confirm").json(&body).await.expect(204);
    login(NEW, Some(&codes[0])).await.fails(401, "invalid_credentials");
    app.clock.advance(Duration::from_secs(30 * 60));
    login(NEW, Some(&codes[0])).await.expect(200);
}

/// Where a client requires it, whoever has none reaches only what it takes to set one up.
#[tokio::test]
async fn a_client_may_require_it_of_its_members() {
    let app = App::start().await;
    let ada = app.account("ada").await;
    ada.owner.get("/api/v1/members").await.expect(200);
    ada.owner.patch("/api/v1/client").json(&json!({ "requireTotp": true })).await.expect(200);
    // Within what is believed without asking again.
    app.clock.advance(Duration::from_secs(5));
    // What ends sessions comes last.
    let mut entered: Vec<_> = routes().filter(|route| matches!(route.access, Access::Credential { .. })).collect();
    entered.sort_by_key(|route| matches!(route.id, "log-out" | "end-other-sessions"));
    for route in entered {
        let asking = app.log_in(&ada).await;
        let answer = asking.call(route.method.name(), &a_path_of(route)).await;
        let refused = answer.status == 403 && answer.json()["message"].as_str().unwrap().contains("second factor");
        let of_ones_own = route.path.starts_with("/api/auth/");
        let by_key_alone = answer.status == 403 && !refused;
        assert!(refused || of_ones_own || by_key_alone, "{}: {answer}", route.id);
        assert!(!refused || !of_ones_own, "{}: {answer}", route.id);
    }
    // API keys are nobody's sessions.
    ada.key.get("/api/v1/field-groups").await.expect(200);
    let asking = app.log_in(&ada).await;
    asking.get("/api/v1/members").await.fails(403, "forbidden");
    let (owner, _, _) = protect(&app, &asking, &ada.password).await;
    owner.get("/api/v1/members").await.expect(200);
    owner.delete(TOTP).json(&json!({ "password": ada.password })).await.expect(204);
    owner.get("/api/v1/members").await.fails(403, "forbidden");
}

//! People: sessions, passwords, members and invitations, as a browser and a mailbox see them.

use std::future::IntoFuture as _;
use std::time::Duration;

use hedgerow_tests::app::{Account, App, Caller, cookie_of, id};
use hedgerow_tests::person::token_in;
use hedgerow_tests::process::PATIENCE;
use hedgerow_tests::routes::{a_path_of, routes};
use hedgerow_tests::wait::until;
use runtime::Access;
use serde_json::{Value, json};

const LOGIN: &str = "/api/auth/login";
const SESSIONS: &str = "/api/auth/sessions";
const PASSWORD: &str = "/api/auth/password";
const RESET: &str = "/api/auth/password-reset";
const ACCEPT: &str = "/api/auth/invitations/accept";
const MEMBERS: &str = "/api/v1/members";
const INVITATIONS: &str = "/api/v1/members/invitations";
const NEW: &str = "four oak tables and a lamp";

async fn log_in(app: &App, email: &str, password: &str) -> Caller {
    let body = json!({ "email": email, "password": password });
    app.with_cookie(&cookie_of(&app.anonymous().post(LOGIN).json(&body).await.expect(200)))
}

/// The token of the newest mail to an address, of so many.
async fn mailed(app: &App, address: &str, count: usize) -> String {
    let tokens = || {
        let mails = app.mails_to(address).into_iter();
        mails.filter_map(|mail| token_in(&mail.text).map(str::to_owned))
    };
    until(PATIENCE, || async { tokens().count() >= count }).await;
    tokens().nth(count - 1).unwrap()
}

/// The subjects of the mails to an address, of which there are so many.
async fn told(app: &App, address: &str, count: usize) -> Vec<String> {
    until(PATIENCE, || async { app.mails_to(address).len() >= count }).await;
    let mut subjects: Vec<String> = app.mails_to(address).into_iter().map(|mail| mail.subject).collect();
    subjects.sort();
    subjects
}

async fn invited(app: &App, by: &Caller, email: &str, role: &str) -> Value {
    by.post(INVITATIONS).json(&json!({ "email": email, "role": role })).await.data(201);
    let token = mailed(app, email, 1).await;
    app.anonymous().post(ACCEPT).json(&json!({ "token": token, "password": NEW })).await.data(200)
}

#[tokio::test]
async fn a_colleague_is_invited_works_and_leaves() {
    let mut app = App::start().await;
    app.work();
    let ada = app.account("ada").await;
    let invitation = ada.owner.post(INVITATIONS).json(&json!({ "email": "bob@example.com", "role": "viewer" })).await;
    let invitation = invitation.data(201);
    assert_eq!((&invitation["email"], &invitation["role"]), (&json!("bob@example.com"), &json!("viewer")));
    let token = mailed(&app, "bob@example.com", 1).await;
    assert_eq!(ada.owner.get(INVITATIONS).await.page().0, std::slice::from_ref(&invitation));

    let accept = |body: Value| app.anonymous().post(ACCEPT).json(&body).into_future();
    accept(json!({ "token": token })).await.wrong(&["password"]);
    accept(json!({ "token": 7, "password": "short" })).await.wrong(&["password", "token"]);
    accept(json!({ "token": "x", "password": NEW })).await.fails(401, "unauthenticated");
    accept(json!({ "token": "A".repeat(43), "password": NEW })).await.fails(401, "unauthenticated");
    let accepted = accept(json!({ "token": token, "password": NEW })).await;
    let info = accepted.data(200);
    let bob = app.with_cookie(&cookie_of(&accepted));
    assert_eq!(bob.get("/api/auth/session").await.data(200), info);
    assert_eq!(info["clients"].as_array().unwrap().len(), 1);
    accept(json!({ "token": token, "password": NEW })).await.fails(401, "unauthenticated");
    bob.get("/api/v1/field-groups").await.expect(200);
    bob.post("/api/v1/field-groups").json(&json!({ "key": "a", "name": "A" })).await.fails(403, "forbidden");
    bob.get(MEMBERS).await.fails(403, "forbidden");
    ada.key.get(MEMBERS).await.fails(403, "forbidden");

    let path = format!("{MEMBERS}/{}", id(&info["user"]));
    let changed = ada.owner.patch(&path).json(&json!({ "role": "editor" })).await;
    assert_eq!((changed.header("etag"), &changed.data(200)["role"]), ("\"2\"", &json!("editor")));
    bob.get("/api/v1/field-groups").await.fails(401, "unauthenticated");
    let bob = log_in(&app, "bob@example.com", NEW).await;
    bob.post("/api/v1/field-groups").json(&json!({ "key": "a", "name": "A" })).await.expect(201);
    bob.delete(&format!("{MEMBERS}/{}", id(&ada.owner.get("/api/auth/session").await.data(200)["user"])))
        .await
        .fails(403, "forbidden");
    bob.delete(&path).await.expect(204);
    bob.get("/api/auth/session").await.fails(401, "unauthenticated");
    app.anonymous()
        .post(LOGIN)
        .json(&json!({ "email": "bob@example.com", "password": NEW }))
        .await
        .fails(403, "forbidden");
    ada.owner.delete(&path).await.fails(404, "member_not_found");
}

#[tokio::test]
async fn an_invitation_is_taken_back_and_one_repeated_is_one() {
    let mut app = App::start().await;
    app.work();
    let ada = app.account("ada").await;
    let body = json!({ "email": "bob@example.com", "role": "admin" });
    let first = ada.owner.post(INVITATIONS).json(&body).once("once").await.data(201);
    let again = ada.owner.post(INVITATIONS).json(&body).once("once").await;
    assert_eq!((again.header("idempotency-replayed"), &again.data(201)), ("true", &first));
    let token = mailed(&app, "bob@example.com", 1).await;
    let path = format!("{INVITATIONS}/{}", id(&first));
    ada.owner.delete(&path).await.expect(204);
    ada.owner.delete(&path).await.fails(404, "invitation_not_found");
    app.anonymous().post(ACCEPT).json(&json!({ "token": token, "password": NEW })).await.fails(401, "unauthenticated");
    let member = json!({ "email": "ada@example.com", "role": "admin" });
    ada.owner.post(INVITATIONS).json(&member).once("member").await.wrong(&["email"]);
    let [first, second] = ["viewer", "editor"].map(|role| json!({ "email": "eve@example.com", "role": role }));
    ada.owner.post(INVITATIONS).json(&first).await.expect(201);
    let second = ada.owner.post(INVITATIONS).json(&second).await.data(201);
    assert_eq!(ada.owner.get(INVITATIONS).await.page().0, [second], "another one takes the place of the first");
    ada.owner.post(INVITATIONS).json(&json!({ "email": "x", "role": "king" })).await.wrong(&["email", "role"]);
    let other = app.account("eve").await;
    other.owner.get(INVITATIONS).await.expect(200);
    assert!(other.owner.get(INVITATIONS).await.page().0.is_empty());
}

#[tokio::test]
async fn an_admin_manages_all_but_owners_and_the_last_owner_stays() {
    let mut app = App::start().await;
    app.work();
    let ada = app.account("ada").await;
    invited(&app, &ada.owner, "bob@example.com", "admin").await;
    let bob = log_in(&app, "bob@example.com", NEW).await;
    let own = format!("{MEMBERS}/{}", id(&ada.owner.get("/api/auth/session").await.data(200)["user"]));
    bob.delete(&own).await.fails(403, "forbidden");
    bob.patch(&own).json(&json!({ "role": "viewer" })).await.fails(403, "forbidden");
    bob.post(INVITATIONS).json(&json!({ "email": "eve@example.com", "role": "owner" })).await.fails(403, "forbidden");
    ada.owner.delete(&own).await.fails(409, "last_owner");
    ada.owner.patch(&own).json(&json!({ "role": "admin" })).await.fails(409, "last_owner");
    invited(&app, &bob, "carl@example.com", "viewer").await;
    assert_eq!(bob.get(MEMBERS).await.page().0.len(), 3);
}

#[tokio::test]
async fn ones_sessions_are_seen_and_ended() {
    let app = App::start().await;
    let ada = app.account("ada").await;
    let phone = log_in(&app, &ada.email, &ada.password).await;
    let sessions = ada.owner.get(SESSIONS).await.page().0;
    assert_eq!(sessions.iter().map(|session| session["current"].as_bool().unwrap()).collect::<Vec<_>>(), [false, true]);
    assert_eq!(sessions[0]["address"], "127.0.0.1");
    ada.owner.delete(&format!("{SESSIONS}/{}", id(&sessions[0]))).await.expect(204);
    phone.get("/api/auth/session").await.fails(401, "unauthenticated");
    ada.owner.delete(&format!("{SESSIONS}/{}", id(&sessions[0]))).await.fails(404, "session_not_found");
    let phone = log_in(&app, &ada.email, &ada.password).await;
    ada.owner.delete(SESSIONS).await.expect(204);
    phone.get("/api/auth/session").await.fails(401, "unauthenticated");
    ada.owner.get("/api/auth/session").await.expect(200);
    ada.key.get(SESSIONS).await.fails(403, "forbidden");
    app.clock.advance(Duration::from_secs(30 * 60));
    ada.owner.get("/api/auth/session").await.fails(401, "unauthenticated");
}

#[tokio::test]
async fn a_password_is_changed_and_told_by_mail() {
    let mut app = App::start().await;
    app.work();
    let ada = app.account("ada").await;
    let phone = log_in(&app, &ada.email, &ada.password).await;
    let change = |caller: &Caller, current: &str, new: &str| {
        let body = json!({ "currentPassword": current, "newPassword": new });
        caller.post(PASSWORD).json(&body).into_future()
    };
    change(&ada.owner, "not the password", NEW).await.fails(401, "invalid_credentials");
    change(&ada.owner, &ada.password, "password1234").await.wrong(&["newPassword"]);
    change(&ada.owner, &ada.password, "too short").await.wrong(&["newPassword"]);
    change(&ada.owner, &ada.password, NEW).await.expect(204);
    ada.owner.get("/api/auth/session").await.expect(200);
    phone.get("/api/auth/session").await.fails(401, "unauthenticated");
    log_in(&app, &ada.email, NEW).await;
    assert_eq!(told(&app, &ada.email, 2).await, ["New login to your account", "Your password was changed"]);
}

#[tokio::test]
async fn a_password_is_set_anew_by_mail() {
    let mut app = App::start().await;
    app.work();
    let ada = app.account("ada").await;
    let request = |email: &str| app.anonymous().post(RESET).json(&json!({ "email": email })).into_future();
    let (known, unknown) = (request("ADA@example.com").await, request("nobody@example.com").await);
    assert_eq!(known.data(202), json!({}));
    assert_eq!(known.but_for_request_id(), unknown.but_for_request_id());
    let first = mailed(&app, &ada.email, 1).await;
    request(&ada.email).await.expect(202);
    let second = mailed(&app, &ada.email, 2).await;
    let confirm = |token: &str, password: &str| {
        let body = json!({ "token": token, "password": password });
        app.anonymous().post("/api/auth/password-reset/confirm").json(&body).into_future()
    };
    confirm(&first, NEW).await.fails(401, "unauthenticated");
    confirm(&second, "adaada-adaada").await.wrong(&["password"]);
    confirm(&second, NEW).await.expect(204);
    confirm(&second, NEW).await.fails(401, "unauthenticated");
    ada.owner.get("/api/auth/session").await.fails(401, "unauthenticated");
    log_in(&app, &ada.email, NEW).await;
    assert!(app.mails_to("nobody@example.com").is_empty());
}

#[tokio::test]
async fn wrong_passwords_lock_an_account_without_telling() {
    let mut app = App::start().await;
    app.work();
    let ada: Account = app.account("ada").await;
    let attempt = |password: &str| {
        let body = json!({ "email": ada.email, "password": password });
        app.anonymous().post(LOGIN).json(&body).into_future()
    };
    let wrong = attempt("not the password").await;
    for _ in 1..10 {
        attempt("not the password").await.fails(401, "invalid_credentials");
    }
    let locked = attempt(&ada.password).await;
    assert_eq!(locked.but_for_request_id(), wrong.but_for_request_id());
    ada.owner.get("/api/auth/session").await.expect(200);
    assert_eq!(told(&app, &ada.email, 1).await, ["Your account is locked for a while"]);
    app.clock.advance(Duration::from_secs(30 * 60));
    // What is long ago counts no more, and is counted anew.
    attempt("not the password").await.fails(401, "invalid_credentials");
    for _ in 0..2 {
        attempt(&ada.password).await.expect(200);
    }
    assert_eq!(told(&app, &ada.email, 2).await, ["New login to your account", "Your account is locked for a while"]);
}

#[tokio::test]
async fn whoever_has_an_account_joins_with_it() {
    let mut app = App::start().await;
    app.work();
    let (ada, bob) = (app.account("ada").await, app.account("bob").await);
    ada.owner.post(INVITATIONS).json(&json!({ "email": bob.email, "role": "editor" })).await.expect(201);
    let token = mailed(&app, &bob.email, 1).await;
    let accept = |body: Value| app.anonymous().post(ACCEPT).json(&body).into_future();
    // Whoever opened the account has not shown to read the mail: its reader sets the password.
    accept(json!({ "token": token })).await.wrong(&["password"]);
    let info = accept(json!({ "token": token, "password": NEW })).await.data(200);
    let roles: Vec<_> = info["clients"].as_array().unwrap().iter().map(|client| client["role"].clone()).collect();
    assert_eq!(roles.len(), 2);
    assert!(roles.contains(&json!("owner")) && roles.contains(&json!("editor")));
    bob.owner.get("/api/auth/session").await.fails(401, "unauthenticated");
    let wrong = json!({ "email": bob.email, "password": bob.password });
    app.anonymous().post(LOGIN).json(&wrong).await.fails(401, "invalid_credentials");
    let own = info["clients"].as_array().unwrap().iter().find(|client| client["role"] == "owner").unwrap();
    let body = json!({ "email": bob.email, "password": NEW, "clientId": own["id"] });
    assert_eq!(app.anonymous().post(LOGIN).json(&body).await.data(200)["client"]["id"], own["id"]);
}

/// A read stays a read for a minute; then the use is written down, whatever is asked for.
#[tokio::test]
async fn every_route_that_takes_sessions_notes_their_use() {
    let app = App::start().await;
    let account = app.account("ada").await;
    let updates =
        || app.backend.engine.as_ref().unwrap().connector.trace().snapshot().used("UpdateItem", "hedgerow-log");
    for route in routes().filter(|route| matches!(route.access, Access::Credential { .. })) {
        let owner = app.log_in(&account).await;
        app.clock.advance(Duration::from_secs(60));
        let before = updates();
        owner.call(route.method.name(), &a_path_of(route)).await;
        assert!(updates() > before, "{}", route.id);
    }
}

//! The client itself: renamed, closed, restored, and erased.

use std::future::IntoFuture as _;
use std::time::Duration;

use hedgerow_tests::app::{Account, App, Caller, cookie_of, entities, id};
use hedgerow_tests::person::token_in;
use hedgerow_tests::process::PATIENCE;
use hedgerow_tests::routes::{a_path_of, routes};
use hedgerow_tests::wait::until;
use runtime::Access;
use runtime::spec::access::SessionAccess;
use serde_json::{Value, json};
use store::tables::Table;

use crate::embed_tokens::{bearing, token};

const CLIENT: &str = "/api/v1/client";
const RESTORE: &str = "/api/v1/client/restore";
const DAY: Duration = Duration::from_secs(24 * 3600);
const NEW: &str = "four oak tables and a lamp";

/// How long what is closed may be believed open elsewhere.
const CACHE_TTL: Duration = Duration::from_secs(6);

async fn close(account: &Account, owner: &Caller) -> Value {
    owner.delete(CLIENT).json(&json!({ "password": account.password })).await.data(202)
}

/// A colleague of an account's owner, logged in.
async fn colleague(app: &App, by: &Caller, email: &str, role: &str) -> Caller {
    by.post("/api/v1/members/invitations").json(&json!({ "email": email, "role": role })).await.expect(201);
    let link = || {
        let mails = app.mails_to(email);
        let text = &mails.first()?.text;
        token_in(text).map(str::to_owned)
    };
    until(PATIENCE, || async { link().is_some() }).await;
    let body = json!({ "token": link().unwrap(), "password": NEW });
    app.with_cookie(&cookie_of(&app.anonymous().post("/api/auth/invitations/accept").json(&body).await.expect(200)))
}

#[tokio::test]
async fn a_client_is_renamed_by_its_admins() {
    let app = App::start().await;
    let ada = app.account("ada").await;
    let before = ada.owner.get(CLIENT).await;
    assert_eq!(before.etag(), "\"1\"");
    let before = before.data(200);
    assert_eq!((&before["requireTotp"], &before["closedAt"]), (&json!(false), &Value::Null));
    let change = |body: Value| ada.owner.patch(CLIENT).json(&body);
    let renamed = change(json!({ "name": "  Łódź & Co  ", "requireTotp": true })).at("\"1\"").await;
    assert_eq!(renamed.etag(), "\"2\"");
    let renamed = renamed.data(200);
    assert_eq!((&renamed["name"], &renamed["requireTotp"]), (&json!("Łódź & Co"), &json!(true)));
    assert_eq!((&renamed["slug"], &renamed["id"]), (&before["slug"], &before["id"]));
    assert_eq!(ada.owner.get("/api/auth/session").await.data(200)["client"], renamed);
    assert_eq!(change(json!({ "name": "Łódź & Co" })).await.etag(), "\"2\"");
    change(json!({ "name": "Late" })).at("\"1\"").await.fails(409, "version_conflict");
    let wrong = json!({ "name": "", "requireTotp": "yes", "slug": "mine" });
    change(wrong).await.wrong(&["name", "requireTotp", "slug"]);
    change(json!({ "name": null, "requireTotp": null })).await.wrong(&["name", "requireTotp"]);
    change(json!({ "name": "x".repeat(201) })).await.wrong(&["name"]);
    ada.key.get(CLIENT).await.fails(403, "forbidden");
    app.set_role(&ada, "editor").await;
    ada.owner.get(CLIENT).await.fails(403, "forbidden");
    change(json!({ "name": "Mine" })).await.fails(403, "forbidden");
    let eve = app.account("eve").await;
    app.set_role(&eve, "admin").await;
    eve.owner.patch(CLIENT).json(&json!({ "name": "Mine" })).await.expect(200);
    eve.owner.delete(CLIENT).json(&json!({ "password": eve.password })).await.fails(403, "forbidden");
    eve.owner.post(RESTORE).await.fails(403, "forbidden");
}

#[tokio::test]
async fn a_closed_client_is_its_owners_to_see_and_to_restore() {
    let mut app = App::start().await;
    app.work();
    let ada = app.account("ada").await;
    let bob = colleague(&app, &ada.owner, "bob@example.com", "admin").await;
    ada.owner
        .post("/api/v1/members/invitations")
        .json(&json!({ "email": "eve@example.com", "role": "viewer" }))
        .await
        .expect(201);
    ada.key.group("product").await;
    let page = bearing(&app.anonymous(), &token(&ada.key, &json!({ "tenantId": "acme" })).await);
    let fields = "/api/v1/tenants/acme/field-groups/product/fields";
    page.get(fields).await.expect(200);
    let other = app.account("other").await;
    let job = close(&ada, &ada.owner).await;
    assert_eq!((&job["kind"], &job["status"]), (&json!("client_erasure"), &json!("pending")));

    until(PATIENCE, || async { app.mails_to(&ada.email).iter().any(|mail| mail.subject == "“ada” was closed") }).await;
    assert!(app.mails_to("bob@example.com").iter().all(|mail| !mail.subject.contains("closed")), "owners alone");

    app.clock.advance(CACHE_TTL);
    ada.key.get("/api/v1/field-groups").await.fails(401, "unauthenticated");
    page.get(fields).await.fails(401, "unauthenticated");
    bob.get("/api/auth/session").await.fails(401, "unauthenticated");
    let log_in = |email: &str, password: &str, client: Value| {
        let body = json!({ "email": email, "password": password, "clientId": client });
        app.anonymous().post("/api/auth/login").json(&body).into_future()
    };
    log_in("bob@example.com", NEW, Value::Null).await.fails(403, "forbidden");
    until(PATIENCE, || async { app.mails_to("eve@example.com").len() == 1 }).await;
    let invited = app.mails_to("eve@example.com")[0].text.clone();
    let invited = token_in(&invited).unwrap();
    let accepted = json!({ "token": invited, "password": NEW });
    app.anonymous().post("/api/auth/invitations/accept").json(&accepted).await.fails(401, "unauthenticated");

    let owner = app.log_in(&ada).await;
    let seen = owner.get(CLIENT).await.data(200);
    assert!(seen["closedAt"].is_string() && seen["version"] == 2);
    log_in(&ada.email, &ada.password, seen["id"].clone()).await.expect(200);
    assert_eq!(owner.get(&format!("/api/v1/jobs/{}", id(&job))).await.data(200), job);
    let seeing = ["get-client", "restore-client", "get-job", "create-portal"];
    let of_client = |route: &&runtime::Route| {
        let session = matches!(route.access, Access::Credential { session, .. } if session != SessionAccess::Refused);
        session && !route.path.starts_with("/api/auth/") && !seeing.contains(&route.id)
    };
    for route in routes().filter(of_client) {
        owner.call(route.method.name(), &a_path_of(route)).await.fails(403, "forbidden");
    }

    // What is paid for can be ended.
    owner.post("/api/v1/subscription/portal").await.fails(409, "billing_not_configured");

    owner.post(RESTORE).at("\"1\"").once("stale").await.fails(409, "version_conflict");
    let restored = owner.post(RESTORE).at("\"2\"").once("once").await.data(200);
    assert_eq!(owner.post(RESTORE).at("\"2\"").once("once").await.data(200), restored);
    assert_eq!((&restored["closedAt"], &restored["version"]), (&Value::Null, &json!(3)));
    assert_eq!(owner.post(RESTORE).await.data(200), restored, "what is open stays as it is");
    app.clock.advance(CACHE_TTL);
    ada.key.get("/api/v1/field-groups").await.expect(200);
    page.get(fields).await.expect(200);
    bob.get("/api/auth/session").await.fails(401, "unauthenticated");
    log_in("bob@example.com", NEW, Value::Null).await.expect(200);
    owner.get(&format!("/api/v1/jobs/{}", id(&job))).await.fails(404, "job_not_found");
    close(&other, &app.log_in(&other).await).await;
    app.clock.advance(31 * DAY);
    until(PATIENCE, || async { !items(&app).iter().any(|item| item.contains(&other.email)) }).await;
    let owner = app.log_in(&ada).await;
    owner.get(CLIENT).await.expect(200);
}

#[tokio::test]
async fn closing_wants_the_password_and_wrong_ones_lock_the_account() {
    let mut app = App::start().await;
    app.work();
    let ada = app.account("ada").await;
    let attempt = |body: Value| ada.owner.delete(CLIENT).json(&body);
    attempt(json!({})).await.wrong(&["password"]);
    attempt(json!({ "password": ada.password, "sure": true })).await.wrong(&["sure"]);
    attempt(json!({ "password": ada.password })).at("\"7\"").await.fails(409, "version_conflict");
    for _ in 0..10 {
        attempt(json!({ "password": "not the password" })).await.fails(401, "invalid_credentials");
    }
    attempt(json!({ "password": ada.password })).await.fails(401, "invalid_credentials");
    until(PATIENCE, || async { app.mails_to(&ada.email).iter().any(|mail| mail.subject.contains("locked")) }).await;
    assert_eq!(ada.owner.get(CLIENT).await.data(200)["closedAt"], Value::Null);
}

/// All items of the tables, as texts, but for what has passed.
fn items(app: &App) -> Vec<String> {
    let (engine, now) = (app.backend.engine.as_ref().unwrap(), app.clock.now().seconds());
    let mut all = Vec::new();
    for table in Table::ALL {
        let items = engine.engines.dynamo.items(app.backend.tables.of(table)).unwrap();
        let over = |item: &Value| item["ttl"]["N"].as_str().is_some_and(|ttl| ttl.parse::<i64>().unwrap() < now);
        // The audit log tells of the erasure, and is kept.
        let told =
            |item: &Value| ["A#", "AH#", "AD#"].iter().any(|kind| item["pk"]["S"].as_str().unwrap().starts_with(kind));
        all.extend(items.into_iter().filter(|item| !over(item) && !told(item)).map(|item| item.to_string()));
    }
    all
}

/// Something of every kind, also deleted.
async fn live(ada: &Account) {
    let key = &ada.key;
    let text = json!({ "type": "string" });
    let product = key.group("product").await;
    for _ in 0..2 {
        let again = key.group("again").await;
        key.delete(&format!("/api/v1/field-groups/{}", id(&again))).await.expect(204);
    }
    let gone = key.global("gone", text.clone(), &[&product]).await;
    key.delete(&format!("/api/v1/global-fields/{}", id(&gone))).await.expect(204);
    key.global("title", text.clone(), &[&product]).await;
    for tenant in ["acme", "globex"] {
        let own = key.own(tenant, "product", "gone", text.clone()).await;
        let own = format!("/api/v1/tenants/{tenant}/field-groups/product/fields/{}", id(&own));
        key.delete(&own).await.expect(204);
        key.own(tenant, "product", "color", text.clone()).await;
        for entity in 0..30 {
            key.save(tenant, "product", &format!("sku-{entity}"), json!({ "title": "x" })).await;
        }
        let values = format!("/api/v1/tenants/{tenant}/field-groups/product/entities/sku-0/values");
        key.delete(&values).await.expect(204);
    }
    key.post("/api/v1/tenants/unused/embed-tokens/revoke").await.expect(204);
    let origins = json!({ "cors": { "origins": ["https://app.example.com"] } });
    ada.owner.patch("/api/v1/settings").json(&origins).await.expect(200);
    key.post(&format!("{}/sku-1/values", entities("acme", "product"))).once("once").json(&json!({})).await.expect(200);
    let hook = json!({ "url": "http://127.0.0.1:9/", "events": ["*"], "active": false });
    let hook = key.post("/api/v1/webhooks").json(&hook).await.data(201);
    key.save("acme", "product", "told", json!({ "title": "x" })).await;
    let deliveries = format!("/api/v1/webhooks/{}/deliveries", id(&hook));
    until(PATIENCE, || async { !key.get(&deliveries).await.page().0.is_empty() }).await;
    let recover = json!({ "since": "2020-01-01T00:00:00Z" });
    key.post(&format!("/api/v1/webhooks/{}/recover", id(&hook))).json(&recover).await.expect(202);
}

#[tokio::test]
async fn after_thirty_days_nothing_of_a_client_is_left_and_everything_of_others() {
    let mut app = App::start().await;
    app.work();
    let (ada, eve) = (app.account("ada").await, app.account("eve").await);
    eve.key.group("product").await;
    eve.key.save("acme", "product", "sku-1", json!({})).await;
    live(&ada).await;
    let bob = colleague(&app, &ada.owner, "bob@example.com", "editor").await;
    let invitation = json!({ "email": "open@example.com", "role": "viewer" });
    ada.owner.post("/api/v1/members/invitations").json(&invitation).await.expect(201);
    // Eve is a member of both.
    let eve_too = json!({ "email": eve.email, "role": "viewer" });
    ada.owner.post("/api/v1/members/invitations").json(&eve_too).await.expect(201);
    until(PATIENCE, || async { app.mails_to(&eve.email).len() == 1 }).await;
    let mail = app.mails_to(&eve.email)[0].text.clone();
    let link = token_in(&mail).unwrap();
    let accept = json!({ "token": link, "password": NEW });
    app.anonymous().post("/api/auth/invitations/accept").json(&accept).await.expect(200);

    let info = ada.owner.get("/api/auth/session").await.data(200);
    let bob = bob.get("/api/auth/session").await.data(200);
    let key = ada.owner.get("/api/v1/api-keys").await.page().0[0].clone();
    let webhook = ada.key.get("/api/v1/webhooks").await.page().0[0].clone();
    let ids = [&info["client"]["id"], &info["user"]["id"], &bob["user"]["id"], &key["id"], &webhook["id"]];
    let slug = format!("\"S#{}\"", info["client"]["slug"].as_str().unwrap());
    let traces: Vec<String> = ids.iter().map(|id| id.as_str().unwrap().to_owned()).chain([slug]).collect();
    let left = |all: &[String]| {
        all.iter().filter(|item| traces.iter().any(|trace| item.contains(trace))).cloned().collect::<Vec<_>>()
    };
    assert!(left(&items(&app)).len() > 90);

    close(&ada, &ada.owner).await;
    app.clock.advance(29 * DAY);
    let owner = app.log_in(&ada).await;
    owner.get(CLIENT).await.expect(200);
    app.clock.advance(DAY + Duration::from_secs(3600));
    until(PATIENCE, || async { left(&items(&app)).is_empty() }).await;

    app.clock.advance(CACHE_TTL);
    ada.key.get("/api/v1/field-groups").await.fails(401, "unauthenticated");
    owner.get(CLIENT).await.fails(401, "unauthenticated");
    let log_in = |email: &str, password: &str| {
        let body = json!({ "email": email, "password": password });
        app.anonymous().post("/api/auth/login").json(&body).into_future()
    };
    log_in(&ada.email, &ada.password).await.fails(401, "invalid_credentials");
    eve.key.get("/api/v1/tenants/acme/field-groups/product/entities/sku-1/values").await.expect(200);
    let clients = log_in(&eve.email, NEW).await.data(200)["clients"].clone();
    assert_eq!(clients.as_array().unwrap().len(), 1);
    // The address and the slug are free.
    let body = json!({ "email": ada.email, "password": NEW, "clientName": "ada" });
    let anew = app.anonymous().post("/api/auth/signup").json(&body).await.data(201);
    assert_eq!(anew["client"]["slug"], info["client"]["slug"]);
}

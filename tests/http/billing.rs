//! Subscriptions: what a client may use, and the payment service, in whose place a receiver stands.

use std::time::Duration;

use auth::{Secret, StripeSignature};
use hedgerow_tests::answer::Answer;
use hedgerow_tests::app::{Account, App, Caller, id};
use hedgerow_tests::receiver::{Receiver, Reply};
use hedgerow_tests::routes::{a_path_of, routes};
use local::services::set_billing_keys;
use runtime::Access;
use serde_json::{Value, json};

use crate::embed_tokens::{bearing, token};

const SUBSCRIPTION: &str = "/api/v1/subscription";
const CHECKOUT: &str = "/api/v1/subscription/checkout";
const PORTAL: &str = "/api/v1/subscription/portal";
const EVENTS: &str = "/api/billing/stripe";
const SECRET: &str = "whsec_of_the_tests";

/// Longer than a client's standing is believed.
const CACHE_TTL: Duration = Duration::from_secs(6);

/// A deployment that takes payments, and the stand-in for Stripe.
async fn paid(answers: impl Fn(&str) -> Reply + Send + Sync + 'static) -> (App, Receiver) {
    let stripe = Receiver::answering(move |arrived| answers(&arrived.path));
    let mut backend =
        local::backend::Backend::embedded(engines::Engines::memory().unwrap(), store::author::Clock::default())
            .await
            .unwrap();
    let keys = json!({ "secretKey": "sk_test_1", "webhookSecret": SECRET }).to_string();
    let api = stripe.url().trim_end_matches('/').to_owned();
    let connector = &backend.engine.as_ref().unwrap().connector;
    backend.app.billing = Some(set_billing_keys(connector, &keys, api).await.unwrap());
    (App::over(backend).await, stripe)
}

fn selling(path: &str) -> Reply {
    match path.split('?').next().unwrap_or_default() {
        "/v1/prices" => Reply::status(200).body(r#"{"object": "list", "data": [{"id": "price_1"}]}"#),
        "/v1/checkout/sessions" => Reply::status(200).body(r#"{"id": "cs_1", "url": "https://checkout.example/1"}"#),
        "/v1/billing_portal/sessions" => Reply::status(200).body(r#"{"url": "https://portal.example/1"}"#),
        _ => Reply::status(404),
    }
}

/// An event about a client's subscription.
fn event(id: &str, at: i64, kind: &str, client: &str, status: &str) -> Value {
    json!({
        "id": id,
        "object": "event",
        "type": format!("customer.subscription.{kind}"),
        "created": at,
        "data": { "object": {
            "id": "sub_1",
            "customer": "cus_1",
            "status": status,
            "metadata": { "clientId": client },
            "items": { "object": "list", "data": [{ "price": { "id": "price_1", "lookup_key": "starter" } }] },
        } },
    })
}

async fn send(app: &App, event: &Value) -> Answer {
    let body = event.to_string();
    let signature = StripeSignature::header(body.as_bytes(), &Secret::new(SECRET.to_owned()), app.clock.now());
    let caller = app.anonymous().with("stripe-signature", &signature);
    caller.post(EVENTS).body("application/json; charset=utf-8", body).await
}

async fn client_of(account: &Account) -> String {
    id(&account.owner.get("/api/v1/client").await.data(200)).to_owned()
}

async fn status(account: &Account) -> Value {
    account.owner.get(SUBSCRIPTION).await.data(200)["status"].clone()
}

#[tokio::test]
async fn without_stripe_there_is_a_plan_and_nothing_to_pay() {
    let app = App::start().await;
    let ada = app.account("ada").await;
    let all = json!({ "tenants": null, "fields": 500, "entities": null, "webhooks": 100, "members": 200 });
    let used = json!({ "tenants": 0, "fields": 0, "entities": null, "webhooks": 0, "members": 1 });
    let expected = json!({ "plan": "open", "status": "active", "limits": all, "usage": used });
    assert_eq!(ada.owner.get(SUBSCRIPTION).await.data(200), expected);
    ada.owner.post(CHECKOUT).json(&json!({ "plan": "team" })).await.fails(409, "billing_not_configured");
    ada.owner.post(CHECKOUT).json(&json!({ "plan": "gold" })).await.wrong(&["plan"]);
    ada.owner.post(PORTAL).await.fails(409, "billing_not_configured");
    send(&app, &json!({})).await.fails(409, "billing_not_configured");
    ada.key.get(SUBSCRIPTION).await.fails(403, "forbidden");
    app.set_role(&ada, "editor").await;
    ada.owner.get(SUBSCRIPTION).await.fails(403, "forbidden");
}

#[tokio::test]
async fn a_plan_is_paid_for_and_its_event_sets_it() {
    let (app, stripe) = paid(selling).await;
    let ada = app.account("ada").await;
    let client = client_of(&ada).await;
    ada.owner.post(PORTAL).once("portal").await.fails(409, "billing_not_configured");
    let checkout = || ada.owner.post(CHECKOUT).json(&json!({ "plan": "starter" })).once("checkout");
    let page = checkout().await.data(201);
    assert_eq!(page, json!({ "url": "https://checkout.example/1" }));
    // Sent again it leads to the same page.
    assert_eq!(checkout().await.data(201), page);
    let asked = stripe.arrived();
    assert!(asked.iter().all(|one| one.header("authorization") == "Bearer sk_test_1"));
    assert!(asked[0].path.ends_with("lookup_keys%5B%5D=starter"), "{}", asked[0].path);
    let body = String::from_utf8(asked.last().unwrap().body.to_vec()).unwrap();
    let form = reqwest::Url::parse(&format!("http://form/?{body}")).unwrap();
    let said = |name: &str| form.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned());
    let said = |name: &str| said(name).unwrap_or_default();
    assert_eq!(said("subscription_data[metadata][clientId]"), client);
    assert_eq!((said("line_items[0][price]"), said("customer_email")), ("price_1".to_owned(), ada.email.clone()));
    assert_eq!(said("success_url"), format!("http://{}/admin", app.address));

    let now = app.clock.now().seconds();
    assert_eq!(send(&app, &event("evt_1", now, "created", &client, "active")).await.data(200), json!({}));
    let subscription = ada.owner.get(SUBSCRIPTION).await.data(200);
    assert_eq!((&subscription["plan"], &subscription["limits"]["webhooks"]), (&json!("starter"), &json!(3)));
    assert_eq!(ada.owner.post(PORTAL).once("portal").await.data(201), json!({ "url": "https://portal.example/1" }));
    assert!(stripe.arrived().last().unwrap().body.starts_with(b"customer=cus_1"));
    // Twice to pay would be twice to have paid.
    ada.owner.post(CHECKOUT).json(&json!({ "plan": "team" })).once("again").await.wrong(&["plan"]);
}

#[tokio::test]
async fn what_stripe_does_not_sell_or_does_not_answer_is_told() {
    let (app, stripe) = paid(|_| Reply::status(200).body(r#"{"data": []}"#)).await;
    let ada = app.account("ada").await;
    let checkout = || ada.owner.post(CHECKOUT).json(&json!({ "plan": "open" }));
    checkout().await.wrong(&["plan"]);
    let refused = Reply::status(401).body(r#"{"error": {"message": "Invalid API Key provided: sk_test_1"}}"#);
    for trouble in [refused, Reply::status(503), Reply::status(429), Reply::Close] {
        stripe.answer(move |_| trouble.clone());
        checkout().await.fails(503, "unavailable");
    }
}

#[tokio::test]
async fn events_count_once_and_in_whatever_order_they_come() {
    let (app, _stripe) = paid(selling).await;
    let (ada, eve) = (app.account("ada").await, app.account("eve").await);
    let client = client_of(&ada).await;
    let now = app.clock.now().seconds();
    let past_due = event("evt_2", now + 2, "updated", &client, "past_due");
    send(&app, &past_due).await.expect(200);
    assert_eq!(status(&ada).await, "past_due");
    // Older, and of the same second but an earlier kind.
    send(&app, &event("evt_1", now + 1, "created", &client, "active")).await.expect(200);
    send(&app, &event("evt_3", now + 2, "created", &client, "trialing")).await.expect(200);
    assert_eq!(status(&ada).await, "past_due");
    send(&app, &event("evt_4", now + 2, "updated", &client, "active")).await.expect(200);
    send(&app, &past_due).await.expect(200);
    assert_eq!(status(&ada).await, "active", "an event counts once");
    // The end of another subscription is none of this one; its first payment is under way.
    let mut other = event("evt_5", now + 3, "deleted", &client, "canceled");
    other["data"]["object"]["id"] = json!("sub_0");
    send(&app, &other).await.expect(200);
    send(&app, &event("evt_6", now + 3, "updated", &client, "incomplete")).await.expect(200);
    assert_eq!(status(&ada).await, "active");
    send(&app, &event("evt_7", now + 4, "deleted", &client, "canceled")).await.expect(200);
    assert_eq!(status(&ada).await, "inactive");
    // One that nobody knows, another product's, and one of another kind.
    let unknown = format!("cl_{}", "0".repeat(32));
    send(&app, &event("evt_8", now, "created", &unknown, "active")).await.expect(200);
    let mut foreign = event("evt_9", now, "created", &client, "active");
    foreign["data"]["object"]["metadata"] = json!({});
    send(&app, &foreign).await.expect(200);
    send(&app, &json!({ "id": "evt_10", "type": "invoice.paid", "created": now, "data": {} })).await.expect(200);
    assert_eq!(status(&eve).await, "active");
}

#[tokio::test]
async fn a_price_without_a_plans_lookup_key_buys_none_and_an_ended_subscription_stays_ended() {
    let (app, _stripe) = paid(selling).await;
    let ada = app.account("ada").await;
    let client = client_of(&ada).await;
    let now = app.clock.now().seconds();
    let plan = async || ada.owner.get(SUBSCRIPTION).await.data(200)["plan"].clone();
    send(&app, &event("evt_1", now, "created", &client, "active")).await.expect(200);
    let mut nameless = event("evt_2", now + 1, "updated", &client, "active");
    let price = "/data/object/items/data/0/price";
    *nameless.pointer_mut(price).unwrap() = json!({ "id": "price_1", "lookup_key": null });
    send(&app, &nameless).await.expect(200);
    assert_eq!(plan().await, "starter", "its lookup key has moved on, and it is still paid");
    nameless["id"] = json!("evt_3");
    nameless["created"] = json!(now + 2);
    *nameless.pointer_mut(price).unwrap() = json!({ "id": "price_2", "lookup_key": null });
    send(&app, &nameless).await.expect(200);
    assert_eq!(plan().await, "open");
    let of_another = |id: &str, at: i64, kind: &str, status: &str| {
        let mut event = event(id, at, kind, &client, status);
        event["data"]["object"]["id"] = json!("sub_0");
        event
    };
    send(&app, &of_another("evt_4", now + 4, "deleted", "canceled")).await.expect(200);
    send(&app, &of_another("evt_5", now + 3, "updated", "active")).await.expect(200);
    assert_eq!(plan().await, "open");
}

#[tokio::test]
async fn only_what_stripe_has_signed_lately_is_heard() {
    let (app, _stripe) = paid(selling).await;
    let ada = app.account("ada").await;
    let body = event("evt_1", app.clock.now().seconds(), "created", &client_of(&ada).await, "canceled").to_string();
    let post = |signature: &str, body: &str| {
        let caller = app.anonymous().with("stripe-signature", signature);
        caller.post(EVENTS).body("application/json", body.to_owned())
    };
    let by = |secret: &str, at| StripeSignature::header(body.as_bytes(), &Secret::new(secret.to_owned()), at);
    let right = by(SECRET, app.clock.now());
    for (signature, sent) in [
        ("", body.as_str()),
        ("t=1,v1=00", &body),
        (&by("whsec_other", app.clock.now()), &body),
        (&right, &body.replace("cus_1", "cus_2")),
        (&right, &format!("{body} ")),
    ] {
        post(signature, sent).await.fails(401, "unauthenticated");
    }
    app.anonymous().post(EVENTS).body("application/json", body.clone()).await.fails(401, "unauthenticated");
    app.clock.advance(Duration::from_secs(301));
    post(&right, &body).await.fails(401, "unauthenticated");
    assert_eq!(status(&ada).await, "active");
    let text = "no event";
    let signed = StripeSignature::header(text.as_bytes(), &Secret::new(SECRET.to_owned()), app.clock.now());
    post(&signed, text).await.fails(400, "malformed_request");
}

#[tokio::test]
async fn without_a_subscription_in_force_everything_is_read_and_nothing_changed() {
    let (app, _stripe) = paid(selling).await;
    let ada = app.account("ada").await;
    let client = client_of(&ada).await;
    ada.key.group("product").await;
    let page = bearing(&app.anonymous(), &token(&ada.key, &json!({ "tenantId": "acme" })).await);
    let now = app.clock.now().seconds();
    send(&app, &event("evt_1", now, "created", &client, "unpaid")).await.expect(200);
    app.clock.advance(CACHE_TTL);
    let go_on = [
        "delete-api-key",
        "revoke-embed-tokens",
        "remove-member",
        "delete-invitation",
        "update-client",
        "delete-client",
        "restore-client",
        "create-checkout",
        "create-portal",
        "export-tenant",
    ];
    for route in routes().filter(|route| matches!(route.access, Access::Credential { .. })) {
        let caller: &Caller = ada.who_may(route);
        let of_account = route.path.starts_with("/api/auth/") && route.access == Access::session();
        if of_account || go_on.contains(&route.id) {
            continue;
        }
        let answer = caller.call(route.method.name(), &a_path_of(route)).await;
        if route.method.name() == "GET" {
            assert_ne!(answer.status, 403, "{}", route.id);
        } else {
            answer.fails(403, "subscription_inactive");
        }
    }
    page.get("/api/v1/tenants/acme/field-groups/product/fields").await.fails(403, "subscription_inactive");
    ada.owner.get("/api/auth/session").await.expect(200);
    ada.owner.delete("/api/auth/sessions").await.expect(204);
    ada.owner.patch("/api/v1/client").json(&json!({ "name": "Ada" })).await.expect(200);
    let key = ada.owner.get("/api/v1/api-keys").await.page().0[0].clone();
    let page_of_payment = ada.owner.post(CHECKOUT).json(&json!({ "plan": "starter" })).await.data(201);
    assert!(page_of_payment["url"].is_string());
    send(&app, &event("evt_2", now + 1, "updated", &client, "active")).await.expect(200);
    app.clock.advance(CACHE_TTL);
    ada.key.group("again").await;
    page.get("/api/v1/tenants/acme/field-groups/product/fields").await.expect(200);
    ada.owner.delete(&format!("/api/v1/api-keys/{}", id(&key))).await.expect(204);
}

#[tokio::test]
async fn a_plan_bounds_what_is_counted() {
    let (app, _stripe) = paid(selling).await;
    let ada = app.account("ada").await;
    let now = app.clock.now().seconds();
    let product = ada.key.group("product").await;
    send(&app, &event("evt_1", now, "created", &client_of(&ada).await, "trialing")).await.expect(200);
    app.clock.advance(CACHE_TTL);
    let webhook = || ada.key.post("/api/v1/webhooks").json(&json!({ "url": "http://127.0.0.1:9/", "events": ["*"] }));
    for _ in 0..3 {
        webhook().await.expect(201);
    }
    webhook().await.fails(422, "limit_reached");
    let field = |number: u32| {
        let key = format!("field_{number}");
        let body =
            json!({ "key": key, "label": key, "schema": { "type": "string" }, "fieldGroupIds": [product["id"]] });
        ada.key.post("/api/v1/global-fields").json(&body)
    };
    let first = field(0).await.data(201);
    for number in 1..25 {
        field(number).await.expect(201);
    }
    field(25).await.fails(422, "limit_reached");
    let path = format!("/api/v1/global-fields/{}", id(&first));
    ada.key.delete(&path).await.expect(204);
    field(25).await.expect(201);
    ada.key.post(&format!("{path}/restore")).await.fails(422, "limit_reached");
    let usage = ada.owner.get(SUBSCRIPTION).await.data(200)["usage"].clone();
    assert_eq!((&usage["fields"], &usage["webhooks"]), (&json!(25), &json!(3)));
}

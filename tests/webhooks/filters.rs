//! Who is told of what.

use std::time::Duration;

use engines::Fault;
use hedgerow_tests::app::{App, id, values};
use hedgerow_tests::receiver::{Arrived, Receiver};
use serde_json::{Value, json};

use crate::world::{Hook, SOON, World, quiet};

/// Events of each kind: two of no tenant, one of a tenant's field, and values of two tenants.
async fn write(world: &World) {
    let key = world.key();
    world.product().await;
    key.own("t1", "product", "own", json!({ "type": "string" })).await;
    world.save("sku-1", "A").await;
    key.save("t2", "product", "sku-1", json!({ "title": "B" })).await;
    key.delete(&values("t1", "product", "sku-1")).await.expect(204);
}

/// Whether an event of a tenant, or of `-`, is wanted.
type Takes<'t> = &'t dyn Fn(&str, &str) -> bool;

/// What arrived: event, tenant.
fn told(arrived: &[Arrived]) -> Vec<(String, String)> {
    let of = |one: &Arrived| (one.event(), one.json()["tenantId"].as_str().unwrap_or("-").to_owned());
    let mut told: Vec<_> = arrived.iter().map(of).collect();
    told.sort();
    told
}

#[tokio::test]
async fn a_webhook_is_told_what_it_asks_for() {
    let world = World::start(&[SOON]).await;
    let all = [
        ("field_group.created", "-"),
        ("field_value.deleted", "t1"),
        ("field_value.saved", "t1"),
        ("field_value.saved", "t2"),
        ("global_field.created", "-"),
        ("tenant_field.created", "t1"),
    ];
    let cases: [(Value, Value, Takes); 8] = [
        (json!(["*"]), Value::Null, &|_, _| true),
        (json!(["field_value.*"]), Value::Null, &|event, _| event.starts_with("field_value.")),
        (json!(["field_value.saved"]), Value::Null, &|event, _| event == "field_value.saved"),
        (json!(["field_group.created", "global_field.created"]), Value::Null, &|_, tenant| tenant == "-"),
        (json!(["*"]), json!(["t1"]), &|_, tenant| tenant == "t1"),
        (json!(["*"]), json!(["t2", "t3"]), &|_, tenant| tenant == "t2"),
        (json!(["field_value.*"]), json!(["t1", "t2"]), &|event, _| event.starts_with("field_value.")),
        (json!(["test.ping", "webhook.disabled"]), Value::Null, &|_, _| false),
    ];
    let mut hooks: Vec<(Receiver, Hook)> = Vec::new();
    for (events, tenants, _) in &cases {
        let receiver = Receiver::start();
        let body = json!({ "url": receiver.url(), "events": events, "tenantIds": tenants });
        hooks.push((receiver, world.hook_with(body).await));
    }
    write(&world).await;
    hooks[0].0.wait(all.len()).await;
    for ((receiver, hook), (events, tenants, takes)) in hooks.iter().zip(&cases) {
        let wanted: Vec<_> = all.iter().filter(|(event, tenant)| takes(event, tenant)).collect();
        hook.until("delivered", wanted.len()).await;
        let told = told(&receiver.wait(wanted.len()).await);
        let told: Vec<_> = told.iter().map(|(event, tenant)| (event.as_str(), tenant.as_str())).collect();
        assert_eq!(told.iter().collect::<Vec<_>>(), wanted, "{events} {tenants}");
        assert_eq!(hook.count("").await, wanted.len(), "{events} {tenants}");
        receiver.arrived().iter().for_each(|one| hook.verify(one));
    }
}

#[tokio::test]
async fn a_changed_filter_holds_from_then_on() {
    let world = World::start(&[SOON]).await;
    world.product().await;
    let (receiver, all) = (Receiver::start(), Receiver::start());
    world.hook_with(json!({ "url": all.url(), "events": ["field_value.*"] })).await;
    let hook =
        world.hook_with(json!({ "url": receiver.url(), "events": ["field_value.*"], "tenantIds": ["t2"] })).await;
    world.save("a", "A").await;
    all.wait(1).await;
    hook.patch(json!({ "tenantIds": null })).await;
    world.save("b", "B").await;
    receiver.wait(1).await;
    hook.patch(json!({ "events": ["tenant_field.created"] })).await;
    world.save("c", "C").await;
    world.key().own("t9", "product", "own", json!({ "type": "string" })).await;
    let arrived = receiver.wait(2).await;
    let told = told(&arrived);
    assert_eq!(hook.count("").await, 2);
    assert_eq!(told, [("field_value.saved".into(), "t1".into()), ("tenant_field.created".into(), "t9".into())]);
    assert_eq!(arrived[0].json()["data"]["entityId"], "b");
}

#[tokio::test]
async fn one_event_goes_to_two_webhooks_by_two_deliveries() {
    let world = World::start(&[SOON]).await;
    world.product().await;
    let receiver = Receiver::start();
    let (one, other) = (world.hook(&receiver).await, world.hook(&receiver).await);
    world.save("a", "A").await;
    let arrived = receiver.wait(2).await;
    assert_eq!(arrived[0].body, arrived[1].body);
    assert_eq!(arrived[0].event_id(), arrived[1].event_id());
    assert_ne!(arrived[0].header("webhook-signature"), arrived[1].header("webhook-signature"));
    let (mut first, mut second) = (one.until("delivered", 1).await, other.until("delivered", 1).await);
    let (first, second) = (first.remove(0), second.remove(0));
    assert_eq!((&first["eventId"], &first["createdAt"]), (&second["eventId"], &second["createdAt"]));
    assert_eq!(first["eventId"], arrived[0].event_id());
    assert_ne!(first["id"], second["id"]);
    assert_eq!((&first["webhookId"], &second["webhookId"]), (&json!(one.id), &json!(other.id)));
}

#[tokio::test]
async fn another_clients_webhook_is_told_nothing_and_sees_nothing() {
    let world = World::start(&[SOON]).await;
    let foreign = world.app.account("globex").await.key;
    foreign.group("product").await;
    world.product().await;
    let (ours, theirs) = (Receiver::start(), Receiver::start());
    let hook = world.hook(&ours).await;
    let other = Hook::make(&foreign, json!({ "url": theirs.url(), "events": ["*"] })).await;
    world.save("a", "A").await;
    ours.wait(1).await;
    foreign.own("t1", "product", "own", json!({ "type": "string" })).await;
    let arrived = theirs.wait(1).await;
    assert_eq!((arrived.len(), arrived[0].event().as_str()), (1, "tenant_field.created"));
    assert_eq!((ours.count(), hook.count("").await, other.count("").await), (1, 1, 1));
    let delivery = &hook.deliveries("").await[0];
    let path = format!("/api/v1/deliveries/{}", id(delivery));
    foreign.get(&path).await.fails(404, "delivery_not_found");
    foreign.post(&format!("{path}/redeliver")).await.fails(404, "delivery_not_found");
    foreign.get(&format!("{}/deliveries", hook.path())).await.fails(404, "webhook_not_found");
    let body = json!({ "since": "2020-01-01T00:00:00Z" });
    foreign.post(&format!("{}/recover", hook.path())).json(&body).await.fails(404, "webhook_not_found");
    let job = hook.recover(0).await;
    foreign.get(&format!("/api/v1/jobs/{}", id(&job))).await.fails(404, "job_not_found");
}

/// Fan-out lags behind the writes; the webhook is made in between.
#[tokio::test]
async fn a_webhook_hears_of_nothing_older_than_itself() {
    let mut app = App::start().await;
    let account = app.account("acme").await;
    let key = &account.key;
    let group = key.group("product").await;
    key.global("older", json!({ "type": "string" }), &[&group]).await;
    app.advance(Duration::from_secs(2));
    let receiver = Receiver::start();
    let hook = Hook::make(key, json!({ "url": receiver.url(), "events": ["*"] })).await;
    key.global("younger", json!({ "type": "string" }), &[&group]).await;
    app.work();
    receiver.wait(1).await;
    hook.until("delivered", 1).await;
    quiet(&app).await;
    let heard: Vec<_> = receiver.arrived().iter().map(|one| one.json()["data"]["key"].clone()).collect();
    assert_eq!(heard, ["younger"]);
}

/// Its request began before the webhook was made, failed, and came again under its key.
#[tokio::test]
async fn a_webhook_hears_of_what_is_written_after_it_was_made() {
    let mut app = App::start().await;
    let account = app.account("acme").await;
    let key = &account.key;
    let faults = app.backend.engine.as_ref().unwrap().connector.faults().clone();
    faults.set(|call| call.body.windows(3).any(|part| part == b"G#c").then_some(Fault::Internal));
    let create = || key.post("/api/v1/field-groups").once("once").json(&json!({ "key": "product", "name": "P" }));
    create().await.fails(503, "unavailable");
    faults.clear();
    app.advance(Duration::from_secs(120));
    let receiver = Receiver::start();
    let hook = Hook::make(key, json!({ "url": receiver.url(), "events": ["*"] })).await;
    assert_eq!(create().await.status, 201);
    app.work();
    receiver.wait(1).await;
    hook.until("delivered", 1).await;
    assert_eq!(receiver.arrived()[0].event(), "field_group.created");
}

//! Every write that is announced, and that nothing else is.

use std::collections::HashMap;

use hedgerow_tests::app::{Call, fields, id, values};
use hedgerow_tests::receiver::{Arrived, Receiver, Reply};
use serde_json::{Value, json};

use crate::world::{Hook, SOON, World};

const GROUPS: &str = "/api/v1/field-groups";
const GLOBAL: &str = "/api/v1/global-fields";

/// What is to be announced.
struct Wanted {
    event: &'static str,
    tenant: Option<&'static str>,
    /// What the API answered, or would have answered.
    data: Value,
    changed: Option<Vec<&'static str>>,
}

/// Writes, each under a request of its own.
#[derive(Default)]
struct Writes {
    count: usize,
    wanted: HashMap<String, Wanted>,
}

impl Writes {
    /// One that is not announced.
    async fn silent(&mut self, call: Call, status: u16) {
        self.count += 1;
        call.header("x-request-id", &format!("silent-{}", self.count)).await.expect(status);
    }

    async fn say(&mut self, event: &'static str, tenant: Option<&'static str>, call: Call) -> Value {
        self.announce(event, tenant, None, call).await
    }

    async fn values(&mut self, call: Call, changed: &[&'static str]) -> Value {
        self.announce("field_value.saved", Some("t1"), Some(changed.to_vec()), call).await
    }

    async fn announce(
        &mut self,
        event: &'static str,
        tenant: Option<&'static str>,
        changed: Option<Vec<&'static str>>,
        call: Call,
    ) -> Value {
        self.count += 1;
        let request = format!("write-{}", self.count);
        let answer = call.header("x-request-id", &request).await;
        assert!([200, 201].contains(&answer.status), "{answer}");
        let data = answer.data(answer.status);
        self.wanted.insert(request, Wanted { event, tenant, data: data.clone(), changed });
        data
    }

    /// A deletion of what stood like this.
    async fn delete(
        &mut self,
        event: &'static str,
        tenant: Option<&'static str>,
        changed: Option<Vec<&'static str>>,
        data: Value,
        call: Call,
    ) {
        self.count += 1;
        let request = format!("write-{}", self.count);
        call.header("x-request-id", &request).await.expect(204);
        self.wanted.insert(request, Wanted { event, tenant, data, changed });
    }
}

/// The body of a delivery that holds this, but for `data`, whose members have no order.
fn check_envelope(one: &Arrived, client: &Value) -> Value {
    let body = String::from_utf8(one.body.to_vec()).unwrap();
    let envelope = one.json();
    let member = |name: &str| envelope[name].to_string();
    let start = format!(
        r#"{{"event":{},"eventId":{},"timestamp":{},"clientId":{},"project":{},"tenantId":{},"data":"#,
        member("event"),
        member("eventId"),
        member("timestamp"),
        client["id"],
        client["slug"],
        member("tenantId")
    );
    let data = body.strip_prefix(&start).unwrap_or_else(|| panic!("{start} {body}")).strip_suffix('}').unwrap();
    assert_eq!(serde_json::from_str::<Value>(data).unwrap(), envelope["data"]);
    assert_eq!(envelope.as_object().unwrap().len(), 7);
    assert!(envelope["eventId"].as_str().unwrap().starts_with("evt_"));
    assert_eq!(envelope["eventId"], one.header("webhook-id"));
    assert_eq!(envelope["event"], one.header("x-hedgerow-event"));
    envelope
}

#[tokio::test]
async fn every_write_is_announced_as_it_was_answered_and_nothing_else_is() {
    let world = World::start(&[SOON]).await;
    let receiver = Receiver::start();
    let hook = world.hook(&receiver).await;
    let (key, owner) = (world.key(), &world.account.owner);
    let mut writes = Writes::default();

    let body = json!({ "key": "product", "name": "Products", "description": "d" });
    let group = writes.say("field_group.created", None, key.post(GROUPS).json(&body).once("once")).await;
    writes.silent(key.post(GROUPS).json(&body).once("once"), 201).await;
    writes.silent(key.post(GROUPS).json(&body), 409).await;
    let in_groups = |name: &str, of: &[&Value]| {
        let ids: Vec<_> = of.iter().map(|group| &group["id"]).collect();
        json!({ "key": name, "label": name, "schema": { "type": "string" }, "fieldGroupIds": ids })
    };
    // Fields of a group raise its schema's version, which is not the group's own.
    let title = in_groups("title", &[&group]);
    let title = writes.say("global_field.created", None, key.post(GLOBAL).json(&title)).await;
    let color = in_groups("color", &[&group]);
    let color = writes.say("global_field.created", None, key.post(GLOBAL).json(&color)).await;
    let title_path = format!("{GLOBAL}/{}", id(&title));
    writes.say("global_field.updated", None, key.patch(&title_path).json(&json!({ "label": "Title" }))).await;
    let own = json!({ "key": "note", "label": "Note", "schema": { "type": "textarea" } });
    let own = writes.say("tenant_field.created", Some("t1"), key.post(&fields("t1", "product")).json(&own)).await;
    let own_path = format!("{}/{}", fields("t1", "product"), id(&own));
    let change = json!({ "label": "A note" });
    let own = writes.say("tenant_field.updated", Some("t1"), key.patch(&own_path).json(&change)).await;

    let place = values("t1", "product", "sku-1");
    writes.silent(key.post(&place).json(&json!({ "title": 1 })), 422).await;
    writes.silent(key.post(&place).json(&json!({ "title": "A" })).at("\"7\""), 409).await;
    writes.values(key.post(&place).json(&json!({ "title": "A", "color": "red" })), &["title", "color"]).await;
    writes
        .values(key.post(&place).json(&json!({ "title": "B", "color": "red", "note": "n" })), &["title", "note"])
        .await;
    writes.values(key.post(&place).json(&json!({ "color": null })), &["color"]).await;
    let saved = writes.values(key.put(&place).json(&json!({ "title": "C" })), &["title", "note"]).await;
    writes.delete("field_value.deleted", Some("t1"), Some(vec!["title"]), saved, key.delete(&place)).await;
    writes.silent(key.delete(&place), 404).await;
    let restore = format!("{place}/restore");
    writes.values(key.post(&restore), &["title"]).await;
    writes.silent(key.post(&restore), 200).await;

    writes.delete("tenant_field.deleted", Some("t1"), None, own, key.delete(&own_path)).await;
    let restore = format!("{own_path}/restore");
    writes.say("tenant_field.updated", Some("t1"), key.post(&restore)).await;
    writes.silent(key.post(&restore), 200).await;
    let color_path = format!("{GLOBAL}/{}", id(&color));
    writes.delete("global_field.deleted", None, None, color, key.delete(&color_path)).await;
    writes.say("global_field.updated", None, key.post(&format!("{color_path}/restore"))).await;
    let group_path = format!("{GROUPS}/{}", id(&group));
    let change = json!({ "name": "Goods", "description": null });
    let group = writes.say("field_group.updated", None, key.patch(&group_path).json(&change)).await;
    writes.delete("field_group.deleted", None, None, group, key.delete(&group_path)).await;
    writes.silent(key.delete(&group_path), 404).await;
    writes.say("field_group.updated", None, key.post(&format!("{group_path}/restore"))).await;
    writes.silent(key.post(&format!("{group_path}/restore")), 200).await;

    let body = json!({ "name": "k", "type": "management" });
    let other = owner.post("/api/v1/api-keys").json(&body).await.data(201);
    let key_path = format!("/api/v1/api-keys/{}", id(&other));
    writes.silent(owner.patch(&key_path).json(&json!({ "name": "l" })), 200).await;
    writes.silent(owner.delete(&key_path), 204).await;
    writes.silent(key.patch(&hook.path()).json(&json!({ "description": "changed" })), 200).await;

    let ping = hook.ping().await;
    hook.stands(&ping, "delivered").await;
    check(&hook, &receiver, &writes, &owner.get("/api/auth/session").await.data(200)["client"]).await;
}

/// That there is a delivery for each write that announces, as it should be, and a ping besides.
async fn check(hook: &Hook, receiver: &Receiver, writes: &Writes, client: &Value) {
    let pings = |arrived: &[Arrived]| arrived.iter().filter(|one| one.event() == "test.ping").count();
    // Announced in the order of the writes: with the last of them there all the others are.
    let last =
        format!("write-{}", writes.wanted.keys().filter_map(|name| name[6..].parse::<u32>().ok()).max().unwrap());
    receiver.until(|all| all.iter().any(|one| one.header("x-request-id") == last)).await;
    let announced = hook.deliveries("").await;
    let arrived = receiver.wait(announced.len()).await;
    assert_eq!((announced.len(), arrived.len()), (writes.wanted.len() + 1, writes.wanted.len() + 1));
    assert_eq!(pings(&arrived), 1);
    for one in &arrived {
        hook.verify(one);
        let envelope = check_envelope(one, client);
        let Some(wanted) = writes.wanted.get(one.header("x-request-id")) else {
            assert_eq!((&envelope["event"], &envelope["tenantId"]), (&json!("test.ping"), &Value::Null));
            assert_eq!(envelope["data"], json!({ "webhookId": hook.id }));
            continue;
        };
        let asked = format!("{}: {envelope:#}", wanted.event);
        assert_eq!(envelope["event"], wanted.event, "{asked}");
        assert_eq!(envelope["tenantId"], json!(wanted.tenant), "{asked}");
        let mut data = envelope["data"].clone();
        let changed = data.as_object_mut().unwrap().remove("changed");
        let mut changed: Option<Vec<String>> = changed.map(|changed| serde_json::from_value(changed).unwrap());
        changed.iter_mut().for_each(|changed| changed.sort());
        let mut keys = wanted.changed.clone();
        keys.iter_mut().for_each(|keys| keys.sort_unstable());
        assert_eq!(changed, keys.map(|keys| keys.into_iter().map(str::to_owned).collect()), "{asked}");
        assert_eq!(envelope["timestamp"], data["updatedAt"], "{asked}");
        let mut expected = wanted.data.clone();
        if wanted.event.ends_with(".deleted") {
            // As it last was, one version later.
            expected["version"] = json!(expected["version"].as_u64().unwrap() + 1);
            expected["updatedAt"] = data["updatedAt"].clone();
        }
        assert_eq!(data, expected, "{asked}");
    }
    let ids: std::collections::HashSet<_> = arrived.iter().map(Arrived::event_id).collect();
    assert_eq!(ids.len(), arrived.len());
}

#[tokio::test]
async fn a_webhook_that_we_switch_off_is_announced_to_the_others_without_its_credentials() {
    let world = World::start(&[SOON]).await;
    let (gone, other) = (Receiver::answering(|_| Reply::status(410)), Receiver::start());
    let headers = json!({ "Authorization": "Bearer secret", "X-Team": "hedge" });
    let body = json!({ "url": gone.url(), "events": ["test.ping"], "headers": headers });
    let (gone, other_hook) = (world.hook_with(body).await, world.hook(&other).await);
    gone.ping().await;
    let arrived = other.wait(1).await;
    let client = &world.account.owner.get("/api/auth/session").await.data(200)["client"];
    let envelope = check_envelope(&arrived[0], client);
    other_hook.verify(&arrived[0]);
    assert_eq!((&envelope["event"], &envelope["tenantId"]), (&json!("webhook.disabled"), &Value::Null));
    assert!(arrived[0].header("x-request-id").starts_with("req_"));
    let stands = gone.get().await;
    assert_eq!((&stands["active"], &stands["disabled"]["reason"]), (&json!(false), &json!("gone")));
    assert_eq!(envelope["timestamp"], stands["updatedAt"]);
    assert_eq!(stands["headers"], json!({ "Authorization": null, "X-Team": null }));
    assert_eq!(envelope["data"], stands);
    assert!(!String::from_utf8_lossy(&arrived[0].body).contains("Bearer"));
}

#[tokio::test]
async fn what_is_written_while_nobody_works_is_announced_when_somebody_does() {
    let mut world = World::start(&[SOON]).await;
    let receiver = Receiver::start();
    world.product().await;
    let hook = world.hook(&receiver).await;
    world.app.workers.take().unwrap().stop().await;
    let ping = hook.ping().await;
    for entity in ["a", "b", "c"] {
        world.save(entity, "x").await;
    }
    assert_eq!((receiver.count(), hook.count("").await), (0, 1));
    assert_eq!(hook.delivery(&ping).await["status"], "pending");
    let _second = world.another(|_| {}).await;
    hook.until("delivered", 4).await;
    assert_eq!(receiver.count(), 4);
    let entity = |one: &Arrived| one.json()["data"]["entityId"].as_str().map(str::to_owned);
    let mut entities: Vec<_> = receiver.arrived().iter().filter_map(entity).collect();
    entities.sort();
    assert_eq!(entities, ["a", "b", "c"]);
}

#[tokio::test]
async fn a_ping_of_a_webhook_that_does_not_exist_is_refused() {
    let world = World::start(&[SOON]).await;
    let path = "/api/v1/webhooks/whk_00000000000000000000000000000000/test";
    world.key().post(path).await.fails(404, "webhook_not_found");
    let receiver = Receiver::start();
    let hook = world.hook(&receiver).await;
    world.app.account("globex").await.key.post(&format!("{}/test", hook.path())).await.fails(404, "webhook_not_found");
    assert_eq!((hook.count("").await, receiver.count()), (0, 0));
}

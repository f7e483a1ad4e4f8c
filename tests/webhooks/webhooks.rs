//! Webhooks, their deliveries and jobs, as their owner manages them. What receivers get is tested elsewhere.

use std::time::Duration;

use engines::Fault;
use hedgerow_tests::app::{App, Caller, id};
use hedgerow_tests::wait::hurried;
use runtime::Queue;
use serde_json::{Value, json};

use crate::webhook_rules::{HOOKS, hook};

async fn made(key: &Caller, more: Value) -> (Value, String) {
    let made = key.post(HOOKS).json(&hook(more)).await.data(201);
    let path = format!("{HOOKS}/{}", id(&made));
    (made, path)
}

/// The messages that lie in a queue, taken out of it.
async fn queued(app: &App, queue: Queue) -> Vec<Value> {
    let sqs = &app.backend.engine.as_ref().unwrap().sqs;
    let url = app.backend.app.queues().unwrap().url(queue);
    let mut found = Vec::new();
    loop {
        let answer = sqs.receive_message().queue_url(&url).max_number_of_messages(10).send().await.unwrap();
        let messages = answer.messages.unwrap_or_default();
        if messages.is_empty() {
            return found;
        }
        for message in messages {
            let receipt = message.receipt_handle.as_deref().unwrap();
            sqs.delete_message().queue_url(&url).receipt_handle(receipt).send().await.unwrap();
            found.push(serde_json::from_str(message.body.as_deref().unwrap()).unwrap());
        }
    }
}

#[tokio::test]
async fn a_webhooks_life() {
    let app = App::start().await;
    let key = app.account("ada").await.key;
    let created = key.post(HOOKS).json(&hook(json!({ "description": "Search" }))).await;
    assert_eq!(created.etag(), "\"1\"");
    let mut created = created.data(201);
    assert!(id(&created).starts_with("whk_"));
    assert!(created["secret"].as_str().unwrap().starts_with("whsec_"));
    created.as_object_mut().unwrap().remove("secret");
    let path = format!("{HOOKS}/{}", id(&created));
    let found = key.get(&path).await;
    assert_eq!((found.etag(), found.data(200)), ("\"1\"", created.clone()));
    assert_eq!(key.get(HOOKS).await.page(), (vec![created.clone()], None));

    let change = json!({ "events": ["field_value.*"], "tenantIds": ["acme"], "description": null, "active": false });
    let changed = key.patch(&path).at("\"1\"").json(&change).await;
    assert_eq!(changed.etag(), "\"2\"");
    let changed = changed.data(200);
    for (name, value) in change.as_object().unwrap() {
        assert_eq!(&changed[name], value, "{name}");
    }
    for name in ["id", "url", "headers", "createdAt"] {
        assert_eq!(changed[name], created[name], "{name}");
    }
    let cleared = key.patch(&path).json(&json!({ "tenantIds": null, "active": true })).await.data(200);
    assert_eq!(
        (&cleared["tenantIds"], &cleared["active"], &cleared["version"]),
        (&json!(null), &json!(true), &json!(3))
    );
    // What changes nothing makes no version.
    assert_eq!(key.patch(&path).json(&json!({})).await.data(200), cleared);

    for stale in ["\"2\"", "\"4\""] {
        key.patch(&path).at(stale).json(&json!({})).await.fails(409, "version_conflict");
        key.delete(&path).at(stale).await.fails(409, "version_conflict");
        let rotate = key.post(&format!("{path}/rotate-secret")).at(stale).json(&json!({ "graceSeconds": 0 }));
        rotate.await.fails(409, "version_conflict");
    }
    key.patch(&path).at("4").json(&json!({})).await.fails(400, "malformed_request");
    key.delete(&path).at("\"3\"").await.expect(204);
    for method in ["GET", "DELETE"] {
        key.call(method, &path).await.fails(404, "webhook_not_found");
    }
    assert_eq!(key.get(HOOKS).await.page(), (vec![], None));
}

#[tokio::test]
async fn a_secret_is_shown_when_it_is_made_and_never_again() {
    let app = App::start().await;
    let key = app.account("ada").await.key;
    let brought = "a-secret-of-our-own-with-enough-bytes";
    let header = json!({ "name": "X-Kopra-Signature", "format": "hex" });
    let (ours, path) = made(&key, json!({})).await;
    let (texts, text_path) = made(&key, json!({ "signatureHeader": header })).await;
    let (theirs, _) = made(&key, json!({ "secret": brought })).await;
    assert_eq!(theirs["secret"], brought);
    let (ours, text) = (ours["secret"].as_str().unwrap(), texts["secret"].as_str().unwrap());
    assert!(ours.starts_with("whsec_") && ours.len() == 50, "{ours}");
    assert!(text.len() == 43 && !text.starts_with("whsec_"), "{text}");
    let rotated = key.post(&format!("{path}/rotate-secret")).json(&json!({ "graceSeconds": 60 })).await;
    assert_eq!(rotated.etag(), "\"2\"");
    let rotated = rotated.data(200);
    let new = rotated["secret"].as_str().unwrap();
    assert!(new.starts_with("whsec_") && new != ours);
    let end = rotated["previousSecretExpiresAt"].as_str().unwrap();
    assert!(end > rotated["updatedAt"].as_str().unwrap());
    let rotated = key.post(&format!("{text_path}/rotate-secret")).json(&json!({ "graceSeconds": 0 })).await.data(200);
    assert_eq!((rotated["secret"].as_str().unwrap().len(), &rotated["previousSecretExpiresAt"]), (43, &json!(null)));
    let shown = [
        key.get(HOOKS).await,
        key.get(&path).await,
        key.patch(&path).json(&json!({ "active": false })).await,
        key.post(&format!("{path}/test")).await,
        key.get(&format!("{path}/deliveries")).await,
    ];
    for answer in shown {
        let text = String::from_utf8(answer.body.clone()).unwrap();
        for secret in ["\"secret\"", "whsec_", "sealed", ours, text_of(&texts), brought] {
            assert!(!text.contains(secret), "{secret}: {answer}");
        }
    }
}

#[tokio::test]
async fn the_values_of_headers_are_told_nobody() {
    let app = App::start().await;
    let key = app.account("ada").await.key;
    let headers = json!({ "Authorization": "Bearer hush-hush", "X-Team": "quiet-please" });
    let names = json!({ "Authorization": null, "X-Team": null });
    let create = async || key.post(HOOKS).once("create").json(&hook(json!({ "headers": headers }))).await;
    let (made, replayed) = (create().await, create().await);
    assert_eq!((&made.data(201)["headers"], &replayed.data(201)["headers"]), (&names, &names));
    let path = format!("{HOOKS}/{}", id(&made.data(201)));
    let ping = key.post(&format!("{path}/test")).await;
    let answers = [
        made,
        replayed,
        key.get(HOOKS).await,
        key.get(&path).await,
        key.patch(&path).json(&json!({ "headers": names })).await,
        key.patch(&path).json(&json!({ "headers": headers, "active": false })).await,
        key.patch(&path).json(&json!({ "headers": { "X-Team": "quiet-please\n" } })).await,
        key.patch(&path).json(&json!({ "headers": { "X-Team": ["quiet-please"] } })).await,
        key.post(&format!("{path}/rotate-secret")).json(&json!({ "graceSeconds": 0 })).await,
        key.get(&format!("/api/v1/deliveries/{}", id(&ping.data(202)))).await,
    ];
    for answer in &answers {
        assert!(answer.status < 300 || answer.status == 422, "{answer}");
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        assert!(!text.contains("hush") && !text.contains("quiet"), "{answer}");
    }
    assert_eq!(key.get(&path).await.data(200)["headers"], names);
    // All of them are gone, and none comes back.
    assert_eq!(key.patch(&path).json(&json!({ "headers": null })).await.data(200)["headers"], json!({}));
    key.patch(&path).json(&json!({ "headers": names })).await.wrong(&["headers.Authorization", "headers.X-Team"]);
}

/// Who only reads webhooks has no need of the key that opens secrets.
#[tokio::test]
async fn reading_needs_no_data_keys() {
    let app = App::start().await;
    let key = app.account("ada").await.key;
    let (_, path) = made(&key, json!({ "headers": { "X-Team": "search" } })).await;
    let faults = app.backend.engine.as_ref().unwrap().connector.faults().clone();
    let trace = app.backend.engine.as_ref().unwrap().connector.trace().clone();
    faults.set(|call| (call.service == "secretsmanager").then_some(Fault::Internal));
    trace.reset();
    key.get(HOOKS).await.expect(200);
    key.get(&path).await.expect(200);
    key.patch(&path).json(&json!({ "active": false })).await.expect(200);
    assert_eq!(trace.snapshot().of("GetSecretValue"), 0);
}

fn text_of(webhook: &Value) -> &str {
    webhook["secret"].as_str().unwrap()
}

#[tokio::test]
async fn a_repeated_answer_holds_no_secret() {
    let app = App::start().await;
    let key = app.account("ada").await.key;
    let (_, path) = made(&key, json!({})).await;
    let rotate = format!("{path}/rotate-secret");
    for (path, body, status) in [(HOOKS, hook(json!({})), 201), (&*rotate, json!({ "graceSeconds": 0 }), 200)] {
        let first = key.post(path).once("k").json(&body).await;
        let again = key.post(path).once("k").json(&body).await;
        let mut expected = first.data(status);
        assert!(expected["secret"].is_string());
        expected["secret"] = Value::Null;
        assert_eq!((again.data(status), again.etag()), (expected, first.etag()));
        assert_eq!(again.header("idempotency-replayed"), "true");
    }
    assert_eq!(key.get(HOOKS).await.page().0.len(), 2);
    assert_eq!(key.get(&path).await.data(200)["version"], 2);
}

#[tokio::test]
async fn a_ping_is_sent_and_can_be_sent_again() {
    let app = App::start().await;
    let key = app.account("ada").await.key;
    let (webhook, path) = made(&key, json!({ "events": ["field_group.deleted"] })).await;
    let ping = key.post(&format!("{path}/test")).await.data(202);
    assert!(id(&ping).starts_with("dlv_") && ping["eventId"].as_str().unwrap().starts_with("evt_"));
    assert_eq!((&ping["webhookId"], &ping["event"]), (&webhook["id"], &json!("test.ping")));
    assert_eq!((&ping["status"], &ping["attemptCount"]), (&json!("pending"), &json!(0)));
    assert_eq!((&ping["nextAttemptAt"], ping.get("attempts")), (&Value::Null, None));
    // It is there to be taken at once, and names no more than it must.
    let [message] = queued(&app, Queue::FirstAttempts).await.try_into().unwrap();
    let named = [&message["webhook"], &message["delivery"], &message["event"]];
    assert_eq!(named, [&webhook["id"], &ping["id"], &ping["eventId"]]);
    assert_eq!((&message["round"], &message["attempt"]), (&json!(0), &json!(0)));
    assert!(!message.to_string().contains("example.com"));

    let delivery = format!("/api/v1/deliveries/{}", id(&ping));
    let mut whole = key.get(&delivery).await.data(200);
    assert_eq!(whole.as_object_mut().unwrap().remove("attempts"), Some(json!([])));
    assert_eq!(whole, ping);
    let (listed, _) = key.get(&format!("{path}/deliveries")).await.page();
    assert_eq!(listed, std::slice::from_ref(&ping));
    for round in 1..3 {
        let again = key.post(&format!("{delivery}/redeliver")).await.data(202);
        assert_eq!((&again["id"], &again["status"]), (&ping["id"], &json!("pending")));
        let [message] = queued(&app, Queue::FirstAttempts).await.try_into().unwrap();
        assert_eq!((&message["delivery"], &message["round"]), (&ping["id"], &json!(round)));
    }
    // With its webhook it is gone.
    key.delete(&path).await.expect(204);
    key.get(&delivery).await.fails(404, "delivery_not_found");
    key.post(&format!("{delivery}/redeliver")).await.fails(404, "delivery_not_found");
    key.get(&format!("{path}/deliveries")).await.fails(404, "webhook_not_found");
}

#[tokio::test]
async fn a_webhook_that_is_off_holds_its_ping() {
    let app = App::start().await;
    let key = app.account("ada").await.key;
    let (_, path) = made(&key, json!({ "active": false })).await;
    let ping = key.post(&format!("{path}/test")).await.data(202);
    assert_eq!(ping["status"], "held");
    let delivery = format!("/api/v1/deliveries/{}", id(&ping));
    assert_eq!(key.post(&format!("{delivery}/redeliver")).await.data(202)["status"], "held");
    assert_eq!(queued(&app, Queue::FirstAttempts).await, Vec::<Value>::new());
    app.clock.advance(Duration::from_secs(8 * 24 * 3600));
    assert_eq!(key.get(&delivery).await.data(200)["status"], "failed");
    let (failed, _) = key.get(&format!("{path}/deliveries?status=failed")).await.page();
    assert_eq!(failed.len(), 1);
    key.patch(&path).json(&json!({ "active": true })).await.expect(200);
    assert_eq!(key.post(&format!("{delivery}/redeliver")).await.data(202)["status"], "pending");
}

#[tokio::test]
async fn a_recovery_is_a_job_that_its_starter_follows() {
    let app = App::start().await;
    let account = app.account("ada").await;
    let body = json!({ "name": "W", "type": "management", "permissions": ["webhooks:write"] });
    let writer = account.owner.post("/api/v1/api-keys").json(&body).await.data(201);
    let writer = app.with_key(writer["key"].as_str().unwrap());
    let (_, path) = made(&account.key, json!({ "active": false })).await;
    let since = json!({ "since": "2026-01-01T00:00:00Z" });
    let job = writer.post(&format!("{path}/recover")).json(&since).await.data(202);
    assert!(id(&job).starts_with("job_"));
    assert_eq!((&job["kind"], &job["status"]), (&json!("webhook_recovery"), &json!("pending")));
    assert_eq!(job["progress"], json!({ "done": 0 }));
    let [task] = queued(&app, Queue::Jobs).await.try_into().unwrap();
    assert_eq!(task["job"], job["id"]);
    assert_eq!(writer.get(&format!("/api/v1/jobs/{}", id(&job))).await.data(200), job);
    writer.get(&path).await.fails(403, "forbidden");
    let nobodys = format!("{HOOKS}/whk_{}", "0".repeat(32));
    writer.post(&format!("{nobodys}/recover")).json(&since).await.fails(404, "webhook_not_found");
    assert_eq!(queued(&app, Queue::Jobs).await, Vec::<Value>::new());
    writer.get(&format!("/api/v1/jobs/job_{}", "0".repeat(32))).await.fails(404, "job_not_found");
}

#[tokio::test]
async fn while_the_queue_is_silent_nobody_is_told_that_it_was_sent() {
    let app = App::start().await;
    let key = app.account("ada").await.key;
    let (_, path) = made(&key, json!({})).await;
    let ping = key.post(&format!("{path}/test")).await.data(202);
    let delivery = format!("/api/v1/deliveries/{}/redeliver", id(&ping));
    let since = json!({ "since": "2026-01-01T00:00:00Z" });
    queued(&app, Queue::FirstAttempts).await;
    let faults = app.backend.engine.as_ref().unwrap().connector.faults().clone();
    faults.set(|call| (call.operation == "SendMessageBatch").then_some(Fault::Internal));
    hurried(key.post(&format!("{path}/test")).once("a")).await.fails(503, "unavailable");
    hurried(key.post(&delivery).once("b")).await.fails(503, "unavailable");
    hurried(key.post(&format!("{path}/recover")).once("c").json(&since)).await.fails(503, "unavailable");
    faults.clear();
    key.post(&format!("{path}/test")).once("a").await.expect(202);
    key.post(&delivery).once("b").await.expect(202);
    key.post(&format!("{path}/recover")).once("c").json(&since).await.expect(202);
    assert_eq!((queued(&app, Queue::FirstAttempts).await.len(), queued(&app, Queue::Jobs).await.len()), (2, 1));
}

#[tokio::test]
async fn who_only_looks_changes_nothing() {
    let app = App::start().await;
    let account = app.account("ada").await;
    let (webhook, path) = made(&account.key, json!({ "active": false })).await;
    let ping = account.key.post(&format!("{path}/test")).await.data(202);
    let since = json!({ "since": "2026-01-01T00:00:00Z" });
    let job = account.key.post(&format!("{path}/recover")).json(&since).await.data(202);
    app.set_role(&account, "viewer").await;
    let (viewer, delivery) = (&account.owner, format!("/api/v1/deliveries/{}", id(&ping)));
    for path in [HOOKS, &path, &format!("{path}/deliveries"), &delivery, &format!("/api/v1/jobs/{}", id(&job))] {
        viewer.get(path).await.expect(200);
    }
    viewer.post(HOOKS).json(&hook(json!({}))).await.fails(403, "forbidden");
    viewer.patch(&path).json(&json!({ "active": true })).await.fails(403, "forbidden");
    viewer.delete(&path).await.fails(403, "forbidden");
    for end in ["rotate-secret", "test", "recover"] {
        viewer.post(&format!("{path}/{end}")).json(&since).await.fails(403, "forbidden");
    }
    viewer.post(&format!("{delivery}/redeliver")).await.fails(403, "forbidden");
    let kept = account.key.get(&path).await.data(200);
    assert_eq!((&kept["version"], &kept["id"]), (&json!(1), &webhook["id"]));
}

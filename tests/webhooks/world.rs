//! One client with its webhooks, and what is asked of their deliveries.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use contract::Time;
use engines::Engines;
use hedgerow_tests::app::{Account, App, Caller, id};
use hedgerow_tests::receiver::{Arrived, Receiver};
use hedgerow_tests::wait::{PATIENCE, found, lapse};
use local::backend::Backend;
use runtime::{Queue, WebhookSettings};
use serde_json::{Value, json};
use store::author::Clock;

/// A retry that is hardly waited for: queues count in whole seconds.
pub(crate) const SOON: Duration = Duration::from_secs(1);
/// One that nothing here waits for: whoever wants it moves the clock.
pub(crate) const LATER: Duration = Duration::from_secs(600);
pub(crate) const DAY: Duration = Duration::from_secs(24 * 3600);

/// A client with its webhooks.
pub(crate) struct World {
    pub(crate) app: App,
    pub(crate) account: Account,
    pub(crate) engines: Engines,
}

/// A webhook, and whoever may ask about it.
#[derive(Clone)]
pub(crate) struct Hook {
    pub(crate) id: String,
    pub(crate) secret: String,
    /// As it was answered when it was made.
    pub(crate) made: Value,
    pub(crate) key: Caller,
}

/// Hedgerow over some engines, with its workers.
pub(crate) async fn over(engines: &Engines, clock: &Clock, set: impl FnOnce(&mut WebhookSettings)) -> App {
    let mut backend = Backend::embedded(engines.clone(), clock.clone()).await.unwrap();
    set(&mut backend.app.webhooks);
    let mut app = App::over(backend).await;
    app.work();
    app
}

impl World {
    /// Where what fails is tried again after these pauses.
    pub(crate) async fn start(retries: &[Duration]) -> Self {
        Self::with(|settings| settings.retries = retries.to_vec()).await
    }

    pub(crate) async fn with(set: impl FnOnce(&mut WebhookSettings)) -> Self {
        let engines = Engines::memory().unwrap();
        let app = over(&engines, &Clock::default(), set).await;
        Self { account: app.account("acme").await, app, engines }
    }

    /// Another Hedgerow with its own workers over the same engines, as a second instance of a deployment.
    pub(crate) async fn another(&self, set: impl FnOnce(&mut WebhookSettings)) -> App {
        over(&self.engines, &self.app.clock, set).await
    }

    pub(crate) fn key(&self) -> &Caller {
        &self.account.key
    }

    /// A webhook that is told of everything.
    pub(crate) async fn hook(&self, receiver: &Receiver) -> Hook {
        self.hook_with(json!({ "url": receiver.url(), "events": ["*"] })).await
    }

    pub(crate) async fn hook_with(&self, body: Value) -> Hook {
        Hook::make(self.key(), body).await
    }

    /// Saves values that announce themselves; gives the event's request.
    pub(crate) async fn save(&self, entity: &str, value: &str) -> Value {
        self.key().save("t1", "product", entity, json!({ "title": value })).await
    }

    /// A group with a field, announced to whoever there is: webhooks that are made later hear nothing of it.
    pub(crate) async fn product(&self) -> Value {
        let events = json!(["field_group.created", "global_field.created"]);
        let witness = json!({ "url": "http://127.0.0.1:9/", "events": events, "active": false });
        let witness = self.hook_with(witness).await;
        let group = self.key().group("product").await;
        self.key().global("title", json!({ "type": "string" }), &[&group]).await;
        witness.until("held", 2).await;
        self.key().delete(&witness.path()).await.expect(204);
        group
    }

    /// So much time passes, for whatever waits as for the functions and the queues.
    pub(crate) async fn pass(&self, span: Duration) {
        lapse(span).await;
        self.app.advance(span);
    }

    /// What is to be tried again later is due, and nothing was under way before.
    pub(crate) async fn later(&self) {
        quiet(&self.app).await;
        self.app.advance(2 * LATER);
    }

    pub(crate) fn now(&self) -> i64 {
        self.app.clock.now().millis()
    }
}

impl Hook {
    pub(crate) async fn make(key: &Caller, body: Value) -> Self {
        let made = key.post("/api/v1/webhooks").json(&body).await.data(201);
        let secret = made["secret"].as_str().unwrap().to_owned();
        Self { id: id(&made).to_owned(), secret, made, key: key.clone() }
    }

    pub(crate) fn path(&self) -> String {
        format!("/api/v1/webhooks/{}", self.id)
    }

    pub(crate) async fn get(&self) -> Value {
        self.key.get(&self.path()).await.data(200)
    }

    pub(crate) async fn patch(&self, change: Value) -> Value {
        self.key.patch(&self.path()).json(&change).await.data(200)
    }

    pub(crate) async fn rotate(&mut self, grace: u32) -> String {
        let body = json!({ "graceSeconds": grace });
        let made = self.key.post(&format!("{}/rotate-secret", self.path())).json(&body).await.data(200);
        let secret = made["secret"].as_str().unwrap().to_owned();
        std::mem::replace(&mut self.secret, secret)
    }

    /// A ping's delivery.
    pub(crate) async fn ping(&self) -> String {
        let delivery = self.key.post(&format!("{}/test", self.path())).await.data(202);
        assert_eq!((&delivery["event"], &delivery["webhookId"]), (&json!("test.ping"), &json!(self.id)));
        id(&delivery).to_owned()
    }

    /// All deliveries that a filter lets through, newest first.
    pub(crate) async fn deliveries(&self, filter: &str) -> Vec<Value> {
        let (mut all, mut cursor) = (Vec::new(), String::new());
        loop {
            let path = format!("{}/deliveries?limit=100&{filter}{cursor}", self.path());
            let (page, next) = self.key.get(&path).await.page();
            all.extend(page);
            let Some(next) = next else { return all };
            cursor = format!("&cursor={next}");
        }
    }

    pub(crate) async fn count(&self, filter: &str) -> usize {
        self.deliveries(filter).await.len()
    }

    pub(crate) async fn delivery(&self, id: &str) -> Value {
        self.key.get(&format!("/api/v1/deliveries/{id}")).await.data(200)
    }

    /// Waits until so many deliveries stand there, as long as it goes on.
    #[track_caller]
    pub(crate) fn until(&self, status: &str, count: usize) -> impl Future<Output = Vec<Value>> {
        let (hook, filter) = (self.clone(), format!("status={status}"));
        let asked = std::panic::Location::caller();
        async move {
            let (mut changed, mut before) = (Instant::now(), 0);
            loop {
                let all = hook.deliveries(&filter).await;
                if all.len() == count {
                    return all;
                }
                if all.len() != before {
                    (changed, before) = (Instant::now(), all.len());
                }
                if changed.elapsed() > PATIENCE {
                    let mut others = hook.deliveries("").await;
                    others.retain(|one| filter != format!("status={}", one["status"].as_str().unwrap()));
                    let mut wholes = Vec::new();
                    for one in others.iter().take(3) {
                        wholes.push(hook.delivery(id(one)).await);
                    }
                    let others = others.len();
                    panic!("{asked}: {} are {filter} and not {count}, {others} are not,: {wholes:#?}", all.len());
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }

    /// Waits until a delivery stands there, and gives it with its attempts.
    #[track_caller]
    pub(crate) fn stands(&self, id: &str, status: &str) -> impl Future<Output = Value> {
        let (hook, id, status) = (self.clone(), id.to_owned(), status.to_owned());
        let asked = std::panic::Location::caller();
        async move {
            let deadline = Instant::now() + PATIENCE;
            loop {
                let delivery = hook.delivery(&id).await;
                if delivery["status"] == status {
                    return delivery;
                }
                assert!(Instant::now() < deadline, "{asked}: not {status}: {delivery:#}");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }

    /// Sends a delivery once more.
    pub(crate) async fn redeliver(&self, id: &str) -> Value {
        self.key.post(&format!("/api/v1/deliveries/{id}/redeliver")).await.data(202)
    }

    /// Sends again what failed or is held, and waits for the job to be done.
    pub(crate) async fn recover(&self, since: i64) -> Value {
        let body = json!({ "since": rfc3339(since) });
        let job = self.key.post(&format!("{}/recover", self.path())).json(&body).await.data(202);
        assert_eq!(job["kind"], "webhook_recovery");
        let (key, path) = (self.key.clone(), format!("/api/v1/jobs/{}", id(&job)));
        found(move || {
            let call = key.get(&path);
            async move {
                let job = call.await.data(200);
                (job["status"] == "completed").then_some(job)
            }
        })
        .await
    }

    /// That a request is signed by this webhook's secret alone.
    #[track_caller]
    pub(crate) fn verify(&self, arrived: &Arrived) {
        standardwebhooks::Webhook::new(&self.secret).unwrap().verify(&arrived.body, &arrived.headers).unwrap();
        assert_eq!(arrived.header("webhook-signature").split(' ').count(), 1);
    }
}

pub(crate) fn rfc3339(millis: i64) -> String {
    Time::from_millis(millis).to_string()
}

/// Waits until no message is in a worker's hands or could be: what there is lies delayed.
pub(crate) async fn quiet(app: &App) {
    use aws_sdk_sqs::types::QueueAttributeName::{
        ApproximateNumberOfMessages as Visible, ApproximateNumberOfMessagesNotVisible as InFlight,
    };
    let (sqs, queues) = (&app.backend.engine.as_ref().unwrap().sqs, app.backend.app.queues().unwrap());
    found(|| async {
        for queue in Queue::ALL {
            let call = sqs
                .get_queue_attributes()
                .queue_url(queues.url(queue))
                .attribute_names(Visible)
                .attribute_names(InFlight);
            let told = call.send().await.unwrap().attributes.unwrap();
            if told.values().any(|count| count != "0") {
                return None;
            }
        }
        Some(())
    })
    .await;
}

/// How often each event arrived, of those requests that were taken.
pub(crate) fn by_event<'a>(arrived: impl IntoIterator<Item = &'a Arrived>) -> HashMap<String, usize> {
    let mut counts = HashMap::new();
    for one in arrived.into_iter().filter(|one| one.taken()) {
        *counts.entry(one.event_id().to_owned()).or_default() += 1;
    }
    counts
}

/// That so many events arrived, each once.
#[track_caller]
pub(crate) fn assert_each_once(receiver: &Receiver, events: usize) {
    let counts = by_event(&receiver.arrived());
    assert_eq!(counts.len(), events);
    assert!(counts.values().all(|count| *count == 1), "{counts:?}");
}

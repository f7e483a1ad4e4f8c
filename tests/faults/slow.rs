//! Calls that take long, and attempts that take all of their time: however it adds up, a batch ends within the time that
//! its function has. The time is tokio's own, which moves when everybody waits.

use std::sync::Arc;
use std::time::Duration;

use auth::PasswordHash;
use contract::id::WebhookId;
use contract::webhook::{Delivery, Headers};
use engines::{Engines, Fault};
use futures_util::future::join_all;
use local::backend::Backend;
use runtime::Worker;
use runtime::lambda::consumer::{Batch, run};
use serde_json::{Value, json};
use store::OpContext;
use store::accounts::Signup;
use store::author::{Author, Clock, RequestInfo, Seed};
use store::deliveries::{Deliveries, Message};
use store::grant::{Create, Get, Ping};
use store::scope::ClientScope;
use store::webhooks::{NewWebhook, Webhooks};
use tokio::net::TcpListener;
use tokio::time::Instant;

use crate::rig::consumer;

const BATCH: usize = 10;

/// A client with an endpoint that takes everything and answers nothing.
struct Silent {
    backend: Backend,
    worker: Arc<dyn Worker>,
    scope: ClientScope,
    webhook: WebhookId,
    _listener: TcpListener,
}

fn author(seed: Seed) -> Arc<Author> {
    let origin = RequestInfo { address: None, agent: "tests".to_owned(), request_id: "req_test".to_owned() };
    Arc::new(Author::new("tests", &origin, seed))
}

impl Silent {
    async fn new() -> Self {
        let backend = Backend::embedded(Engines::memory().unwrap(), Clock::default()).await.unwrap();
        let seed = Seed::new(backend.app.clock().now());
        let opening = Signup::open(&backend.store, author(seed));
        let hash = PasswordHash::of_nobody();
        let opened = opening.open_account("a@example.com".parse().unwrap(), &hash, "Acme".parse().unwrap());
        let op = opened.await.unwrap().op;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let new = NewWebhook {
            url: format!("http://{}/", listener.local_addr().unwrap()),
            description: None,
            events: serde_json::from_value(json!(["*"])).unwrap(),
            tenant_ids: None,
            headers: Headers::default(),
            signature_header: None,
            active: true,
            secret: auth::WebhookSecret::generate(),
        };
        let ring = backend.app.vault().unwrap().ring().await.unwrap();
        let (webhook, _) = Webhooks::<Create>::open(&op).create(new, &ring).await.unwrap();
        let worker = (consumer("dispatcher").start)(&backend.app).unwrap();
        Self { scope: op.scope().clone(), backend, worker, webhook: webhook.id, _listener: listener }
    }

    fn op(&self) -> OpContext {
        let seed = Seed::new(self.backend.app.clock().now());
        OpContext::new(self.backend.store.clone(), self.scope.clone(), author(seed))
    }

    async fn pings(&self, count: usize) -> Vec<(Delivery, Message)> {
        let mut pings = Vec::new();
        for _ in 0..count {
            let deliveries = Deliveries::<Ping>::open(&self.op());
            let (delivery, message) = deliveries.ping(self.webhook, None, "req_test").await.unwrap();
            pings.push((delivery, message.unwrap()));
        }
        pings
    }

    /// What becomes of messages that are handed out in batches side by side, each within the function's time.
    async fn dispatch(&self, pings: &[(Delivery, Message)]) -> Vec<Batch> {
        let dispatcher = consumer("dispatcher");
        let record = |(delivery, message): &(Delivery, Message)| {
            json!({
                "messageId": delivery.id,
                "receiptHandle": "AQEB",
                "body": serde_json::to_string(message).unwrap(),
                "attributes": { "ApproximateReceiveCount": "1" },
            })
        };
        let dispatch = async |pings: &[(Delivery, Message)]| {
            let (event, started) = (json!({ "Records": pings.iter().map(record).collect::<Value>() }), Instant::now());
            let batch = run(dispatcher, &self.worker, event, dispatcher.timeout).await;
            let took = started.elapsed();
            assert!(took < dispatcher.timeout, "{took:?}");
            // An error would be a batch that was cut off, with all that its messages have come to.
            batch.unwrap()
        };
        join_all(pings.chunks(BATCH).map(dispatch)).await
    }
}

/// Nothing is slow but the endpoint: one batch makes its attempts, and the others' messages are deferred.
#[tokio::test(start_paused = true)]
async fn batches_that_wait_for_a_silent_endpoint() {
    let silent = Silent::new().await;
    let pings = silent.pings(4 * BATCH).await;
    let batches = silent.dispatch(&pings).await;
    assert!(batches.iter().all(|batch| batch.batch_item_failures.is_empty()), "{batches:?}");
    let mut attempts = 0;
    for (delivery, _) in &pings {
        let delivery = Deliveries::<Get>::open(&silent.op()).get(delivery.id).await.unwrap();
        attempts += delivery.attempt_count;
    }
    assert_eq!(attempts, 10, "as many as an endpoint has slots");
}

#[tokio::test(start_paused = true)]
async fn calls_that_take_long() {
    let all: &[&str] = &["dynamodb", "sqs", "secretsmanager"];
    for services in [all, &all[..1], &all[1..2], &all[2..]] {
        for millis in [1_000, 3_000, 5_000, 8_000, 600_000] {
            let silent = Silent::new().await;
            let pings = silent.pings(2 * BATCH).await;
            let faults = silent.backend.engine.as_ref().unwrap().connector.faults();
            let slow = Fault::Slow(Duration::from_millis(millis));
            faults.set(move |call| services.contains(&call.service).then_some(slow));
            silent.dispatch(&pings).await;
        }
    }
}

/// Slow from some call on, so that it strikes each step in turn, its record among them.
#[tokio::test(start_paused = true)]
async fn calls_that_begin_to_take_long() {
    for operation in ["UpdateItem", "BatchGetItem", "GetItem", "SendMessageBatch", "TransactWriteItems"] {
        for from in 1..5 {
            for millis in [9_000, 600_000] {
                let silent = Silent::new().await;
                let pings = silent.pings(3).await;
                let connector = &silent.backend.engine.as_ref().unwrap().connector;
                connector.trace().reset();
                let slow = Fault::Slow(Duration::from_millis(millis));
                connector.faults().set(move |call| (call.operation == operation && call.nth >= from).then_some(slow));
                silent.dispatch(&pings).await;
            }
        }
    }
}

//! One Hedgerow in memory, one client, one receiver, and the means to break what lies below.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use engines::{Engines, Faults};
use hedgerow_tests::app::{Account, App, values};
use hedgerow_tests::receiver::Receiver;
use hedgerow_tests::wait::{eventually, lapse};
use local::backend::Backend;
use runtime::{Consumer, Queue};
use serde_json::{Value, json};
use store::author::Clock;
use tempfile::TempDir;

use crate::ledger::{Hook, Sum, balance};

/// A retry that is hardly waited for, often enough for every fault here to end.
pub(crate) const SOON: [Duration; 12] = [Duration::from_secs(1); 12];
/// The time after which a message that failed is handed out again.
pub(crate) const HIDDEN: Duration = Duration::from_secs(421);
/// How many seconds pass, at the least, while what goes on by itself comes to a request or an end.
const QUIET: usize = 20;

/// A text that nothing was saved with before: a save that changes nothing is not announced.
pub(crate) fn fresh() -> String {
    static MADE: AtomicU64 = AtomicU64::new(0);
    format!("text {}", MADE.fetch_add(1, Ordering::Relaxed))
}

/// A client whose saves are announced.
pub(crate) struct Rig {
    pub(crate) app: App,
    pub(crate) engines: Engines,
    pub(crate) account: Account,
    pub(crate) receiver: Receiver,
    pub(crate) hook: Hook,
    /// The requests whose changes are to be announced.
    pub(crate) acknowledged: Vec<String>,
    _folder: Option<TempDir>,
}

/// Hedgerow over some engines; nobody works its webhooks.
pub(crate) async fn over(engines: &Engines, clock: Clock) -> App {
    let mut backend = Backend::embedded(engines.clone(), clock).await.unwrap();
    backend.app.webhooks.retries = SOON.to_vec();
    App::over(backend).await
}

/// A consumer by its name.
pub(crate) fn consumer(id: &str) -> &'static Consumer {
    functions::consumers().into_iter().find(|consumer| consumer.id == id).unwrap()
}

impl Rig {
    /// Nobody works its webhooks yet.
    pub(crate) async fn idle() -> Self {
        let engines = Engines::memory().unwrap();
        Self::over(over(&engines, Clock::default()).await, None).await
    }

    /// Over a folder, where one works at a time, and the next knows that the one before is dead. Somebody works.
    pub(crate) async fn in_folder() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut backend = Backend::in_folder(folder.path(), Clock::default()).await.unwrap();
        backend.app.webhooks.retries = SOON.to_vec();
        let mut rig = Self::over(App::over(backend).await, Some(folder)).await;
        rig.work();
        rig
    }

    async fn over(app: App, folder: Option<TempDir>) -> Self {
        let engines = app.backend.engine.as_ref().unwrap().engines.clone();
        let account = app.account("acme").await;
        let group = account.key.group("product").await;
        account.key.global("title", json!({ "type": "string" }), &[&group]).await;
        let receiver = Receiver::start();
        let hook = Hook::make(&account.key, &receiver, "/a").await;
        let rig = Self { app, engines, account, receiver, hook, acknowledged: Vec::new(), _folder: folder };
        // What was written before there was a webhook is no concern of it.
        rig.skip_the_stream();
        rig
    }

    pub(crate) async fn working() -> Self {
        let mut rig = Self::idle().await;
        rig.work();
        rig
    }

    /// What was written up to now is announced by nobody.
    pub(crate) fn skip_the_stream(&self) {
        let stream = self.engines.dynamo.stream("hedgerow-main").unwrap();
        let records = stream.read(None, 1000).unwrap();
        let last = records.last().unwrap()["dynamodb"]["SequenceNumber"].as_str().unwrap().to_owned();
        stream.set_checkpoint("fan-out", &last).unwrap();
        stream.prune(&last).unwrap();
    }

    pub(crate) fn work(&mut self) {
        self.app.work();
    }

    /// What works its webhooks dies, with all that it has in hand.
    pub(crate) async fn die(&mut self) {
        drop(self.app.workers.take());
        // What was aborted is gone once the runtime has come by.
        lapse(Duration::from_millis(100)).await;
    }

    /// So many seconds pass, for whatever waits and for the queues.
    pub(crate) async fn pass(&self, seconds: u32) {
        for _ in 0..seconds {
            lapse(Duration::from_secs(1)).await;
            self.app.advance(Duration::from_secs(1));
        }
    }

    pub(crate) fn faults(&self) -> &Faults {
        self.app.backend.engine.as_ref().unwrap().connector.faults()
    }

    pub(crate) fn sqs(&self) -> &engines::Sqs {
        &self.engines.sqs
    }

    /// Saves values that announce themselves. Who is told that it did not work is told nothing of the outcome.
    pub(crate) async fn save(&mut self, entity: &str) {
        let call = self.account.key.post(&values("t1", "product", entity)).json(&json!({ "title": fresh() }));
        let answer = call.await;
        if answer.status == 200 {
            self.acknowledged.push(answer.request_id().to_owned());
        } else {
            answer.fails(503, "unavailable");
        }
    }

    pub(crate) async fn save_many(&mut self, count: usize) {
        for number in 0..count {
            self.save(&format!("e-{number}")).await;
        }
    }

    /// Calls `fan-out` with records, as Lambda does.
    pub(crate) async fn fan_out(&self, records: Vec<Value>) {
        let fan_out = consumer("fan-out");
        let worker = (fan_out.start)(&self.app.backend.app).unwrap();
        let event = json!({ "Records": records });
        let batch = runtime::lambda::consumer::run(fan_out, &worker, event, fan_out.timeout).await.unwrap();
        assert!(batch.batch_item_failures.is_empty(), "{batch:?}");
    }

    /// What was written and not yet announced.
    pub(crate) fn records(&self) -> Vec<Value> {
        let stream = self.engines.dynamo.stream("hedgerow-main").unwrap();
        let after = stream.checkpoint("fan-out").unwrap();
        stream.read(after.as_deref(), 100).unwrap()
    }

    /// Waits until nothing is on its way any more, and everything that was acknowledged has come. Where nothing happens
    /// for a while, the time passes that messages are hidden for: never while a request is under way, which is shorter.
    pub(crate) async fn settle(&self) {
        let (mut count, mut seconds) = (self.receiver.count(), 0);
        eventually(|| {
            seconds += 1;
            if self.receiver.count() != count || self.receiver.under_way() > 0 {
                (count, seconds) = (self.receiver.count(), 0);
            } else if seconds > QUIET {
                self.sqs().advance(HIDDEN);
                seconds = 0;
            }
            async {
                self.pass(1).await;
                self.is_settled().await
            }
        })
        .await;
    }

    pub(crate) async fn is_settled(&self) -> bool {
        let posts = self.receiver.arrived();
        let came = |request: &String| posts.iter().any(|post| post.request_id() == *request);
        self.acknowledged.iter().all(came) && self.hook.on_their_way(&self.account.key).await.is_empty()
    }

    /// Waits, and holds what is recorded against what came.
    pub(crate) async fn balanced(&self) -> Sum {
        self.settle().await;
        let posts = self.receiver.arrived();
        assert!(posts.iter().all(|post| post.genuine), "a signature is wrong");
        for request in &self.acknowledged {
            let mut events: Vec<_> =
                posts.iter().filter(|post| post.request_id() == *request).map(|post| post.event_id()).collect();
            events.dedup();
            assert_eq!(events.len(), 1, "one change is one event");
        }
        balance(&self.account.key, std::slice::from_ref(&self.hook), &posts).await
    }

    /// A raw call of the embedded DynamoDB.
    pub(crate) async fn raw(&self, operation: &str, body: &Value) -> Value {
        let target = format!("DynamoDB_20120810.{operation}");
        let answer = self.engines.dynamo.call(&target, Bytes::from(body.to_string())).await;
        assert_eq!(answer.status, 200, "{operation}");
        serde_json::from_slice(&answer.body).unwrap()
    }

    /// Sends a raw message.
    pub(crate) async fn send(&self, queue: Queue, body: &str) {
        let engine = self.app.backend.engine.as_ref().unwrap();
        let url = self.app.backend.app.queues().unwrap().url(queue);
        engine.sqs.send_message().queue_url(url).message_body(body).send().await.unwrap();
    }

    /// How many messages lie in a queue's dead-letter queue.
    pub(crate) async fn dead(&self, queue: Queue) -> usize {
        let url = format!("{}-dead", self.app.backend.app.queues().unwrap().url(queue));
        messages(&self.app.backend, &url).await
    }
}

/// How many messages lie in a queue, in flight or not.
pub(crate) async fn messages(backend: &Backend, url: &str) -> usize {
    let sqs = &backend.engine.as_ref().unwrap().sqs;
    let asked = sqs.get_queue_attributes().queue_url(url).attribute_names("All".into()).send().await.unwrap();
    let told = asked.attributes.unwrap();
    let count = |name: &str| -> usize { told.iter().find(|(key, _)| key.as_str() == name).unwrap().1.parse().unwrap() };
    count("ApproximateNumberOfMessages")
        + count("ApproximateNumberOfMessagesNotVisible")
        + count("ApproximateNumberOfMessagesDelayed")
}

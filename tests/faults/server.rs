//! A Hedgerow with faults below it, as a process of its own that can be killed: this test binary, started anew.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use engines::{Call, Fault};
use hedgerow_tests::app::App;
use hedgerow_tests::wait::eventually;
use local::backend::Backend;
use serde_json::{Value, json};
use store::author::Clock;
use tokio::process::{Child, Command};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::chance::Chance;
use crate::rig::consumer;

const FOLDER: &str = "HEDGEROW_FAULTS_FOLDER";
const NUMBER: &str = "HEDGEROW_FAULTS_NUMBER";
const SEED: &str = "HEDGEROW_FAULTS_SEED";

/// Failed attempts are made again soon, and often enough for every fault here to end.
pub(crate) const RETRIES: [Duration; 30] = [Duration::from_secs(1); 30];

#[expect(clippy::disallowed_methods, reason = "a process of the tests is told what it is by its environment")]
pub(crate) fn setting(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// A process that serves a folder. It is killed when it is dropped.
pub(crate) struct Server {
    pub(crate) base: String,
    child: Child,
}

impl Server {
    /// Starts one; with a seed, what lies below it breaks by chance.
    pub(crate) async fn start(folder: &Path, number: usize, seed: Option<u64>) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "server::process", "--ignored", "--nocapture"]);
        command.env(FOLDER, folder).env(NUMBER, number.to_string());
        if let Some(seed) = seed {
            command.env(SEED, seed.to_string());
        }
        let log = std::fs::File::create(folder.join(format!("{number}.log"))).unwrap();
        command.stdin(Stdio::piped()).stdout(log.try_clone().unwrap()).stderr(log).kill_on_drop(true);
        let child = command.spawn().unwrap();
        let file = address(folder, number);
        eventually(|| async { file.exists() }).await;
        let address = std::fs::read_to_string(file).unwrap();
        Self { base: format!("http://{address}"), child }
    }

    /// `kill -9`.
    pub(crate) async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }
}

fn address(folder: &Path, number: usize) -> PathBuf {
    folder.join(format!("{number}.address"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a process that other tests start"]
async fn process() {
    let Some(folder) = setting(FOLDER).map(PathBuf::from) else { return };
    let number = setting(NUMBER).unwrap().parse().unwrap();
    let mut backend = Backend::in_folder(&folder.join("data"), Clock::default()).await.unwrap();
    backend.app.webhooks.retries = RETRIES.to_vec();
    let mut app = App::over(backend).await;
    if let Some(seed) = setting(SEED) {
        break_by_chance(&app.backend, seed.parse().unwrap());
    }
    app.work();
    // Whole at once: it is read as soon as it is there.
    let new = folder.join(format!("{number}.new"));
    std::fs::write(&new, app.address.to_string()).unwrap();
    std::fs::rename(new, address(&folder, number)).unwrap();
    // Ends with whoever started it.
    let _ = tokio::task::spawn_blocking(|| std::io::stdin().read(&mut [0])).await;
}

fn break_by_chance(backend: &Backend, seed: u64) {
    let (again, sent) = unbounded_channel();
    let (chance, started) = (Chance::new(seed), Instant::now());
    let engine = backend.engine.as_ref().unwrap();
    engine.connector.faults().set(move |call| {
        if call.operation == "SendMessageBatch" && chance.percent(15) {
            let _ = again.send(call.body.to_vec());
        }
        // Now and then nothing much works for a while.
        let storm = Chance::new(seed ^ (started.elapsed().as_secs())).percent(10);
        fault(call, &chance, storm)
    });
    tokio::spawn(send_again(engine.sqs.clone(), sent, Chance::new(!seed)));
    let stream = engine.engines.dynamo.stream("hedgerow-main").unwrap();
    let fan_out = consumer("fan-out");
    let worker = (fan_out.start)(&backend.app).unwrap();
    // Reads the stream beside the one who works it, and announces a part of it once more.
    let some = Chance::new(seed.rotate_left(32));
    tokio::spawn(async move {
        let mut after: Option<String> = None;
        loop {
            let records = stream.read(after.as_deref(), 20).unwrap();
            let Some(last) = records.last() else {
                stream.changed().await;
                continue;
            };
            after = last["dynamodb"]["SequenceNumber"].as_str().map(str::to_owned);
            if some.percent(25) {
                let event = json!({ "Records": records });
                let _ = runtime::lambda::consumer::run(fan_out, &worker, event, fan_out.timeout).await;
            }
        }
    });
}

fn fault(call: &Call<'_>, chance: &Chance, storm: bool) -> Option<Fault> {
    const LOST: [&str; 7] = [
        "PutItem",
        "UpdateItem",
        "DeleteItem",
        "BatchWriteItem",
        "TransactWriteItems",
        "SendMessageBatch",
        "DeleteMessageBatch",
    ];
    if call.operation == "ReceiveMessage" {
        return None;
    }
    let busy = if storm { 40 } else { 3 };
    match chance.below(100) {
        0..3 if LOST.contains(&call.operation) => Some(Fault::Lost),
        3 => Some(Fault::Internal),
        4..6 if call.operation == "TransactWriteItems" => Some(Fault::TransactionConflict),
        6..9 if call.service == "sqs" => Some(Fault::Partial),
        roll if roll >= 100 - busy => Some(if roll % 2 == 0 { Fault::Throughput } else { Fault::Throttling }),
        _ => None,
    }
}

/// Sends messages once more, after a while or at once, whether they were to wait or not.
async fn send_again(sqs: aws_sdk_sqs::Client, mut sent: UnboundedReceiver<Vec<u8>>, chance: Chance) {
    let (sqs, chance) = (Arc::new(sqs), Arc::new(chance));
    while let Some(body) = sent.recv().await {
        let (sqs, chance) = (sqs.clone(), chance.clone());
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(chance.below(1500))).await;
            let body: Value = serde_json::from_slice(&body).unwrap();
            let url = body["QueueUrl"].as_str().unwrap();
            for entry in body["Entries"].as_array().unwrap() {
                let message = entry["MessageBody"].as_str().unwrap();
                // Not what waits for a place: it is sent again and again, and its copies would be too.
                if serde_json::from_str::<Value>(message).unwrap()["waits"].as_u64() > Some(0) {
                    continue;
                }
                let _ = sqs.send_message().queue_url(url).message_body(message).send().await;
            }
        });
    }
}

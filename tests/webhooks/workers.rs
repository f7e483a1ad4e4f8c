//! What feeds the functions behind webhooks on one machine: what it does with batches that fail, and with processes
//! that die.

use std::collections::HashMap;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_sqs::types::QueueAttributeName as Attribute;
use engines::Fault;
use hedgerow_tests::app::{Account, App, Caller, each, id};
use hedgerow_tests::process::{Dev, PATIENCE, program};
use hedgerow_tests::wait::{lapse, until};
use local::workers::Workers;
use runtime::Queue;
use serde_json::json;
use store::tables::Table;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

/// Nobody is there: what matters here is that a delivery was made.
const NOWHERE: &str = "http://127.0.0.1:9/";

/// Nobody works yet: what is written now is one batch when somebody does.
async fn idle() -> (App, Account, String) {
    with_hook(App::start().await).await
}

/// A client with a webhook.
async fn with_hook(app: App) -> (App, Account, String) {
    let account = app.account("acme").await;
    let group = account.key.group("product").await;
    account.key.global("title", json!({ "type": "string" }), &[&group]).await;
    let body = json!({ "url": NOWHERE, "events": ["field_value.saved"] });
    let hook = account.key.post("/api/v1/webhooks").json(&body).await.data(201);
    (app, account, id(&hook).to_owned())
}

async fn save(key: &Caller, entity: usize) {
    key.save("t1", "product", &format!("e{entity}"), json!({ "title": "x" })).await;
}

/// The identifiers of a webhook's deliveries.
async fn deliveries(key: &Caller, hook: &str) -> Vec<String> {
    let (page, _) = key.get(&format!("/api/v1/webhooks/{hook}/deliveries?limit=100")).await.page();
    each(&page, "id").into_iter().map(str::to_owned).collect()
}

/// An item that announces and can't be read.
async fn break_in(app: &App) {
    let engine = app.backend.engine.as_ref().unwrap();
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let item = HashMap::from([("pk", text("V#broken")), ("sk", text("nothing")), ("version", text("no number"))]);
    let item = item.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    let put = engine.dynamo.put_item().table_name(app.backend.tables.of(Table::Main)).set_item(Some(item));
    put.send().await.unwrap();
}

#[tokio::test]
async fn a_record_that_cannot_be_read_goes_to_the_failed_records_and_the_others_are_announced() {
    let (app, account, hook) = idle().await;
    for entity in 0..10 {
        if entity == 4 {
            break_in(&app).await;
        }
        save(&account.key, entity).await;
    }
    let workers = Workers::start(&app.backend).unwrap();
    until(PATIENCE, || async {
        lapse(Duration::from_secs(1)).await;
        // Of both that read the stream.
        workers.failed_records().len() == 2
    })
    .await;
    until(PATIENCE, || async { deliveries(&account.key, &hook).await.len() == 10 }).await;
    // What comes after it flows.
    save(&account.key, 10).await;
    until(PATIENCE, || async { deliveries(&account.key, &hook).await.len() == 11 }).await;
    let failed = workers.failed_records();
    assert_eq!(failed.len(), 2);
    assert!(failed.iter().all(|record| record["dynamodb"]["Keys"]["pk"]["S"] == "V#broken"), "{failed:?}");
    workers.stop().await;
}

#[tokio::test]
async fn a_batch_that_fails_whole_comes_again_until_it_does_not() {
    let (app, account, hook) = idle().await;
    for entity in 0..3 {
        save(&account.key, entity).await;
    }
    let connector = app.backend.engine.as_ref().unwrap().connector.clone();
    let struck = Arc::new(AtomicU32::new(0));
    let count = struck.clone();
    connector.faults().set(move |call| {
        let strikes = call.service == "dynamodb" && call.operation == "BatchWriteItem";
        // More than one alone would be tried, and than the SDK tries by itself.
        (strikes && count.fetch_add(1, Ordering::Relaxed) < 40).then_some(Fault::Internal)
    });
    let workers = Workers::start(&app.backend).unwrap();
    until(PATIENCE, || async {
        lapse(Duration::from_secs(1)).await;
        deliveries(&account.key, &hook).await.len() == 3
    })
    .await;
    assert!(struck.load(Ordering::Relaxed) > 40 && workers.failed_records().is_empty());
}

#[tokio::test]
async fn a_message_that_fails_comes_again_and_at_last_goes_to_the_dead_letters() {
    let (mut app, ..) = idle().await;
    let sqs = app.backend.engine.as_ref().unwrap().sqs.clone();
    let jobs = app.backend.app.queues().unwrap().url(Queue::Jobs);
    let dead = format!("{jobs}-dead");
    let count = async |url: &str| {
        let names = [Attribute::ApproximateNumberOfMessages, Attribute::ApproximateNumberOfMessagesNotVisible];
        let told = sqs.get_queue_attributes().queue_url(url).set_attribute_names(Some(names.to_vec())).send().await;
        let told = told.unwrap().attributes.unwrap();
        names.map(|name| told[&name].parse::<u32>().unwrap())
    };
    // A good one among the bad is done with: it names no job that is there.
    let unknown = "01a2006fba717570b3d3c696c763b405";
    let good = json!({ "task": "run", "client": format!("cl_{unknown}"), "job": format!("job_{unknown}") }).to_string();
    for body in ["no task", &good] {
        sqs.send_message().queue_url(&jobs).message_body(body).send().await.unwrap();
    }
    app.workers = Some(Workers::start(&app.backend).unwrap());
    for _ in 0..10 {
        // The good one is done with, and the bad one is hidden.
        until(PATIENCE, || async { count(&jobs).await == [0, 1] }).await;
        app.advance(Duration::from_secs(421));
    }
    until(PATIENCE, || async { count(&dead).await == [1, 0] && count(&jobs).await == [0, 0] }).await;
}

#[tokio::test]
async fn a_stop_waits_for_what_is_in_flight_and_takes_nothing_more() {
    let (mut app, account, hook) = with_hook(App::with_webhooks(&[]).await).await;
    save(&account.key, 0).await;
    until(PATIENCE, || async { deliveries(&account.key, &hook).await.len() == 1 }).await;
    app.workers.take().unwrap().stop().await;
    save(&account.key, 1).await;
    lapse(Duration::from_secs(10)).await;
    assert_eq!(deliveries(&account.key, &hook).await.len(), 1);
    let _workers = Workers::start(&app.backend).unwrap();
    until(PATIENCE, || async { deliveries(&account.key, &hook).await.len() == 2 }).await;
}

/// A running `hedgerow listen`, by what it prints.
struct Listener {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Listener {
    async fn start(dev: &Dev, arguments: &[&str]) -> Self {
        let mut command = Command::new(program("hedgerow"));
        command.args([
            "listen",
            "--listen",
            "127.0.0.1:0",
            "--quiet",
            "--create",
            "--api",
            &dev.base,
            "--key",
            &dev.key,
        ]);
        command.args(["--events", "field_value.saved"]).args(arguments);
        let mut child = command.stdout(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut listener = Self { child, lines };
        while !listener.line().await.starts_with("The webhook whk_") {}
        assert_eq!(listener.line().await, "");
        listener
    }

    async fn line(&mut self) -> String {
        tokio::time::timeout(PATIENCE, self.lines.next_line()).await.unwrap().unwrap().unwrap()
    }

    /// The event's identifier of the next delivery, which is genuine.
    async fn delivery(&mut self) -> String {
        let line = self.line().await;
        assert!(
            line.contains("field_value.saved") && line.contains("  acme  ") && line.ends_with("✓ verified"),
            "{line}"
        );
        line.split_whitespace().find(|word| word.starts_with("evt_")).unwrap().to_owned()
    }
}

#[tokio::test]
async fn another_process_takes_over_with_what_the_dead_one_had_in_hand() {
    let folder = tempfile::tempdir().unwrap();
    let first = Dev::start(folder.path(), 1).await;
    let second = Dev::start(folder.path(), 2).await;
    // It never answers in time, so that the delivery is in flight when its sender dies.
    let mut slow = Listener::start(&second, &["--delay", "60s"]).await;
    second.caller().save("acme", "product", "sku-1", json!({ "title": "One" })).await;
    let event = slow.delivery().await;
    first.kill().await;
    assert_eq!(slow.delivery().await, event, "it is sent again, long before its message would be seen again");
    second.caller().save("acme", "product", "sku-1", json!({ "title": "Two" })).await;
    assert_ne!(slow.delivery().await, event);
    // A third waits for its turn, and gets it when the second ends.
    let third = Dev::start(folder.path(), 3).await;
    let (status, ..) = second.terminate().await;
    assert!(status.success());
    third.caller().save("acme", "product", "sku-1", json!({ "title": "Three" })).await;
    while slow.delivery().await == event {}
}

#[tokio::test]
async fn a_listener_shows_what_is_genuine_and_takes_its_webhook_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let dev = Dev::start(folder.path(), 1).await;
    let before = hooks(&dev).await;
    let mut listener = Listener::start(&dev, &[]).await;
    assert_eq!(hooks(&dev).await, before + 1);
    dev.caller().save("acme", "product", "sku-1", json!({ "title": "One" })).await;
    listener.delivery().await;
    let pid = listener.child.id().unwrap().to_string();
    assert!(std::process::Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    let status = tokio::time::timeout(PATIENCE, listener.child.wait()).await.unwrap().unwrap();
    assert!(status.success());
    assert_eq!(hooks(&dev).await, before);
}

async fn hooks(dev: &Dev) -> usize {
    dev.caller().get("/api/v1/webhooks?limit=100").await.page().0.len()
}

/// Runs `hedgerow verify`; its exit code, and what it printed.
async fn verify(folder: &Path, arguments: &[&str]) -> (i32, String) {
    let mut command = Command::new(program("hedgerow"));
    command.arg("verify").args(arguments).current_dir(folder).stdin(Stdio::null()).kill_on_drop(true);
    let output = tokio::time::timeout(PATIENCE, command.output()).await.unwrap().unwrap();
    (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
}

#[tokio::test]
async fn a_signature_that_does_not_match_is_explained() {
    // From the README of Standard Webhooks' libraries.
    let secret = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("secret", &format!("{secret}\n"));
    write("body", r#"{"email":"test@example.com","username":"test_user"}"#);
    write("spaced", r#"{"email": "test@example.com", "username": "test_user"}"#);
    let headers = "webhook-id: msg_27UH4WbU6Z5A5EzD8u03UvzRbpk\nwebhook-timestamp: 1649367553\n\
                   webhook-signature: v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=\n";
    write("headers", headers);
    let run = |arguments: &'static [&'static str]| verify(folder.path(), arguments);

    let (code, said) = run(&["--secret", "@secret", "--headers", "headers", "--body", "body"]).await;
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("is genuine") && said.contains("It was sent ") && said.contains(" ago."), "{said}");
    let old = ["--secret", "@secret", "--headers", "headers", "--body", "body", "--tolerance", "300"];
    let (code, said) = verify(folder.path(), &old).await;
    assert!(code == 1 && said.contains("more than the 5 min that are tolerated"), "{said}");
    let (code, said) = run(&["--secret", "@secret", "--headers", "headers", "--body", "spaced"]).await;
    assert!(code == 1 && said.contains("other white space"), "{said}");
    let lines: Vec<&str> = headers.lines().flat_map(|line| ["-H", line]).collect();
    let (code, said) = verify(folder.path(), &[&["--secret", secret, "--body", "body"], &lines[..]].concat()).await;
    assert_eq!(code, 0, "{said}");
    for bad in [
        &["--secret", "@nothing", "--headers", "headers", "--body", "body"][..],
        &["--secret", "x", "--headers", "nothing", "--body", "body"],
        &["--secret", "x", "--headers", "headers", "--body", "nothing"],
        &["--secret", "x", "--headers", "headers"],
    ] {
        assert_eq!(verify(folder.path(), bad).await, (2, String::new()), "{bad:?}");
    }
}

//! Mail from a function to the mailbox: what sends it on its way, the worker of its queue, and a mail service that fails.

use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use auth::MailedToken;
use aws_sdk_sqs::types::QueueAttributeName as Attribute;
use engines::{Engines, Fault};
use hedgerow_tests::app::App;
use hedgerow_tests::process::{PATIENCE, program};
use hedgerow_tests::wait::until;
use local::backend::Backend;
use local::workers::Workers;
use runtime::extract::Part as _;
use runtime::{Mail, Mailer, Queue};
use runtime_api::{RuntimeApi, environment};
use serde_json::{Value, json};
use store::author::Clock;
use tokio::net::TcpListener;
use tokio::process::Command;

const ADA: &str = "ada@example.com";

fn reset(to: &str, token: &MailedToken) -> Mail {
    Mail::PasswordReset { to: to.parse().unwrap(), token: token.clone() }
}

fn changed(to: &str) -> Mail {
    Mail::PasswordChanged { to: to.parse().unwrap(), at: Clock::default().now(), address: None }
}

async fn send(app: &App, mail: &Mail) {
    Mailer::take(&app.backend.app).unwrap().send(mail).await.unwrap();
}

fn sqs(app: &App) -> (aws_sdk_sqs::Client, String) {
    let sqs = app.backend.engine.as_ref().unwrap().sqs.clone();
    (sqs, app.backend.app.queues().unwrap().url(Queue::Mail))
}

/// How many messages a queue has, in sight and out of it.
async fn messages(sqs: &aws_sdk_sqs::Client, url: &str) -> [u32; 2] {
    let names = [Attribute::ApproximateNumberOfMessages, Attribute::ApproximateNumberOfMessagesNotVisible];
    let told = sqs.get_queue_attributes().queue_url(url).set_attribute_names(Some(names.to_vec())).send().await;
    let told = told.unwrap().attributes.unwrap();
    names.map(|name| told[&name].parse().unwrap())
}

fn calls(app: &App, operation: &str) -> u64 {
    app.backend.engine.as_ref().unwrap().connector.trace().snapshot().of(operation)
}

#[tokio::test]
async fn a_mail_is_sent_and_its_link_leads_to_the_configured_origin() {
    let mut app = App::start().await;
    let (sqs, url) = sqs(&app);
    let token = MailedToken::generate();
    app.account("ada").await;
    send(&app, &reset(ADA, &token)).await;
    send(&app, &reset("nobody@example.com", &token)).await;
    // Whoever reads the queue learns nothing.
    let waiting = sqs.receive_message().queue_url(&url).visibility_timeout(0).send().await.unwrap();
    let body = waiting.messages()[0].body().unwrap();
    assert!(!body.contains(&token.reveal()) && !body.contains("ada"), "{body}");

    app.workers = Some(Workers::start(&app.backend).unwrap());
    until(PATIENCE, || async { !app.mails_to(ADA).is_empty() }).await;
    until(PATIENCE, || async { messages(&sqs, &url).await == [0, 0] }).await;
    let mails = app.mails_to(ADA);
    assert_eq!((mails.len(), mails[0].to.as_slice()), (1, &[ADA.to_owned()][..]));
    let link = format!("http://{}/admin/reset-password?token={}", app.address, token.reveal());
    assert!(mails[0].text.contains(&link) && mails[0].html.contains(&link), "{mails:?}");
    assert_eq!(mails[0].subject, "Set a new password");
    assert!(app.mails_to("nobody@example.com").is_empty());
}

/// What SES can't take is not tried for ever, and holds up nobody else's.
#[tokio::test]
async fn a_domain_is_written_in_ascii_and_a_local_part_that_is_not_gets_none() {
    let mut app = App::start().await;
    for to in ["josé@example.com", "ada@bücher.example"] {
        send(&app, &changed(to)).await;
    }
    app.workers = Some(Workers::start(&app.backend).unwrap());
    until(PATIENCE, || async { !app.mails_to("ada@xn--bcher-kva.example").is_empty() }).await;
    let (sqs, url) = sqs(&app);
    until(PATIENCE, || async { messages(&sqs, &url).await == [0, 0] }).await;
    assert_eq!(calls(&app, "SendEmail"), 1);
}

#[tokio::test]
async fn a_mail_service_that_fails_twice_gets_the_mail_at_last_and_once() {
    let mut app = App::start().await;
    let connector = app.backend.engine.as_ref().unwrap().connector.clone();
    // The SDK makes three tries by itself.
    let struck = Arc::new(AtomicU64::new(0));
    let strikes = struck.clone();
    connector.faults().set(move |call| {
        let fails = call.service == "ses" && strikes.fetch_add(1, Ordering::Relaxed) < 6;
        fails.then_some(Fault::Throttling)
    });
    send(&app, &changed(ADA)).await;
    app.workers = Some(Workers::start(&app.backend).unwrap());
    for (failures, pause) in [(1, 30), (2, 60)] {
        until(PATIENCE, || async { calls(&app, "ChangeMessageVisibility") == failures }).await;
        assert!(app.mails_to(ADA).is_empty());
        app.advance(Duration::from_secs(pause));
    }
    until(PATIENCE, || async { !app.mails_to(ADA).is_empty() }).await;
    let (sqs, url) = sqs(&app);
    until(PATIENCE, || async { messages(&sqs, &url).await == [0, 0] }).await;
    assert_eq!((app.mails_to(ADA).len(), struck.load(Ordering::Relaxed)), (1, 7));
}

#[tokio::test]
async fn a_message_that_cannot_be_read_fails_alone_and_goes_to_the_dead_letters() {
    let mut app = App::start().await;
    let (sqs, url) = sqs(&app);
    let dead = format!("{url}-dead");
    sqs.send_message().queue_url(&url).message_body("no mail").send().await.unwrap();
    send(&app, &changed(ADA)).await;
    app.workers = Some(Workers::start(&app.backend).unwrap());
    until(PATIENCE, || async { app.mails_to(ADA).len() == 1 }).await;
    for failures in 1..=10 {
        until(PATIENCE, || async { calls(&app, "ChangeMessageVisibility") == failures }).await;
        app.advance(Duration::from_secs(3600));
    }
    until(PATIENCE, || async { messages(&sqs, &dead).await == [1, 0] && messages(&sqs, &url).await == [0, 0] }).await;
    assert_eq!(app.mails_to(ADA).len(), 1);
}

/// A process of `send-mail` over engines of its own, without one of these settings or with another value for it.
async fn process(engines: Engines, runtime: &RuntimeApi, changed: Option<(&str, &str)>) -> Command {
    let backend = Backend::embedded(engines.clone(), Clock::default()).await.unwrap();
    let url = backend.app.queues().unwrap().url(Queue::Mail);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut command = Command::new(program("send-mail"));
    command.env_clear().envs(environment(runtime.address(), "send-mail"));
    command.env("AWS_ENDPOINT_URL", format!("http://{}", listener.local_addr().unwrap()));
    tokio::spawn(engines::serve(engines, listener));
    let mut settings = vec![
        ("AWS_REGION", "eu-central-1"),
        ("AWS_ACCESS_KEY_ID", "local"),
        ("AWS_SECRET_ACCESS_KEY", "local"),
        ("HEDGEROW_QUEUES", url.strip_suffix("-mail").unwrap()),
        ("HEDGEROW_ORIGIN", "https://api.example.com"),
        ("HEDGEROW_MAIL_FROM", "no-reply@example.com"),
    ];
    if let Some((name, value)) = changed {
        settings.retain(|(known, _)| *known != name);
        settings.push((name, value));
    }
    command.envs(settings).stdin(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
    command
}

#[tokio::test]
async fn a_setting_that_is_missing_or_bad_stops_the_function_at_its_start() {
    let runtime = RuntimeApi::start().await.unwrap();
    for (name, value) in [
        ("HEDGEROW_ORIGIN", ""),
        ("HEDGEROW_ORIGIN", "http://api.example.com"),
        ("HEDGEROW_ORIGIN", "https://api.example.com/"),
        ("HEDGEROW_MAIL_FROM", ""),
        ("HEDGEROW_MAIL_FROM", "nobody"),
        ("HEDGEROW_MAIL_FROM", "josé@example.com"),
    ] {
        let mut command = process(Engines::memory().unwrap(), &runtime, Some((name, value))).await;
        let output = tokio::time::timeout(PATIENCE, command.output()).await.unwrap().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && said.contains(name), "{name}={value}: {said}");
    }
}

/// The sample event, handed to the function's own binary as Lambda hands it.
#[tokio::test]
async fn the_function_sends_the_mail_of_its_sample_event() {
    let engines = Engines::memory().unwrap();
    let runtime = RuntimeApi::start().await.unwrap();
    let mut command = process(engines.clone(), &runtime, None).await;
    // What was sealed under the sample keys opens under these.
    let secret = json!({ "SecretId": "hedgerow/data-keys", "SecretString": samples::DATA_KEYS,
        "ClientRequestToken": "0".repeat(32) });
    let put = engines.call("secretsmanager.PutSecretValue", &Default::default(), secret.to_string().into()).await;
    assert_eq!(put.status, 200, "{put:?}");
    let _process = command.stderr(Stdio::null()).spawn().unwrap();
    let event = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../events/send-mail.json")).unwrap();
    let answered = tokio::time::timeout(PATIENCE, runtime.invoke(event)).await.unwrap().unwrap().unwrap();
    let answer: Value = serde_json::from_slice(&answered).unwrap();
    assert_eq!(answer, json!({ "batchItemFailures": [] }));
    let mails = engines.ses.sent_to("owner@example.com");
    assert_eq!((mails.len(), mails[0].subject.as_str()), (1, "Invitation to “Sample Shop”"));
    assert!(mails[0].text.contains("https://api.example.com/admin/accept-invitation?token="), "{mails:?}");
}

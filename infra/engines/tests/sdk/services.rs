//! Rights, faults and counts beyond DynamoDB, and all services over one socket.

use aws_sdk_secretsmanager::config::http::HttpResponse;
use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sqs::types::{QueueAttributeName, SendMessageBatchRequestEntry};
use hedgerow_engines::{Connector, Engines, Fault, Grant, permitted};

use super::queues::{bodies, queue, receive, send};
use super::{client, create, put, secrets_manager, sqs};

fn connector() -> Connector {
    Connector::new(Engines::memory().unwrap())
}

fn status<E>(error: &SdkError<E, HttpResponse>) -> u16 {
    error.raw_response().unwrap().status().as_u16()
}

fn entry(id: &str) -> SendMessageBatchRequestEntry {
    SendMessageBatchRequestEntry::builder().id(id).message_body(id).build().unwrap()
}

#[tokio::test]
async fn a_queue_or_an_action_that_is_not_granted_is_refused() {
    let sqs = sqs(&connector());
    let (first, other) = (queue(&sqs, "app-first", &[]).await, queue(&sqs, "other", &[]).await);
    let grants = [
        Grant::Queue { name: "app-*".into(), actions: vec!["sqs:SendMessage"] },
        Grant::Queue { name: "other".into(), actions: vec!["ReceiveMessage"] },
        Grant::Items { table: "other".into(), actions: vec!["SendMessage"], leading_keys: vec!["*".into()] },
        Grant::Secret { name: "other".into(), actions: vec!["SendMessage"] },
    ];
    let send = |url: &str| permitted(grants.to_vec(), sqs.send_message().queue_url(url).message_body("x").send());
    send(&first).await.unwrap();
    let refused = send(&other).await.unwrap_err();
    assert_eq!((refused.code(), status(&refused)), (Some("AccessDenied"), 403));
    // The action of a batch is that of its entries.
    let batch =
        |url: &str| permitted(grants.to_vec(), sqs.send_message_batch().queue_url(url).entries(entry("a")).send());
    batch(&first).await.unwrap();
    assert_eq!(batch(&other).await.unwrap_err().code(), Some("AccessDenied"));
    let receive = |url: &str| permitted(grants.to_vec(), sqs.receive_message().queue_url(url).send());
    assert!(receive(&other).await.unwrap().messages().is_empty());
    assert_eq!(receive(&first).await.unwrap_err().code(), Some("AccessDenied"));
    let list = permitted(grants.to_vec(), sqs.list_queues().send()).await;
    assert_eq!(list.unwrap_err().code(), Some("AccessDenied"));
}

#[tokio::test]
async fn a_secret_or_an_action_that_is_not_granted_is_refused() {
    let secrets = secrets_manager(&connector());
    let made = secrets.create_secret().name("app/seal").secret_string("x").send().await.unwrap();
    secrets.create_secret().name("other").secret_string("x").send().await.unwrap();
    let grants = [Grant::Secret { name: "app/seal".into(), actions: vec!["GetSecretValue"] }];
    let get = |id: &str| permitted(grants.to_vec(), secrets.get_secret_value().secret_id(id).send());
    get("app/seal").await.unwrap();
    get(made.arn().unwrap()).await.unwrap();
    for other in ["other", "app/seal2", "app/seal-abcdef"] {
        let refused = get(other).await.unwrap_err();
        assert_eq!((refused.code(), status(&refused)), (Some("AccessDeniedException"), 400), "{other}");
    }
    let put = permitted(grants.to_vec(), secrets.put_secret_value().secret_id("app/seal").secret_string("y").send());
    assert_eq!(put.await.unwrap_err().code(), Some("AccessDeniedException"));
}

#[tokio::test]
async fn faults_pass_or_reach_the_caller() {
    for (fault, sqs_code, sqs_status, secrets_code) in [
        (Fault::Throughput, "RequestThrottled", 403, "ThrottlingException"),
        (Fault::Throttling, "ThrottlingException", 400, "ThrottlingException"),
        (Fault::Internal, "InternalError", 500, "InternalServiceError"),
    ] {
        let connector = connector();
        let (sqs, secrets) = (sqs(&connector), secrets_manager(&connector));
        let url = queue(&sqs, "first", &[]).await;
        secrets.create_secret().name("seal").secret_string("x").send().await.unwrap();
        connector.trace().reset();
        connector.faults().set(move |call| (call.service != "dynamodb" && call.nth <= 2).then_some(fault));
        send(&sqs, &url, "one").await;
        secrets.get_secret_value().secret_id("seal").send().await.unwrap();
        let seen = connector.trace().snapshot();
        assert_eq!((seen.of("SendMessage"), seen.of("GetSecretValue")), (3, 3), "{fault:?}");

        connector.faults().set(move |_| Some(fault));
        let failed = sqs.send_message().queue_url(&url).message_body("x").send().await.unwrap_err();
        assert_eq!((failed.code(), status(&failed)), (Some(sqs_code), sqs_status));
        let failed = secrets.get_secret_value().secret_id("seal").send().await.unwrap_err();
        assert_eq!(failed.code(), Some(secrets_code));
        connector.faults().clear();
        assert_eq!(bodies(&receive(&sqs, &url).await), ["one"]);
    }
}

#[tokio::test]
async fn a_lost_answer_to_a_send_makes_two_messages() {
    let connector = connector();
    let sqs = sqs(&connector);
    let url = queue(&sqs, "first", &[]).await;
    connector.faults().set(|call| (call.operation == "SendMessage" && call.nth == 1).then_some(Fault::Lost));
    send(&sqs, &url, "one").await;
    assert_eq!(bodies(&receive(&sqs, &url).await), ["one", "one"]);
}

#[tokio::test]
async fn some_entries_of_a_batch_fail() {
    let connector = connector();
    let sqs = sqs(&connector);
    let url = queue(&sqs, "first", &[]).await;
    connector.faults().set(|_| Some(Fault::Partial));
    let entries = ["a", "b", "c", "d"].map(entry).to_vec();
    let told = sqs.send_message_batch().queue_url(&url).set_entries(Some(entries)).send().await.unwrap();
    let failed: Vec<_> = told.failed().iter().map(|e| (e.id(), e.code(), e.sender_fault())).collect();
    assert_eq!(failed, [("a", "InternalError", false), ("c", "InternalError", false)]);
    assert_eq!(told.successful().iter().map(|e| e.id()).collect::<Vec<_>>(), ["b", "d"]);
    let told = sqs.send_message_batch().queue_url(&url).entries(entry("e")).send().await.unwrap();
    assert_eq!((told.successful().len(), told.failed().len()), (0, 1));
    connector.faults().clear();
    assert_eq!(bodies(&receive(&sqs, &url).await), ["b", "d"]);
}

#[tokio::test]
async fn a_receive_is_counted_and_makes_no_round() {
    let connector = connector();
    let (dynamo, sqs) = (client(&connector), sqs(&connector));
    create(&dynamo).await;
    let url = queue(&sqs, "first", &[]).await;
    connector.trace().reset();
    let waiting = tokio::spawn({
        let sqs = sqs.clone();
        let url = url.clone();
        async move { sqs.receive_message().queue_url(url).wait_time_seconds(20).send().await }
    });
    while connector.trace().snapshot().of("ReceiveMessage") == 0 {
        tokio::task::yield_now().await;
    }
    for n in 0..3 {
        put(&dynamo, "C#1", "#", n).await;
    }
    assert_eq!(connector.trace().snapshot().rounds, 3);
    send(&sqs, &url, "one").await;
    assert_eq!(waiting.await.unwrap().unwrap().messages().len(), 1);
}

#[tokio::test]
async fn all_services_answer_over_http() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = tokio::spawn(hedgerow_engines::serve(Engines::memory().unwrap(), listener));
    let http = {
        let config = aws_sdk_sqs::Config::builder()
            .behavior_version(aws_sdk_sqs::config::BehaviorVersion::latest())
            .region(aws_sdk_sqs::config::Region::new("us-east-1"))
            .credentials_provider(aws_sdk_sqs::config::Credentials::new("local", "local", None, None, "tests"));
        aws_sdk_sqs::Client::from_conf(config.endpoint_url(&url).build())
    };
    let first = queue(&http, "first", &[(QueueAttributeName::VisibilityTimeout, "60")]).await;
    send(&http, &first, "one").await;
    assert_eq!(bodies(&receive(&http, &first).await), ["one"]);
    let gone = http.get_queue_url().queue_name("none").send().await.unwrap_err();
    assert!(gone.into_service_error().is_queue_does_not_exist());

    let config = aws_sdk_secretsmanager::Config::builder()
        .behavior_version(aws_sdk_secretsmanager::config::BehaviorVersion::latest())
        .region(aws_sdk_secretsmanager::config::Region::new("us-east-1"))
        .credentials_provider(aws_sdk_sqs::config::Credentials::new("local", "local", None, None, "tests"));
    let http = aws_sdk_secretsmanager::Client::from_conf(config.endpoint_url(url).build());
    http.create_secret().name("seal").secret_string("x").send().await.unwrap();
    let got = http.get_secret_value().secret_id("seal").send().await.unwrap();
    assert_eq!(got.secret_string(), Some("x"));
    server.abort();
}

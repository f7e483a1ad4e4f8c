//! What SQS refuses, as its SDK's callers see it.

use std::fmt::Debug;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sqs::types::{
    DeleteMessageBatchRequestEntry, MessageSystemAttributeName as System, QueueAttributeName as Attribute,
    SendMessageBatchRequestEntry,
};
use hedgerow_engines::Engines;

use super::queues::{fresh, queue, receive, send};

#[track_caller]
fn refused<T: Debug, E: ProvideErrorMetadata + Debug>(
    what: &str,
    done: Result<T, SdkError<E>>,
    status: u16,
    code: &str,
) {
    assert!(done.is_err(), "{what}");
    let refused = done.unwrap_err();
    assert_eq!(refused.code(), Some(code), "{what}: {refused:?}");
    assert_eq!(refused.raw_response().unwrap().status().as_u16(), status, "{what}");
    assert!(refused.message().is_some_and(|message| !message.is_empty()), "{what}");
}

const VALUE: &str = "InvalidParameterValue";

#[tokio::test]
async fn messages() {
    let (_, sqs) = fresh();
    let url = queue(&sqs, "first", &[]).await;
    let small = queue(&sqs, "small", &[(Attribute::MaximumMessageSize, "1024")]).await;
    let send = || sqs.send_message().queue_url(&url).message_body("x");
    for delay in [-1, 901, i32::MAX] {
        refused("delay", send().delay_seconds(delay).send().await, 400, VALUE);
    }
    for group in ["", "with space", "ü", &"g".repeat(129)] {
        refused(group, send().message_group_id(group).send().await, 400, VALUE);
    }
    refused("a deduplication id", send().message_deduplication_id("d").send().await, 400, VALUE);
    for text in ["\0", "a\u{b}", "\u{1f}", "\u{fffe}", "\u{ffff}"] {
        refused(text, send().message_body(text).send().await, 400, "InvalidMessageContents");
    }
    refused("empty", send().message_body("").send().await, 400, "MissingParameter");
    refused("too long", send().message_body("x".repeat(1024 * 1024 + 1)).send().await, 400, VALUE);
    refused("too long here", send().queue_url(&small).message_body("x".repeat(1025)).send().await, 400, VALUE);
    // What is just allowed is allowed.
    send().message_body("x".repeat(1024 * 1024)).delay_seconds(900).send().await.unwrap();
    send().message_body("\t\n\r \u{d7ff}\u{e000}\u{fffd}\u{10ffff}").message_group_id("g!~").send().await.unwrap();
    send().queue_url(&small).message_body("x".repeat(1024)).send().await.unwrap();
}

#[tokio::test]
async fn receives_and_handles() {
    let (_, sqs) = fresh();
    let url = queue(&sqs, "first", &[]).await;
    let other = queue(&sqs, "other", &[]).await;
    let receive_some = || sqs.receive_message().queue_url(&url);
    for count in [-1, 0, 11] {
        refused("count", receive_some().max_number_of_messages(count).send().await, 400, VALUE);
    }
    for wait in [-1, 21] {
        refused("wait", receive_some().wait_time_seconds(wait).send().await, 400, VALUE);
    }
    for visibility in [-1, 43_201] {
        refused("visibility", receive_some().visibility_timeout(visibility).send().await, 400, VALUE);
    }
    let unknown = receive_some().message_system_attribute_names(System::from("Nothing")).send().await;
    refused("a system attribute", unknown, 400, "InvalidAttributeName");

    send(&sqs, &url, "one").await;
    let held = receive(&sqs, &url).await;
    let handle = held[0].receipt_handle().unwrap();
    let invalid = "ReceiptHandleIsInvalid";
    for bad in ["x", "AQEB", &handle[..handle.len() - 1], &handle.replace("AQEB", "AQEC")] {
        let delete = sqs.delete_message().queue_url(&url).receipt_handle(bad).send().await;
        refused(bad, delete, 404, invalid);
        let change = sqs.change_message_visibility().queue_url(&url).receipt_handle(bad).visibility_timeout(1);
        refused(bad, change.send().await, 404, invalid);
    }
    let elsewhere = sqs.delete_message().queue_url(&other).receipt_handle(handle).send().await;
    refused("another queue's", elsewhere, 404, invalid);
    for visibility in [-1, 43_201] {
        let change = sqs.change_message_visibility().queue_url(&url).receipt_handle(handle);
        refused("visibility", change.visibility_timeout(visibility).send().await, 400, VALUE);
    }
}

#[tokio::test]
async fn batches() {
    let (_, sqs) = fresh();
    let url = queue(&sqs, "first", &[]).await;
    let entry =
        |id: &str, body: &str| SendMessageBatchRequestEntry::builder().id(id).message_body(body).build().unwrap();
    let send = |entries: Vec<_>| sqs.send_message_batch().queue_url(&url).set_entries(Some(entries)).send();
    let code = |name: &str| format!("AWS.SimpleQueueService.{name}");
    refused("none", send(vec![]).await, 400, &code("EmptyBatchRequest"));
    let eleven = (0..11).map(|n| entry(&n.to_string(), "x")).collect();
    refused("eleven", send(eleven).await, 400, &code("TooManyEntriesInBatchRequest"));
    for id in ["", "a b", "a.b", &"a".repeat(81)] {
        refused(id, send(vec![entry(id, "x")]).await, 400, &code("InvalidBatchEntryId"));
    }
    let twice = vec![entry("a", "x"), entry("a", "y")];
    refused("twice", send(twice).await, 400, &code("BatchEntryIdsNotDistinct"));
    let half = "x".repeat(512 * 1024 + 1);
    let long = vec![entry("a", &half), entry("b", &half)];
    refused("too long", send(long).await, 400, &code("BatchRequestTooLong"));
    assert!(receive(&sqs, &url).await.is_empty(), "a refused batch was carried out");

    let none = sqs.delete_message_batch().queue_url(&url).set_entries(Some(vec![])).send().await;
    refused("none", none, 400, &code("EmptyBatchRequest"));
    let bad = DeleteMessageBatchRequestEntry::builder().id("a").receipt_handle("x").build().unwrap();
    let told = sqs.delete_message_batch().queue_url(&url).entries(bad).send().await.unwrap();
    assert_eq!((told.failed()[0].code(), told.failed()[0].sender_fault()), ("ReceiptHandleIsInvalid", true));
}

#[tokio::test]
async fn queues_that_are_not_there() {
    let (_, sqs) = fresh();
    let code = "AWS.SimpleQueueService.NonExistentQueue";
    for url in [
        "http://sqs.local.localhost/000000000000/none",
        "http://sqs.local.localhost/111111111111/none",
        "none",
        "http://sqs.local.localhost/",
    ] {
        refused(url, sqs.send_message().queue_url(url).message_body("x").send().await, 400, code);
        refused(url, sqs.receive_message().queue_url(url).send().await, 400, code);
        refused(url, sqs.delete_queue().queue_url(url).send().await, 400, code);
    }
    let failed = sqs.get_queue_url().queue_name("none").send().await.unwrap_err();
    assert!(failed.into_service_error().is_queue_does_not_exist());
    let arn = "arn:aws:sqs:us-east-1:000000000000:none";
    let moved = sqs.start_message_move_task().source_arn(arn).send().await;
    refused("a move", moved, 404, "ResourceNotFoundException");
}

async fn create(sqs: &Client, attribute: &Attribute, value: &str) -> Result<(), (String, u16)> {
    let created = sqs.create_queue().queue_name("new").attributes(attribute.clone(), value).send().await;
    created.map(drop).map_err(|e| (e.code().unwrap().to_owned(), e.raw_response().unwrap().status().as_u16()))
}

#[tokio::test]
async fn names_and_attributes() {
    let (_, sqs) = fresh();
    for name in ["", "a b", "a.b", "a/b", &"a".repeat(81)] {
        refused(name, sqs.create_queue().queue_name(name).send().await, 400, VALUE);
    }
    let fifo = sqs.create_queue().queue_name("a.fifo").send().await;
    refused("fifo", fifo, 400, "AWS.SimpleQueueService.UnsupportedOperation");

    let unsupported = "AWS.SimpleQueueService.UnsupportedOperation";
    let policy = |arn: &str, count: &str| format!(r#"{{"deadLetterTargetArn":"{arn}","maxReceiveCount":{count}}}"#);
    let dead = "arn:aws:sqs:us-east-1:000000000000:dead";
    queue(&sqs, "dead", &[]).await;
    for (attribute, value, code) in [
        (Attribute::DelaySeconds, "901", "InvalidAttributeValue"),
        (Attribute::DelaySeconds, "-1", "InvalidAttributeValue"),
        (Attribute::DelaySeconds, "x", "InvalidAttributeValue"),
        (Attribute::MaximumMessageSize, "1023", "InvalidAttributeValue"),
        (Attribute::MaximumMessageSize, "1048577", "InvalidAttributeValue"),
        (Attribute::MessageRetentionPeriod, "59", "InvalidAttributeValue"),
        (Attribute::MessageRetentionPeriod, "1209601", "InvalidAttributeValue"),
        (Attribute::ReceiveMessageWaitTimeSeconds, "21", "InvalidAttributeValue"),
        (Attribute::VisibilityTimeout, "43201", "InvalidAttributeValue"),
        (Attribute::from("Nothing"), "1", "InvalidAttributeName"),
        (Attribute::QueueArn, "1", "InvalidAttributeName"),
        (Attribute::FifoQueue, "true", unsupported),
        (Attribute::RedriveAllowPolicy, "{}", unsupported),
        (Attribute::RedrivePolicy, "x", VALUE),
        (Attribute::RedrivePolicy, "{}", VALUE),
        (Attribute::RedrivePolicy, &policy(dead, "0"), VALUE),
        (Attribute::RedrivePolicy, &policy(dead, "1001"), VALUE),
        (Attribute::RedrivePolicy, &policy("arn:aws:sqs:us-east-1:000000000000:none", "3"), VALUE),
    ] {
        let created = create(&sqs, &attribute, value).await;
        assert_eq!(created, Err((code.to_owned(), 400)), "{attribute} {value}");
    }
    create(&sqs, &Attribute::RedrivePolicy, &policy(dead, "1000")).await.unwrap();
    let url = "http://sqs.local.localhost/000000000000/new";
    let unknown = sqs.get_queue_attributes().queue_url(url).attribute_names(Attribute::from("Nothing")).send().await;
    refused("an attribute", unknown, 400, "InvalidAttributeName");
    // Its policy is what makes a queue one of dead letters.
    let moved = sqs.start_message_move_task().source_arn("arn:aws:sqs:us-east-1:000000000000:new").send().await;
    refused("a move", moved, 400, VALUE);
}

#[tokio::test]
async fn what_no_sdk_would_send() {
    let engines = Engines::memory().unwrap();
    for (target, body, error) in [
        ("AmazonSQS.Nothing", "{}", "InvalidAction;Sender"),
        ("AmazonSQS.TagQueue", "{}", "AWS.SimpleQueueService.UnsupportedOperation;Sender"),
        ("AmazonSQS.SendMessage", "{", "MalformedInput;Sender"),
        ("AmazonSQS.SendMessage", r#"{"QueueUrl":7}"#, "MalformedInput;Sender"),
        ("AmazonSQS.SendMessage", "{}", "MissingParameter;Sender"),
        ("AmazonSQS.CreateQueue", "{}", "MissingParameter;Sender"),
    ] {
        let answer = engines.call(target, &Default::default(), body.into()).await;
        assert_eq!(
            (answer.status, answer.headers.first().map(|(_, error)| &**error)),
            (400, Some(error)),
            "{target} {body}"
        );
        assert_eq!(answer.content_type, "application/x-amz-json-1.0");
    }
}

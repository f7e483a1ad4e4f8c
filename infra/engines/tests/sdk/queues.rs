//! What SQS does with messages.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::ProvideErrorMetadata;
use aws_sdk_sqs::primitives::Blob;
use aws_sdk_sqs::types::{
    Message, MessageAttributeValue, MessageSystemAttributeName as System, QueueAttributeName as Attribute,
    SendMessageBatchRequestEntry,
};
use hedgerow_engines::{Connector, Engines};

use super::sqs;

/// An SQS in memory, and its client.
pub(crate) fn fresh() -> (Engines, Client) {
    let engines = Engines::memory().unwrap();
    let client = sqs(&Connector::new(engines.clone()));
    (engines, client)
}

pub(crate) async fn queue(sqs: &Client, name: &str, attributes: &[(Attribute, &str)]) -> String {
    let mut create = sqs.create_queue().queue_name(name);
    for (attribute, value) in attributes {
        create = create.attributes(attribute.clone(), *value);
    }
    create.send().await.unwrap().queue_url.unwrap()
}

pub(crate) async fn send(sqs: &Client, queue: &str, body: &str) {
    sqs.send_message().queue_url(queue).message_body(body).send().await.unwrap();
}

pub(crate) async fn receive(sqs: &Client, queue: &str) -> Vec<Message> {
    let receive = sqs.receive_message().queue_url(queue).max_number_of_messages(10);
    receive.message_system_attribute_names(System::All).send().await.unwrap().messages.unwrap_or_default()
}

pub(crate) fn bodies(messages: &[Message]) -> Vec<&str> {
    messages.iter().map(|message| message.body().unwrap()).collect()
}

fn system(message: &Message, name: &System) -> Option<u64> {
    message.attributes()?.get(name)?.parse().ok()
}

async fn counts(sqs: &Client, queue: &str) -> [String; 3] {
    let told = sqs.get_queue_attributes().queue_url(queue).attribute_names(Attribute::All).send().await.unwrap();
    let told = told.attributes.unwrap();
    [
        Attribute::ApproximateNumberOfMessages,
        Attribute::ApproximateNumberOfMessagesDelayed,
        Attribute::ApproximateNumberOfMessagesNotVisible,
    ]
    .map(|name| told[&name].clone())
}

#[tokio::test]
async fn a_message_goes_its_way() {
    let (engines, sqs) = fresh();
    let queue = queue(&sqs, "first", &[(Attribute::VisibilityTimeout, "60")]).await;
    assert_eq!(sqs.get_queue_url().queue_name("first").send().await.unwrap().queue_url.as_ref(), Some(&queue));
    let sent = sqs.send_message().queue_url(&queue).message_body("hello").message_group_id("whk_1").send();
    let sent = sent.await.unwrap();
    assert_eq!(sent.md5_of_message_body(), Some("5d41402abc4b2a76b9719d911017c592"));

    let received = receive(&sqs, &queue).await;
    let [message] = &received[..] else { panic!("{received:?}") };
    assert_eq!((message.body(), message.message_id()), (Some("hello"), sent.message_id()));
    assert_eq!(message.md5_of_body(), sent.md5_of_message_body());
    assert_eq!(system(message, &System::ApproximateReceiveCount), Some(1));
    assert_eq!(message.attributes().unwrap()[&System::MessageGroupId], "whk_1");
    let first = system(message, &System::ApproximateFirstReceiveTimestamp).unwrap();
    assert!(system(message, &System::SentTimestamp).unwrap() <= first);
    assert_eq!(counts(&sqs, &queue).await, ["0", "0", "1"]);
    assert!(receive(&sqs, &queue).await.is_empty());

    // Out of others' sight for a minute, and then somebody's again.
    engines.sqs.advance(Duration::from_secs(59));
    assert!(receive(&sqs, &queue).await.is_empty());
    engines.sqs.advance(Duration::from_secs(1));
    let again = receive(&sqs, &queue).await;
    assert_eq!(system(&again[0], &System::ApproximateReceiveCount), Some(2));
    assert_eq!(system(&again[0], &System::ApproximateFirstReceiveTimestamp), Some(first));

    // The first handle is stale by now: AWS says yes and deletes nothing.
    let delete = |message: &Message| {
        sqs.delete_message().queue_url(&queue).receipt_handle(message.receipt_handle().unwrap()).send()
    };
    delete(message).await.unwrap();
    assert_eq!(counts(&sqs, &queue).await, ["0", "0", "1"]);
    delete(&again[0]).await.unwrap();
    delete(&again[0]).await.unwrap();
    assert_eq!(counts(&sqs, &queue).await, ["0", "0", "0"]);
}

#[tokio::test]
async fn a_message_can_be_delayed() {
    let (engines, sqs) = fresh();
    let queue = queue(&sqs, "retries", &[(Attribute::DelaySeconds, "5")]).await;
    send(&sqs, &queue, "as the queue").await;
    sqs.send_message().queue_url(&queue).message_body("later").delay_seconds(900).send().await.unwrap();
    sqs.send_message().queue_url(&queue).message_body("at once").delay_seconds(0).send().await.unwrap();
    assert_eq!(counts(&sqs, &queue).await, ["1", "2", "0"]);
    assert_eq!(bodies(&receive(&sqs, &queue).await), ["at once"]);
    engines.sqs.advance(Duration::from_secs(5));
    assert_eq!(bodies(&receive(&sqs, &queue).await), ["as the queue"]);
    engines.sqs.advance(Duration::from_secs(894));
    assert_eq!(counts(&sqs, &queue).await, ["2", "1", "0"]);
    engines.sqs.advance(Duration::from_secs(1));
    assert_eq!(counts(&sqs, &queue).await, ["3", "0", "0"]);
}

#[tokio::test]
async fn what_is_in_flight_can_be_kept_longer_or_given_back() {
    let (engines, sqs) = fresh();
    let queue = queue(&sqs, "first", &[]).await;
    send(&sqs, &queue, "one").await;
    let held = receive(&sqs, &queue).await;
    let change = |seconds| {
        let handle = held[0].receipt_handle().unwrap();
        sqs.change_message_visibility().queue_url(&queue).receipt_handle(handle).visibility_timeout(seconds).send()
    };
    change(300).await.unwrap();
    engines.sqs.advance(Duration::from_secs(299));
    assert!(receive(&sqs, &queue).await.is_empty());
    // Twelve hours from the receive are all that there is.
    let refused = change(43_200).await.unwrap_err();
    assert_eq!(refused.code(), Some("InvalidParameterValue"));
    change(0).await.unwrap();
    let refused = change(10).await.unwrap_err();
    assert!(refused.into_service_error().is_message_not_inflight());
    let again = receive(&sqs, &queue).await;
    assert_eq!(bodies(&again), ["one"]);
    assert_eq!(change(10).await.unwrap_err().code(), Some("InvalidParameterValue"));
}

#[tokio::test]
async fn what_is_received_too_often_is_a_dead_letter() {
    let (engines, sqs) = fresh();
    let dead = queue(&sqs, "first-dead", &[]).await;
    let policy = r#"{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:first-dead","maxReceiveCount":"2"}"#;
    let first = queue(&sqs, "first", &[(Attribute::RedrivePolicy, policy)]).await;
    send(&sqs, &first, "poison").await;
    for _ in 0..2 {
        assert_eq!(bodies(&receive(&sqs, &first).await), ["poison"]);
        engines.sqs.advance(Duration::from_secs(30));
    }
    assert!(receive(&sqs, &first).await.is_empty());
    assert_eq!(counts(&sqs, &first).await, ["0", "0", "0"]);
    let letters = receive(&sqs, &dead).await;
    assert_eq!(bodies(&letters), ["poison"]);
    let source = &letters[0].attributes().unwrap()[&System::DeadLetterQueueSourceArn];
    assert_eq!(source, "arn:aws:sqs:us-east-1:000000000000:first");

    // As long as somebody has it in flight it stays.
    let arn = "arn:aws:sqs:us-east-1:000000000000:first-dead";
    for moved in [0, 1] {
        sqs.start_message_move_task().source_arn(arn).send().await.unwrap();
        let tasks = sqs.list_message_move_tasks().source_arn(arn).send().await.unwrap();
        assert_eq!(tasks.results()[0].approximate_number_of_messages_moved(), moved);
        engines.sqs.advance(Duration::from_secs(30));
    }
    let back = receive(&sqs, &first).await;
    assert_eq!((bodies(&back), system(&back[0], &System::ApproximateReceiveCount)), (vec!["poison"], Some(1)));
    assert!(receive(&sqs, &dead).await.is_empty());
}

#[tokio::test]
async fn messages_are_kept_for_their_time() {
    let (engines, sqs) = fresh();
    let queue = queue(&sqs, "first", &[(Attribute::MessageRetentionPeriod, "60")]).await;
    send(&sqs, &queue, "old").await;
    engines.sqs.advance(Duration::from_secs(30));
    send(&sqs, &queue, "young").await;
    engines.sqs.advance(Duration::from_secs(30));
    assert_eq!(counts(&sqs, &queue).await, ["1", "0", "0"]);
    assert_eq!(bodies(&receive(&sqs, &queue).await), ["young"]);
}

#[tokio::test]
async fn what_a_dead_process_had_in_flight_is_given_back_at_once() {
    let (engines, sqs) = fresh();
    let queue = queue(&sqs, "first", &[]).await;
    send(&sqs, &queue, "in flight").await;
    assert_eq!(receive(&sqs, &queue).await.len(), 1);
    sqs.send_message().queue_url(&queue).message_body("delayed").delay_seconds(60).send().await.unwrap();
    assert_eq!(engines.sqs.release_in_flight().unwrap(), 1);
    let again = receive(&sqs, &queue).await;
    assert_eq!((bodies(&again), system(&again[0], &System::ApproximateReceiveCount)), (vec!["in flight"], Some(2)));
}

#[tokio::test]
async fn attributes_come_back_with_their_sums() {
    let (_, sqs) = fresh();
    let queue = queue(&sqs, "first", &[]).await;
    let value = |kind: &str| MessageAttributeValue::builder().data_type(kind);
    let send = sqs
        .send_message()
        .queue_url(&queue)
        .message_body("hello")
        .message_attributes("kind", value("String").string_value("created").build().unwrap())
        .message_attributes("count", value("Number.int").string_value("3").build().unwrap())
        .message_attributes("raw", value("Binary").binary_value(Blob::new([1, 2])).build().unwrap());
    // As another implementation has it.
    let sum = Some("155abf5d738fed5974718c31bd0e7ae1");
    assert_eq!(send.send().await.unwrap().md5_of_message_attributes(), sum);
    let receive =
        |names: &str| sqs.receive_message().queue_url(&queue).message_attribute_names(names).visibility_timeout(0);
    let all = receive("All").send().await.unwrap().messages.unwrap();
    assert_eq!(all[0].md5_of_message_attributes(), sum);
    assert_eq!(all[0].message_attributes().unwrap()["raw"].binary_value(), Some(&Blob::new([1, 2])));
    let one = receive("ki.*").send().await.unwrap().messages.unwrap();
    assert_eq!(one[0].message_attributes().unwrap().keys().collect::<Vec<_>>(), ["kind"]);
    assert_eq!(one[0].attributes(), None);
}

#[tokio::test]
async fn a_batch_succeeds_and_fails_entry_by_entry() {
    let (_, sqs) = fresh();
    let queue = queue(&sqs, "first", &[]).await;
    let entry = |id: &str, body: &str, delay| {
        let entry = SendMessageBatchRequestEntry::builder().id(id).message_body(body).delay_seconds(delay);
        entry.build().unwrap()
    };
    let entries = vec![entry("a", "a", 0), entry("b", "b", 901), entry("c", "\u{1}", 0), entry("d", "d", 0)];
    let told = sqs.send_message_batch().queue_url(&queue).set_entries(Some(entries)).send().await.unwrap();
    assert_eq!(told.successful().iter().map(|e| e.id()).collect::<Vec<_>>(), ["a", "d"]);
    let failed: Vec<_> = told.failed().iter().map(|e| (e.id(), e.code(), e.sender_fault())).collect();
    assert_eq!(failed, [("b", "InvalidParameterValue", true), ("c", "InvalidMessageContents", true)]);
    assert_eq!(bodies(&receive(&sqs, &queue).await), ["a", "d"]);
}

#[tokio::test]
async fn a_wait_ends_when_something_is_sent_becomes_due_or_is_over() {
    let (_, sqs) = fresh();
    let queue = queue(&sqs, "first", &[]).await;
    let wait = |seconds| sqs.receive_message().queue_url(&queue).wait_time_seconds(seconds).send();
    let started = Instant::now();
    let (received, ()) = tokio::join!(wait(20), async {
        tokio::time::sleep(Duration::from_millis(20)).await;
        send(&sqs, &queue, "sent").await;
    });
    assert_eq!(bodies(received.unwrap().messages()), ["sent"]);
    // Not by the end of the wait.
    assert!(started.elapsed() < Duration::from_secs(15), "{:?}", started.elapsed());

    let started = Instant::now();
    sqs.send_message().queue_url(&queue).message_body("due").delay_seconds(1).send().await.unwrap();
    assert_eq!(bodies(wait(20).await.unwrap().messages()), ["due"]);
    assert!((Duration::from_millis(990)..Duration::from_secs(15)).contains(&started.elapsed()));

    let started = Instant::now();
    assert!(wait(1).await.unwrap().messages().is_empty());
    assert!((Duration::from_secs(1)..Duration::from_secs(15)).contains(&started.elapsed()));
}

#[tokio::test]
async fn a_groups_backlog_does_not_hold_up_the_others() {
    let (_, sqs) = fresh();
    let queue = queue(&sqs, "first", &[]).await;
    let to = |group: &str, n: usize| {
        sqs.send_message().queue_url(&queue).message_group_id(group).message_body(format!("{group} {n}")).send()
    };
    for n in 0..100 {
        to("loud", n).await.unwrap();
    }
    for group in ["a", "m", "z"] {
        to(group, 0).await.unwrap();
    }
    let mut seen = HashSet::new();
    for _ in 0..2 {
        let received = receive(&sqs, &queue).await;
        assert_eq!(received.len(), 10);
        seen.extend(received.iter().map(|message| message.attributes().unwrap()[&System::MessageGroupId].clone()));
    }
    assert_eq!(seen.len(), 4, "{seen:?}");
    for left in [83, 73, 63] {
        assert_eq!(counts(&sqs, &queue).await[0], left.to_string());
        assert_eq!(receive(&sqs, &queue).await.len(), 10);
    }
}

#[tokio::test]
async fn queues_are_listed_changed_emptied_and_deleted() {
    let (engines, sqs) = fresh();
    for name in ["jobs", "first", "first-dead"] {
        queue(&sqs, name, &[]).await;
    }
    let listed = sqs.list_queues().queue_name_prefix("first").send().await.unwrap();
    let url = |name: &str| format!("http://sqs.local.localhost/000000000000/{name}");
    assert_eq!(listed.queue_urls(), [url("first"), url("first-dead")]);
    let page = sqs.list_queues().max_results(2).send().await.unwrap();
    let rest = sqs.list_queues().max_results(2).set_next_token(page.next_token).send().await.unwrap();
    assert_eq!((rest.queue_urls(), rest.next_token()), (&[url("jobs")][..], None));

    // The same again is no conflict, another value is.
    queue(&sqs, "jobs", &[(Attribute::VisibilityTimeout, "30")]).await;
    let other = sqs.create_queue().queue_name("jobs").attributes(Attribute::VisibilityTimeout, "31").send().await;
    assert!(other.unwrap_err().into_service_error().is_queue_name_exists());
    let set = sqs.set_queue_attributes().queue_url(url("jobs")).attributes(Attribute::VisibilityTimeout, "31");
    set.send().await.unwrap();
    queue(&sqs, "jobs", &[(Attribute::VisibilityTimeout, "31")]).await;

    send(&sqs, &url("jobs"), "one").await;
    sqs.purge_queue().queue_url(url("jobs")).send().await.unwrap();
    assert_eq!(counts(&sqs, &url("jobs")).await, ["0", "0", "0"]);
    let again = sqs.purge_queue().queue_url(url("jobs")).send().await.unwrap_err();
    assert_eq!(again.raw_response().unwrap().status().as_u16(), 403);
    assert!(again.into_service_error().is_purge_queue_in_progress());

    sqs.delete_queue().queue_url(url("jobs")).send().await.unwrap();
    let gone = sqs.send_message().queue_url(url("jobs")).message_body("one").send().await.unwrap_err();
    assert!(gone.into_service_error().is_queue_does_not_exist());
    let soon = sqs.create_queue().queue_name("jobs").send().await.unwrap_err();
    assert!(soon.into_service_error().is_queue_deleted_recently());
    engines.sqs.advance(Duration::from_secs(60));
    queue(&sqs, "jobs", &[]).await;
}

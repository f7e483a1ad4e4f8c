//! Faults of the queues: messages that come twice, in another order, that nobody can read, and dead letters.

use std::time::Duration;

use runtime::Queue;
use serde_json::json;

use super::receiver::Reply;
use super::rig::{HIDDEN, Rig, eventually, messages};

/// All bodies that lie in a queue, which is empty then.
async fn take(rig: &Rig, queue: Queue) -> Vec<String> {
    let sqs = &rig.app.backend.engine.as_ref().unwrap().sqs;
    let url = rig.app.backend.app.queues().unwrap().url(queue);
    let mut bodies = Vec::new();
    loop {
        let received = sqs.receive_message().queue_url(&url).max_number_of_messages(10).send().await.unwrap();
        let Some(received) = received.messages.filter(|received| !received.is_empty()) else { return bodies };
        for message in received {
            let receipt = message.receipt_handle.unwrap();
            sqs.delete_message().queue_url(&url).receipt_handle(receipt).send().await.unwrap();
            bodies.push(message.body.unwrap());
        }
    }
}

async fn redrive(rig: &Rig, queue: Queue) {
    let engine = rig.app.backend.engine.as_ref().unwrap();
    let arn = format!("arn:aws:sqs:us-east-1:000000000000:hedgerow-{}-dead", queue.word());
    engine.sqs.start_message_move_task().source_arn(arn).send().await.unwrap();
}

#[tokio::test]
async fn messages_that_come_twice_and_in_any_order_are_one_request_each() {
    let mut rig = Rig::idle().await;
    rig.save_many(20).await;
    rig.fan_out(rig.records()).await;
    let mut bodies = take(&rig, Queue::First).await;
    assert_eq!(bodies.len(), 20);
    bodies.reverse();
    for body in bodies.iter().chain(&bodies) {
        rig.send(Queue::First, body).await;
    }
    rig.work();
    let sum = rig.balanced().await;
    assert_eq!((sum.deliveries, sum.posts, sum.unknown), (20, 20, 0));
}

/// The second of two waits for a place again and again, while the first is under way: that is no sign that it died.
#[tokio::test]
async fn messages_that_come_twice_to_a_slow_receiver_are_one_request_each() {
    let mut rig = Rig::idle().await;
    rig.receiver.answer(|_| Reply::Late(Duration::from_secs(8)));
    rig.save_many(20).await;
    rig.fan_out(rig.records()).await;
    let bodies = take(&rig, Queue::First).await;
    rig.work();
    for body in &bodies[..10] {
        rig.send(Queue::First, body).await;
    }
    eventually(|| async { rig.receiver.count() == 10 }).await;
    for body in bodies.iter().chain(&bodies) {
        rig.send(Queue::First, body).await;
    }
    let sum = rig.balanced().await;
    assert_eq!((sum.deliveries, sum.posts, sum.unknown), (20, 20, 0));
}

#[tokio::test]
async fn messages_that_nobody_can_read_become_dead_letters_and_hold_up_nothing() {
    let mut rig = Rig::working().await;
    rig.save("e-0").await;
    rig.settle().await;
    let strange = ["not JSON", "{}", r#"{"task":"dance"}"#, r#"["a", 1]"#, "\u{fffd}"];
    for queue in Queue::ALL {
        for body in strange {
            rig.send(queue, body).await;
        }
    }
    for round in 0..10 {
        rig.save(&format!("e-{round}")).await;
        rig.settle().await;
        tokio::time::sleep(Duration::from_millis(200)).await;
        rig.sqs().advance(HIDDEN);
    }
    for queue in Queue::ALL {
        eventually(|| async {
            rig.sqs().advance(HIDDEN);
            rig.dead(queue).await == strange.len()
        })
        .await;
        let url = rig.app.backend.app.queues().unwrap().url(queue);
        assert_eq!(messages(&rig.app.backend, &url).await, 0);
    }
    assert_eq!(rig.balanced().await.posts, 11);
}

#[tokio::test]
async fn a_dead_letter_that_is_redriven_is_delivered() {
    let mut rig = Rig::idle().await;
    rig.save("e-0").await;
    let record = rig.records().remove(0);
    let pk = record["dynamodb"]["NewImage"]["pk"]["S"].as_str().unwrap();
    let client = pk.split('#').nth(1).unwrap();
    let key = json!({ "pk": { "S": format!("W#{client}") }, "sk": { "S": rig.hook.id } });
    let get = json!({ "TableName": "hedgerow-main", "Key": key }).to_string();
    let found = rig.engines.dynamo.call("DynamoDB_20120810.GetItem", get.into()).await;
    let whole: serde_json::Value = serde_json::from_slice(&found.body).unwrap();
    rig.fan_out(rig.records()).await;
    // Its secret is sealed by a key that nobody has.
    let sealed = whole["Item"]["secrets"]["S"].as_str().or(whole["Item"]["doc"]["S"].as_str()).unwrap();
    assert!(sealed.contains("sealed") || sealed.contains("secret"), "{whole:#}");
    let mut broken = whole["Item"].clone();
    broken["doc"] = json!({ "S": "{" });
    rig.raw("PutItem", &json!({ "TableName": "hedgerow-main", "Item": broken })).await;
    rig.work();
    eventually(|| async {
        rig.sqs().advance(HIDDEN);
        rig.dead(Queue::First).await == 1
    })
    .await;
    assert_eq!(rig.receiver.count(), 0);
    rig.raw("PutItem", &json!({ "TableName": "hedgerow-main", "Item": whole["Item"] })).await;
    redrive(&rig, Queue::First).await;
    let sum = rig.balanced().await;
    assert_eq!((sum.deliveries, sum.posts, sum.unknown), (1, 1, 0));
    assert_eq!(rig.dead(Queue::First).await, 0);
}

/// What died under way counts its receives anew when it is redriven: it is no copy of one that is still at work.
#[tokio::test]
async fn a_dead_letter_whose_attempt_died_is_delivered_when_it_is_redriven() {
    let mut rig = Rig::working().await;
    rig.receiver.answer(|_| Reply::Never);
    rig.save("e-0").await;
    eventually(|| async { rig.receiver.count() == 1 }).await;
    rig.die().await;
    rig.app.advance(HIDDEN);
    let body = take(&rig, Queue::First).await.remove(0);
    let engine = rig.app.backend.engine.as_ref().unwrap();
    let url = format!("{}-dead", rig.app.backend.app.queues().unwrap().url(Queue::First));
    engine.sqs.send_message().queue_url(url).message_body(body).send().await.unwrap();
    // Ten receives take more than an hour.
    rig.app.advance(Duration::from_secs(2 * 3600));
    rig.receiver.answer(|_| Reply::Status(204));
    rig.work();
    let sqs = &rig.app.backend.engine.as_ref().unwrap().sqs;
    let (source, target) = ["hedgerow-first-dead", "hedgerow-first"]
        .map(|name| format!("arn:aws:sqs:us-east-1:000000000000:{name}"))
        .into();
    sqs.start_message_move_task().source_arn(source).destination_arn(target).send().await.unwrap();
    // By a clock that is two hours off nobody accepts a signature.
    rig.settle().await;
    let sum = super::ledger::balance(&rig.account.key, std::slice::from_ref(&rig.hook), &rig.receiver.posts()).await;
    assert_eq!((sum.deliveries, sum.posts, sum.unknown), (1, 2, 1));
}

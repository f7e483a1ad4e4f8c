//! Faults of the queues: messages that come twice, in another order, that nobody can read, and dead letters.

use std::time::Duration;

use hedgerow_tests::receiver::Reply;
use hedgerow_tests::wait::{eventually, lapse};
use runtime::Queue;
use serde_json::{Value, json};

use crate::ledger::{Hook, balance};
use crate::rig::{HIDDEN, Rig, messages};

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

/// Sends on what lies in the dead-letter queue of first attempts.
async fn redrive(rig: &Rig) {
    let arn = |name| format!("arn:aws:sqs:us-east-1:000000000000:{name}");
    let engine = rig.app.backend.engine.as_ref().unwrap();
    let task = engine.sqs.start_message_move_task().source_arn(arn("hedgerow-first-attempts-dead"));
    task.destination_arn(arn("hedgerow-first-attempts")).send().await.unwrap();
}

#[tokio::test]
async fn messages_that_come_twice_and_in_any_order_are_one_request_each() {
    let mut rig = Rig::idle().await;
    rig.save_many(20).await;
    rig.fan_out(rig.records()).await;
    let mut bodies = take(&rig, Queue::FirstAttempts).await;
    assert_eq!(bodies.len(), 20);
    bodies.reverse();
    for body in bodies.iter().chain(&bodies) {
        rig.send(Queue::FirstAttempts, body).await;
    }
    rig.work();
    let sum = rig.balanced().await;
    assert_eq!((sum.deliveries, sum.posts, sum.unknown), (20, 20, 0));
}

/// The second of two waits for a place again and again, while the first is under way: that is no sign that it died.
#[tokio::test]
async fn messages_that_come_twice_to_a_slow_receiver_are_one_request_each() {
    let mut rig = Rig::idle().await;
    rig.receiver.answer(|_| Reply::status(204).after(Duration::from_secs(8)));
    rig.save_many(20).await;
    rig.fan_out(rig.records()).await;
    let bodies = take(&rig, Queue::FirstAttempts).await;
    rig.work();
    for body in &bodies[..10] {
        rig.send(Queue::FirstAttempts, body).await;
    }
    eventually(|| async { rig.receiver.count() == 10 }).await;
    for body in bodies.iter().chain(&bodies) {
        rig.send(Queue::FirstAttempts, body).await;
    }
    rig.pass(20).await;
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
        lapse(Duration::from_millis(200)).await;
        rig.sqs().advance(HIDDEN);
    }
    for queue in Queue::ALL {
        let url = rig.app.backend.app.queues().unwrap().url(queue);
        // What was delivered is deleted, before time passes without end.
        let left = async || messages(&rig.app.backend, &url).await;
        eventually(|| async { left().await + rig.dead(queue).await == strange.len() }).await;
        eventually(|| async {
            rig.sqs().advance(HIDDEN);
            rig.dead(queue).await == strange.len()
        })
        .await;
        assert_eq!(left().await, 0);
    }
    assert_eq!(rig.balanced().await.posts, 11);
}

/// Breaks a webhook, in the same batch as one that is whole, until what goes to it is a dead letter; then mends it.
async fn broken_for_a_while(breaks: impl Fn(&mut Value)) {
    let mut rig = Rig::idle().await;
    let (key, whole) = (rig.account.key.clone(), Hook::make(&rig.account.key, &rig.receiver, "/whole").await);
    rig.save("e-0").await;
    let records = rig.records();
    let pk = records[0]["dynamodb"]["Keys"]["pk"]["S"].as_str().unwrap().to_owned();
    let place = json!({ "pk": { "S": format!("W#{}", pk.split('#').nth(1).unwrap()) }, "sk": { "S": rig.hook.id } });
    let item = rig.raw("GetItem", &json!({ "TableName": "hedgerow-main", "Key": place })).await["Item"].take();
    rig.fan_out(records).await;
    let mut broken = item.clone();
    breaks(&mut broken["doc"]["S"]);
    assert_ne!(broken, item);
    rig.raw("PutItem", &json!({ "TableName": "hedgerow-main", "Item": broken })).await;
    // Announced it is, once: by nobody else.
    rig.skip_the_stream();
    rig.work();
    // The other is told.
    let url = rig.app.backend.app.queues().unwrap().url(Queue::FirstAttempts);
    eventually(|| async { rig.receiver.count() == 1 && messages(&rig.app.backend, &url).await == 1 }).await;
    assert_eq!(rig.receiver.arrived()[0].path, "/whole");
    eventually(|| async {
        rig.sqs().advance(HIDDEN);
        rig.dead(Queue::FirstAttempts).await == 1
    })
    .await;
    assert_eq!(rig.receiver.count(), 1);

    rig.raw("PutItem", &json!({ "TableName": "hedgerow-main", "Item": item })).await;
    redrive(&rig).await;
    rig.settle().await;
    eventually(|| async { rig.receiver.count() == 2 }).await;
    let hooks = [rig.hook.clone(), whole];
    eventually(|| async { rig.hook.on_their_way(&key).await.is_empty() }).await;
    let sum = balance(&key, &hooks, &rig.receiver.arrived()).await;
    assert_eq!((sum.deliveries, sum.posts, sum.unknown), (2, 2, 0));
    assert_eq!(rig.dead(Queue::FirstAttempts).await, 0);
}

#[tokio::test]
async fn what_goes_to_a_webhook_that_nobody_can_read_is_a_dead_letter_until_it_is_redriven() {
    broken_for_a_while(|doc| *doc = json!("{")).await;
}

#[tokio::test]
async fn what_goes_to_a_webhook_whose_secret_nobody_can_open_is_a_dead_letter_until_it_is_redriven() {
    broken_for_a_while(|doc| {
        let mut whole: Value = serde_json::from_str(doc.as_str().unwrap()).unwrap();
        whole["secrets"][0]["sealed"] = json!("1.AAAA");
        *doc = json!(whole.to_string());
    })
    .await;
}

/// What died under way counts its receives anew when it is redriven: it is no copy of one that is still at work.
#[tokio::test]
async fn a_dead_letter_whose_attempt_died_is_delivered_when_it_is_redriven() {
    let mut rig = Rig::working().await;
    rig.receiver.answer(|_| Reply::Hang);
    rig.save("e-0").await;
    eventually(|| async { rig.receiver.count() == 1 }).await;
    rig.die().await;
    rig.app.advance(HIDDEN);
    let body = take(&rig, Queue::FirstAttempts).await.remove(0);
    let engine = rig.app.backend.engine.as_ref().unwrap();
    let url = format!("{}-dead", rig.app.backend.app.queues().unwrap().url(Queue::FirstAttempts));
    engine.sqs.send_message().queue_url(url).message_body(body).send().await.unwrap();
    // Ten receives take more than an hour.
    rig.app.advance(Duration::from_secs(2 * 3600));
    rig.receiver.answer(|_| Reply::status(204));
    rig.work();
    redrive(&rig).await;
    // By a clock that is two hours off nobody accepts a signature.
    rig.settle().await;
    let sum = balance(&rig.account.key, std::slice::from_ref(&rig.hook), &rig.receiver.arrived()).await;
    assert_eq!((sum.deliveries, sum.posts, sum.unknown), (1, 2, 1));
}

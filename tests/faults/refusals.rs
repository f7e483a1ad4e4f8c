//! AWS that refuses, is too busy, or whose answers are lost.

use std::sync::atomic::{AtomicU32, Ordering};

use engines::Fault;
use hedgerow_tests::app::values;
use hedgerow_tests::receiver::Reply;
use hedgerow_tests::wait::hurried;
use serde_json::json;

use crate::chance::{Chance, losing};
use crate::rig::{Rig, SOON, over};

/// Every third event is refused at first.
fn fails_at_first(rig: &Rig) {
    let seen = AtomicU32::new(0);
    rig.receiver.answer(move |post| {
        let third = post.nth == 1 && seen.fetch_add(1, Ordering::Relaxed).is_multiple_of(3);
        Reply::status(if third { 500 } else { 204 })
    });
}

#[tokio::test]
async fn a_busy_dynamodb_delays_and_loses_nothing() {
    let mut rig = Rig::working().await;
    fails_at_first(&rig);
    let chance = Chance::new(1);
    rig.faults().set(move |call| {
        let busy = call.service == "dynamodb" && chance.percent(40);
        busy.then(|| if chance.percent(50) { Fault::Throughput } else { Fault::Throttling })
    });
    hurried(rig.save_many(25)).await;
    rig.pass(6).await;
    rig.faults().clear();
    let sum = rig.balanced().await;
    assert!(rig.acknowledged.len() > 5 && sum.deliveries >= rig.acknowledged.len(), "{sum:?}");
}

#[tokio::test]
async fn lost_answers_are_neither_lost_deliveries_nor_unrecorded_ones() {
    let mut rig = Rig::working().await;
    fails_at_first(&rig);
    const WRITES: &[&str] = &[
        "UpdateItem",
        "TransactWriteItems",
        "PutItem",
        "BatchWriteItem",
        "DeleteItem",
        "SendMessageBatch",
        "DeleteMessageBatch",
    ];
    rig.faults().set(losing(Chance::new(2), 30, WRITES));
    hurried(rig.save_many(25)).await;
    rig.settle().await;
    rig.faults().clear();
    let sum = rig.balanced().await;
    assert!(sum.posts >= sum.deliveries && sum.unknown <= 2, "{sum:?}");
}

/// The table is too busy to take an answer for longer than the SDK tries: it is kept all the same, and a repetition does not
/// write over what came in between.
#[tokio::test]
async fn an_answer_is_remembered_though_the_store_is_busy() {
    let rig = Rig::idle().await;
    let struck = AtomicU32::new(0);
    rig.faults().set(move |call| {
        let kept = call.operation == "UpdateItem" && String::from_utf8_lossy(call.body).contains(":set_pieces");
        (kept && struck.fetch_add(1, Ordering::Relaxed) < 8).then_some(Fault::Throttling)
    });
    let (key, path) = (&rig.account.key, values("t1", "product", "e-1"));
    let save = |title: &str| key.post(&path).json(&json!({ "title": title }));
    let first = hurried(save("first").once("mine")).await.data(200);
    let second = save("second").await.data(200);
    let again = save("first").once("mine").await;
    assert_eq!((again.header("idempotency-replayed"), again.data(200)), ("true", first));
    assert_eq!(key.get(&path).await.data(200), second);
}

/// The lease is taken, nobody hears of it, and then the table is too busy for longer than the SDK tries.
#[tokio::test]
async fn a_lease_whose_answer_was_lost_is_still_ours_after_a_pause() {
    let mut rig = Rig::working().await;
    let struck = AtomicU32::new(0);
    rig.faults().set(move |call| {
        let lease = call.operation == "UpdateItem" && String::from_utf8_lossy(call.body).contains("holder");
        if !lease {
            return None;
        }
        match struck.fetch_add(1, Ordering::Relaxed) {
            0 => Some(Fault::Lost),
            1..8 => Some(Fault::Throttling),
            _ => None,
        }
    });
    rig.save("e-0").await;
    let sum = rig.balanced().await;
    assert_eq!((sum.deliveries, sum.posts, sum.unknown), (1, 1, 0));
}

#[tokio::test]
async fn an_sqs_that_refuses_delays_and_loses_nothing() {
    let mut rig = Rig::working().await;
    fails_at_first(&rig);
    rig.faults().set(|call| (call.operation == "SendMessageBatch").then_some(Fault::Throttling));
    rig.save_many(15).await;
    rig.pass(4).await;
    assert_eq!(rig.receiver.count(), 0);
    let chance = Chance::new(3);
    rig.faults().set(move |call| {
        (call.service == "sqs" && call.operation.ends_with("Batch") && chance.percent(60)).then_some(Fault::Partial)
    });
    for number in 15..30 {
        rig.save(&format!("e-{number}")).await;
    }
    rig.settle().await;
    rig.faults().clear();
    let sum = rig.balanced().await;
    assert_eq!((sum.deliveries, sum.unknown), (30, 0));
    assert_eq!(sum.posts, 40, "ten were refused at first");
}

#[tokio::test]
async fn a_secrets_manager_that_refuses_delays_and_loses_nothing() {
    let mut rig = Rig::idle().await;
    rig.save_many(5).await;
    // A process that has never seen the keys.
    let mut fresh = over(&rig.engines, rig.app.clock.clone()).await;
    fresh.backend.app.webhooks.retries = SOON.to_vec();
    let faults = fresh.backend.engine.as_ref().unwrap().connector.faults().clone();
    faults.set(|call| (call.operation == "GetSecretValue").then_some(Fault::Internal));
    fresh.work();
    rig.pass(3).await;
    assert_eq!(rig.receiver.count(), 0);
    faults.clear();
    let sum = rig.balanced().await;
    assert_eq!((sum.deliveries, sum.posts, sum.unknown), (5, 5, 0));
}

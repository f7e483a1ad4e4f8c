//! Instances whose clocks differ.

use std::time::Duration;

use hedgerow_tests::app::values;
use hedgerow_tests::receiver::{Receiver, Reply};
use hedgerow_tests::wait::{eventually, lapse};
use local::workers::Workers;
use serde_json::json;
use store::author::Clock;

use crate::ledger::{Hook, balance};
use crate::rig::{Rig, fresh, over};

const OFF: Duration = Duration::from_secs(600);

/// One is ten minutes ahead of the queues, the other ten behind the first: both write, and both work.
#[tokio::test]
async fn clocks_ten_minutes_apart_delay_retries_and_lose_nothing() {
    let mut rig = Rig::idle().await;
    let clock = Clock::default();
    clock.advance(OFF);
    let mut ahead = over(&rig.engines, clock).await;
    ahead.work();
    rig.work();
    let other = ahead.with_key(&rig.account.secret);
    rig.receiver.answer(|post| {
        Reply::status(if post.nth == 1 && post.event_id().ends_with(['0', '1', '2']) { 500 } else { 204 })
    });
    for number in 0..15 {
        rig.save(&format!("e-{number}")).await;
        let call = other.post(&values("t1", "product", &format!("f-{number}"))).json(&json!({ "title": fresh() }));
        rig.acknowledged.push(call.await.expect(200).request_id().to_owned());
    }
    settle_in_time(&rig).await;
    let posts = rig.receiver.arrived();
    let sum = balance(&rig.account.key, std::slice::from_ref(&rig.hook), &posts).await;
    assert_eq!((sum.deliveries, sum.unknown), (30, 0));
    let refused = posts.iter().filter(|post| post.answered == Some(500)).count();
    assert_eq!(sum.posts, 30 + refused, "none was sent twice");
}

/// Whoever is behind does not wait until what the other announced is due by its own clock: a first attempt is made at
/// once.
#[tokio::test]
async fn a_first_attempt_is_made_at_once_by_any_clock() {
    let mut rig = Rig::idle().await;
    let clock = Clock::default();
    clock.advance(OFF);
    let ahead = over(&rig.engines, clock).await;
    rig.save_many(3).await;
    rig.app.backend = ahead.backend;
    rig.fan_out(rig.records()).await;
    let behind = over(&rig.engines, Clock::default()).await;
    let _workers = Workers::start(&behind.backend).unwrap();
    rig.balanced().await;
}

/// One that is ahead dies in an attempt; for the one that takes over, that attempt is not even due.
#[tokio::test]
async fn an_attempt_that_died_ahead_of_time_is_followed_by_one_of_whoever_is_behind() {
    let rig = Rig::idle().await;
    let clock = Clock::default();
    clock.advance(OFF);
    let mut ahead = over(&rig.engines, clock).await;
    let key = ahead.with_key(&rig.account.secret);
    let receiver = Receiver::start();
    let hook = Hook::make(&key, &receiver, "/b").await;
    // The second attempt is the one that dies: its time is of the one who is ahead.
    receiver.answer(|post| if post.nth == 1 { Reply::status(500) } else { Reply::Hang });
    ahead.work();
    key.save("t1", "product", "e-0", json!({ "title": "x" })).await;
    eventually(|| async { receiver.count() >= 2 }).await;
    drop(ahead.workers.take());
    lapse(Duration::from_millis(100)).await;
    receiver.answer(|_| Reply::status(204));
    let mut behind = over(&rig.engines, Clock::default()).await;
    behind.work();
    eventually(|| async {
        behind.advance(Duration::from_secs(120));
        lapse(Duration::from_millis(200)).await;
        !hook.deliveries(&key).await.is_empty() && hook.on_their_way(&key).await.is_empty()
    })
    .await;
    let sum = balance(&key, std::slice::from_ref(&hook), &receiver.arrived()).await;
    assert_eq!((sum.deliveries, sum.posts, sum.unknown), (1, 3, 1));
}

/// Lets time pass for the queues, until nothing is on its way: a retry is late by as much as clocks differ.
async fn settle_in_time(rig: &Rig) {
    eventually(|| async {
        lapse(Duration::from_millis(500)).await;
        rig.sqs().advance(Duration::from_secs(60));
        rig.is_settled().await
    })
    .await;
}

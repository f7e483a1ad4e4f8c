//! Whoever works the webhooks dies in the middle of an attempt, and another goes on.

use std::time::{Duration, Instant};

use hedgerow_tests::app::id;
use hedgerow_tests::receiver::Reply;
use hedgerow_tests::wait::eventually;
use serde_json::json;

use crate::ledger::delivery;
use crate::rig::Rig;

/// Begins attempts that are never answered, and dies.
async fn die_under_way(rig: &mut Rig, posts: usize) {
    eventually(|| async { rig.receiver.count() == posts }).await;
    rig.die().await;
}

#[tokio::test]
async fn an_attempt_whose_process_died_is_unknown_and_the_next_is_made() {
    let mut rig = Rig::in_folder().await;
    rig.receiver.answer(|_| Reply::Hang);
    rig.save_many(3).await;
    die_under_way(&mut rig, 3).await;
    rig.receiver.answer(|_| Reply::status(204));
    rig.work();
    let sum = rig.balanced().await;
    assert_eq!((sum.deliveries, sum.posts, sum.unknown), (3, 6, 3));
    let listed = rig.hook.deliveries(&rig.account.key).await;
    let whole = delivery(&rig.account.key, id(&listed[0])).await;
    assert_eq!(whole["attempts"][0]["error"], "unknown");
    assert!(whole["attempts"][0]["at"].is_string() && whole["attempts"][0]["statusCode"].is_null(), "{whole:#}");
    assert_eq!(whole["attempts"][1]["statusCode"], 204);
}

#[tokio::test]
async fn those_who_die_one_after_the_other_are_followed_by_another() {
    let mut rig = Rig::in_folder().await;
    rig.receiver.answer(|_| Reply::Hang);
    rig.save_many(3).await;
    for deaths in 1..=4 {
        die_under_way(&mut rig, deaths * 3).await;
        if deaths == 4 {
            rig.receiver.answer(|_| Reply::status(204));
        }
        rig.work();
    }
    let sum = rig.balanced().await;
    assert_eq!((sum.deliveries, sum.posts, sum.unknown), (3, 15, 12));
}

/// More were under way than an endpoint has slots for: those of the dead are free at once.
#[tokio::test]
async fn the_slots_of_the_dead_are_free() {
    let mut rig = Rig::in_folder().await;
    rig.receiver.answer(|_| Reply::Hang);
    rig.save_many(12).await;
    die_under_way(&mut rig, 10).await;
    rig.receiver.answer(|_| Reply::status(204));
    let started = Instant::now();
    rig.work();
    let sum = rig.balanced().await;
    assert_eq!((sum.deliveries, sum.posts, sum.unknown), (12, 22, 10));
    assert!(started.elapsed() < Duration::from_secs(60), "{:?}", started.elapsed());
}

#[tokio::test]
async fn what_was_under_way_is_held_if_its_webhook_is_off_by_then() {
    let mut rig = Rig::in_folder().await;
    rig.receiver.answer(|_| Reply::Hang);
    rig.save_many(3).await;
    die_under_way(&mut rig, 3).await;
    let (key, place) = (rig.account.key.clone(), rig.hook.place());
    key.patch(&place).json(&json!({ "active": false })).await.expect(200);
    rig.receiver.answer(|_| Reply::status(204));
    rig.work();
    eventually(|| async {
        let all = rig.hook.deliveries(&key).await;
        all.len() == 3 && all.iter().all(|delivery| delivery["status"] == "held")
    })
    .await;
    key.patch(&place).json(&json!({ "active": true })).await.expect(200);
    eventually(|| async { rig.receiver.count() == 6 }).await;
    let sum = rig.balanced().await;
    assert_eq!((sum.deliveries, sum.posts, sum.unknown), (3, 6, 3));
}

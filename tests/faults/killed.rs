//! `hedgerow dev`, killed in the middle of its work.

use std::fs::OpenOptions;

use hedgerow_tests::app::{Caller, values};
use hedgerow_tests::process::Dev;
use hedgerow_tests::receiver::{Receiver, Reply};
use hedgerow_tests::wait::eventually;
use serde_json::json;

use crate::ledger::{Hook, Sum, balance};
use crate::rig::fresh;

async fn save(key: &Caller, count: usize) -> Vec<String> {
    let mut acknowledged = Vec::new();
    for number in 0..count {
        let path = values("acme", "product", &format!("new-{number}"));
        let answer = key.post(&path).json(&json!({ "title": fresh() })).await.expect(200);
        acknowledged.push(answer.request_id().to_owned());
    }
    acknowledged
}

/// Waits until all has come and nothing is on its way.
async fn balanced(key: &Caller, hook: &Hook, receiver: &Receiver, acknowledged: &[String]) -> Sum {
    eventually(|| async {
        let posts = receiver.arrived();
        let came =
            |request: &String| posts.iter().any(|post| post.request_id() == *request && post.answered == Some(204));
        acknowledged.iter().all(came) && hook.on_their_way(key).await.is_empty()
    })
    .await;
    assert!(receiver.arrived().iter().all(|post| post.genuine));
    balance(key, std::slice::from_ref(hook), &receiver.arrived()).await
}

#[tokio::test]
async fn what_was_written_and_not_yet_announced_is_announced_by_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let receiver = Receiver::start();
    // Nobody works while somebody else has the lock.
    std::fs::create_dir(folder.path().join("data")).unwrap();
    let lock = folder.path().join("data/workers.lock");
    let lock = OpenOptions::new().create(true).append(true).open(lock).unwrap();
    lock.try_lock().unwrap();
    let dev = Dev::start(folder.path(), 1).await;
    let hook = Hook::make(&dev.caller(), &receiver, "/a").await;
    let acknowledged = save(&dev.caller(), 10).await;
    assert!(hook.deliveries(&dev.caller()).await.is_empty());
    dev.kill().await;
    assert_eq!(receiver.count(), 0);
    drop(lock);
    let dev = Dev::start(folder.path(), 2).await;
    let sum = balanced(&dev.caller(), &hook, &receiver, &acknowledged).await;
    assert_eq!((sum.deliveries, sum.unknown), (sum.posts, 0));
}

#[tokio::test]
async fn an_attempt_that_was_killed_is_unknown_and_the_next_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let receiver = Receiver::start();
    receiver.answer(|_| Reply::Hang);
    let dev = Dev::start(folder.path(), 1).await;
    let hook = Hook::make(&dev.caller(), &receiver, "/a").await;
    let acknowledged = save(&dev.caller(), 3).await;
    eventually(|| async { receiver.count() >= 3 }).await;
    dev.kill().await;
    let killed = receiver.count();
    receiver.answer(|_| Reply::status(204));
    let dev = Dev::start(folder.path(), 2).await;
    let sum = balanced(&dev.caller(), &hook, &receiver, &acknowledged).await;
    // One more may have been on its way to the receiver when it was asked.
    assert!((killed..=sum.deliveries).contains(&sum.unknown), "{} of {killed}", sum.unknown);
    assert!((killed..=sum.unknown).contains(&(sum.posts - sum.deliveries)), "{} posts", sum.posts);
}

#[tokio::test]
async fn of_two_processes_one_works_and_the_other_takes_over() {
    let folder = tempfile::tempdir().unwrap();
    let receiver = Receiver::start();
    let one = Dev::start(folder.path(), 1).await;
    let hook = Hook::make(&one.caller(), &receiver, "/a").await;
    let mut acknowledged = save(&one.caller(), 1).await;
    balanced(&one.caller(), &hook, &receiver, &acknowledged).await;
    // The first has the lock.
    let other = Dev::start(folder.path(), 2).await;
    receiver.answer(|_| Reply::Hang);
    let before = receiver.count();
    acknowledged.extend(save(&other.caller(), 3).await);
    eventually(|| async { receiver.count() == before + 3 }).await;
    one.kill().await;
    receiver.answer(|_| Reply::status(204));
    acknowledged.extend(save(&other.caller(), 3).await);
    let sum = balanced(&other.caller(), &hook, &receiver, &acknowledged).await;
    assert_eq!((sum.unknown, sum.posts), (3, sum.deliveries + 3));
}

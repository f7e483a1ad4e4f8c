//! The same request twice under one `Idempotency-Key`, at once or after one that died.

use std::sync::mpsc;
use std::time::Duration;

use hedgerow_tests::answer::Answer;
use hedgerow_tests::app::{App, Caller};

use crate::idempotency::{GROUPS, group, replays};

async fn twice(key: &Caller) -> (Answer, Answer) {
    let call = || key.post(GROUPS).once("k").json(&group("a")).into_future();
    tokio::join!(call(), call())
}

#[tokio::test]
async fn of_two_at_once_one_is_carried_out() {
    for _ in 0..5 {
        let app = App::start().await;
        let key = app.account("ada").await.key;
        let (one, other) = twice(&key).await;
        for answer in [&one, &other] {
            match answer.status {
                201 => {}
                _ => answer.fails(409, "idempotency_in_progress"),
            }
        }
        assert!(one.status == 201 || other.status == 201, "{one} {other}");
        assert_eq!(key.get(GROUPS).await.page().0.len(), 1);
        let again = key.post(GROUPS).once("k").json(&group("a")).await.expect(201);
        assert_eq!(again.header("idempotency-replayed"), "true");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_first_is_on_its_way_the_second_is_told_so() {
    let app = App::start().await;
    let key = app.account("ada").await.key;
    let (arrived, has_arrived) = mpsc::channel();
    let (go, gone) = mpsc::channel::<()>();
    let gone = std::sync::Mutex::new(gone);
    let connector = &app.backend.engine.as_ref().unwrap().connector;
    connector.faults().set(move |call| {
        if call.operation == "TransactWriteItems" {
            let _ = arrived.send(());
            let _ = tokio::task::block_in_place(|| gone.lock().unwrap().recv_timeout(Duration::from_secs(30)));
        }
        None
    });
    let first = tokio::spawn(key.post(GROUPS).once("k").json(&group("a")).into_future());
    tokio::task::block_in_place(|| has_arrived.recv_timeout(Duration::from_secs(30))).unwrap();
    let second = key.post(GROUPS).once("k").json(&group("a")).await;
    // Another body is another request even now.
    let third = key.post(GROUPS).once("k").json(&group("b")).await;
    go.send(()).unwrap();
    second.fails(409, "idempotency_in_progress");
    third.fails(422, "idempotency_key_reused");
    let first = first.await.unwrap().expect(201);
    replays(&first, &key.post(GROUPS).once("k").json(&group("a")).await);
}

#[tokio::test]
async fn a_try_that_died_is_taken_over_after_its_lease() {
    let app = App::start().await;
    let key = app.account("ada").await.key;
    let connector = &app.backend.engine.as_ref().unwrap().connector;
    // The group is made; its answer can't be kept.
    connector.faults().set(|call| {
        let keeps = call.operation == "UpdateItem" && String::from_utf8_lossy(call.body).contains("hedgerow-log");
        keeps.then_some(engines::Fault::Throttling)
    });
    let first = key.post(GROUPS).once("k").json(&group("a")).await.data(201);
    connector.faults().clear();
    key.post(GROUPS).once("k").json(&group("a")).await.fails(409, "idempotency_in_progress");
    app.clock.advance(Duration::from_secs(61));
    let again = key.post(GROUPS).once("k").json(&group("a")).await.data(201);
    assert_eq!(again["id"], first["id"], "the same group, not a second one");
    assert_eq!(key.get(GROUPS).await.page().0.len(), 1);
}

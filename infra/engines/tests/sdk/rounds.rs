//! Calls and rounds, as the trace counts them.

use futures_util::future::join_all;

use super::{fresh, get, put};

#[tokio::test]
async fn calls_made_together_are_one_round() {
    let (connector, dynamo) = fresh().await;
    put(&dynamo, "C#1", "#", 1).await;
    get(&dynamo, "C#1", "#").await;
    assert_eq!(connector.trace().snapshot().rounds, 2);

    connector.trace().reset();
    join_all((0..5).map(|_| get(&dynamo, "C#1", "#"))).await;
    join_all((0..5).map(|n| put(&dynamo, "C#2", "#", n))).await;
    tokio::join!(get(&dynamo, "C#1", "#"), put(&dynamo, "C#3", "#", 1));
    let snapshot = connector.trace().snapshot();
    assert_eq!((snapshot.rounds, snapshot.of("GetItem"), snapshot.of("PutItem"), snapshot.total()), (3, 6, 6, 12));
}

#[tokio::test]
async fn tasks_of_their_own_count_as_together() {
    let (connector, dynamo) = fresh().await;
    let tasks = (0..3).map(|_| {
        let dynamo = dynamo.clone();
        tokio::spawn(async move { get(&dynamo, "C#1", "#").await })
    });
    join_all(tasks).await;
    assert_eq!(connector.trace().snapshot().rounds, 1);
}

#[tokio::test]
async fn a_call_that_is_given_up_is_no_longer_in_flight() {
    let (connector, dynamo) = fresh().await;
    // Polled once, which issues the call, and dropped.
    tokio::select! {
        biased;
        _ = get(&dynamo, "C#1", "#") => panic!("answered at once"),
        () = std::future::ready(()) => {}
    }
    assert_eq!(connector.trace().snapshot().of("GetItem"), 1);
    connector.trace().reset();
    get(&dynamo, "C#1", "#").await;
    assert_eq!(connector.trace().snapshot().rounds, 1);
}

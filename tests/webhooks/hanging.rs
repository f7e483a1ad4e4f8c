//! An endpoint that does not answer, and those beside it; and how much is under way at one endpoint.

use std::sync::Arc;
use std::time::{Duration, Instant};

use hedgerow_tests::receiver::{Receiver, Reply};
use hedgerow_tests::wait::{eventually, lapse};
use serde_json::json;
use tokio::sync::Notify;

use crate::world::{LATER, SOON, World, assert_each_once, by_event, quiet};

/// Long for a receiver that answers at once, on a busy machine too.
const DEADLINE: Duration = Duration::from_secs(5);
const EVENTS: usize = 200;

#[tokio::test]
async fn one_that_does_not_answer_holds_up_nobody_and_gets_everything_once_it_does() {
    let world = World::with(|settings| {
        settings.retries = vec![SOON; 5];
        settings.deadline = DEADLINE;
    })
    .await;
    world.product().await;
    let (hanging, healthy) = (Receiver::answering(|_| Reply::Hang), Receiver::start());
    let slow = world.hook(&hanging).await;
    let quick = world.hook(&healthy).await;
    for entity in 0..EVENTS {
        world.save(&format!("sku-{entity}"), "x").await;
    }
    let written = Instant::now();
    healthy.wait(EVENTS).await;
    let took = written.elapsed();
    // Ten at a time, each for the whole deadline: that is what the others would have waited for.
    assert!(took < DEADLINE * u32::try_from(EVENTS / 10).unwrap() / 3, "{took:?}");
    quick.until("delivered", EVENTS).await;
    assert_each_once(&healthy, EVENTS);

    // Its circuit is open: all but a probe now and then is held.
    eventually(|| async {
        lapse(DEADLINE).await;
        slow.count("status=held").await >= EVENTS - 2
    })
    .await;
    let tried = hanging.count();
    assert!(tried < 40, "{tried}");
    assert!(hanging.most_at_once() <= 20, "{}", hanging.most_at_once());
    let attempted = slow.deliveries("").await;
    let attempts: u64 = attempted.iter().map(|one| one["attemptCount"].as_u64().unwrap()).sum();
    assert!(attempts < 40 && attempted.iter().any(|one| one["attemptCount"] == 0), "{attempts}");

    hanging.always(Reply::status(200));
    lapse(DEADLINE).await;
    world.later().await;
    slow.until("delivered", EVENTS).await;
    quiet(&world.app).await;
    assert_each_once(&hanging, EVENTS);
    assert_eq!(slow.count("status=held").await, 0);
    // It is open again: the next is sent at once.
    let ping = slow.ping().await;
    let ping = slow.stands(&ping, "delivered").await;
    assert_eq!(ping["attemptCount"], 1);
}

#[tokio::test]
async fn five_timeouts_in_a_row_close_it_and_four_do_not() {
    let world = World::with(|settings| {
        settings.retries = vec![LATER; 5];
        settings.deadline = DEADLINE;
    })
    .await;
    let receiver = Receiver::answering(|one| if one.number == 4 { Reply::status(500) } else { Reply::Hang });
    let hook = world.hook(&receiver).await;
    // Four that are silent, one that fails at once, five that are silent, one that is not sent.
    for number in 0..10 {
        let ping = hook.ping().await;
        receiver.wait(number + 1).await;
        if number != 4 {
            lapse(DEADLINE).await;
        }
        let delivery = hook.stands(&ping, "retrying").await;
        let error = if number == 4 { "http" } else { "timeout" };
        assert_eq!(delivery["attempts"][0]["error"], error, "{number}");
        quiet(&world.app).await;
    }
    let parked = hook.ping().await;
    hook.stands(&parked, "held").await;
    assert_eq!(receiver.count(), 10);
    // The first probe is not answered, either.
    world.app.advance(LATER + SOON);
    receiver.wait(11).await;
    lapse(DEADLINE).await;
    quiet(&world.app).await;
    assert_eq!(receiver.count(), 11);
    receiver.always(Reply::status(200));
    world.app.advance(2 * LATER);
    quiet(&world.app).await;
    world.app.advance(2 * LATER);
    hook.until("delivered", 11).await;
    quiet(&world.app).await;
    assert_each_once(&receiver, 11);
}

#[tokio::test]
async fn what_is_held_when_an_earlier_attempt_opens_it_is_sent() {
    let world = World::with(|settings| {
        settings.retries = vec![LATER; 5];
        settings.deadline = DEADLINE;
    })
    .await;
    let go = Arc::new(Notify::new());
    let receiver = Receiver::answering({
        let go = go.clone();
        move |one| if one.number < 5 { Reply::Hang } else { Reply::When(go.clone()) }
    });
    let hook = world.hook(&receiver).await;
    let mut silent = Vec::new();
    for _ in 0..5 {
        silent.push(hook.ping().await);
    }
    receiver.wait(5).await;
    // It begins before the circuit opens, and is answered after.
    lapse(DEADLINE / 2).await;
    let early = hook.ping().await;
    receiver.wait(6).await;
    lapse(DEADLINE / 2).await;
    for ping in &silent {
        hook.stands(ping, "retrying").await;
    }
    let mut held = Vec::new();
    for _ in 0..3 {
        held.push(hook.ping().await);
    }
    hook.until("held", 3).await;
    receiver.always(Reply::status(200));
    go.notify_one();
    hook.stands(&early, "delivered").await;
    quiet(&world.app).await;
    world.app.advance(2 * LATER);
    hook.until("delivered", 9).await;
    quiet(&world.app).await;
    assert_each_once(&receiver, 9);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_most_ten_are_under_way_at_one_endpoint_whoever_sends_them() {
    const EACH: usize = 100;
    let world = World::start(&[SOON; 5]).await;
    world.product().await;
    let receiver = Receiver::answering(|_| Reply::status(200).after(Duration::from_millis(50)));
    let hook = world.hook(&receiver).await;
    let other = world.another(|settings| settings.retries = vec![SOON; 5]).await;
    for entity in 0..EACH {
        world.save(&format!("sku-{entity}"), "x").await;
    }
    receiver.wait(EACH).await;
    hook.until("delivered", EACH).await;
    quiet(&world.app).await;
    quiet(&other).await;
    assert_each_once(&receiver, EACH);
    assert!((2..=10).contains(&receiver.most_at_once()), "{}", receiver.most_at_once());
}

#[tokio::test]
async fn two_dispatchers_close_one_endpoint_together() {
    let set = |settings: &mut runtime::WebhookSettings| {
        settings.retries = vec![Duration::from_secs(2); 20];
        settings.deadline = DEADLINE;
    };
    let world = World::with(set).await;
    world.product().await;
    let receiver = Receiver::answering(|_| Reply::Hang);
    let hook = world.hook(&receiver).await;
    let _other = world.another(set).await;
    for entity in 0..60 {
        world.save(&format!("sku-{entity}"), "x").await;
    }
    eventually(|| async {
        lapse(DEADLINE).await;
        hook.count("status=held").await >= 58
    })
    .await;
    assert!(receiver.count() < 40, "{}", receiver.count());
    // Some answer and some do not: what is held goes out all the same.
    receiver.answer(|one| if one.number % 8 == 7 { Reply::Hang } else { Reply::status(200) });
    eventually(|| async {
        world.pass(DEADLINE).await;
        hook.count("status=delivered").await == 60
    })
    .await;
    assert_eq!(by_event(&receiver.arrived()).len(), 60);
    assert_eq!(hook.deliveries("").await.iter().filter(|one| one["status"] == json!("delivered")).count(), 60);
}

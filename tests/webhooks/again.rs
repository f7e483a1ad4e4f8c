//! What is sent again because somebody asks for it, and what is never sent again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hedgerow_tests::app::{each, id};
use hedgerow_tests::receiver::{Receiver, Reply};
use serde_json::{Value, json};

use crate::world::{Hook, LATER, SOON, World, assert_each_once, by_event, quiet};

#[tokio::test]
async fn a_delivery_is_sent_again_whatever_became_of_it() {
    let world = World::start(&[]).await;
    let receiver = Receiver::start();
    let hook = world.hook(&receiver).await;

    let delivered = hook.ping().await;
    hook.stands(&delivered, "delivered").await;
    let answer = hook.redeliver(&delivered).await;
    assert_eq!((&answer["id"], &answer["status"]), (&json!(delivered), &json!("pending")));
    receiver.wait(2).await;
    let again = hook.stands(&delivered, "delivered").await;
    assert_eq!((&again["attemptCount"], again["attempts"].as_array().unwrap().len()), (&json!(2), 2));
    let [first, second] = &receiver.arrived()[..] else { panic!() };
    assert_eq!((first.event_id(), &first.body), (second.event_id(), &second.body));

    receiver.always(Reply::status(500));
    let failed = hook.ping().await;
    hook.stands(&failed, "failed").await;
    receiver.always(Reply::status(200));
    hook.redeliver(&failed).await;
    hook.stands(&failed, "delivered").await;
    assert_eq!(hook.count("status=failed").await, 0);

    hook.patch(json!({ "active": false })).await;
    let held = hook.ping().await;
    hook.stands(&held, "held").await;
    // Still off: it is held once more.
    hook.redeliver(&held).await;
    quiet(&world.app).await;
    hook.stands(&held, "held").await;
    hook.patch(json!({ "active": true })).await;
    hook.stands(&held, "delivered").await;
    hook.redeliver(&held).await;
    quiet(&world.app).await;
    let whole = hook.stands(&held, "delivered").await;
    assert_eq!((&whole["attemptCount"], receiver.count()), (&json!(2), 6));
}

#[tokio::test]
async fn a_delivery_that_was_never_attempted_is_sent_once_though_its_first_message_comes_later() {
    let mut world = World::start(&[SOON]).await;
    let receiver = Receiver::start();
    let hook = world.hook(&receiver).await;
    world.app.workers.take().unwrap().stop().await;
    let ping = hook.ping().await;
    hook.redeliver(&ping).await;
    hook.redeliver(&ping).await;
    let _second = world.another(|_| {}).await;
    let whole = hook.stands(&ping, "delivered").await;
    quiet(&world.app).await;
    assert_eq!((&whole["attemptCount"], receiver.count()), (&json!(1), 1));
}

#[tokio::test]
async fn a_round_that_is_asked_for_has_its_own_retries() {
    let world = World::start(&[LATER]).await;
    let receiver = Receiver::answering(|_| Reply::status(500));
    let hook = world.hook(&receiver).await;
    let ping = hook.ping().await;
    hook.stands(&ping, "retrying").await;
    world.later().await;
    hook.stands(&ping, "failed").await;
    assert_eq!(receiver.count(), 2);
    hook.redeliver(&ping).await;
    receiver.wait(3).await;
    hook.stands(&ping, "retrying").await;
    world.later().await;
    receiver.wait(4).await;
    let failed = hook.stands(&ping, "failed").await;
    assert_eq!((&failed["attemptCount"], failed["attempts"].as_array().unwrap().len()), (&json!(4), 4));
    // In the middle of its retries: they end, and a new round begins.
    receiver.always(Reply::status(503).header("retry-after", "3600"));
    hook.redeliver(&ping).await;
    hook.stands(&ping, "retrying").await;
    receiver.always(Reply::status(200));
    hook.redeliver(&ping).await;
    hook.stands(&ping, "delivered").await;
    quiet(&world.app).await;
    world.app.advance(2 * 6 * LATER);
    quiet(&world.app).await;
    assert_eq!(receiver.count(), 6);
}

/// Saves of so many entities.
async fn saves(world: &World, name: &str, count: usize) {
    for entity in 0..count {
        world.save(&format!("{name}-{entity}"), "x").await;
    }
}

#[tokio::test]
async fn recovery_sends_what_failed_since_then_once() {
    let world = World::start(&[]).await;
    world.product().await;
    let up = Arc::new(AtomicBool::new(true));
    let receiver = Receiver::answering({
        let up = up.clone();
        move |_| Reply::status(if up.load(Ordering::SeqCst) { 200 } else { 500 })
    });
    let hook = world.hook(&receiver).await;
    saves(&world, "good", 5).await;
    hook.until("delivered", 5).await;
    up.store(false, Ordering::SeqCst);
    saves(&world, "old", 5).await;
    hook.until("failed", 5).await;
    quiet(&world.app).await;
    world.app.advance(LATER);
    let since = world.now();
    saves(&world, "new", 60).await;
    hook.until("failed", 65).await;
    quiet(&world.app).await;
    up.store(true, Ordering::SeqCst);
    let before = receiver.count();

    let job = hook.recover(since).await;
    assert_eq!((&job["status"], &job["progress"]["done"]), (&json!("completed"), &json!(60)));
    let failed = hook.until("failed", 5).await;
    hook.until("delivered", 65).await;
    let of = |one: &hedgerow_tests::receiver::Arrived| one.json()["data"]["entityId"].as_str().unwrap().to_owned();
    let arrived = receiver.arrived();
    assert!(arrived[before..].iter().all(|one| of(one).starts_with("new-")));
    assert_eq!(by_event(&arrived[before..]).len(), 60);
    assert_each_once(&receiver, 65);
    // Once more, and nothing is left to send.
    assert_eq!(hook.recover(since).await["progress"]["done"], 0);
    quiet(&world.app).await;
    assert_eq!(receiver.count(), before + 60);
    assert_eq!(hook.recover(0).await["progress"]["done"], 5);
    hook.until("delivered", 70).await;
    for delivery in failed {
        assert_eq!(hook.delivery(id(&delivery)).await["attemptCount"], 2);
    }
}

#[tokio::test]
async fn two_recoveries_at_once_send_everything_once() {
    let world = World::start(&[]).await;
    world.product().await;
    let receiver = Receiver::answering(|_| Reply::status(500));
    let hook = world.hook(&receiver).await;
    saves(&world, "sku", 60).await;
    hook.until("failed", 60).await;
    receiver.always(Reply::status(200));
    quiet(&world.app).await;
    tokio::join!(hook.recover(0), hook.recover(0), hook.recover(0));
    hook.until("delivered", 60).await;
    quiet(&world.app).await;
    assert_each_once(&receiver, 60);
}

#[tokio::test]
async fn what_a_recovery_takes_is_checked() {
    let world = World::start(&[]).await;
    let hook = world.hook(&Receiver::start()).await;
    let path = format!("{}/recover", hook.path());
    let key = world.key();
    for body in [json!({}), json!({ "since": "yesterday" }), json!({ "since": "2999-01-01T00:00:00Z" })] {
        key.post(&path).json(&body).await.wrong(&["since"]);
    }
    key.get("/api/v1/jobs/job_00000000000000000000000000000000").await.fails(404, "job_not_found");
    key.get("/api/v1/deliveries/dlv_00000000000000000000000000000000").await.fails(404, "delivery_not_found");
}

#[tokio::test]
async fn a_deleted_webhook_is_sent_nothing_more_and_its_deliveries_are_gone() {
    let world = World::start(&[LATER]).await;
    world.product().await;
    let receiver = Receiver::answering(|_| Reply::status(500));
    let (hook, other) = (world.hook(&receiver).await, Receiver::start());
    let watcher = world.hook(&other).await;
    world.save("a", "x").await;
    let retrying = hook.until("retrying", 1).await;
    quiet(&world.app).await;
    let key: &Value = &json!({ "active": false });
    hook.patch(key.clone()).await;
    world.save("b", "x").await;
    let held = hook.until("held", 1).await;
    hook.patch(json!({ "active": true })).await;
    receiver.wait(2).await;
    hook.until("retrying", 2).await;
    quiet(&world.app).await;
    world.key().delete(&hook.path()).await.expect(204);
    world.save("c", "x").await;
    other.wait(3).await;
    world.app.advance(3 * LATER);
    quiet(&world.app).await;
    assert_eq!(receiver.count(), 2);
    for delivery in [&retrying[0], &held[0]] {
        let path = format!("/api/v1/deliveries/{}", id(delivery));
        world.key().get(&path).await.fails(404, "delivery_not_found");
        world.key().post(&format!("{path}/redeliver")).await.fails(404, "delivery_not_found");
    }
    world.key().get(&format!("{}/deliveries", hook.path())).await.fails(404, "webhook_not_found");
    assert_eq!(each(&watcher.deliveries("").await, "event"), ["field_value.saved"; 3]);
}

#[tokio::test]
async fn what_is_under_way_when_its_webhook_is_deleted_is_not_tried_again() {
    let world = World::start(&[SOON; 3]).await;
    let receiver = Receiver::answering(|_| Reply::status(500).after(std::time::Duration::from_millis(300)));
    let hook: Hook = world.hook(&receiver).await;
    hook.ping().await;
    receiver.wait(1).await;
    world.key().delete(&hook.path()).await.expect(204);
    receiver.until(|all| all[0].answered.is_some()).await;
    // Its retry is delayed by a second.
    quiet(&world.app).await;
    world.app.advance(10 * SOON);
    quiet(&world.app).await;
    assert_eq!(receiver.count(), 1);
}

#[tokio::test]
async fn what_is_asked_may_say_of_which_version() {
    let world = World::start(&[]).await;
    let receiver = Receiver::start();
    let hook = world.hook(&receiver).await;
    let ping = hook.ping().await;
    hook.stands(&ping, "delivered").await;
    hook.patch(json!({ "description": "second" })).await;
    let redeliver = format!("/api/v1/deliveries/{ping}/redeliver");
    for (path, body) in [
        (format!("{}/test", hook.path()), json!({})),
        (format!("{}/recover", hook.path()), json!({ "since": "2020-01-01T00:00:00Z" })),
        (redeliver.clone(), json!({})),
    ] {
        let ask = |version: &str| world.key().post(&path).at(version).json(&body);
        ask("2").await.fails(400, "malformed_request");
        ask("*").await.expect(202);
        if path != redeliver {
            ask("\"1\"").await.fails(409, "version_conflict");
            ask("\"2\"").await.expect(202);
        }
    }
    world.key().post(&redeliver).at("\"1\"").await.fails(400, "malformed_request");
}

//! What is held while a webhook is off.

use hedgerow_tests::app::id;
use hedgerow_tests::receiver::{Receiver, Reply};
use serde_json::{Value, json};

use crate::world::{DAY, Hook, LATER, SOON, World, assert_each_once, quiet};

/// A webhook that is off, with so many events held for it.
async fn off(world: &World, receiver: &Receiver, events: usize) -> Hook {
    world.product().await;
    let hook = world.hook_with(json!({ "url": receiver.url(), "events": ["field_value.*"], "active": false })).await;
    for entity in 0..events {
        world.save(&format!("sku-{entity}"), "x").await;
    }
    hook.until("held", events).await;
    hook
}

#[tokio::test]
async fn what_came_while_a_webhook_was_off_arrives_once_when_it_is_on() {
    let world = World::start(&[SOON]).await;
    let receiver = Receiver::start();
    let hook = off(&world, &receiver, 120).await;
    for delivery in hook.deliveries("status=held").await.iter().take(3) {
        let whole = hook.delivery(id(delivery)).await;
        assert_eq!(
            (&whole["attemptCount"], &whole["attempts"], &whole["nextAttemptAt"]),
            (&json!(0), &json!([]), &Value::Null)
        );
    }
    quiet(&world.app).await;
    assert_eq!(receiver.count(), 0);
    hook.patch(json!({ "active": true })).await;
    hook.until("delivered", 120).await;
    assert_each_once(&receiver, 120);
    assert_eq!((receiver.count(), hook.count("status=held").await), (120, 0));
    // Nothing is left that another release would send.
    hook.patch(json!({ "active": false })).await;
    hook.patch(json!({ "active": true })).await;
    world.save("last", "x").await;
    receiver.wait(121).await;
    quiet(&world.app).await;
    assert_each_once(&receiver, 121);
}

#[tokio::test]
async fn switching_on_and_off_while_events_come_loses_none_and_doubles_none() {
    let world = World::start(&[SOON; 20]).await;
    world.product().await;
    let receiver = Receiver::start();
    let hook = world.hook_with(json!({ "url": receiver.url(), "events": ["field_value.*"] })).await;
    let writes = async {
        for entity in 0..80 {
            world.save(&format!("sku-{entity}"), "x").await;
        }
    };
    let switches = async {
        for turn in 0..16 {
            hook.patch(json!({ "active": turn % 2 == 1 })).await;
        }
    };
    tokio::join!(writes, switches);
    hook.until("delivered", 80).await;
    quiet(&world.app).await;
    assert_each_once(&receiver, 80);
    assert_eq!(hook.count("").await, 80);
}

#[tokio::test]
async fn a_retry_that_comes_due_while_the_webhook_is_off_is_held_too() {
    let world = World::start(&[LATER]).await;
    let receiver = Receiver::answering(|one| Reply::status(if one.number == 0 { 500 } else { 200 }));
    let hook = world.hook(&receiver).await;
    let ping = hook.ping().await;
    hook.stands(&ping, "retrying").await;
    hook.patch(json!({ "active": false })).await;
    quiet(&world.app).await;
    world.app.advance(2 * LATER);
    let held = hook.stands(&ping, "held").await;
    assert_eq!((&held["attemptCount"], &held["nextAttemptAt"]), (&json!(1), &Value::Null));
    hook.patch(json!({ "active": true })).await;
    let delivery = hook.stands(&ping, "delivered").await;
    assert_eq!((&delivery["attemptCount"], receiver.count()), (&json!(2), 2));
}

#[tokio::test]
async fn a_ping_of_a_webhook_that_is_off_is_held() {
    let world = World::start(&[SOON]).await;
    let receiver = Receiver::start();
    let hook = world.hook_with(json!({ "url": receiver.url(), "events": ["test.ping"], "active": false })).await;
    let ping = hook.ping().await;
    assert_eq!(hook.delivery(&ping).await["status"], "held");
    hook.patch(json!({ "active": true })).await;
    hook.stands(&ping, "delivered").await;
    assert_eq!(receiver.count(), 1);
}

#[tokio::test]
async fn what_was_held_for_more_than_seven_days_has_failed_and_can_be_recovered() {
    let world = World::start(&[SOON]).await;
    let receiver = Receiver::start();
    let before = world.now();
    let hook = off(&world, &receiver, 2).await;
    quiet(&world.app).await;
    world.app.advance(6 * DAY);
    world.save("young", "x").await;
    let held = hook.until("held", 3).await;
    quiet(&world.app).await;
    world.app.advance(DAY);
    let failed = hook.until("failed", 2).await;
    assert_eq!(hook.deliveries("status=held").await, held[..1]);
    for old in &failed {
        assert_eq!((&old["attemptCount"], &old["status"]), (&json!(0), &json!("failed")));
        assert_eq!(hook.delivery(id(old)).await["status"], "failed");
    }
    hook.patch(json!({ "active": true })).await;
    hook.stands(id(&held[0]), "delivered").await;
    quiet(&world.app).await;
    assert_eq!((receiver.count(), hook.count("status=failed").await), (1, 2));
    // They have failed as others have: they are sent again if somebody asks.
    assert_eq!(hook.recover(before).await["progress"]["done"], 2);
    hook.until("delivered", 3).await;
    assert_each_once(&receiver, 3);
}

/// What is on its way when a client is closed, and what comes due meanwhile, waits for the client to be restored.
#[tokio::test]
async fn nothing_is_delivered_while_a_client_is_closed() {
    let world = World::start(&[LATER; 3]).await;
    world.product().await;
    let receiver = Receiver::answering(|_| Reply::status(500));
    let hook = world.hook_with(json!({ "url": receiver.url(), "events": ["field_value.*"] })).await;
    let quiet_one = world.hook_with(json!({ "url": receiver.url(), "events": ["*"], "active": false })).await;
    world.save("sku-1", "x").await;
    hook.until("retrying", 1).await;
    let owner = &world.account.owner;
    let body = json!({ "password": world.account.password });
    owner.delete("/api/v1/client").json(&body).await.expect(202);
    world.later().await;
    quiet(&world.app).await;
    assert_eq!(receiver.count(), 1);

    receiver.always(Reply::status(200));
    let owner = world.app.log_in(&world.account).await;
    owner.post("/api/v1/client/restore").await.expect(200);
    // The key is believed dead for as long as it was believed alive.
    world.app.clock.advance(std::time::Duration::from_secs(6));
    hook.until("delivered", 1).await;
    quiet(&world.app).await;
    assert_eq!((receiver.count(), quiet_one.count("status=held").await), (2, 1));
}

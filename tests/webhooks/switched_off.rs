//! What we switch off ourselves.

use hedgerow_tests::receiver::{Receiver, Reply};
use serde_json::json;

use crate::world::{DAY, Hook, LATER, World, quiet};

async fn until_off(hook: &Hook, reason: &str) {
    let hook = hook.clone();
    let webhook = hedgerow_tests::wait::found(move || {
        let hook = hook.clone();
        async move {
            let webhook = hook.get().await;
            (webhook["active"] == false).then_some(webhook)
        }
    })
    .await;
    assert_eq!(webhook["disabled"]["reason"], reason);
    assert!(webhook["disabled"]["at"].is_string());
}

#[tokio::test]
async fn a_receiver_that_is_gone_is_sent_nothing_until_it_is_switched_on() {
    let world = World::start(&[LATER; 3]).await;
    world.product().await;
    let (receiver, other) = (Receiver::answering(|_| Reply::status(410)), Receiver::start());
    let body = json!({ "url": receiver.url(), "events": ["field_value.*"] });
    let (hook, watcher) = (world.hook_with(body).await, world.hook(&other).await);
    world.save("a", "x").await;
    until_off(&hook, "gone").await;
    world.save("b", "x").await;
    // What was under way is held when it comes due, and so is what comes.
    hook.until("held", 1).await;
    world.later().await;
    let held = hook.until("held", 2).await;
    assert_eq!((held[0]["attemptCount"].clone(), held[1]["attemptCount"].clone()), (json!(0), json!(1)));
    let told = other.until(|all| all.iter().any(|one| one.event() == "webhook.disabled")).await;
    let disabled: Vec<_> = told.iter().filter(|one| one.event() == "webhook.disabled").collect();
    assert_eq!(disabled.len(), 1);
    assert_eq!(disabled[0].json()["data"]["id"], json!(hook.id));
    quiet(&world.app).await;
    assert_eq!(receiver.count(), 1);

    receiver.always(Reply::status(200));
    let on = hook.patch(json!({ "active": true })).await;
    assert!(on["disabled"].is_null());
    hook.until("delivered", 2).await;
    watcher.until("delivered", 3).await;
    assert_eq!(receiver.count(), 3);
}

#[tokio::test]
async fn five_days_of_nothing_but_failures_switch_a_webhook_off() {
    let world = World::start(&[LATER; 5]).await;
    world.product().await;
    let (receiver, other) = (Receiver::answering(|_| Reply::status(500)), Receiver::start());
    let body = json!({ "url": receiver.url(), "events": ["field_value.*"] });
    let hook = world.hook_with(body).await;
    world.hook_with(json!({ "url": other.url(), "events": ["webhook.disabled"] })).await;
    // Days go by, on each of which something fails.
    for day in 0..5 {
        // Those of the days before have come again.
        let came = receiver.count();
        world.save(&format!("day-{day}"), "x").await;
        receiver.until(move |all| all.len() > came).await;
        quiet(&world.app).await;
        assert_eq!(hook.get().await["active"], true, "day {day}");
        world.app.advance(DAY);
        quiet(&world.app).await;
        if day == 3 {
            // One that is taken, and the days are counted anew.
            receiver.always(Reply::status(200));
            world.save("taken", "x").await;
            receiver.until(|all| all.iter().any(|one| one.taken())).await;
            quiet(&world.app).await;
            receiver.always(Reply::status(500));
        }
    }
    assert_eq!(hook.get().await["active"], true);
    let first = receiver.count();
    world.save("next", "x").await;
    receiver.wait(first + 1).await;
    quiet(&world.app).await;
    world.app.advance(3 * DAY);
    quiet(&world.app).await;
    assert_eq!(hook.get().await["active"], true);
    world.app.advance(DAY);
    quiet(&world.app).await;
    world.save("last", "x").await;
    until_off(&hook, "failing").await;
    let told = other.wait(1).await;
    assert_eq!((told[0].event().as_str(), &told[0].json()["data"]["id"]), ("webhook.disabled", &json!(hook.id)));

    // Whoever switches it on again has another five days.
    quiet(&world.app).await;
    hook.patch(json!({ "active": true })).await;
    let before = receiver.count();
    world.save("again", "x").await;
    receiver.until(move |all| all.len() > before).await;
    quiet(&world.app).await;
    assert_eq!(hook.get().await["active"], true);
}

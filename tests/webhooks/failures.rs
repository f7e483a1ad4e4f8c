//! What fails, and when it is tried again.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use auth::target::Rules;
use hedgerow_tests::app::each;
use hedgerow_tests::receiver::{Receiver, Reply};
use hedgerow_tests::wait::lapse;
use serde_json::{Value, json};

use crate::world::{Hook, LATER, SOON, World};

/// Long for a receiver that answers at once, on a busy machine too.
const DEADLINE: Duration = Duration::from_secs(30);

/// When something was, in milliseconds.
fn millis(time: &Value) -> i64 {
    time.as_str().unwrap().parse::<contract::Time>().unwrap().millis()
}

fn attempts(delivery: &Value) -> &[Value] {
    delivery["attempts"].as_array().unwrap()
}

#[tokio::test]
async fn six_failures_and_no_more() {
    let world = World::start(&[LATER; 5]).await;
    let receiver = Receiver::answering(|one| Reply::status(500).body(&format!("no {}", one.number)));
    let hook = world.hook(&receiver).await;
    let id = hook.ping().await;
    for number in 1..6 {
        until_count(&hook, &id, number, "retrying").await;
        world.later().await;
    }
    let delivery = hook.stands(&id, "failed").await;
    assert_eq!((&delivery["attemptCount"], &delivery["nextAttemptAt"]), (&json!(6), &Value::Null));
    assert_eq!(receiver.count(), 6);
    let tried = attempts(&delivery);
    assert_eq!(tried.len(), 6);
    for (number, attempt) in tried.iter().enumerate() {
        assert_eq!(attempt["url"], json!(receiver.url()));
        assert_eq!((&attempt["statusCode"], &attempt["error"]), (&json!(500), &json!("http")));
        assert_eq!((&attempt["response"], &attempt["address"]), (&json!(format!("no {number}")), &json!("127.0.0.1")));
        assert!(attempt["durationMs"].as_u64().unwrap() < 60_000);
    }
    let pauses: Vec<i64> = tried.windows(2).map(|two| millis(&two[1]["at"]) - millis(&two[0]["at"])).collect();
    // A tenth less, and what a message may come too early.
    assert!(pauses.iter().all(|pause| *pause >= 539_500), "{pauses:?}");
    let ids: Vec<_> = receiver.arrived().iter().map(|one| one.event_id().to_owned()).collect();
    assert!(ids.iter().all(|id| *id == ids[0]));
    let listed = &hook.deliveries("status=failed").await;
    assert_eq!(each(listed, "id"), [id.as_str()]);
    assert!(listed[0].get("attempts").is_none());
}

#[tokio::test]
async fn the_third_attempt_succeeds() {
    let world = World::start(&[LATER; 5]).await;
    let receiver = Receiver::answering(|one| Reply::status([503, 404, 202][one.number.min(2)]).body("well"));
    let hook = world.hook(&receiver).await;
    let id = hook.ping().await;
    for number in 1..3 {
        until_count(&hook, &id, number, "retrying").await;
        world.later().await;
    }
    let delivery = hook.stands(&id, "delivered").await;
    assert_eq!((&delivery["attemptCount"], &delivery["nextAttemptAt"]), (&json!(3), &Value::Null));
    let told: Vec<_> = attempts(&delivery).iter().map(|one| (&one["statusCode"], &one["error"])).collect();
    let (http, none) = (json!("http"), Value::Null);
    assert_eq!(told, [(&json!(503), &http), (&json!(404), &http), (&json!(202), &none)]);
    assert_eq!(attempts(&delivery)[2]["response"], "well");
    assert_eq!(receiver.count(), 3);
}

#[tokio::test]
async fn retries_come_when_they_are_due_and_not_before() {
    let minutes = [1, 5, 30, 120, 720].map(|minutes| Duration::from_secs(60 * minutes));
    let world = World::start(&minutes).await;
    let receiver = Receiver::answering(|_| Reply::status(500));
    let hook = world.hook(&receiver).await;
    let id = hook.ping().await;
    let mut delivery = hook.stands(&id, "retrying").await;
    for (number, pause) in (1..).zip(minutes) {
        assert_eq!(delivery["attemptCount"], number);
        let at = attempts(&delivery).last().unwrap()["at"].clone();
        let (due, pause) = (millis(&delivery["nextAttemptAt"]), i64::try_from(pause.as_millis()).unwrap());
        let waits = due - millis(&at);
        assert!((pause * 9 / 10..=pause * 11 / 10 + 60_000).contains(&waits), "{number}: {waits} for {pause}");
        // In hops of 15 minutes, the last of which ends a minute before it is due.
        while due - world.now() > 61_000 {
            let hop = (due - world.now() - 60_000).min(15 * 60_000);
            world.app.advance(Duration::from_millis(hop.unsigned_abs()));
            crate::world::quiet(&world.app).await;
        }
        assert_eq!(receiver.count(), usize::try_from(number).unwrap());
        world.app.advance(Duration::from_secs(62));
        receiver.wait(usize::try_from(number).unwrap() + 1).await;
        let status = if number < 5 { "retrying" } else { "failed" };
        delivery = until_count(&hook, &id, number + 1, status).await;
    }
    assert_eq!(receiver.count(), 6);
}

async fn until_count(hook: &Hook, id: &str, attempts: i32, status: &str) -> Value {
    hedgerow_tests::wait::found(|| async {
        let delivery = hook.delivery(id).await;
        // Between two attempts: while one is under way there is no next.
        let rests = status != "retrying" || delivery["nextAttemptAt"].is_string();
        (delivery["attemptCount"] == attempts && delivery["status"] == status && rests).then_some(delivery)
    })
    .await
}

#[tokio::test]
async fn retry_after_is_a_floor() {
    let world = World::start(&[SOON, LATER, SOON]).await;
    let receiver = Receiver::answering(|one| match one.number {
        0 => Reply::status(503).header("retry-after", "30"),
        1 => Reply::status(429).header("retry-after", "1"),
        2 => Reply::status(500).header("retry-after", "500"),
        _ => Reply::status(200),
    });
    let hook = world.hook(&receiver).await;
    let id = hook.ping().await;
    let due = |delivery: &Value| millis(&delivery["nextAttemptAt"]);
    let last = |delivery: &Value| millis(&attempts(delivery).last().unwrap()["at"]);
    let first = until_count(&hook, &id, 1, "retrying").await;
    assert!(due(&first) - last(&first) >= 30_000);
    crate::world::quiet(&world.app).await;
    assert_eq!(receiver.count(), 1);
    world.app.advance(Duration::from_secs(32));
    let second = until_count(&hook, &id, 2, "retrying").await;
    assert!(due(&second) - last(&second) >= 540_000);
    crate::world::quiet(&world.app).await;
    world.app.advance(Duration::from_secs(700));
    let third = until_count(&hook, &id, 3, "retrying").await;
    // Asked for by an answer that has no say in it.
    assert!(due(&third) - last(&third) < 60_000);
    crate::world::quiet(&world.app).await;
    world.app.advance(2 * SOON);
    hook.stands(&id, "delivered").await;
}

/// The first attempt of a ping to a receiver that answers like this, or is silent until the deadline.
async fn first_attempt(world: &World, receiver: &Receiver, silent: bool) -> Value {
    let hook = world.hook(receiver).await;
    let id = hook.ping().await;
    if silent {
        receiver.wait(1).await;
        lapse(DEADLINE).await;
    }
    let delivery = hook.stands(&id, "retrying").await;
    assert_eq!(delivery["attemptCount"], 1);
    attempts(&delivery)[0].clone()
}

#[tokio::test]
async fn an_attempt_says_what_went_wrong() {
    let world = World::with(|settings| {
        settings.retries = vec![LATER];
        settings.deadline = DEADLINE;
    })
    .await;
    let elsewhere = Receiver::start();
    let moved = Reply::status(302).header("location", &elsewhere.url());
    let long = "ä".repeat(5000);
    let late = Reply::status(200).after(Duration::from_secs(600));
    let cases = [
        (Reply::status(500).body(&long), json!(500), "http"),
        (Reply::status(404), json!(404), "http"),
        (moved, json!(302), "redirect"),
        (Reply::status(304), json!(304), "redirect"),
        (Reply::Close, Value::Null, "connect"),
        (Reply::Hang, Value::Null, "timeout"),
        (late, Value::Null, "timeout"),
    ];
    for (reply, status, error) in cases {
        let receiver = Receiver::start();
        receiver.always(reply.clone());
        let attempt = first_attempt(&world, &receiver, error == "timeout").await;
        assert_eq!((&attempt["statusCode"], &attempt["error"]), (&status, &json!(error)), "{reply:?}: {attempt}");
        assert_eq!(attempt["address"], "127.0.0.1", "{reply:?}");
        let response = attempt["response"].as_str();
        assert_eq!(response.is_some(), status != Value::Null, "{reply:?}");
        if status == 500 {
            assert_eq!(response, Some("ä".repeat(2048).as_str()));
        }
        let took = attempt["durationMs"].as_u64().unwrap();
        assert!(if error == "timeout" { (29_900..60_000).contains(&took) } else { took < 60_000 }, "{reply:?}: {took}");
    }
    assert_eq!(elsewhere.count(), 0);
    let down = Receiver::start();
    down.down();
    let attempt = first_attempt(&world, &down, false).await;
    assert_eq!((&attempt["error"], &attempt["address"]), (&json!("connect"), &json!("127.0.0.1")));
    assert_eq!((&attempt["statusCode"], &attempt["response"]), (&Value::Null, &Value::Null));
    assert_eq!(down.count(), 0);
}

#[tokio::test]
async fn a_receiver_that_was_down_gets_all_when_it_is_up() {
    // So soon that the receiver, which has a clock of its own, still takes the signatures.
    let soon = Duration::from_secs(60);
    let world = World::start(&[soon; 5]).await;
    world.product().await;
    let receiver = Receiver::start();
    let hook = world.hook(&receiver).await;
    receiver.down();
    for entity in 0..20 {
        world.save(&format!("sku-{entity}"), "x").await;
    }
    hook.until("retrying", 20).await;
    receiver.up();
    crate::world::quiet(&world.app).await;
    world.app.advance(2 * soon);
    hook.until("delivered", 20).await;
    crate::world::assert_each_once(&receiver, 20);
    receiver.arrived().iter().for_each(|one| hook.verify(one));
}

#[tokio::test]
async fn the_rules_are_asked_again_at_every_attempt() {
    let mut world = World::start(&[LATER]).await;
    let receiver = Receiver::answering(|_| Reply::status(500));
    let hook = world.hook(&receiver).await;
    let named =
        world.hook_with(json!({ "url": receiver.url().replace("127.0.0.1", "localhost"), "events": ["*"] })).await;
    let (first, second) = (hook.ping().await, named.ping().await);
    for (hook, id) in [(&hook, &first), (&named, &second)] {
        let delivery = hook.stands(id, "retrying").await;
        assert_eq!(
            (&attempts(&delivery)[0]["error"], &attempts(&delivery)[0]["statusCode"]),
            (&json!("http"), &json!(500))
        );
    }
    crate::world::quiet(&world.app).await;
    world.app.workers.take().unwrap().stop().await;
    let _strict = world
        .another(|settings| {
            settings.retries = vec![LATER];
            settings.rules = Rules::production();
        })
        .await;
    world.app.advance(2 * LATER);
    for (hook, id) in [(&hook, &first), (&named, &second)] {
        let delivery = hook.stands(id, "failed").await;
        let blocked = &attempts(&delivery)[1];
        assert_eq!((&blocked["error"], &blocked["statusCode"]), (&json!("blocked"), &Value::Null), "{delivery:#}");
        assert_eq!((&blocked["response"], &blocked["url"]), (&Value::Null, &hook.get().await["url"]));
    }
    assert_eq!(receiver.count(), 2);
}

#[tokio::test]
async fn a_name_without_an_address_is_told_as_such() {
    let world = World::start(&[LATER]).await;
    let hook = world.hook_with(json!({ "url": "http://nobody.invalid/", "events": ["*"] })).await;
    let id = hook.ping().await;
    let delivery = hook.stands(&id, "retrying").await;
    let attempt = &attempts(&delivery)[0];
    assert_eq!((&attempt["error"], &attempt["address"]), (&json!("dns"), &Value::Null));
    // The next goes where the webhook leads then.
    let receiver = Receiver::start();
    hook.patch(json!({ "url": receiver.url() })).await;
    crate::world::quiet(&world.app).await;
    world.app.advance(2 * LATER);
    let delivery = hook.stands(&id, "delivered").await;
    assert_eq!(each(attempts(&delivery), "url"), ["http://nobody.invalid/", &receiver.url()]);
}

/// Whoever may read deliveries must not learn the values of an endpoint's headers from a receiver that echoes them.
#[tokio::test]
async fn an_echo_of_a_headers_value_is_not_told() {
    let world = World::start(&[]).await;
    let receiver = Receiver::answering(|one| {
        let value = one.header("authorization");
        let hex: String = value.bytes().map(|byte| format!("{byte:02x}")).collect();
        let percent: String = value.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let json: String = value.bytes().map(|byte| format!("\\u{byte:04x}")).collect();
        Reply::status(500).body(&format!("got <{value}> <{hex}> <{percent}> <{json}> <{}>", value.to_uppercase()))
    });
    let headers = json!({ "Authorization": "Bearer s3cret/token" });
    let body = json!({ "url": receiver.url(), "events": ["*"], "headers": headers });
    let hook = world.hook_with(body).await;
    let delivery = hook.stands(&hook.ping().await, "failed").await;
    assert_eq!(attempts(&delivery)[0]["response"], "got <…> <…> <…> <…> <…>");
}

/// As one that prints what it compared with what.
#[tokio::test]
async fn an_echo_of_a_secret_is_not_told() {
    let world = World::start(&[]).await;
    let known = Arc::new(OnceLock::new());
    let told: Arc<OnceLock<String>> = known.clone();
    let receiver = Receiver::answering(move |_| {
        let secret = told.get().cloned().unwrap_or_default();
        Reply::status(500).body(&format!("<{secret}> <{}>", secret.trim_start_matches("whsec_")))
    });
    let hook = world.hook(&receiver).await;
    known.set(hook.secret.clone()).unwrap();
    let delivery = hook.stands(&hook.ping().await, "failed").await;
    assert_eq!(attempts(&delivery)[0]["response"], "<…> <…>");
}

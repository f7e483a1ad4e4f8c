//! Many endpoints of one client that do not answer: what waits for them is soon held, and holds up nobody.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use hedgerow_tests::receiver::{Receiver, Reply};
use hedgerow_tests::wait::found;
use serde_json::json;

use crate::world::{Hook, LATER, World, quiet};

/// More than one client may have under way at once.
const ENDPOINTS: usize = 60;
const EVENTS: usize = 20;
const DEADLINE: Duration = Duration::from_secs(5);
/// How often a message may be handed out until it is tried or held, on average, however long that takes.
const MOST_RECEIVES: u64 = 2;
/// The first of the waits, each twice as long as the one before, of what finds no place beside others that are sent.
const FIRST_WAIT: Duration = Duration::from_millis(3_600);

/// How often one may be handed out until it is sent, if all are sent within this: a slow machine hands out no more than
/// the waits that find room in its time.
fn most_receives(within: Duration) -> u64 {
    let waits = (within.as_millis() / FIRST_WAIT.as_millis() + 1).ilog2();
    MOST_RECEIVES + u64::from(waits)
}

/// How often each event arrived at each path.
fn taken(receiver: &Receiver) -> HashMap<(String, String), usize> {
    let mut counts = HashMap::new();
    for one in receiver.arrived().into_iter().filter(|one| one.taken()) {
        *counts.entry((one.path.clone(), one.event_id().to_owned())).or_default() += 1;
    }
    counts
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_for_many_that_do_not_answer_is_held_after_a_few_receives_and_then_sent_once() {
    let world = World::with(|settings| {
        settings.retries = vec![LATER; 5];
        settings.deadline = DEADLINE;
    })
    .await;
    world.product().await;
    let (hanging, healthy) = (Receiver::answering(|_| Reply::Hang), Receiver::start());
    let mut slow = Vec::new();
    for number in 0..ENDPOINTS {
        let hook = json!({ "url": hanging.at(&format!("/{number}")), "events": ["field_value.saved"] });
        slow.push(world.hook_with(hook).await);
    }
    // One that is known to answer.
    let beside = world.hook(&healthy).await;
    let ping = beside.ping().await;
    beside.stands(&ping, "delivered").await;
    quiet(&world.app).await;
    let other = world.app.account("other").await;
    let others = Receiver::start();
    let of_other = Hook::make(&other.key, json!({ "url": others.url(), "events": ["test.ping"] })).await;

    let received = || world.engines.sqs.received();
    let before = received();
    for entity in 0..EVENTS {
        world.save(&format!("sku-{entity}"), "x").await;
        of_other.ping().await;
    }
    others.wait(EVENTS).await;
    beside.until("delivered", EVENTS + 1).await;
    for hook in &slow {
        found(|| async { (hook.count("status=pending").await == 0).then_some(()) }).await;
    }
    quiet(&world.app).await;
    // Their circuits open before each has had the five that open one by themselves.
    assert!(hanging.count() < 5 * ENDPOINTS, "{}", hanging.count());
    let deliveries = ((ENDPOINTS + 2) * EVENTS) as u64;
    let held = received() - before;
    assert!(held <= MOST_RECEIVES * deliveries, "{held} receives of {deliveries} messages");

    // What is held is sent when they answer, and what was tried in vain is tried again.
    hanging.always(Reply::status(200));
    let answering = Instant::now();
    world.app.advance(2 * LATER);
    for hook in &slow {
        hook.until("delivered", EVENTS).await;
    }
    quiet(&world.app).await;
    let sent = received() - before - held;
    let most = most_receives(answering.elapsed()) * deliveries;
    assert!(sent <= most, "{sent} receives of {deliveries} messages, {most} were to be expected");
    let (taken, beside) = (taken(&hanging), taken(&healthy));
    assert_eq!((taken.len(), beside.len()), (ENDPOINTS * EVENTS, EVENTS + 1));
    assert!(taken.values().chain(beside.values()).all(|count| *count == 1), "{taken:?}");
}

//! The list of a webhook's deliveries.

use hedgerow_tests::app::{each, id};
use hedgerow_tests::receiver::{Receiver, Reply};
use serde_json::{Value, json};

use crate::world::{DAY, LATER, World, quiet, rfc3339};

#[tokio::test]
async fn deliveries_are_listed_newest_first_by_status_event_and_time() {
    let world = World::start(&[LATER]).await;
    world.product().await;
    let receiver = Receiver::answering(|one| {
        let data = &one.json()["data"];
        Reply::status(if data["entityId"].as_str().is_some_and(|id| id.starts_with("bad")) { 500 } else { 200 })
    });
    let hook = world.hook(&receiver).await;
    let start = world.now();
    for entity in ["a", "bad-1", "b", "bad-2"] {
        world.save(entity, "x").await;
    }
    receiver.wait(4).await;
    quiet(&world.app).await;
    world.app.advance(DAY);
    let then = world.now();
    hook.until("failed", 2).await;
    quiet(&world.app).await;
    let ping = hook.ping().await;
    world.save("bad-3", "x").await;
    world.save("c", "x").await;
    hook.until("delivered", 4).await;
    hook.until("retrying", 1).await;
    quiet(&world.app).await;

    let all = hook.deliveries("").await;
    assert_eq!(all.len(), 7);
    let mut sorted = each(&all, "createdAt");
    sorted.sort_unstable();
    sorted.reverse();
    assert_eq!(each(&all, "createdAt"), sorted);
    let named = |filter: String| {
        let hook = hook.clone();
        async move { hook.deliveries(&filter).await.iter().map(|one| id(one).to_owned()).collect::<Vec<_>>() }
    };
    let ids = |keep: &dyn Fn(&Value) -> bool| {
        all.iter().filter(|one| keep(one)).map(|one| id(one).to_owned()).collect::<Vec<_>>()
    };
    for status in ["pending", "delivered", "retrying", "held", "failed"] {
        assert_eq!(named(format!("status={status}")).await, ids(&|one| one["status"] == status), "{status}");
    }
    for event in ["test.ping", "field_value.saved", "field_group.created"] {
        assert_eq!(named(format!("event={event}")).await, ids(&|one| one["event"] == event), "{event}");
    }
    let late = |one: &Value| one["createdAt"].as_str().unwrap() >= rfc3339(then).as_str();
    let (start, then) = (rfc3339(start), rfc3339(then));
    assert_eq!(named(format!("from={then}")).await, ids(&late));
    assert_eq!(named(format!("to={then}")).await, ids(&|one| !late(one)));
    assert_eq!(named(format!("from={start}&to={then}")).await, ids(&|one| !late(one)));
    assert_eq!(named(format!("from={then}&to={start}")).await, Vec::<String>::new());
    let bad = named(format!("status=failed&event=field_value.saved&from={start}&to={then}")).await;
    assert_eq!((bad.len(), named(format!("status=failed&from={then}")).await.len()), (2, 0));
    assert_eq!(named("status=delivered&event=test.ping".to_owned()).await, [ping]);
    // A bound is exact: what was committed at it is in, and before it is out.
    let newest = all[0]["createdAt"].as_str().unwrap();
    assert_eq!(named(format!("from={newest}")).await, ids(&|one| one["createdAt"] == newest));
    assert_eq!(named(format!("to={newest}")).await, ids(&|one| one["createdAt"] != newest));

    for wrong in ["status=gone", "event=no.event", "from=yesterday", "to=1", "status=", "limit=0", "cursor=x"] {
        let path = format!("{}/deliveries?{wrong}", hook.path());
        world.key().get(&path).await.fails(400, "malformed_request");
    }
}

#[tokio::test]
async fn pages_of_any_size_hold_everything_once() {
    let world = World::start(&[]).await;
    world.product().await;
    let receiver = Receiver::answering(|one| Reply::status(if one.number % 3 == 0 { 500 } else { 200 }));
    let hook = world.hook(&receiver).await;
    for entity in 0..30 {
        world.save(&format!("sku-{entity}"), "x").await;
    }
    receiver.wait(30).await;
    quiet(&world.app).await;
    for filter in ["", "&status=failed", "&status=delivered", "&event=field_value.saved", "&status=held"] {
        let whole = hook.deliveries(&filter.replace('&', "")).await;
        for limit in [1, 7, 10, 29, 30] {
            let (mut all, mut cursor) = (Vec::new(), String::new());
            loop {
                let path = format!("{}/deliveries?limit={limit}{filter}{cursor}", hook.path());
                let (page, next) = world.key().get(&path).await.page();
                assert!(page.len() <= limit);
                all.extend(page);
                let Some(next) = next else { break };
                cursor = format!("&cursor={next}");
            }
            assert_eq!(all, whole, "{filter} {limit}");
        }
    }
    assert_eq!((hook.count("status=failed").await, hook.count("").await), (10, 30));
    // A cursor belongs to its list.
    let path = |of: &str, rest: &str| format!("{of}/deliveries?limit=5{rest}");
    let cursor = world.key().get(&path(&hook.path(), "&status=delivered")).await.page().1.unwrap();
    let other = world.hook(&receiver).await;
    let stale = format!("&cursor={cursor}");
    world.key().get(&path(&other.path(), &format!("&status=delivered{stale}"))).await.fails(400, "malformed_request");
    world.key().get(&path(&hook.path(), &stale)).await.fails(400, "malformed_request");
    world.key().get(&path(&hook.path(), &format!("&status=failed{stale}"))).await.fails(400, "malformed_request");
    let member = json!("field_value.saved");
    assert!(hook.deliveries("").await.iter().all(|one| one["event"] == member && one["attemptCount"] == 1));
}

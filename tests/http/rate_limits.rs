//! Rate limits: what is counted together and what is not, what an answer says of it, and what a refusal costs. Limits have
//! long windows here, and time passes by the clock that tests move.

use std::time::Duration;

use contract::rate_limit::RateLimits;
use engines::{Engines, Fault};
use hedgerow_tests::answer::Answer;
use hedgerow_tests::app::{Account, App, Call, Caller, id, values};
use local::backend::Backend;
use local::limits::Limits;
use serde_json::{Value, json};
use store::author::Clock;

use crate::embed_tokens::{bearing, token};

const GROUPS: &str = "/api/v1/field-groups";
const LOGIN: &str = "/api/auth/login";
const COUNTERS: &str = "hedgerow-counters";
/// A minute's window, and the tenth that the oldest may count longer.
const WINDOW: Duration = Duration::from_secs(66);

/// With these limits in place of the contract's, over these engines; behind a proxy that tells addresses.
async fn over(engines: &Engines, clock: Clock, limits: &str) -> App {
    let mut backend = Backend::embedded(engines.clone(), clock).await.unwrap();
    backend.app.rate_limits = limits.parse().unwrap();
    App::serve(backend, 1, Limits::default()).await
}

async fn limited(limits: &str) -> App {
    over(&Engines::memory().unwrap(), Clock::default(), limits).await
}

/// Whoever asks from an address without a credential.
fn at(app: &App, address: &str) -> Caller {
    app.anonymous().from(address)
}

/// That so many more of these are let through, and then none.
async fn allows(many: usize, call: impl Fn() -> Call) -> Answer {
    for nth in 0..many {
        let answer = call().await;
        assert_ne!(answer.status, 429, "the {nth}th: {answer}");
    }
    let refused = call().await;
    refused.fails(429, "rate_limit_exceeded");
    refused
}

fn login(account: &Account) -> Value {
    json!({ "email": account.email, "password": account.password })
}

#[tokio::test]
async fn a_key_has_its_limit_and_is_told_how_it_stands() {
    let app = limited("management=5/60").await;
    let account = app.account("ada").await;
    for left in [4, 3, 2, 1, 0] {
        let answer = account.key.get(GROUPS).await.expect(200);
        assert_eq!(answer.header("ratelimit-policy"), "\"key\";q=5;w=60");
        assert_eq!(answer.header("x-ratelimit-remaining"), left.to_string());
        let reset: i64 = answer.header("x-ratelimit-reset").parse().unwrap();
        let from_now = reset - app.clock.now().seconds();
        assert!((55..=67).contains(&from_now), "{from_now}");
    }
    let refused = account.key.get(GROUPS).await;
    refused.fails(429, "rate_limit_exceeded");
    let seconds: u64 = refused.header("retry-after").parse().unwrap();
    // Whatever is asked for, as far as it is counted; and nobody else is.
    account.key.post(GROUPS).json(&json!({ "key": "a", "name": "A" })).await.fails(429, "rate_limit_exceeded");
    app.account("eve").await.key.get(GROUPS).await.expect(200);
    account.owner.get(GROUPS).await.expect(200);
    // It says the truth, and later all of it is there again.
    app.clock.advance(Duration::from_secs(seconds));
    account.key.get(GROUPS).await.expect(200);
    app.clock.advance(WINDOW);
    allows(5, || account.key.get(GROUPS)).await;
}

#[tokio::test]
async fn what_was_refused_was_not_done_and_may_be_sent_again() {
    let app = limited("management=1/60").await;
    let account = app.account("ada").await;
    account.key.get(GROUPS).await.expect(200);
    let make = || account.key.post(GROUPS).once("k").json(&json!({ "key": "a", "name": "A" }));
    make().await.fails(429, "rate_limit_exceeded");
    app.clock.advance(WINDOW);
    assert!(make().await.expect(201).all("idempotency-replayed").is_empty());
}

#[tokio::test]
async fn a_key_of_its_own_limit_has_that_below_the_ceiling() {
    let mut backend = Backend::embedded(Engines::memory().unwrap(), Clock::default()).await.unwrap();
    backend.app.rate_limits = "management=7/1".parse::<RateLimits>().unwrap().with_ceiling(1_000);
    let app = App::serve(backend, 1, Limits::default()).await;
    let account = app.account("ada").await;
    for (own, policy) in [(3, "\"key\";q=3;w=1"), (1_000, "\"key\";q=1000;w=1"), (9_000, "\"key\";q=1000;w=1")] {
        let body = json!({ "name": "A", "type": "management", "rateLimit": { "requestsPerSecond": own } });
        let made = account.owner.post("/api/v1/api-keys").json(&body).await.data(201);
        let answer = app.with_key(made["key"].as_str().unwrap()).get(GROUPS).await.expect(200);
        assert_eq!(answer.header("ratelimit-policy"), policy);
        // Without it it has the deployment's, in force when the key's card is read again.
        let path = format!("/api/v1/api-keys/{}", id(&made));
        account.owner.patch(&path).json(&json!({ "rateLimit": null })).await.expect(200);
        app.clock.advance(Duration::from_secs(10));
        let answer = app.with_key(made["key"].as_str().unwrap()).get(GROUPS).await.expect(200);
        assert_eq!(answer.header("ratelimit-policy"), "\"key\";q=7;w=1");
    }
    // The client's goes before that, and is never above the ceiling either.
    let set = |count: u32| {
        let limits = json!({ "managementPerSecond": count, "deliveryPerSecond": 1_001 });
        account.owner.patch("/api/v1/settings").json(&json!({ "rateLimits": limits }))
    };
    set(40).await.wrong(&["rateLimits.deliveryPerSecond"]);
    set(1_001).await.wrong(&["rateLimits.deliveryPerSecond", "rateLimits.managementPerSecond"]);
    let limits = json!({ "rateLimits": { "managementPerSecond": 40 } });
    account.owner.patch("/api/v1/settings").json(&limits).await.expect(200);
    app.clock.advance(Duration::from_secs(10));
    assert_eq!(account.key.get(GROUPS).await.expect(200).header("ratelimit-policy"), "\"key\";q=40;w=1");
}

#[tokio::test]
async fn an_address_has_one_limit_for_all_that_shows_no_valid_credential() {
    let app = limited("address=8/60").await;
    let account = app.account("ada").await;
    let other = app.account("eve").await;
    let gone = other.owner.post("/api/v1/api-keys").json(&json!({ "name": "A", "type": "management" })).await.data(201);
    other.owner.delete(&format!("/api/v1/api-keys/{}", id(&gone))).await.expect(204);
    let here = at(&app, "192.0.2.7");
    for (caller, path, status) in [
        (&here, "/api/health", 200),
        (&here, "/nothing", 404),
        (&here, GROUPS, 401),
        (&here.with("x-api-key", "nonsense"), GROUPS, 401),
        (&here.with("x-api-key", gone["key"].as_str().unwrap()), GROUPS, 401),
        (&here.with("authorization", "Bearer a.b.c"), GROUPS, 401),
        (&here.with("x-api-key", "a").with("authorization", "Bearer b"), GROUPS, 400),
        (&here.in_session("__Host-hedgerow_session=nonsense"), GROUPS, 401),
    ] {
        let answer = caller.get(path).await.expect(status);
        assert_eq!(answer.header("ratelimit-policy"), "\"address\";q=8;w=60");
    }
    for caller in [&here, &here.with("x-api-key", gone["key"].as_str().unwrap())] {
        caller.get(GROUPS).await.fails(429, "rate_limit_exceeded");
    }
    here.get("/api/health").await.fails(429, "rate_limit_exceeded");
    // Whoever shows who asks has a limit of their own, wherever they ask from.
    here.with("x-api-key", &account.secret).get(GROUPS).await.expect(200);
    here.in_session(&account.cookie).get(GROUPS).await.expect(200);
    at(&app, "192.0.2.8").get(GROUPS).await.expect(401);
    app.clock.advance(WINDOW);
    here.get(GROUPS).await.expect(401);
}

#[tokio::test]
async fn addresses_are_counted_by_what_a_subscriber_has() {
    for (first, same, other) in [
        ("192.0.2.7", "::ffff:192.0.2.7", "192.0.2.8"),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:3::1"),
    ] {
        let app = limited("address=2/60").await;
        for caller in [at(&app, first), at(&app, same)] {
            caller.get("/api/health").await.expect(200);
        }
        for caller in [at(&app, first), at(&app, same)] {
            caller.get("/api/health").await.fails(429, "rate_limit_exceeded");
        }
        at(&app, other).get("/api/health").await.expect(200);
    }
    // Those of whom none is known are counted together, and apart from all others.
    let app = limited("address=2/60").await;
    let unknown = [app.anonymous(), app.anonymous().with("x-forwarded-for", "unknown")];
    for caller in &unknown {
        caller.get("/api/health").await.expect(200);
    }
    for caller in &unknown {
        caller.get("/api/health").await.fails(429, "rate_limit_exceeded");
    }
    at(&app, "192.0.2.7").get("/api/health").await.expect(200);
}

#[tokio::test]
async fn logins_signups_and_resets_are_counted_by_address_each_for_itself() {
    let app = limited("").await;
    let account = app.account("ada").await;
    let here = at(&app, "192.0.2.7");
    let signup = |n: usize| json!({ "email": format!("n{n}@example.com"), "password": "short", "clientName": "N" });
    let reset = json!({ "email": "nobody@example.com" });
    let wrong = |n: usize| json!({ "email": format!("n{n}@example.com"), "password": "no password at all" });
    let refused = allows(10, || here.post(LOGIN).json(&wrong(1))).await;
    assert_eq!(refused.header("ratelimit-policy"), "\"login\";q=10;w=900");
    let refused = allows(10, || here.post("/api/auth/signup").json(&signup(1))).await;
    assert_eq!(refused.header("ratelimit-policy"), "\"signup\";q=10;w=900");
    let refused = allows(5, || here.post("/api/auth/password-reset").json(&reset)).await;
    assert_eq!(refused.header("ratelimit-policy"), "\"password-reset\";q=5;w=900");
    // A right password is none the wiser, and none the worse from elsewhere.
    here.post(LOGIN).json(&login(&account)).await.fails(429, "rate_limit_exceeded");
    at(&app, "192.0.2.8").post(LOGIN).json(&login(&account)).await.expect(200);
    here.get("/api/health").await.expect(200);
    app.clock.advance(WINDOW * 15);
    here.post(LOGIN).json(&login(&account)).await.expect(200);
}

#[tokio::test]
async fn embed_tokens_are_counted_where_they_are_made_and_where_they_are_used() {
    let app = limited("token=3/60,embed=4/60,management=100/60").await;
    let account = app.account("ada").await;
    account.key.group("product").await;
    let of = |tenant: &str| json!({ "tenantId": tenant });
    let mut acme = Vec::new();
    for tenant in ["acme", "acme", "globex"] {
        acme.push(bearing(&app.anonymous(), &token(&account.key, &of(tenant)).await));
    }
    let refused = account.key.post("/api/auth/token").json(&of("acme")).await;
    refused.fails(429, "rate_limit_exceeded");
    assert_eq!(refused.header("ratelimit-policy"), "\"token\";q=3;w=60");
    account.key.get(GROUPS).await.expect(200);
    // Another key has its own.
    let body = json!({ "name": "A", "type": "management" });
    let made = account.owner.post("/api/v1/api-keys").json(&body).await.data(201);
    app.with_key(made["key"].as_str().unwrap()).post("/api/auth/token").json(&of("acme")).await.expect(201);
    // Both tokens of one tenant, and not the other's.
    let path = values("acme", "product", "sku-1");
    for caller in [&acme[0], &acme[1], &acme[0], &acme[1]] {
        let answer = caller.get(&path).await.expect(404);
        assert_eq!(answer.header("ratelimit-policy"), "\"embed\";q=4;w=60");
    }
    for caller in &acme[..2] {
        caller.get(&path).await.fails(429, "rate_limit_exceeded");
    }
    acme[2].get(&values("globex", "product", "sku-1")).await.expect(404);
}

#[tokio::test]
async fn a_session_has_a_limit_of_its_own() {
    let app = limited("session=3/60").await;
    let account = app.account("ada").await;
    let again = app.log_in(&account).await;
    let refused = allows(3, || account.owner.get("/api/auth/session")).await;
    assert_eq!(refused.header("ratelimit-policy"), "\"session\";q=3;w=60");
    again.get("/api/auth/session").await.expect(200);
}

/// Once it is known that nothing is left, a refusal reads and writes nothing.
#[tokio::test]
async fn a_refusal_costs_nothing() {
    let app = limited("management=2/60,session=2/60,embed=2/60,address=2/60").await;
    let account = app.account("ada").await;
    account.owner.get(GROUPS).await.expect(200);
    let made = token(&account.key, &json!({ "tenantId": "acme" })).await;
    let anyone = at(&app, "192.0.2.7");
    let path = format!("{}/acme/field-groups/product/fields", "/api/v1/tenants");
    let callers = [(account.key.clone(), GROUPS), (account.owner.clone(), GROUPS), (anyone.clone(), GROUPS)];
    let embedded = bearing(&app.anonymous(), &made);
    for (caller, path) in callers.iter().chain([&(embedded, &*path)]) {
        while caller.get(path).await.status != 429 {}
        let trace = app.backend.engine.as_ref().unwrap().connector.trace();
        trace.reset();
        for _ in 0..20 {
            caller.get(path).await.fails(429, "rate_limit_exceeded");
        }
        assert_eq!(trace.snapshot().total(), 0, "{path}: {:?}", trace.snapshot());
    }
}

/// From many addresses, each of which asks now and then.
#[tokio::test]
async fn who_asks_once_in_a_while_without_a_credential_costs_no_write() {
    let app = limited("").await;
    let trace = app.backend.engine.as_ref().unwrap().connector.trace();
    trace.reset();
    for n in 0..50 {
        at(&app, &format!("192.0.2.{n}")).get("/api/health").await.expect(200);
    }
    assert_eq!(trace.snapshot().total(), 0);
}

#[tokio::test]
async fn instances_count_together() {
    let engines = Engines::memory().unwrap();
    let mut apps = Vec::new();
    for _ in 0..4 {
        apps.push(over(&engines, Clock::default(), "management=20/60").await);
    }
    // Their clocks differ, and the counter goes by the one that is ahead.
    apps[3].clock.advance(Duration::from_secs(20));
    let account = apps[0].account("ada").await;
    let calls = (0..80).map(|n| tokio::spawn(apps[n % 4].with_key(&account.secret).get(GROUPS).into_future()));
    let mut admitted = 0;
    for call in calls.collect::<Vec<_>>() {
        admitted += usize::from(call.await.unwrap().status == 200);
    }
    assert_eq!(admitted, 20);
}

#[tokio::test]
async fn while_nobody_can_count_passwords_are_closed_and_all_else_goes_on_by_instance() {
    let app = limited("management=3/60").await;
    let account = app.account("ada").await;
    let faults = app.backend.engine.as_ref().unwrap().connector.faults();
    faults.set(|call| {
        let counts = String::from_utf8_lossy(call.body).contains(COUNTERS);
        counts.then_some(Fault::Throttling)
    });
    allows(3, || account.key.get(GROUPS)).await;
    account.owner.get(GROUPS).await.expect(200);
    for nth in 0..3 {
        app.anonymous().get("/api/health").await.expect(200);
        let here = at(&app, &format!("192.0.2.{nth}"));
        here.post(LOGIN).json(&login(&account)).await.fails(503, "unavailable");
        here.post("/api/auth/password-reset").json(&json!({ "email": account.email })).await.fails(503, "unavailable");
        let signup = json!({ "email": "new@example.com", "password": "a long enough one", "clientName": "New" });
        here.post("/api/auth/signup").json(&signup).await.fails(503, "unavailable");
    }
    let other = app.account("eve").await;
    other.key.post("/api/auth/token").json(&json!({ "tenantId": "acme" })).await.fails(503, "unavailable");
    faults.clear();
    app.clock.advance(Duration::from_secs(2));
    other.key.post("/api/auth/token").json(&json!({ "tenantId": "acme" })).await.expect(201);
    app.anonymous().post(LOGIN).json(&login(&account)).await.expect(200);
}

#[test]
fn the_limits_are_the_contracts() {
    let limits = RateLimits::default();
    let all = contract::rate_limit::LimitName::ALL.iter();
    let told: Vec<String> = all.map(|name| format!("{}={}", name.name(), limits.of(*name))).collect();
    assert_eq!(
        told.join(" "),
        "address=60/1 session=1000/900 embed=1000/900 token=50/900 login=10/900 signup=10/900 password-reset=5/900 \
         management=30/1 delivery=100/1"
    );
}

/// What `GET /api/v1/limits` says of one limit: what is allowed, what is left.
async fn standing(caller: &Caller, name: &str) -> Option<(u64, u64)> {
    let (all, _) = caller.get("/api/v1/limits").await.page();
    let found = all.into_iter().find(|limit| limit["name"] == name)?;
    Some((found["limit"].as_u64().unwrap(), found["remaining"].as_u64().unwrap()))
}

#[tokio::test]
async fn the_list_of_limits_spends_none() {
    let app = limited("management=5/60,token=3/60,session=4/60").await;
    let account = app.account("ada").await;
    for _ in 0..10 {
        let answer = account.key.get("/api/v1/limits").await.expect(200);
        assert!(answer.all("ratelimit").is_empty(), "it is not counted: {answer}");
    }
    assert_eq!(standing(&account.key, "key").await, Some((5, 5)));
    assert_eq!(standing(&account.key, "token").await, Some((3, 3)));
    assert_eq!(standing(&account.owner, "session").await, Some((4, 4)));
    token(&account.key, &json!({ "tenantId": "acme" })).await;
    account.key.get(GROUPS).await.expect(200);
    account.owner.get(GROUPS).await.expect(200);
    assert_eq!(standing(&account.key, "key").await, Some((5, 3)));
    assert_eq!(standing(&account.key, "token").await, Some((3, 2)));
    assert_eq!(standing(&account.owner, "session").await, Some((4, 3)));
    // It answers whoever has used one up, and says when there is more.
    let refused = allows(3, || account.key.get(GROUPS)).await;
    let (all, _) = account.key.get("/api/v1/limits").await.page();
    let own = all.iter().find(|limit| limit["name"] == "key").unwrap();
    assert_eq!((&own["limit"], &own["remaining"]), (&json!(5), &json!(0)));
    let reset: contract::Time = own["resetAt"].as_str().unwrap().parse().unwrap();
    assert_eq!(refused.header("x-ratelimit-reset"), (reset.millis() + 999).div_euclid(1000).to_string());
    // A key of few permissions, and a member of few rights, see theirs as well; who shows nobody counts by address.
    let body = json!({ "name": "A", "type": "management", "permissions": ["audit:read"] });
    let made = account.owner.post("/api/v1/api-keys").json(&body).await.data(201);
    assert_eq!(standing(&app.with_key(made["key"].as_str().unwrap()), "key").await, Some((5, 5)));
    let anyone = app.anonymous().get("/api/v1/limits").await;
    anyone.fails(401, "unauthenticated");
    assert_eq!(anyone.header("ratelimit-policy"), "\"address\";q=60;w=1");
}

#[tokio::test]
async fn the_list_of_limits_has_what_is_counted_of_the_client() {
    let app = limited("").await;
    let account = app.account("ada").await;
    let left = async |name| standing(&account.owner, name).await.unwrap();
    let (most, before) = left("field-groups").await;
    account.key.group("product").await;
    assert_eq!(left("field-groups").await, (most, before - 1));
    let (most, before) = left("members").await;
    assert_eq!(before, most - 1, "the owner is one");
    let (all, _) = account.owner.get("/api/v1/limits").await.page();
    assert!(all.iter().all(|limit| limit["resetAt"].is_string() == (limit["name"] == "session")), "{all:?}");
}

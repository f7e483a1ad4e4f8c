//! Requests that may be repeated.

use std::time::Duration;

use contract::names::{EntityId, GroupRef};
use contract::{Code, Error};
use engines::Fault;
use hedgerow_store::api_keys::ApiKeys;
use hedgerow_store::author::Seed;
use hedgerow_store::field_groups::FieldGroups;
use hedgerow_store::global_fields::GlobalFields;
use hedgerow_store::idempotency::{Begun, Keyed, Remembered, Slot};
use hedgerow_store::tenant_fields::TenantFields;
use hedgerow_store::values::{Save, Values};
use serde_json::json;

use crate::fixture::{
    Account, DAY, Tables, all, named, new_global, new_group, new_own, object, refused, string, values,
};
use crate::life::new_key;

const REQUEST: Keyed<'static> = Keyed { caller: "key_1", route: "POST /api/v1/field-groups", key: "k-1", body: b"{}" };

async fn begin(account: &Account, request: &Keyed<'_>) -> Result<Begun, Error> {
    account.store.begin(&account.scope, request).await
}

async fn go(account: &Account, request: &Keyed<'_>) -> Slot {
    match begin(account, request).await.unwrap() {
        Begun::Go(slot) => slot,
        Begun::Answered(answer) => panic!("was answered {answer:?}"),
    }
}

async fn answered(account: &Account, request: &Keyed<'_>) -> Remembered {
    match begin(account, request).await.unwrap() {
        Begun::Answered(answer) => answer,
        Begun::Go(_) => panic!("was not answered"),
    }
}

fn answer(body: &str) -> Remembered {
    Remembered { status: 201, etag: Some("\"1\"".into()), body: body.into() }
}

#[tokio::test]
async fn the_first_answer_is_given_again() {
    let account = Tables::new().await.account().await;
    let slot = go(&account, &REQUEST).await;
    assert_eq!(refused(begin(&account.elsewhere(), &REQUEST).await), Code::IdempotencyInProgress);
    account.store.finish(slot, Some(&answer("one"))).await.unwrap();
    for _ in 0..2 {
        assert_eq!(answered(&account.elsewhere(), &REQUEST).await, answer("one"));
    }
    let other_body = Keyed { body: b"{ }", ..REQUEST };
    assert_eq!(refused(begin(&account, &other_body).await), Code::IdempotencyKeyReused);
}

#[tokio::test]
async fn another_body_is_refused_while_the_first_lives() {
    let account = Tables::new().await.account().await;
    let _slot = go(&account, &REQUEST).await;
    assert_eq!(refused(begin(&account, &Keyed { body: b"[]", ..REQUEST }).await), Code::IdempotencyKeyReused);
}

#[tokio::test]
async fn a_key_belongs_to_its_client_caller_and_route() {
    let tables = Tables::new().await;
    let (account, stranger) = (tables.account().await, tables.account().await);
    let slot = go(&account, &REQUEST).await;
    account.store.finish(slot, Some(&answer("one"))).await.unwrap();
    go(&stranger, &REQUEST).await;
    go(&account, &Keyed { caller: "key_2", ..REQUEST }).await;
    go(&account, &Keyed { route: "POST /api/v1/global-fields", ..REQUEST }).await;
    go(&account, &Keyed { key: "k-2", ..REQUEST }).await;
    // The parts are told apart, not run together.
    go(&account, &Keyed { caller: "key_1POST /api/v1/field-groups", route: "", ..REQUEST }).await;
    assert_eq!(answered(&account, &REQUEST).await, answer("one"));
}

#[tokio::test]
async fn without_an_answer_the_key_is_free_again() {
    let account = Tables::new().await.account().await;
    let slot = go(&account, &REQUEST).await;
    account.store.finish(slot, None).await.unwrap();
    let slot = go(&account, &Keyed { body: b"another", ..REQUEST }).await;
    // What is too large to be kept is not kept either.
    account.store.finish(slot, Some(&answer(&"x".repeat(400_000)))).await.unwrap();
    go(&account, &REQUEST).await;
}

#[tokio::test]
async fn an_answer_is_kept_for_a_day() {
    let tables = Tables::new().await;
    let account = tables.account().await;
    let slot = go(&account, &REQUEST).await;
    account.store.finish(slot, Some(&answer("one"))).await.unwrap();
    tables.clock.advance(DAY - Duration::from_secs(10));
    assert_eq!(answered(&account, &REQUEST).await, answer("one"));
    tables.clock.advance(Duration::from_secs(10));
    let slot = go(&account, &Keyed { body: b"another", ..REQUEST }).await;
    account.store.finish(slot, Some(&answer("two"))).await.unwrap();
    assert_eq!(answered(&account, &Keyed { body: b"another", ..REQUEST }).await, answer("two"));
}

#[tokio::test]
async fn a_dead_try_is_taken_over_once_with_its_seed() {
    let tables = Tables::new().await;
    let account = tables.account().await;
    let dead = go(&account, &REQUEST).await;
    tables.clock.advance(Duration::from_secs(59));
    assert_eq!(refused(begin(&account, &REQUEST).await), Code::IdempotencyInProgress);
    tables.clock.advance(Duration::from_secs(2));
    let other = account.elsewhere();
    let (one, two) = tokio::join!(begin(&account, &REQUEST), begin(&other, &REQUEST));
    let mut taken = Vec::new();
    for begun in [one, two] {
        match begun {
            Ok(Begun::Go(slot)) => taken.push(slot),
            Ok(Begun::Answered(_)) => panic!("nobody has answered"),
            Err(error) => assert_eq!(error.code(), Code::IdempotencyInProgress),
        }
    }
    assert_eq!(taken.len(), 1);
    let slot = taken.remove(0);
    assert_eq!(slot.seed, dead.seed);
    // What was taken for dead has nothing more to say, whether it has an answer or none.
    account.store.finish(dead, Some(&answer("late"))).await.unwrap();
    assert_eq!(refused(begin(&account, &REQUEST).await), Code::IdempotencyInProgress);
    account.store.finish(slot, Some(&answer("right"))).await.unwrap();
    assert_eq!(answered(&account, &REQUEST).await, answer("right"));
}

#[tokio::test]
async fn the_dead_does_not_free_what_another_holds() {
    let tables = Tables::new().await;
    let account = tables.account().await;
    let dead = go(&account, &REQUEST).await;
    tables.clock.advance(Duration::from_secs(61));
    let _slot = go(&account, &REQUEST).await;
    account.store.finish(dead, None).await.unwrap();
    assert_eq!(refused(begin(&account, &REQUEST).await), Code::IdempotencyInProgress);
}

#[tokio::test]
async fn a_request_carried_out_again_finds_what_it_had_written() {
    let tables = Tables::new().await;
    let account = tables.account().await;
    let base = account.group("base").await.id;
    let (at, sku): (_, EntityId) = (GroupRef::Id(base), named("sku"));
    account.global("a", string(), &[base]).await;
    let tenant = || account.scope.tenant(named("acme"));

    let (seed, mut made) = (Seed::new(tables.clock.now()), Vec::new());
    for _ in 0..2 {
        made.push(FieldGroups::open(&account.work_of(seed)).create(new_group("product")).await.unwrap());
        tables.clock.advance(Duration::from_secs(61));
    }
    assert_eq!(made[0], made[1]);
    assert_eq!(account.groups().list(&all()).await.unwrap().items.len(), 2);

    let (seed, mut made) = (Seed::new(tables.clock.now()), Vec::new());
    for _ in 0..2 {
        made.push(GlobalFields::open(&account.work_of(seed)).create(new_global("g", string(), &[base])).await.unwrap());
    }
    assert_eq!(made[0], made[1]);
    assert_eq!(account.globals().list(None, &all()).await.unwrap().items.len(), 2);

    let (seed, mut made) = (Seed::new(tables.clock.now()), Vec::new());
    for _ in 0..2 {
        let fields = TenantFields::open(&account.work_of(seed), tenant());
        made.push(fields.create(&at, new_own("own", string())).await.unwrap());
    }
    assert_eq!(made[0], made[1]);
    assert_eq!(account.merged("acme", base).await.len(), 3);

    let (seed, mut made) = (Seed::new(tables.clock.now()), Vec::new());
    for _ in 0..2 {
        let repository = Values::open(&account.work_of(seed), tenant());
        made.push(repository.save(&at, &sku, &object(json!({ "a": "x" })), Save::Merge, None).await.unwrap());
    }
    assert_eq!(made[0], made[1]);
    assert_eq!(account.read("acme", base, "sku").await.unwrap().version, 1);

    account.values("acme").delete(&at, &sku, None).await.unwrap();
    let seed = Seed::new(tables.clock.now());
    for _ in 0..2 {
        let restored = Values::open(&account.work_of(seed), tenant()).restore(&at, &sku, None).await.unwrap();
        assert_eq!((restored.version, values(&restored)), (3, json!({ "a": "x" })));
    }
}

#[tokio::test]
async fn a_key_made_again_is_one_key_whose_new_secret_works_and_whose_lost_one_does_not() {
    let tables = Tables::new().await;
    let account = tables.account().await;
    let seed = Seed::new(tables.clock.now());
    let (first, lost) = ApiKeys::open(&account.work_of(seed)).create(new_key()).await.unwrap();
    let (again, secret) = ApiKeys::open(&account.work_of(seed)).create(new_key()).await.unwrap();
    assert_eq!(first.id, again.id);
    assert_eq!(account.keys().list(&all()).await.unwrap().items, std::slice::from_ref(&again));
    let fresh = tables.store();
    assert_eq!(fresh.verify_key(&secret).await.unwrap().map(|key| key.id), Some(again.id));
    assert!(fresh.verify_key(&lost).await.unwrap().is_none());
    account.keys().delete(again.id, None).await.unwrap();
    assert!(tables.store().verify_key(&secret).await.unwrap().is_none());
}

/// On the embedded engine alone, which can lose answers.
#[tokio::test]
async fn lost_answers_change_nothing() {
    let tables = Tables::embedded().await;
    let account = tables.account().await;
    tables.connector().trace().reset();
    tables.connector().faults().set(|call| (call.nth % 2 == 1).then_some(Fault::Lost));
    let dead = go(&account, &REQUEST).await;
    tables.clock.advance(Duration::from_secs(61));
    let slot = go(&account, &REQUEST).await;
    assert_eq!(slot.seed, dead.seed);
    account.store.finish(slot, None).await.unwrap();
    let slot = go(&account, &REQUEST).await;
    assert_ne!(slot.seed, dead.seed);
    account.store.finish(slot, Some(&answer("one"))).await.unwrap();
    assert_eq!(answered(&account, &REQUEST).await, answer("one"));
}

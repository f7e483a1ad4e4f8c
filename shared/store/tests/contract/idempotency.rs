//! Requests that may be repeated.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use contract::names::{EntityId, GroupRef};
use contract::{Code, Error};
use engines::Fault;
use hedgerow_store::api_keys::ApiKeys;
use hedgerow_store::author::Seed;
use hedgerow_store::field_groups::FieldGroups;
use hedgerow_store::global_fields::GlobalFields;
use hedgerow_store::idempotency::{Ending, Keyed, Remembered, Reservation, Reserved};
use hedgerow_store::tables::Table;
use hedgerow_store::tenant_fields::TenantFields;
use hedgerow_store::values::{Save, Values};
use serde_json::json;

use crate::fixture::{
    Account, DAY, Tables, all, named, new_global, new_group, new_own, object, refused, string, values,
};
use crate::life::new_key;

pub(crate) const REQUEST: Keyed<'static> = Keyed {
    caller: "key_1",
    route: "POST /api/v1/field-groups",
    key: "k-1",
    body: b"{}",
    media_type: "application/json",
    if_match: b"",
    if_none_match: b"",
    tenant: None,
};

async fn begin(account: &Account, request: &Keyed<'_>) -> Result<Reserved, Error> {
    account.store.begin(&account.scope, request).await
}

pub(crate) async fn go(account: &Account, request: &Keyed<'_>) -> Reservation {
    match begin(account, request).await.unwrap() {
        Reserved::Proceed(reservation) => reservation,
        Reserved::Answered(answer) => panic!("was answered {answer:?}"),
    }
}

pub(crate) async fn answered(account: &Account, request: &Keyed<'_>) -> Remembered {
    match begin(account, request).await.unwrap() {
        Reserved::Answered(answer) => answer,
        Reserved::Proceed(_) => panic!("was not answered"),
    }
}

/// A success is kept.
async fn answer_with(account: &Account, reservation: Reservation, body: &str) {
    account.store.finish(reservation, Ending::Answered(answer(body))).await.unwrap();
}

pub(crate) fn answer(body: &str) -> Remembered {
    Remembered { status: 201, etag: Some("\"1\"".into()), body: body.into() }
}

#[tokio::test]
async fn the_first_answer_is_given_again() {
    let account = Tables::new().await.account().await;
    let reservation = go(&account, &REQUEST).await;
    assert_eq!(refused(begin(&account.elsewhere(), &REQUEST).await), Code::IdempotencyInProgress);
    answer_with(&account, reservation, "one").await;
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
    let reservation = go(&account, &REQUEST).await;
    answer_with(&account, reservation, "one").await;
    go(&stranger, &REQUEST).await;
    go(&account, &Keyed { caller: "key_2", ..REQUEST }).await;
    go(&account, &Keyed { route: "POST /api/v1/global-fields", ..REQUEST }).await;
    go(&account, &Keyed { key: "k-2", ..REQUEST }).await;
    // The parts are told apart, not run together.
    go(&account, &Keyed { caller: "key_1POST /api/v1/field-groups", route: "", ..REQUEST }).await;
    assert_eq!(answered(&account, &REQUEST).await, answer("one"));
}

#[tokio::test]
async fn another_media_type_or_precondition_is_another_request() {
    let account = Tables::new().await.account().await;
    let others = [
        Keyed { media_type: "text/plain", ..REQUEST },
        Keyed { media_type: "", ..REQUEST },
        Keyed { if_match: b"\"1\"", ..REQUEST },
        Keyed { if_none_match: b"*", ..REQUEST },
        Keyed { if_match: b"*", ..REQUEST },
    ];
    for at in 0..others.len() {
        let first = Keyed { key: &format!("k-{at}"), ..others[at] };
        let reservation = go(&account, &first).await;
        for other in others.iter().chain([&REQUEST]).filter(|other| **other != others[at]) {
            let other = Keyed { key: first.key, ..*other };
            assert_eq!(refused(begin(&account, &other).await), Code::IdempotencyKeyReused);
        }
        answer_with(&account, reservation, "one").await;
        assert_eq!(answered(&account, &first).await, answer("one"));
        assert_eq!(refused(begin(&account, &Keyed { key: first.key, ..REQUEST }).await), Code::IdempotencyKeyReused);
    }
}

#[tokio::test]
async fn what_was_refused_leaves_the_key_free() {
    let tables = Tables::new().await;
    let account = tables.account().await;
    let reservation = go(&account, &REQUEST).await;
    let seed = reservation.seed;
    account.store.finish(reservation, Ending::Refused).await.unwrap();
    let again = go(&account, &REQUEST).await;
    assert_ne!(again.seed, seed);
    account.store.finish(again, Ending::Refused).await.unwrap();
    go(&account, &Keyed { body: b"another", ..REQUEST }).await;
}

#[tokio::test]
async fn what_failed_is_gone_on_with_at_once_and_leaves_the_key_free_for_another() {
    let tables = Tables::new().await;
    let account = tables.account().await;
    let reservation = go(&account, &REQUEST).await;
    let seed = reservation.seed;
    account.store.finish(reservation, Ending::Failed).await.unwrap();
    // Nobody knows what it wrote: the same request meets it, by the same identifiers.
    let again = go(&account.elsewhere(), &REQUEST).await;
    assert_eq!(again.seed, seed);
    assert_eq!(refused(begin(&account, &REQUEST).await), Code::IdempotencyInProgress);
    let another = Keyed { body: b"another", ..REQUEST };
    assert_eq!(refused(begin(&account, &another).await), Code::IdempotencyKeyReused);
    account.store.finish(again, Ending::Failed).await.unwrap();
    let other = go(&account, &another).await;
    assert_ne!(other.seed, seed);
    answer_with(&account, other, "other").await;
    assert_eq!(answered(&account, &another).await, answer("other"));
    assert_eq!(refused(begin(&account, &REQUEST).await), Code::IdempotencyKeyReused);
}

/// All that the log table has of a request.
async fn remembered(account: &Account, request: &Keyed<'_>) -> Vec<HashMap<String, AttributeValue>> {
    let parts = [request.caller, request.route, request.key].map(str::as_bytes);
    let pk = format!("I#{}", auth::hex(&account.scope.seal().mac(&parts)));
    let tables = &account.tables;
    let query = tables.dynamo.query().table_name(tables.names.of(Table::Log)).key_condition_expression("pk = :pk");
    let query = query.expression_attribute_values(":pk", AttributeValue::S(pk)).consistent_read(true);
    query.into_paginator().items().send().collect::<Result<_, _>>().await.unwrap()
}

#[tokio::test]
async fn an_answer_of_any_size_is_kept_sealed_and_goes_after_a_day() {
    for (length, pieces) in [(0, 1), (1, 1), (131_000, 1), (132_000, 2), (480_000, 2), (482_000, 3), (1_600_000, 6)] {
        let tables = Tables::new().await;
        let account = tables.account().await;
        let begun = tables.clock.now();
        let body: String = "readable ".chars().cycle().take(length).collect();
        let reservation = go(&account, &REQUEST).await;
        answer_with(&account, reservation, &body).await;
        assert_eq!(answered(&account.elsewhere(), &REQUEST).await, answer(&body));
        let items = remembered(&account, &REQUEST).await;
        assert_eq!(items.len(), pieces, "{length}");
        let (least, most) = (begun.plus(DAY).seconds(), tables.clock.now().plus(DAY).seconds() + 3600);
        for item in &items {
            let ttl: i64 = item["ttl"].as_n().unwrap().parse().unwrap();
            assert!((least..=most).contains(&ttl), "{ttl}");
            for value in item.values() {
                let bytes = match value {
                    AttributeValue::B(bytes) => bytes.as_ref().to_vec(),
                    other => format!("{other:?}").into_bytes(),
                };
                assert!(!bytes.windows(8).any(|eight| eight == b"readable"), "{item:?}");
            }
        }
        tables.clock.advance(DAY);
        go(&account, &REQUEST).await;
    }
}

#[tokio::test]
async fn a_long_answer_that_comes_late_is_not_mixed_with_another() {
    let tables = Tables::new().await;
    let account = tables.account().await;
    let (late, right) = ("late ".repeat(200_000), "right ".repeat(200_000));
    let dead = go(&account, &REQUEST).await;
    tables.clock.advance(Duration::from_secs(61));
    let reservation = go(&account, &REQUEST).await;
    answer_with(&account, reservation, &right).await;
    answer_with(&account, dead, &late).await;
    assert_eq!(answered(&account, &REQUEST).await, answer(&right));
}

#[tokio::test]
async fn an_answer_that_was_touched_or_put_elsewhere_is_none() {
    let tables = Tables::new().await;
    let account = tables.account().await;
    let other = Keyed { key: "k-2", ..REQUEST };
    for (request, body) in [(&REQUEST, "one"), (&other, "two")] {
        let reservation = go(&account, request).await;
        answer_with(&account, reservation, body).await;
    }
    let (one, two) = (remembered(&account, &REQUEST).await.remove(0), remembered(&account, &other).await.remove(0));
    for (item, another) in [(&one, &two), (&two, &one)] {
        let mut altered = item.clone();
        for name in ["body", "holder", "pieces"] {
            altered.insert(name.to_owned(), another[name].clone());
        }
        let put = tables.dynamo.put_item().table_name(tables.names.of(Table::Log));
        put.set_item(Some(altered)).send().await.unwrap();
    }
    for request in [&REQUEST, &other] {
        assert_eq!(refused(begin(&account, request).await), Code::Internal);
    }
}

#[tokio::test]
async fn an_answer_is_kept_for_a_day() {
    let tables = Tables::new().await;
    let account = tables.account().await;
    let reservation = go(&account, &REQUEST).await;
    answer_with(&account, reservation, "one").await;
    tables.clock.advance(DAY - Duration::from_secs(10));
    assert_eq!(answered(&account, &REQUEST).await, answer("one"));
    tables.clock.advance(Duration::from_secs(10));
    let reservation = go(&account, &Keyed { body: b"another", ..REQUEST }).await;
    answer_with(&account, reservation, "two").await;
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
            Ok(Reserved::Proceed(reservation)) => taken.push(reservation),
            Ok(Reserved::Answered(_)) => panic!("nobody has answered"),
            Err(error) => assert_eq!(error.code(), Code::IdempotencyInProgress),
        }
    }
    assert_eq!(taken.len(), 1);
    let reservation = taken.remove(0);
    assert_eq!(reservation.seed, dead.seed);
    // What was taken for dead has nothing more to say, whether it has an answer or none.
    answer_with(&account, dead, "late").await;
    assert_eq!(refused(begin(&account, &REQUEST).await), Code::IdempotencyInProgress);
    answer_with(&account, reservation, "right").await;
    assert_eq!(answered(&account, &REQUEST).await, answer("right"));
}

#[tokio::test]
async fn the_dead_does_not_free_what_another_holds() {
    let tables = Tables::new().await;
    let account = tables.account().await;
    let dead = go(&account, &REQUEST).await;
    tables.clock.advance(Duration::from_secs(61));
    let _slot = go(&account, &REQUEST).await;
    account.store.finish(dead, Ending::Refused).await.unwrap();
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
    let (lost, secret) = (lost.unwrap(), secret.unwrap());
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
    let reservation = go(&account, &REQUEST).await;
    assert_eq!(reservation.seed, dead.seed);
    answer_with(&account, reservation, "one").await;
    assert_eq!(answered(&account, &REQUEST).await, answer("one"));
    let other = Keyed { key: "k-2", ..REQUEST };
    let refused = go(&account, &other).await;
    let seed = refused.seed;
    account.store.finish(refused, Ending::Refused).await.unwrap();
    assert_ne!(go(&account, &other).await.seed, seed);
}

//! Answers that are lost, transactions that meet others, throttling. On the embedded engine alone, which can be made to
//! fail; where time passes it is tokio's own, which stands still until all wait for it.

use std::time::Duration;

use contract::names::GroupRef;
use contract::{Code, Error};
use engines::{Call, Fault};
use futures_util::future::BoxFuture;
use serde_json::json;
use tokio::time::Instant;

use crate::fixture::{
    Account, Tables, all, if_match, label_change, named, new_global, new_group, new_own, other_name, refused,
    relabelled, string,
};
use crate::life::{self, Lived, new_key};

const WRITES: [&str; 3] = ["PutItem", "UpdateItem", "TransactWriteItems"];

fn is_write(call: &Call<'_>) -> bool {
    WRITES.contains(&call.operation)
}

#[tokio::test]
async fn a_write_whose_answer_is_lost_happened_once_and_is_no_conflict() {
    for operation in WRITES {
        let tables = Tables::embedded().await;
        let (trace, faults) = (tables.connector().trace().clone(), tables.connector().faults().clone());
        trace.reset();
        // Each odd call is carried out and not answered; the SDK repeats it.
        faults.set(move |call| (call.operation == operation && call.nth % 2 == 1).then_some(Fault::Lost));
        life::from_birth(&tables).await.unwrap();
        let calls = trace.snapshot().of(operation);
        assert!(calls >= 2 && calls.is_multiple_of(2), "{operation}: {calls}");
    }
}

#[tokio::test]
async fn a_refusal_after_a_lost_answer_is_still_a_refusal() {
    let tables = Tables::embedded().await;
    let account = tables.account().await;
    let lived = life::live(&account).await.unwrap();
    let group = GroupRef::Id(lived.group);
    tables.connector().trace().reset();
    tables.connector().faults().set(|call| (is_write(call) && call.nth % 2 == 1).then_some(Fault::Lost));
    assert_eq!(refused(account.groups().create(new_group("product")).await), Code::KeyTaken);
    let create = account.globals().create(new_global("title", string(), &[lived.group])).await;
    assert_eq!(refused(create), Code::KeyTaken);
    assert_eq!(refused(account.fields("acme").create(&group, new_own("color", string())).await), Code::KeyTaken);
    let stale = account
        .save("acme", lived.group, "sku", json!({ "title": "x" }), hedgerow_store::values::Save::Merge, if_match(6))
        .await;
    assert_eq!(refused(stale), Code::VersionConflict);
    assert_eq!(account.read("acme", lived.group, "sku").await.unwrap().version, 7);
}

#[tokio::test(start_paused = true)]
async fn what_passes_is_waited_for() {
    for (fault, writes_alone) in [
        (Fault::TransactionConflict, true),
        (Fault::Throughput, false),
        (Fault::Throttling, false),
        (Fault::Internal, false),
    ] {
        let tables = Tables::embedded().await;
        tables.connector().trace().reset();
        tables.connector().faults().set(move |call| {
            let struck = call.nth % 2 == 1 && (is_write(call) || !writes_alone);
            struck.then_some(fault)
        });
        if let Err(error) = life::from_birth(&tables).await {
            panic!("{fault:?}: {error:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn transactions_may_meet_others_a_few_times() {
    let tables = Tables::embedded().await;
    tables.connector().trace().reset();
    tables.connector().faults().set(|call| (is_write(call) && call.nth % 4 != 0).then_some(Fault::TransactionConflict));
    let begun = Instant::now();
    life::from_birth(&tables).await.unwrap();
    assert!(begun.elapsed() > Duration::from_millis(100), "it pauses between its tries");
}

type PartialBody<'a> = (&'static str, BoxFuture<'a, Result<(), Error>>);

/// Every operation of every repository, on what a life has left, in an order in which none hinders the next.
fn operations<'a>(account: &'a Account, lived: &'a Lived, group: &'a GroupRef) -> Vec<PartialBody<'a>> {
    macro_rules! tried {
        ($($name:literal: $future:expr),+ $(,)?) => {
            vec![$(($name, Box::pin(async move { $future.await.map(|_| ()) }) as BoxFuture<'a, Result<(), Error>>)),+]
        };
    }
    let sku = || named("sku");
    tried![
        "create group": account.groups().create(new_group("new")),
        "update group": account.groups().update(group, None, |group| group.name = other_name()),
        "create global": account.globals().create(new_global("new", string(), &[lived.group])),
        "create global alone": account.globals().create(new_global("new", string(), &[])),
        "update global": account.globals().update(lived.global, None, &relabelled()),
        "create own": account.fields("acme").create(group, new_own("mine", string())),
        "update own": account.fields("acme").update(group, lived.own, None, &label_change(other_name())),
        "delete own": account.fields("acme").delete(group, lived.own, None),
        "save": account.merge("acme", lived.group, "sku", json!({ "title": "x" })),
        "save first": account.merge("acme", lived.group, "sku-2", json!({ "title": "x" })),
        "save of a new tenant": account.merge("fresh", lived.group, "sku", json!({ "title": "x" })),
        "delete values": account.values("acme").delete(group, &sku(), None),
        "create key": account.keys().create(new_key()),
        "update key": account.keys().update(lived.key, None, |key| {
            key.name = other_name();
            Ok(())
        }),
        "get group": account.groups().get(group),
        "list groups": account.groups().list(&all()),
        "list globals": account.globals().list(None, &all()),
        "list fields": account.fields("acme").list(group, &all()),
        "read": account.read("acme", lived.group, "sku"),
        "list entities": account.values("acme").list(group, &all()),
        "list tenants": account.tenants().list(&all()),
        "list keys": account.keys().list(&all()),
        "delete global": account.globals().delete(lived.global, None),
        "delete key": account.keys().delete(lived.key, None),
        "delete group": account.groups().delete(group, None),
    ]
}

#[tokio::test(start_paused = true)]
async fn what_does_not_pass_is_given_up_soon() {
    for fault in [Fault::TransactionConflict, Fault::Throughput, Fault::Throttling, Fault::Internal, Fault::Lost] {
        let tables = Tables::embedded().await;
        let account = tables.account().await;
        let lived = life::live(&account).await.unwrap();
        let group = GroupRef::Id(lived.group);
        let reads_fail = !matches!(fault, Fault::TransactionConflict | Fault::Lost);
        for (name, operation) in operations(&account, &lived, &group) {
            if !reads_fail && ["get", "list", "read"].iter().any(|read| name.starts_with(read)) {
                continue;
            }
            tables.connector().faults().set(move |call| (is_write(call) || reads_fail).then_some(fault));
            tables.connector().trace().reset();
            let begun = Instant::now();
            let answer = operation.await;
            let calls = tables.connector().trace().snapshot().total();
            tables.connector().faults().clear();
            let Err(error) = answer else { panic!("{name} under {fault:?}: succeeded") };
            assert_eq!(error.code(), Code::Unavailable, "{name} under {fault:?}: {error:?}");
            assert!(begun.elapsed() < Duration::from_secs(5), "{name} under {fault:?}: {:?}", begun.elapsed());
            assert!(calls <= 24, "{name} under {fault:?}: {calls} calls");
        }
    }
}

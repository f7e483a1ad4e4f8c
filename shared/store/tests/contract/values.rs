//! Values of one entity.

use std::collections::HashMap;
use std::sync::mpsc;

use aws_sdk_dynamodb::types::AttributeValue;
use contract::Code;
use contract::id::GroupId;
use contract::names::GroupRef;
use futures_util::future::join_all;
use hedgerow_store::apart;
use hedgerow_store::tables::Table;
use hedgerow_store::values::Save;
use serde_json::{Value, json};
use tokio::sync::oneshot;

use crate::fixture::{
    Account, DAY, Tables, all, assert_conflict, by_key, if_match, named, problems, refused, string, values,
};

async fn account_with(fields: &[(&str, Value)]) -> (Account, GroupId) {
    let account = Tables::new().await.account().await;
    let group = account.group("product").await.id;
    for (key, schema) in fields {
        account.global(key, schema.clone(), &[group]).await;
    }
    (account, group)
}

fn matched(pattern: &str) -> Value {
    json!({ "type": "string", "validation": { "pattern": pattern } })
}

fn required() -> Value {
    json!({ "type": "string", "validation": { "required": true } })
}

#[tokio::test]
async fn a_merge_leaves_the_rest_and_a_replacement_does_not() {
    let (account, id) = account_with(&[("a", string()), ("b", json!({ "type": "number" })), ("c", string())]).await;
    let saved = account.merge("acme", id, "sku", json!({ "a": "x", "b": 1.5 })).await.unwrap();
    assert_eq!((values(&saved), saved.version), (json!({ "a": "x", "b": 1.5 }), 1));
    assert_eq!((saved.tenant_id.as_str(), saved.entity_id.as_str(), saved.field_group_id), ("acme", "sku", id));
    assert_eq!(account.read("acme", id, "sku").await.unwrap(), saved);
    let merged = account.merge("acme", id, "sku", json!({ "c": "z", "a": "y" })).await.unwrap();
    assert_eq!((values(&merged), merged.version), (json!({ "a": "y", "b": 1.5, "c": "z" }), 2));
    assert!(merged.updated_at > saved.updated_at);
    let replaced = account.replace("acme", id, "sku", json!({ "b": 2 })).await.unwrap();
    assert_eq!((values(&replaced), replaced.version), (json!({ "b": 2 }), 3));
    assert_eq!(account.elsewhere().values("acme").get(&by_key("product"), &named("sku")).await.unwrap(), replaced);
    let nothing = account.replace("acme", id, "sku", json!({})).await.unwrap();
    assert_eq!((values(&nothing), nothing.version), (json!({}), 4));
}

#[tokio::test]
async fn null_clears_a_value() {
    let (account, id) = account_with(&[("a", string()), ("must", required())]).await;
    account.merge("acme", id, "sku", json!({ "a": "x", "must": "y" })).await.unwrap();
    let cleared = account.merge("acme", id, "sku", json!({ "a": null })).await.unwrap();
    assert_eq!(values(&cleared), json!({ "must": "y" }));
    assert_eq!(problems(account.merge("acme", id, "sku", json!({ "must": null })).await), ["must required"]);
    assert_eq!(problems(account.replace("acme", id, "sku", json!({ "must": null })).await), ["must required"]);
    assert_eq!(account.read("acme", id, "sku").await.unwrap(), cleared);
}

#[tokio::test]
async fn a_merge_checks_what_it_touches_and_a_replacement_the_whole() {
    let number = json!({ "type": "number", "validation": { "max": 9 } });
    let (account, id) = account_with(&[("must", required()), ("also", required()), ("size", number)]).await;
    let half = account.merge("acme", id, "sku", json!({ "size": 5, "also": "x" })).await.unwrap();
    assert_eq!(half.missing.iter().map(ToString::to_string).collect::<Vec<_>>(), ["must"]);
    assert_eq!(account.read("acme", id, "sku").await.unwrap().missing, half.missing);
    let whole = account.replace("acme", id, "sku", json!({ "size": 10, "stranger": 1 })).await;
    let mut found = problems(whole);
    found.sort();
    assert_eq!(found, ["also required", "must required", "size too_large", "stranger unknown_field"]);
    let mut found = problems(account.merge("acme", id, "sku", json!({ "size": "5", "Not A Key": 1, "must": 1 })).await);
    found.sort();
    assert_eq!(found, ["Not A Key unknown_field", "must wrong_type", "size wrong_type"]);
    assert_eq!(account.read("acme", id, "sku").await.unwrap(), half);
    let full = account.replace("acme", id, "sku", json!({ "must": "z", "also": "y" })).await.unwrap();
    assert!(full.missing.is_empty());
}

#[tokio::test]
async fn defaults_come_with_the_first_save_and_with_replacements() {
    let default = |value: Value| json!({ "type": "string", "default": value });
    let (account, id) = account_with(&[("a", default(json!("A"))), ("b", default(json!("B")))]).await;
    let saved = account.merge("acme", id, "one", json!({ "b": "x" })).await.unwrap();
    assert_eq!(values(&saved), json!({ "a": "A", "b": "x" }));
    account.merge("acme", id, "one", json!({ "a": null })).await.unwrap();
    let saved = account.merge("acme", id, "one", json!({ "b": "y" })).await.unwrap();
    assert_eq!(values(&saved), json!({ "b": "y" }), "a cleared value is not defaulted again by a merge");
    let saved = account.replace("acme", id, "one", json!({})).await.unwrap();
    assert_eq!(values(&saved), json!({ "a": "A", "b": "B" }));
    let saved = account.merge("acme", id, "two", json!({ "a": null })).await.unwrap();
    assert_eq!(values(&saved), json!({ "b": "B" }), "null says that there is to be no value");
    // A default that came later is not written over what is there.
    account.global("c", default(json!("C")), &[id]).await;
    assert_eq!(values(&account.merge("acme", id, "two", json!({})).await.unwrap()), json!({ "b": "B" }));
}

#[tokio::test]
async fn a_deletion_goes_on_counting_and_can_be_undone() {
    let (account, id) = account_with(&[("a", string())]).await;
    let group = GroupRef::Id(id);
    let sku = named("sku");
    let gone = |code| assert_eq!(code, Code::ValuesNotFound);
    gone(refused(account.read("acme", id, "sku").await));
    gone(refused(account.values("acme").delete(&group, &sku, None).await));
    gone(refused(account.values("acme").restore(&group, &sku, None).await));

    account.merge("acme", id, "sku", json!({ "a": "x" })).await.unwrap();
    assert_conflict(account.values("acme").delete(&group, &sku, if_match(2)).await, 2, 1);
    account.values("acme").delete(&group, &sku, if_match(1)).await.unwrap();
    gone(refused(account.read("acme", id, "sku").await));
    gone(refused(account.values("acme").delete(&group, &sku, None).await));
    let restored = account.values("acme").restore(&group, &sku, None).await.unwrap();
    assert_eq!((values(&restored), restored.version), (json!({ "a": "x" }), 3));
    assert_eq!(account.read("acme", id, "sku").await.unwrap(), restored);
    assert_eq!(account.values("acme").restore(&group, &sku, None).await.unwrap(), restored);

    account.values("acme").delete(&group, &sku, None).await.unwrap();
    let anew = account.merge("acme", id, "sku", json!({})).await.unwrap();
    assert_eq!((values(&anew), anew.version), (json!({}), 5), "the old values are gone, their count is not");
    assert_eq!(account.values("acme").restore(&group, &sku, None).await.unwrap(), anew);

    account.values("acme").delete(&group, &sku, if_match(5)).await.unwrap();
    account.tables.clock.advance(DAY * 30 + std::time::Duration::from_secs(1));
    gone(refused(account.values("acme").restore(&group, &sku, None).await));
    assert_eq!(account.merge("acme", id, "sku", json!({ "a": "z" })).await.unwrap().version, 7);
}

/// What two requests at once can leave behind: a first save begins, another one saves and deletes, the first one ends.
async fn save_past_a_deletion(account: &Account, id: GroupId) {
    let (dynamo, table) = (&account.tables.dynamo, account.tables.names.of(Table::Main));
    let text = |text: String| AttributeValue::S(text);
    let pk = format!("V#{}#acme", account.scope.client());
    let key = |sk: String| HashMap::from([("pk".to_owned(), text(pk.clone())), ("sk".to_owned(), text(sk))]);
    account.merge("acme", id, "sku", json!({ "a": "theirs" })).await.unwrap();
    account.values("acme").delete(&GroupRef::Id(id), &named("sku"), None).await.unwrap();
    let left = dynamo.get_item().table_name(table).set_key(Some(key(format!("x#{id}#sku")))).consistent_read(true);
    let left = left.send().await.unwrap().item.unwrap();
    account.merge("acme", id, "sku", json!({ "a": "mine" })).await.unwrap();
    dynamo.put_item().table_name(table).set_item(Some(left)).send().await.unwrap();
    let first = dynamo.update_item().table_name(table).set_key(Some(key(format!("{id}#sku"))));
    let first = first.update_expression("SET version = :one");
    first.expression_attribute_values(":one", AttributeValue::N("1".into())).send().await.unwrap();
    let read = account.read("acme", id, "sku").await.unwrap();
    assert_eq!((values(&read), read.version), (json!({ "a": "mine" }), 1));
}

#[tokio::test]
async fn a_first_save_past_a_deletion_is_not_taken_for_what_was_deleted() {
    let (account, id) = account_with(&[("a", string())]).await;
    let (group, sku) = (GroupRef::Id(id), named("sku"));
    save_past_a_deletion(&account, id).await;
    let stale = account.save("acme", id, "sku", json!({ "a": "x" }), Save::Merge, if_match(1)).await;
    assert_conflict(stale, 1, 3);
    let read = account.read("acme", id, "sku").await.unwrap();
    assert_eq!((values(&read), read.version), (json!({ "a": "mine" }), 3));
    account.values("acme").delete(&group, &sku, if_match(3)).await.unwrap();
    let back = account.values("acme").restore(&group, &sku, None).await.unwrap();
    assert_eq!((values(&back), back.version), (json!({ "a": "mine" }), 5));

    let (account, id) = account_with(&[("a", string())]).await;
    let group = GroupRef::Id(id);
    save_past_a_deletion(&account, id).await;
    assert_conflict(account.values("acme").delete(&group, &sku, if_match(1)).await, 1, 3);
    assert_eq!(account.values("acme").restore(&group, &sku, None).await.unwrap().version, 3, "not what was deleted");
}

#[tokio::test]
async fn saves_deletions_and_restores_at_once_leave_one_of_it() {
    let (account, id) = account_with(&[("a", string())]).await;
    let (other, group, sku) = (account.elsewhere(), GroupRef::Id(id), named("sku"));
    for round in 0..10 {
        let changes = join_all((0..12).map(|n| {
            let (account, group, sku) = (if n % 2 == 0 { &account } else { &other }, &group, &sku);
            async move {
                match n % 3 {
                    0 => account.merge("acme", id, "sku", json!({ "a": format!("{round} {n}") })).await.map(|_| ()),
                    1 => account.values("acme").delete(group, sku, None).await,
                    _ => account.values("acme").restore(group, sku, None).await.map(|_| ()),
                }
            }
        }));
        for error in changes.await.into_iter().filter_map(Result::err) {
            assert_eq!(error.code(), Code::ValuesNotFound, "{error:?}");
        }
        let listed = account.values("acme").list(&group, &all()).await.unwrap().items;
        match account.read("acme", id, "sku").await {
            Ok(read) => assert_eq!(listed, [read]),
            Err(error) => assert_eq!((error.code(), listed.len()), (Code::ValuesNotFound, 0)),
        }
    }
}

#[tokio::test]
async fn a_stale_version_is_refused_with_both_numbers() {
    let (account, id) = account_with(&[("a", string())]).await;
    let save = |sent: &str, how, version| account.save("acme", id, "sku", json!({ "a": sent }), how, if_match(version));
    assert_conflict(save("x", Save::Merge, 1).await, 1, 0);
    account.merge("acme", id, "sku", json!({ "a": "0" })).await.unwrap();
    assert_eq!(save("1", Save::Merge, 1).await.unwrap().version, 2);
    assert_eq!(save("2", Save::Replace, 2).await.unwrap().version, 3);
    for how in [Save::Merge, Save::Replace] {
        assert_conflict(save("3", how, 2).await, 2, 3);
        assert_conflict(save("3", how, 4).await, 4, 3);
    }
    let race = join_all(
        (0..5).map(|n| account.save("acme", id, "sku", json!({ "a": format!("n{n}") }), Save::Merge, if_match(3))),
    );
    let race = race.await;
    assert_eq!(race.iter().filter(|saved| saved.is_ok()).count(), 1);
    assert!(race.into_iter().filter_map(Result::err).all(|error| error.code() == Code::VersionConflict));
    assert_eq!(account.read("acme", id, "sku").await.unwrap().version, 4);
}

#[tokio::test]
async fn merges_of_different_fields_at_once_all_land() {
    let account = Tables::new().await.account().await;
    let id = account.group("product").await.id;
    let names: Vec<String> = (0..20).map(|n| format!("f{n}")).collect();
    for name in &names {
        account.global(name, string(), &[id]).await;
    }
    let other = account.elsewhere();
    for round in 1..=2 {
        let merges = join_all(names.iter().enumerate().map(|(n, name)| {
            let account = if n % 2 == 0 { &account } else { &other };
            let sent = Value::Object([(name.clone(), json!(format!("{name} {round}")))].into_iter().collect());
            async move { account.merge("acme", id, "sku", sent).await.unwrap().version }
        }));
        let mut versions = merges.await;
        versions.sort_unstable();
        let done = 20 * (round - 1);
        assert_eq!(versions, (done + 1..=done + 20).collect::<Vec<_>>());
        let read = account.read("acme", id, "sku").await.unwrap();
        let expected = names.iter().map(|name| (name.clone(), json!(format!("{name} {round}")))).collect();
        assert_eq!(values(&read), Value::Object(expected));
    }
}

#[tokio::test]
async fn an_entity_holds_256_kib() {
    let (account, id) = account_with(&[("a", string()), ("b", string())]).await;
    let most = 256 * 1024;
    // By field identifier: {"fld_…":"…"}
    let frame = 4 + "fld_".len() + 32 + 3;
    let fits = "x".repeat(most - frame);
    account.merge("acme", id, "sku", json!({ "a": fits })).await.unwrap();
    assert_eq!(values(&account.read("acme", id, "sku").await.unwrap()), json!({ "a": fits }));
    for sent in [json!({ "b": "y" }), json!({ "a": format!("{fits}x") })] {
        assert_eq!(refused(account.merge("acme", id, "sku", sent).await), Code::PayloadTooLarge);
    }
    assert_eq!(
        refused(account.replace("acme", id, "new", json!({ "a": format!("{fits}x") })).await),
        Code::PayloadTooLarge
    );
    assert_eq!(refused(account.read("acme", id, "new").await), Code::ValuesNotFound);
    assert_eq!(account.read("acme", id, "sku").await.unwrap().version, 1);
}

#[tokio::test]
async fn every_identifier_of_the_contract_names_an_entity_of_its_own() {
    let (account, id) = account_with(&[("a", string())]).await;
    let long = "x".repeat(128);
    let names = ["a", "A", "...", "a:b", "a@b.c", "-", "o", "k", "fg_1", "__proto__", &long];
    for name in names {
        for tenant in names {
            account.merge(tenant, id, name, json!({ "a": format!("{tenant}/{name}") })).await.unwrap();
        }
    }
    for name in names {
        for tenant in names {
            let read = account.read(tenant, id, name).await.unwrap();
            assert_eq!((values(&read), read.version), (json!({ "a": format!("{tenant}/{name}") }), 1));
        }
    }
}

#[tokio::test]
async fn what_takes_long_to_match_waits_for_its_turn_and_nothing_else_does() {
    let (account, id) = account_with(&[("dear", matched("(?:a?){300}b")), ("cheap", matched("^[a-z]{1,9}$"))]).await;
    let save = |key: &'static str, text: String| account.merge("acme", id, "sku", json!({ key: text }));
    let (end, ended) = mpsc::channel::<()>();
    let (begun, has_begun) = oneshot::channel();
    let before = apart::for_client(account.scope.client(), move || begun.send(()).is_ok() && ended.recv().is_ok());
    let before = tokio::spawn(before);
    has_begun.await.unwrap();
    let mut long = Box::pin(save("dear", "a".repeat(400) + "b"));
    tokio::select! {
        biased;
        _ = &mut long => panic!("it does not wait for its turn"),
        () = async {
            for n in 1..20 {
                save("cheap", "a".repeat(n % 9 + 1)).await.unwrap();
                save("dear", format!("b{n}")).await.unwrap();
            }
        } => {}
    }
    end.send(()).unwrap();
    // What came in between has changed the values: it is tried again, with the same verdict.
    let saved = long.await.unwrap();
    assert_eq!(values(&saved), json!({ "dear": "a".repeat(400) + "b", "cheap": "aa" }));
    assert!(before.await.unwrap().unwrap());
    assert_eq!(problems(save("dear", "a".repeat(400)).await), ["dear pattern"]);
    assert_eq!(problems(save("dear", "a".repeat(400)).await), ["dear pattern"]);
}

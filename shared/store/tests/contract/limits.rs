//! How many of each there may be: exactly, whoever makes them at once, and again as soon as there is room.

use aws_sdk_dynamodb::types::AttributeValue;
use contract::id::GroupId;
use contract::names::GroupRef;
use contract::{Code, Error};
use futures_util::future::join_all;
use hedgerow_store::global_fields::GlobalFieldChange;
use hedgerow_store::limits::{API_KEYS, FIELD_GROUPS, GLOBAL_FIELDS, GLOBAL_FIELDS_IN_GROUP, TENANT_FIELDS, WEBHOOKS};
use hedgerow_store::tables::Table;
use serde_json::{Value, json};

use crate::fixture::{Account, Tables, all, new_global, new_group, new_own, refused, schema, schema_change, string};
use crate::life::new_key;
use crate::webhooks::{new_webhook, ring};

const AT_ONCE: usize = 8;

/// Makes a counter stand at so many, as if that many had been made.
async fn count(account: &Account, pk: &str, sk: &str, name: &str, to: u64) {
    let tables = &account.tables;
    let update = tables.dynamo.update_item().table_name(tables.names.of(Table::Main));
    let update = update.key("pk", AttributeValue::S(pk.into())).key("sk", AttributeValue::S(sk.into()));
    let update = update.update_expression("SET #name = :to").expression_attribute_names("#name", name);
    update.expression_attribute_values(":to", AttributeValue::N(to.to_string())).send().await.unwrap();
}

/// Asserts that of these at once so many succeed, and that the others have reached the limit.
fn assert_made<T>(race: Vec<Result<T, Error>>, most: usize) -> Vec<T> {
    let (mut made, mut failed) = (Vec::new(), Vec::new());
    for result in race {
        match result {
            Ok(value) => made.push(value),
            Err(error) => failed.push(error.code()),
        }
    }
    assert_eq!((made.len(), failed), (most, vec![Code::LimitReached; AT_ONCE - most]));
    made
}

/// Runs something on two instances at once.
macro_rules! at_once {
    ($account:expr, |$who:ident, $n:ident| $future:expr) => {{
        let (one, two) = ($account.clone(), $account.elsewhere());
        join_all((0..AT_ONCE).map(|$n| {
            let $who = if $n % 2 == 0 { one.clone() } else { two.clone() };
            async move { $future.await }
        }))
        .await
    }};
}

#[tokio::test]
async fn of_field_groups() {
    let account = Tables::new().await.account().await;
    let first = account.group("first").await;
    count(&account, &format!("N#{}", account.scope.client()), "field-groups", "count", FIELD_GROUPS - 3).await;
    let made = at_once!(account, |who, n| who.groups().create(new_group(&format!("g{n}"))));
    let made = assert_made(made, 3);
    let id = |at: usize| GroupRef::Id(made[at].id);
    account.groups().delete(&id(0), None).await.unwrap();
    account.groups().delete(&GroupRef::Id(first.id), None).await.unwrap();
    account.groups().restore(&id(0), None).await.unwrap();
    account.group("last").await;
    assert_eq!(refused(account.groups().restore(&GroupRef::Id(first.id), None).await), Code::LimitReached);
}

#[tokio::test]
async fn of_global_fields_of_a_client_and_in_a_group() {
    let account = Tables::new().await.account().await;
    let (full, other) = (account.group("full").await.id, account.group("other").await.id);
    let client = account.scope.client();
    let counter = format!("N#{client}");
    account.global("first", string(), &[full]).await;
    count(&account, &format!("D#{client}#{full}"), "#", "fields", GLOBAL_FIELDS_IN_GROUP - 2).await;
    let made = at_once!(account, |who, n| who.globals().create(new_global(&format!("f{n}"), string(), &[full])));
    let made = assert_made(made, 2);
    let create = |key: &'static str, groups: Vec<GroupId>| {
        let account = account.clone();
        async move { account.globals().create(new_global(key, string(), &groups)).await }
    };
    let elsewhere = create("elsewhere", vec![other]).await.unwrap();
    // Joining is refused as making is; whoever is in may stay and change.
    let join = GlobalFieldChange { groups: Some(vec![other, full]), ..GlobalFieldChange::default() };
    assert_eq!(refused(account.globals().update(elsewhere.id, None, &join).await), Code::LimitReached);
    let change = GlobalFieldChange {
        schema: Some(schema(json!({ "type": "string", "default": "a" }))),
        ..GlobalFieldChange::default()
    };
    account.globals().update(made[0].id, None, &change).await.unwrap();
    account.globals().delete(made[0].id, None).await.unwrap();
    account.globals().update(elsewhere.id, None, &join).await.unwrap();
    assert_eq!(refused(account.globals().restore(made[0].id, None).await), Code::LimitReached);

    count(&account, &counter, "global-fields", "count", GLOBAL_FIELDS - 4).await;
    let made = at_once!(account, |who, n| who.globals().create(new_global(&format!("c{n}"), string(), &[])));
    let made = assert_made(made, 4);
    account.globals().delete(made[0].id, None).await.unwrap();
    account.globals().restore(made[0].id, None).await.unwrap();
    account.globals().delete(made[0].id, None).await.unwrap();
    create("last", vec![]).await.unwrap();
    assert_eq!(refused(account.globals().restore(made[0].id, None).await), Code::LimitReached);
}

#[tokio::test]
async fn of_a_tenants_fields_in_all_groups() {
    let account = Tables::new().await.account().await;
    let groups = [account.group("one").await.id, account.group("two").await.id];
    account.own("acme", groups[0], "first", string()).await;
    count(&account, &format!("F#{}#acme", account.scope.client()), "#", "fields", TENANT_FIELDS - 3).await;
    let made = at_once!(account, |who, n| {
        let at = GroupRef::Id(groups[n / 2 % 2]);
        let new = new_own(&format!("f{n}"), string());
        async move { who.fields("acme").create(&at, new).await }
    });
    let made = assert_made(made, 3);
    let group = GroupRef::Id(made[0].field_group_id);
    account.fields("acme").delete(&group, made[0].id, None).await.unwrap();
    account.own("acme", groups[0], "last", string()).await;
    assert_eq!(refused(account.fields("acme").restore(&group, made[0].id, None).await), Code::LimitReached);
    account.own("other", groups[0], "first", string()).await;
}

#[tokio::test]
async fn of_api_keys_and_webhooks() {
    let account = Tables::new().await.account().await;
    let client = account.scope.client();
    account.keys().create(new_key()).await.unwrap();
    count(&account, &format!("N#{client}"), "api-keys", "count", API_KEYS - 3).await;
    let keys = assert_made(at_once!(account, |who, _n| who.keys().create(new_key())), 3);
    account.keys().delete(keys[0].0.id, None).await.unwrap();
    account.keys().create(new_key()).await.unwrap();
    assert_eq!(refused(account.keys().create(new_key()).await), Code::LimitReached);
    assert_eq!(account.keys().list(&all()).await.unwrap().items.len(), 4);

    let ring = ring();
    account.webhooks().create(new_webhook(), &ring).await.unwrap();
    count(&account, &format!("N#{client}"), "webhooks", "count", WEBHOOKS - 3).await;
    let sealed_by = &ring;
    let hooks = at_once!(account, |who, _n| who.webhooks().create(new_webhook(), sealed_by));
    let hooks = assert_made(hooks, 3);
    account.webhooks().delete(hooks[0].0.id, None).await.unwrap();
    account.webhooks().create(new_webhook(), &ring).await.unwrap();
    assert_eq!(refused(account.webhooks().create(new_webhook(), &ring).await), Code::LimitReached);
    assert_eq!(account.webhooks().list(&all()).await.unwrap().items.len(), 4);
}

/// A schema of about so many kilobytes.
fn large(kilobytes: usize) -> Value {
    let options: Vec<String> = (0..kilobytes * 8).map(|n| format!("{n:0122}")).collect();
    json!({ "type": "select", "validation": { "options": options } })
}

#[tokio::test]
async fn of_the_schemas_of_a_group_together() {
    let account = Tables::new().await.account().await;
    let (group, other) = (account.group("full").await.id, account.group("other").await.id);
    let create = |key: &str, kilobytes| {
        let (account, new) = (account.clone(), new_global(key, large(kilobytes), &[group]));
        async move { account.globals().create(new).await }
    };
    let mut made = Vec::new();
    for n in 0..16 {
        made.push(create(&format!("f{n}"), 60).await.unwrap());
    }
    let at = GroupRef::Id(group);
    account.fields("acme").create(&at, new_own("own", large(30))).await.unwrap();
    assert_eq!(refused(account.fields("acme").create(&at, new_own("more", large(60))).await), Code::LimitReached);
    let small = account.own("acme", group, "small", string()).await;
    let select = account.own("acme", group, "select", large(1)).await;
    let grow = account.fields("acme").update(&at, select.id, None, &schema_change(&schema(large(60)))).await;
    assert_eq!(refused(grow), Code::LimitReached);
    account.fields("acme").delete(&at, small.id, None).await.unwrap();

    create("rest", 50).await.unwrap();
    assert_eq!(refused(create("more", 60).await), Code::LimitReached);
    let grow = GlobalFieldChange { schema: Some(schema(large(62))), ..GlobalFieldChange::default() };
    account.globals().update(made[0].id, None, &grow).await.unwrap();
    let elsewhere = account.global("elsewhere", large(60), &[other]).await;
    let join = GlobalFieldChange { groups: Some(vec![other, group]), ..GlobalFieldChange::default() };
    assert_eq!(refused(account.globals().update(elsewhere.id, None, &join).await), Code::LimitReached);
    account.globals().delete(made[1].id, None).await.unwrap();
    account.globals().update(elsewhere.id, None, &join).await.unwrap();
    assert_eq!(refused(account.globals().restore(made[1].id, None).await), Code::LimitReached);
    let shrink = GlobalFieldChange { schema: Some(schema(large(1))), ..GlobalFieldChange::default() };
    account.globals().update(made[0].id, None, &shrink).await.unwrap();
    account.globals().restore(made[1].id, None).await.unwrap();
}

#[tokio::test]
async fn what_is_deleted_is_never_read_again() {
    let account = Tables::embedded().await.account().await;
    let group = account.group("product").await.id;
    let at = GroupRef::Id(group);
    for _ in 0..20 {
        let field = account.own("acme", group, "color", large(50)).await;
        account.fields("acme").delete(&at, field.id, None).await.unwrap();
        let field = account.global("title", large(50), &[group]).await;
        account.globals().delete(field.id, None).await.unwrap();
    }
    account.merge("acme", group, "sku", json!({})).await.unwrap();
    // More than 2 MB of deleted schemas would be several pages of a Query.
    let cold = account.elsewhere();
    let trace = account.tables.connector().trace();
    trace.reset();
    cold.read("acme", group, "sku").await.unwrap();
    assert_eq!(trace.snapshot().of("Query"), 2);
    for list in [None, Some(group)] {
        trace.reset();
        let page = hedgerow_store::page::PageRequest { limit: 1, cursor: None };
        assert!(cold.globals().list(list, &page).await.unwrap().items.is_empty());
        assert_eq!(trace.snapshot().total(), 1);
    }
}

//! Items as they lie in the tables: who, when and which event on every one, and tables as the template makes them.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_dynamodb::types::{AttributeValue, StreamViewType};
use contract::Time;
use contract::id::EventId;
use contract::names::GroupRef;
use hedgerow_store::OpContext;
use hedgerow_store::api_keys::ApiKeys;
use hedgerow_store::author::{Author, Seed};
use hedgerow_store::global_fields::GlobalFieldChange;
use hedgerow_store::grant::Delete;
use hedgerow_store::tables::Table;
use serde_json::{Value, json};

use crate::fixture::{Account, Tables, label_change, named, other_name, relabelled, request_info, schema, string};
use crate::life;

type Item = HashMap<String, AttributeValue>;

async fn partition(tables: &Tables, pk: &str) -> Vec<Item> {
    let query = tables.dynamo.query().table_name(tables.names.of(Table::Main)).key_condition_expression("pk = :pk");
    let query = query.expression_attribute_values(":pk", AttributeValue::S(pk.to_owned())).consistent_read(true);
    query.send().await.unwrap().items.unwrap_or_default()
}

fn text<'i>(item: &'i Item, name: &str) -> &'i str {
    item.get(name).unwrap_or_else(|| panic!("{item:?} has no {name}")).as_s().unwrap()
}

async fn event(tables: &Tables, pk: &str, sk: &str) -> String {
    let items = partition(tables, pk).await;
    let item = items.iter().find(|item| text(item, "sk") == sk).unwrap_or_else(|| panic!("no {pk} {sk}"));
    text(item, "eventId").to_owned()
}

/// The partitions that an account's life fills.
/// What is deleted is noted under its day, which must not end meanwhile.
fn away_from_midnight(tables: &Tables) {
    if tables.clock.now().millis() % 86_400_000 > 86_400_000 - 600_000 {
        tables.clock.advance(Duration::from_secs(900));
    }
}

fn partitions(account: &Account, lived: &life::Lived) -> Vec<String> {
    let client = account.scope.client();
    let day = account.tables.clock.now().plus(Duration::from_secs(30 * 24 * 3600)).day();
    vec![
        format!("C#{client}"),
        format!("M#{client}"),
        format!("N#{client}"),
        format!("AK#{client}"),
        format!("G#{client}"),
        format!("GF#{client}"),
        format!("S#{}", account.client.slug),
        format!("E#{}", auth::sha256_hex(account.user.email.folded().as_bytes())),
        format!("U#{}", account.user.id),
        format!("PW#{}", account.user.id),
        format!("D#{client}#{}", lived.group),
        format!("D#{client}#{}", lived.other_group),
        format!("F#{client}#acme"),
        format!("F#{client}#newcomer"),
        format!("T#{client}"),
        format!("V#{client}#acme"),
        format!("V#{client}#newcomer"),
        format!("Z#{day}"),
    ]
}

#[tokio::test]
async fn every_item_of_the_main_table_says_who_when_and_which_event() {
    let tables = Tables::new().await;
    away_from_midnight(&tables);
    let account = tables.account().await;
    let lived = life::live(&account).await.unwrap();
    let (key, secret) = account.keys().create(life::new_key()).await.unwrap();
    let secret = secret.unwrap();
    account.groups().delete(&GroupRef::Id(lived.other_group), None).await.unwrap();
    account.globals().delete(lived.global, None).await.unwrap();
    account.fields("acme").delete(&GroupRef::Id(lived.group), lived.own, None).await.unwrap();
    account.values("acme").delete(&GroupRef::Id(lived.group), &named("sku"), None).await.unwrap();
    let mut pks = partitions(&account, &lived);
    pks.push(format!("K#{}", secret.hash().as_str()));
    for pk in pks {
        let items = partition(&tables, &pk).await;
        assert!(!items.is_empty(), "{pk}");
        for item in items {
            let by: Value = serde_json::from_str(text(&item, "by")).unwrap();
            let expected = json!({
                "actor": "usr_test", "address": "192.0.2.1", "agent": "tests", "requestId": "req_test"
            });
            assert_eq!(by, expected, "{item:?}");
            assert!(text(&item, "at").parse::<Time>().is_ok());
            assert!(text(&item, "eventId").parse::<EventId>().is_ok());
        }
    }
    // The key itself is nowhere.
    for item in partition(&tables, &format!("AK#{}", account.scope.client())).await {
        assert!(!format!("{item:?}").contains(&format!("{}_", key.prefix)), "{item:?}");
    }
}

#[tokio::test]
async fn each_change_is_an_event_of_its_own() {
    let tables = Tables::new().await;
    let account = tables.account().await;
    let group = account.group("product").await.id;
    let at = GroupRef::Id(group);
    let client = account.scope.client();
    let global = account.global("title", string(), &[group]).await.id;
    let own = account.own("acme", group, "color", string()).await.id;
    let mut events = Vec::new();
    macro_rules! changes {
        ($pk:expr, $sk:expr; $($change:expr),+) => { $(
            let _ = $change.await.unwrap();
            events.push(event(&tables, &$pk, &$sk).await);
        )+ };
    }
    let (pk, sk) = (format!("D#{client}#{group}"), "#".to_owned());
    events.push(event(&tables, &pk, &sk).await);
    changes!(pk, sk; account.groups().update(&at, None, |group| group.name = other_name()), account.groups().delete(&at, None), account.groups().restore(&at, None));
    let (pk, sk) = (format!("GF#{client}"), global.to_string());
    events.push(event(&tables, &pk, &sk).await);
    let away = format!("x#{sk}");
    changes!(pk, sk; account.globals().update(global, None, &relabelled()));
    changes!(pk, away; account.globals().delete(global, None));
    changes!(pk, sk; account.globals().restore(global, None));
    let (pk, sk) = (format!("F#{client}#acme"), format!("{group}#{own}"));
    events.push(event(&tables, &pk, &sk).await);
    changes!(pk, sk;
        account.fields("acme").update(&at, own, None, &label_change(other_name()))
    );
    let away = format!("x#{sk}");
    changes!(pk, away; account.fields("acme").delete(&at, own, None));
    changes!(pk, sk; account.fields("acme").restore(&at, own, None));
    let (pk, sk) = (format!("V#{client}#acme"), format!("{group}#sku"));
    let sku = named("sku");
    changes!(pk, sk;
        account.merge("acme", group, "sku", json!({ "title": "a" })),
        account.merge("acme", group, "sku", json!({ "title": "b" }))
    );
    let away = format!("x#{sk}");
    changes!(pk, away; account.values("acme").delete(&at, &sku, None));
    changes!(pk, sk; account.values("acme").restore(&at, &sku, None));
    changes!(pk, away; account.values("acme").delete(&at, &sku, None));
    changes!(pk, sk; account.replace("acme", group, "sku", json!({})));
    let all = events.len();
    events.sort();
    events.dedup();
    assert_eq!(events.len(), all);
}

#[tokio::test]
async fn what_changes_beside_a_resource_is_no_event_of_its() {
    let tables = Tables::new().await;
    let account = tables.account().await;
    let group = account.group("product").await.id;
    let (client, at) = (account.scope.client(), GroupRef::Id(group));
    let first = account.own("acme", group, "first", string()).await.id;
    let cards = [(format!("D#{client}#{group}"), "#"), (format!("F#{client}#acme"), "#")];
    let mut before = Vec::new();
    for (pk, sk) in &cards {
        before.push(event(&tables, pk, sk).await);
    }
    let group_before = account.groups().get(&at).await.unwrap();
    let global = account.global("title", string(), &[group]).await.id;
    let change = GlobalFieldChange {
        schema: Some(schema(json!({ "type": "string", "default": "a" }))),
        ..GlobalFieldChange::default()
    };
    account.globals().update(global, None, &change).await.unwrap();
    account.globals().delete(global, None).await.unwrap();
    account.globals().restore(global, None).await.unwrap();
    account.own("acme", group, "color", string()).await;
    account.fields("acme").update(&at, first, None, &label_change(other_name())).await.unwrap();
    account.fields("acme").delete(&at, first, None).await.unwrap();
    account.merge("acme", group, "sku", json!({ "title": "a" })).await.unwrap();
    for ((pk, sk), before) in cards.iter().zip(before) {
        assert_eq!(event(&tables, pk, sk).await, before, "{pk}");
    }
    assert_eq!(account.groups().get(&at).await.unwrap(), group_before);
    let card = partition(&tables, &cards[0].0).await;
    let card = card.iter().find(|item| text(item, "sk") == "#").unwrap();
    assert_eq!(card["schemaVersion"], AttributeValue::N("5".into()));
}

#[tokio::test]
async fn what_is_deleted_is_noted_for_the_purge_until_it_is_back() {
    let tables = Tables::new().await;
    away_from_midnight(&tables);
    let account = tables.account().await;
    let lived = life::live(&account).await.unwrap();
    let at = GroupRef::Id(lived.group);
    let client = account.scope.client();
    let sku = named("sku");
    let noted = || async {
        let pk = partitions(&account, &lived).pop().unwrap();
        let mut roots: Vec<String> =
            partition(&tables, &pk).await.iter().map(|item| text(item, "root").to_owned()).collect();
        roots.sort();
        roots
    };
    // All else that was deleted in that life was restored or saved anew.
    let key = noted().await.pop().unwrap();
    assert!(key.starts_with(&format!("AK#{client} x#key_")), "{key}");
    account.values("acme").delete(&at, &sku, None).await.unwrap();
    account.fields("acme").delete(&at, lived.own, None).await.unwrap();
    account.globals().delete(lived.global, None).await.unwrap();
    account.groups().delete(&at, None).await.unwrap();
    let expected = [
        key.clone(),
        format!("D#{client}#{} #", lived.group),
        format!("F#{client}#acme x#{}#{}", lived.group, lived.own),
        format!("GF#{client} x#{}", lived.global),
        format!("V#{client}#acme x#{}#sku", lived.group),
    ];
    assert_eq!(noted().await, expected);
    account.groups().restore(&at, None).await.unwrap();
    account.globals().restore(lived.global, None).await.unwrap();
    account.fields("acme").restore(&at, lived.own, None).await.unwrap();
    account.values("acme").restore(&at, &sku, None).await.unwrap();
    assert_eq!(noted().await, [key]);
}

#[tokio::test]
async fn what_is_left_of_a_deleted_key_says_who_deleted_it() {
    let tables = Tables::new().await;
    let account = tables.account().await;
    let (key, secret) = account.keys().create(life::new_key()).await.unwrap();
    let secret = secret.unwrap();
    let (by, seed) = (request_info(), Seed::new(tables.clock.now()));
    let author = Arc::new(Author::new("usr_who_deletes", &by, seed));
    let op = OpContext::new(account.store.clone(), account.scope.clone(), author);
    ApiKeys::<Delete>::open(&op).delete(key.id, None).await.unwrap();
    let left = partition(&tables, &format!("AK#{}", account.scope.client())).await;
    let [left] = left.as_slice() else { panic!("{left:?}") };
    assert_eq!(text(left, "sk"), format!("x#{}", key.id));
    let by: Value = serde_json::from_str(text(left, "by")).unwrap();
    assert_eq!(by["actor"], "usr_who_deletes");
    assert!(text(left, "deletedAt").parse::<Time>().is_ok() && text(left, "doc").contains(&key.prefix));
    assert!(partition(&tables, &format!("K#{}", secret.hash().as_str())).await.is_empty());
}

#[tokio::test]
async fn tables_are_as_the_template_makes_them() {
    let tables = Tables::new().await;
    // Made again, they stay as they are.
    hedgerow_store::setup::create_tables(&tables.dynamo, &tables.names).await.unwrap();
    for table in Table::ALL {
        let name = tables.names.of(table);
        let described = tables.dynamo.describe_table().table_name(name).send().await.unwrap().table.unwrap();
        let stream = described.stream_specification.filter(|stream| stream.stream_enabled);
        let view = stream.and_then(|stream| stream.stream_view_type);
        assert_eq!(view, (table == Table::Main).then_some(StreamViewType::NewAndOldImages), "{name}");
        let ttl = tables.dynamo.describe_time_to_live().table_name(name).send().await.unwrap();
        let ttl = ttl.time_to_live_description.and_then(|ttl| ttl.attribute_name);
        assert_eq!(ttl.as_deref(), (table != Table::Main).then_some("ttl"), "{name}");
    }
}

//! What operations cost, as the table in `lib.rs` has it: calls and round trips. On the embedded engine alone, which
//! counts them.

use contract::names::GroupRef;
use hedgerow_store::accounts::Signup;
use hedgerow_store::idempotency::{Ending, Keyed};
use hedgerow_store::sessions::Sessions;
use serde_json::json;

use crate::deliveries::{ANY, many, of_status};
use crate::embed_tokens::{claims, revoke};
use crate::fixture::{
    Account, PASSWORD, Tables, after, all, by_key, first, label_change, named, new_global, new_group, new_own,
    other_name, relabelled, request_info, string,
};
use crate::idempotency::{REQUEST, answer, answered, go};
use crate::life::{self, Lived, list_origins, new_key};
use crate::webhooks::{grace, ring};

/// Round trips and calls of what a test does since it was made.
struct Meter<'a>(&'a Tables);

impl Meter<'_> {
    /// Asserts round trips and calls, `2 BatchGetItem PutItem`, and begins at nothing again.
    fn read(&self, operation: &str, expected: &str) {
        let trace = self.0.connector().trace();
        let seen = trace.snapshot();
        let calls = seen.calls.iter().flat_map(|(name, times)| vec![name.as_str(); usize::try_from(*times).unwrap()]);
        let seen: Vec<&str> = calls.collect();
        let rounds = trace.snapshot().rounds.to_string();
        assert_eq!([&[rounds.as_str()], &seen[..]].concat().join(" "), expected, "{operation}");
        trace.reset();
    }
}

/// Lets what was defined last become old enough to be cached.
fn settle(tables: &Tables) {
    tables.clock.advance(std::time::Duration::from_secs(31));
}

async fn lived() -> (Tables, Account, Lived) {
    let tables = Tables::embedded().await;
    let account = tables.account().await;
    let lived = life::live(&account).await.unwrap();
    settle(&tables);
    account.read("acme", lived.group, "sku").await.unwrap();
    tables.connector().trace().reset();
    (tables, account, lived)
}

#[tokio::test]
async fn an_authenticated_read_is_one_round_trip_warm_and_two_cold() {
    let (tables, account, lived) = lived().await;
    let secret = account.keys().create(new_key()).await.unwrap().1.unwrap();
    let meter = Meter(&tables);
    let cold = account.elsewhere();
    let read = || async {
        let key = cold.store.verify_key(&secret).await.unwrap().unwrap();
        Account { scope: key.scope, ..cold.clone() }.read("acme", lived.group, "sku").await.unwrap()
    };
    tables.connector().trace().reset();
    read().await;
    meter.read("cold", "2 BatchGetItem GetItem Query Query");
    read().await;
    meter.read("warm", "1 BatchGetItem");
    tables.clock.advance(std::time::Duration::from_secs(6));
    read().await;
    meter.read("with a key to be asked for again", "2 BatchGetItem GetItem");
    // A tenant that the instance has not seen, in a group that it has.
    cold.read("newcomer", lived.group, "sku").await.unwrap();
    meter.read("of another tenant", "1 BatchGetItem Query");
    let by_its_key = cold.elsewhere();
    for expected in ["2 BatchGetItem GetItem Query Query", "1 BatchGetItem"] {
        by_its_key.values("acme").get(&by_key("product"), &named("sku")).await.unwrap();
        meter.read("by the group's key", expected);
    }
}

#[tokio::test]
async fn a_save_is_one_read_and_one_write() {
    let (tables, account, lived) = lived().await;
    let (meter, group) = (Meter(&tables), GroupRef::Id(lived.group));
    account.merge("acme", lived.group, "sku", json!({ "title": "x" })).await.unwrap();
    meter.read("save", "2 BatchGetItem PutItem");
    account.merge("acme", lived.group, "sku", json!({ "title": "x" })).await.unwrap();
    meter.read("save of what is there", "1 BatchGetItem");
    account.replace("acme", lived.group, "sku", json!({ "title": "y" })).await.unwrap();
    meter.read("replace", "2 BatchGetItem PutItem");
    account.merge("acme", lived.group, "first", json!({ "title": "x" })).await.unwrap();
    meter.read("first of entity", "2 BatchGetItem PutItem");
    account.merge("unseen", lived.group, "sku", json!({ "title": "x" })).await.unwrap();
    meter.read("first of tenant, not yet cached", "4 BatchGetItem BatchGetItem BatchGetItem Query TransactWriteItems");
    account.values("acme").delete(&group, &named("sku"), None).await.unwrap();
    meter.read("delete", "2 BatchGetItem TransactWriteItems");
    account.values("acme").restore(&group, &named("sku"), None).await.unwrap();
    meter.read("restore", "2 BatchGetItem TransactWriteItems");
    account.values("acme").delete(&group, &named("sku"), None).await.unwrap();
    tables.connector().trace().reset();
    account.merge("acme", lived.group, "sku", json!({ "title": "x" })).await.unwrap();
    meter.read("save over what was deleted", "2 BatchGetItem TransactWriteItems");
    account.merge("acme", lived.group, "sku", json!({ "no": "x" })).await.unwrap_err();
    meter.read("refused", "1 BatchGetItem");
}

#[tokio::test]
async fn a_list_of_entities_is_one_query_of_those_that_live() {
    let (tables, account, lived) = lived().await;
    let (meter, group) = (Meter(&tables), GroupRef::Id(lived.group));
    // More than one call of DynamoDB's reads, if it read them.
    for n in 0..10 {
        let (entity, large) = (format!("a{n}"), "x".repeat(250 * 1024));
        account.merge("acme", lived.group, &entity, json!({ "title": large })).await.unwrap();
        account.values("acme").delete(&group, &named(&entity), None).await.unwrap();
    }
    for n in 0..10 {
        account.merge("acme", lived.group, &format!("b{n}"), json!({ "title": "x" })).await.unwrap();
    }
    for group in [group, by_key("product")] {
        account.values("acme").list(&group, &first(5)).await.unwrap();
        tables.connector().trace().reset();
        let page = account.values("acme").list(&group, &first(10)).await.unwrap();
        assert_eq!(page.items.len(), 10);
        meter.read("list entities", "1 BatchGetItem Query");
        let page = account.values("acme").list(&group, &after(100, &page.next_cursor.unwrap())).await.unwrap();
        assert_eq!(page.items.len(), 1);
        meter.read("the page after", "1 BatchGetItem Query");
    }
}

#[tokio::test]
async fn lists_of_keys_webhooks_and_deliveries_are_one_query() {
    let (tables, account, _) = lived().await;
    let meter = Meter(&tables);
    let webhook = account.webhook(&ring()).await;
    many(&account, &webhook, 3).await;
    tables.connector().trace().reset();
    account.keys().list(&all()).await.unwrap();
    meter.read("list API keys", "1 Query Query");
    account.webhooks().list(&all()).await.unwrap();
    meter.read("list webhooks", "1 Query");
    let statuses = ["pending", "delivered", "retrying", "held", "failed"].map(|name| of_status(name.parse().unwrap()));
    for filter in [&[ANY][..], &statuses].concat() {
        let page = account.deliveries().list(webhook.id, &filter, &all()).await.unwrap();
        assert!(page.items.len() >= 3);
        meter.read("list deliveries", "2 GetItem Query");
    }
}

#[tokio::test]
async fn a_changed_schema_is_read_with_each_request_until_it_has_settled() {
    let (tables, account, lived) = lived().await;
    let (meter, reader) = (Meter(&tables), account.elsewhere());
    let read = || reader.read("acme", lived.group, "sku");
    read().await.unwrap();
    account.own("acme", lived.group, "new", string()).await;
    tables.connector().trace().reset();
    for expected in ["2 BatchGetItem Query", "1 BatchGetItem Query"] {
        read().await.unwrap();
        meter.read("after a change of the tenant's", expected);
    }
    settle(&tables);
    for expected in ["1 BatchGetItem Query", "1 BatchGetItem"] {
        read().await.unwrap();
        meter.read("when that has settled", expected);
    }
    account.global("newer", string(), &[lived.group]).await;
    tables.connector().trace().reset();
    for expected in ["2 BatchGetItem Query", "1 BatchGetItem Query Query"] {
        read().await.unwrap();
        meter.read("after a change of the client's", expected);
    }
    settle(&tables);
    for expected in ["1 BatchGetItem Query Query", "1 BatchGetItem"] {
        read().await.unwrap();
        meter.read("when that has settled", expected);
    }
}

#[tokio::test]
async fn groups_and_fields() {
    let (tables, account, lived) = lived().await;
    let (meter, group) = (Meter(&tables), GroupRef::Id(lived.group));
    let made = GroupRef::Id(account.groups().create(new_group("new")).await.unwrap().id);
    meter.read("create group", "1 TransactWriteItems");
    account.groups().get(&made).await.unwrap();
    meter.read("get group", "1 GetItem");
    account.groups().get(&by_key("new")).await.unwrap();
    meter.read("get group by key", "2 GetItem GetItem");
    account.groups().update(&made, None, |group| group.name = other_name()).await.unwrap();
    meter.read("update group", "2 GetItem TransactWriteItems");
    account.groups().delete(&made, None).await.unwrap();
    meter.read("delete group", "2 GetItem TransactWriteItems");
    account.groups().restore(&made, None).await.unwrap();
    meter.read("restore group", "2 GetItem TransactWriteItems");
    account.groups().list(&all()).await.unwrap();
    meter.read("list groups", "1 Query");

    account.store.standing(account.client.id).await.unwrap();
    meter.read("where a client stands, as the gate has asked", "1 BatchGetItem");
    account.store.standing(account.client.id).await.unwrap();
    for (origins, expected) in
        [(json!(["https://b.example"]), "1 GetItem"), (json!([]), "2 GetItem TransactWriteItems")]
    {
        account.settings().update([None, None], list_origins(&origins)).await.unwrap();
        meter.read("update settings", expected);
        account.store.standing(account.client.id).await.unwrap();
        meter.read("where a client stands, after that", "1 BatchGetItem");
    }
    account.settings().get().await.unwrap();
    meter.read("get settings", "1 GetItem");
    let field = account.globals().create(new_global("new", string(), &[lived.group])).await.unwrap().id;
    meter.read("create global field", "1 TransactWriteItems");
    account.globals().update(field, None, &relabelled()).await.unwrap();
    meter.read("update global field", "2 GetItem TransactWriteItems");
    account.globals().delete(field, None).await.unwrap();
    meter.read("delete global field", "2 BatchGetItem TransactWriteItems");
    account.globals().restore(field, None).await.unwrap();
    meter.read("restore global field", "2 BatchGetItem TransactWriteItems");
    account.globals().list(Some(lived.group), &all()).await.unwrap();
    meter.read("list global fields", "1 Query");

    settle(&tables);
    account.fields("acme").list(&group, &all()).await.unwrap();
    tables.connector().trace().reset();
    account.fields("acme").list(&group, &all()).await.unwrap();
    meter.read("list fields", "1 BatchGetItem");
    let field = account.fields("acme").create(&group, new_own("own", string())).await.unwrap().id;
    meter.read("create tenant field", "2 BatchGetItem TransactWriteItems");
    account.fields("acme").get(&group, field).await.unwrap();
    meter.read("get tenant field after a change", "2 BatchGetItem Query");
    settle(&tables);
    account.fields("acme").get(&group, field).await.unwrap();
    tables.connector().trace().reset();
    account.fields("acme").update(&group, field, None, &label_change(other_name())).await.unwrap();
    meter.read("update tenant field", "2 BatchGetItem TransactWriteItems");
    account.tenants().list(&all()).await.unwrap();
    meter.read("list tenants", "1 Query");
}

#[tokio::test]
async fn accounts_keys_and_idempotency() {
    let (tables, account, lived) = lived().await;
    let meter = Meter(&tables);
    let signup = Signup::open(&account.store, tables.author());
    signup.sign_up(named("new@example.com"), named(PASSWORD), named("New")).await.unwrap();
    meter.read("sign up", "3 GetItem PutItem TransactWriteItems");
    let (_, token) = tables.log_in(&named("new@example.com"), named(PASSWORD), None).await.unwrap();
    meter.read("log in", "5 BatchGetItem BatchGetItem BatchGetItem GetItem TransactWriteItems");
    let session = account.store.verify_session(&token, &request_info()).await.unwrap().unwrap();
    meter.read("session", "1 BatchGetItem");
    Sessions::open(&account.store, account.tables.author()).end(&session).await.unwrap();
    meter.read("log out", "1 TransactWriteItems");

    let (maker, _) = account.keys().create(new_key()).await.unwrap();
    meter.read("create key", "1 TransactWriteItems");
    for _ in 0..2 {
        let claims = claims(&tables, account.client.id, maker.id, "acme");
        account.store.verify_token(claims).await.unwrap().unwrap();
        meter.read("embed token", "1 BatchGetItem");
    }
    revoke(&account, "acme").await;
    meter.read("revoke embed tokens", "1 UpdateItem");
    let rename = |key: &mut contract::resource::ApiKey| {
        key.name = other_name();
        Ok(())
    };
    account.keys().update(lived.key, None, rename).await.unwrap();
    meter.read("update key", "2 BatchGetItem TransactWriteItems");
    let (_, secret) = account.keys().rotate(lived.key, None, grace(60)).await.unwrap();
    meter.read("rotate key", "2 BatchGetItem TransactWriteItems");
    let key = account.store.verify_key(&secret.unwrap()).await.unwrap().unwrap();
    meter.read("key", "1 GetItem");
    for expected in ["1 UpdateItem", "0"] {
        account.store.note_key_use(&key, &request_info()).await.unwrap();
        meter.read("use of a key", expected);
    }
    account.keys().get(lived.key).await.unwrap();
    meter.read("get key", "1 BatchGetItem");
    account.keys().delete(lived.key, None).await.unwrap();
    meter.read("delete key", "2 BatchGetItem TransactWriteItems");

    for (key, length, kept, replayed) in [
        ("short", 2, "2 PutItem UpdateItem", "1 PutItem"),
        ("long", 500_000, "3 BatchWriteItem PutItem UpdateItem", "2 BatchGetItem PutItem"),
    ] {
        let request = Keyed { key, ..REQUEST };
        let reservation = go(&account, &request).await;
        account.store.finish(reservation, Ending::Answered(answer(&" ".repeat(length)))).await.unwrap();
        meter.read(key, kept);
        answered(&account, &request).await;
        meter.read(key, replayed);
    }
}

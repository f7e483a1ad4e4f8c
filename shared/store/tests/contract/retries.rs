//! Requests that are carried out again under their key after something else has happened: what they had done is not
//! done again over it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use auth::ApiKeySecret;
use contract::Code;
use contract::names::{EntityId, GroupRef};
use engines::Fault;
use hedgerow_store::OpContext;
use hedgerow_store::api_keys::ApiKeys;
use hedgerow_store::author::Seed;
use hedgerow_store::field_groups::FieldGroups;
use hedgerow_store::global_fields::GlobalFields;
use hedgerow_store::idempotency::{Ending, Keyed};
use hedgerow_store::tenant_fields::TenantFields;
use hedgerow_store::values::{Save, Values};
use serde_json::{Value, json};

use crate::fixture::{
    Account, Tables, all, if_match, label_change, named, new_global, new_group, new_own, object, other_name, refused,
    relabelled, string, values,
};
use crate::idempotency::{REQUEST, go};
use crate::life::new_key;
use crate::webhooks::grace;

/// An account with the fields `a` and `b` in the group `base`.
async fn account() -> (Tables, Account, GroupRef) {
    let tables = Tables::new().await;
    let account = tables.account().await;
    let group = account.group("base").await.id;
    for key in ["a", "b"] {
        account.global(key, string(), &[group]).await;
    }
    (tables, account, GroupRef::Id(group))
}

fn of<A>(account: &Account, op: &OpContext) -> Values<A> {
    Values::open(op, account.scope.tenant(named("acme")))
}

#[tokio::test]
async fn a_merge_is_not_merged_again_over_what_came_after_it() {
    let (tables, account, at) = account().await;
    let GroupRef::Id(group) = at else { unreachable!() };
    let sku: EntityId = named("sku");
    for before in [None, Some(json!({ "b": "before" }))] {
        if let Some(before) = before {
            account.replace("acme", group, "sku", before).await.unwrap();
        }
        let seed = Seed::new(tables.clock.now());
        let merge = async |op: OpContext| {
            of(&account, &op).save(&at, &sku, &object(json!({ "a": "first" })), Save::Merge, None).await.unwrap()
        };
        let first = merge(account.work_of(seed)).await;
        assert_eq!(merge(account.work_again(seed)).await, first);
        // Under keys and without.
        account.merge("acme", group, "sku", json!({ "a": "second" })).await.unwrap();
        let other = account.work_of(Seed::new(tables.clock.now()));
        let third = json!({ "b": "third" });
        let third = of(&account, &other).save(&at, &sku, &object(third), Save::Merge, None).await.unwrap();
        assert_eq!(merge(account.work_again(seed)).await, third);
        assert_eq!(account.read("acme", group, "sku").await.unwrap(), third);
        assert_eq!(values(&third), json!({ "a": "second", "b": "third" }));
        // Deleted they stay deleted, and what was saved over them stays.
        account.values("acme").delete(&at, &sku, None).await.unwrap();
        assert_eq!(values(&merge(account.work_again(seed)).await), values(&third));
        assert_eq!(refused(account.read("acme", group, "sku").await), Code::ValuesNotFound);
        let anew = account.merge("acme", group, "sku", json!({ "b": "anew" })).await.unwrap();
        assert_eq!(merge(account.work_again(seed)).await, anew);
    }
}

#[tokio::test]
async fn what_is_deleted_after_its_restoration_is_not_restored_again() {
    let (tables, account, at) = account().await;
    let GroupRef::Id(group) = at else { unreachable!() };
    let sku: EntityId = named("sku");
    account.merge("acme", group, "sku", json!({ "a": "x" })).await.unwrap();
    let own = account.own("acme", group, "own", string()).await.id;
    let global = account.global("global", string(), &[group]).await.id;
    let other = account.group("other").await.id;
    let seed = || Seed::new(tables.clock.now());
    let fields = |op: &OpContext| TenantFields::open(op, account.scope.tenant(named("acme")));
    macro_rules! restored_once {
        ($restore:expr; delete: $delete:expr; change: $change:expr; read: $read:expr, $absent:expr) => {{
            $delete.await.unwrap();
            let (seed, restore) = (seed(), $restore);
            let first = restore(account.work_of(seed)).await.unwrap();
            assert_eq!(restore(account.work_again(seed)).await.unwrap(), first);
            $change.await.unwrap();
            let changed = $read.await.unwrap();
            assert_eq!(restore(account.work_again(seed)).await.unwrap(), changed);
            $delete.await.unwrap();
            restore(account.work_again(seed)).await.unwrap();
            assert_eq!(refused($read.await), $absent);
            // Another request restores it, and the first one's retry changes nothing of that.
            let second = restore(account.op()).await.unwrap();
            assert_eq!(restore(account.work_again(seed)).await.unwrap(), second);
        }};
    }
    restored_once!(
        async |op: OpContext| of(&account, &op).restore(&at, &sku, None).await;
        delete: account.values("acme").delete(&at, &sku, None);
        change: account.merge("acme", group, "sku", json!({ "a": "changed" }));
        read: account.read("acme", group, "sku"), Code::ValuesNotFound
    );
    restored_once!(
        async |op: OpContext| fields(&op).restore(&at, own, None).await;
        delete: account.fields("acme").delete(&at, own, None);
        change: account.fields("acme").update(&at, own, None, &label_change(other_name()));
        read: account.fields("acme").get(&at, own), Code::TenantFieldNotFound
    );
    restored_once!(
        async |op: OpContext| GlobalFields::open(&op).restore(global, None).await;
        delete: account.globals().delete(global, None);
        change: account.globals().update(global, None, &relabelled());
        read: account.globals().get(global), Code::GlobalFieldNotFound
    );
    restored_once!(
        async |op: OpContext| FieldGroups::open(&op).restore(&GroupRef::Id(other), None).await;
        delete: account.groups().delete(&GroupRef::Id(other), None);
        change: account.groups().update(&GroupRef::Id(other), None, |group| group.name = other_name());
        read: account.groups().get(&GroupRef::Id(other)), Code::FieldGroupNotFound
    );
}

#[tokio::test]
async fn what_is_changed_or_deleted_after_its_creation_is_not_created_again() {
    let (tables, account, at) = account().await;
    let GroupRef::Id(group) = at else { unreachable!() };
    let seed = || Seed::new(tables.clock.now());
    macro_rules! created_once {
        ($create:expr; change: $change:expr; delete: $delete:expr; read: $read:expr) => {{
            let (seed, create) = (seed(), $create);
            let first = create(account.work_of(seed)).await.unwrap();
            assert_eq!(create(account.work_again(seed)).await.unwrap(), first);
            $change(first.id).await.unwrap();
            let changed = $read(first.id).await.unwrap();
            assert_eq!(create(account.work_again(seed)).await.unwrap(), changed);
            $delete(first.id).await.unwrap();
            assert_eq!(create(account.work_again(seed)).await.unwrap().id, first.id);
            assert!($read(first.id).await.is_err());
        }};
    }
    created_once!(
        async |op: OpContext| FieldGroups::open(&op).create(new_group("product")).await;
        change: async |id| account.groups().update(&GroupRef::Id(id), None, |group| group.name = other_name()).await;
        delete: async |id| account.groups().delete(&GroupRef::Id(id), None).await;
        read: async |id| account.groups().get(&GroupRef::Id(id)).await
    );
    created_once!(
        async |op: OpContext| GlobalFields::open(&op).create(new_global("g", string(), &[group])).await;
        change: async |id| account.globals().update(id, None, &relabelled()).await;
        delete: async |id| account.globals().delete(id, None).await;
        read: async |id| account.globals().get(id).await
    );
    created_once!(
        async |op: OpContext| {
            TenantFields::open(&op, account.scope.tenant(named("acme"))).create(&at, new_own("own", string())).await
        };
        change: async |id| account.fields("acme").update(&at, id, None, &label_change(other_name())).await;
        delete: async |id| account.fields("acme").delete(&at, id, None).await;
        read: async |id| account.fields("acme").get(&at, id).await
    );
}

/// An API key's first secret is lost with the answer, so there is a new one whatever came after; what came stays.
#[tokio::test]
async fn an_api_key_that_is_changed_after_its_creation_has_a_new_secret_and_stays_changed() {
    let (tables, account, _) = account().await;
    let seed = Seed::new(tables.clock.now());
    let (first, lost) = ApiKeys::open(&account.work_of(seed)).create(new_key()).await.unwrap();
    let off = |key: &mut contract::resource::ApiKey| {
        key.name = other_name();
        Ok(())
    };
    let changed = account.keys().update(first.id, None, off).await.unwrap();
    let (again, secret) = ApiKeys::open(&account.work_again(seed)).create(new_key()).await.unwrap();
    let (lost, secret) = (lost.unwrap(), secret.unwrap());
    assert_eq!((again.id, again.name.clone(), again.version), (first.id, changed.name, 3));
    assert_eq!(account.keys().list(&all()).await.unwrap().items, std::slice::from_ref(&again));
    let fresh = tables.store();
    assert_eq!(fresh.verify_key(&secret).await.unwrap().map(|key| key.id), Some(first.id));
    assert!(fresh.verify_key(&lost).await.unwrap().is_none());
    let (_, newest) = account.keys().rotate(first.id, None, grace(60)).await.unwrap();
    let (_, third) = ApiKeys::open(&account.work_again(seed)).create(new_key()).await.unwrap();
    for (secret, works) in [(&newest.unwrap(), true), (&third.unwrap(), true), (&secret, false)] {
        assert_eq!(tables.store().verify_key(secret).await.unwrap().is_some(), works);
    }
}

/// A deletion, or a rotation, that has read the key before its creation was carried out again, and writes after that.
#[tokio::test(start_paused = true)]
async fn an_api_key_that_works_is_listed_however_a_repetition_meets_what_ends_it() {
    let tables = Tables::embedded().await;
    let account = tables.account().await;
    for rotates in [false, true] {
        let seed = Seed::new(tables.clock.now());
        let (made, lost) = ApiKeys::open(&account.work_of(seed)).create(new_key()).await.unwrap();
        let writes = Arc::new(AtomicU64::new(0));
        tables.connector().faults().set(move |call| {
            let first = call.operation == "TransactWriteItems" && writes.fetch_add(1, Ordering::SeqCst) == 0;
            first.then_some(Fault::Slow(Duration::from_secs(1)))
        });
        let (ending, repeating) = (account.elsewhere(), account.work_again(seed));
        let ends = async {
            match rotates {
                true => ending.keys().rotate(made.id, None, grace(0)).await.map(|_| ()),
                false => ending.keys().delete(made.id, None).await,
            }
        };
        let repeats = async {
            tokio::time::sleep(Duration::from_millis(300)).await;
            ApiKeys::open(&repeating).create(new_key()).await
        };
        let (ended, repeated) = tokio::join!(ends, repeats);
        tables.connector().faults().clear();
        ended.unwrap();
        let secret = repeated.unwrap().1.unwrap();
        for dead in [lost.unwrap(), secret] {
            assert!(tables.store().verify_key(&dead).await.unwrap().is_none(), "rotates: {rotates}");
        }
        assert_eq!(account.keys().get(made.id).await.is_ok(), rotates);
    }
}

/// What a lost answer said is replaced where it stands by now, and what came after stays.
#[tokio::test]
async fn a_rotation_that_is_carried_out_again_has_a_new_secret_until_it_is_rotated_away() {
    let (tables, account, _) = account().await;
    let (key, _) = account.keys().create(new_key()).await.unwrap();
    let seed = Seed::new(tables.clock.now());
    let rotated = async |op: OpContext| ApiKeys::open(&op).rotate(key.id, if_match(1), grace(3_600)).await.unwrap();
    let works = async |secret: &ApiKeySecret| tables.store().verify_key(secret).await.unwrap().is_some();
    let (_, lost) = rotated(account.work_of(seed)).await;
    let (again, second) = rotated(account.work_again(seed)).await;
    let second = second.unwrap();
    assert_eq!((again.id, &again.prefix), (key.id, &second.prefix()));
    assert!(works(&second).await && !works(&lost.unwrap()).await);
    let (_, newer) = account.keys().rotate(key.id, None, grace(60)).await.unwrap();
    let (again, third) = rotated(account.work_again(seed)).await;
    let third = third.unwrap();
    assert_eq!(again.previous.unwrap().prefix, third.prefix());
    assert!(works(&third).await && works(&newer.unwrap()).await && !works(&second).await);
    account.keys().rotate(key.id, None, grace(0)).await.unwrap();
    let version = account.keys().get(key.id).await.unwrap().version;
    let (again, none) = rotated(account.work_again(seed)).await;
    assert!(none.is_none() && again.version == version && again.previous.is_none());
}

/// A refusal of a retry says nothing of what the try before it has written.
#[tokio::test]
async fn a_retry_that_is_refused_goes_on_as_the_same_request_when_it_comes_once_more() {
    let (_, account, _) = account().await;
    let reservation = go(&account, &REQUEST).await;
    let seed = reservation.seed;
    assert!(!reservation.again);
    account.store.finish(reservation, Ending::Failed).await.unwrap();
    for _ in 0..2 {
        let reservation = go(&account, &REQUEST).await;
        assert_eq!((reservation.seed, reservation.again), (seed, true));
        account.store.finish(reservation, Ending::Refused).await.unwrap();
    }
    // Another request finds the key free.
    let another = go(&account, &Keyed { body: b"another", ..REQUEST }).await;
    assert!(another.seed != seed && !another.again);
}

#[tokio::test]
async fn a_document_holds_few_requests_and_only_those_under_a_key() {
    let (tables, account, at) = account().await;
    let GroupRef::Id(group) = at else { unreachable!() };
    let sku: EntityId = named("sku");
    let held = async || {
        let (client, table) = (account.scope.client(), tables.names.of(hedgerow_store::tables::Table::Main));
        let key = |name, text: String| (name, aws_sdk_dynamodb::types::AttributeValue::S(text));
        let (pk, sk) = (key("pk", format!("V#{client}#acme")), key("sk", format!("{group}#sku")));
        let get = tables.dynamo.get_item().table_name(table).key(pk.0, pk.1).key(sk.0, sk.1).consistent_read(true);
        let item = get.send().await.unwrap().item.unwrap();
        item.get("applied").map_or(0, |applied| applied.as_b().unwrap().as_ref().len())
    };
    let save = async |op: &OpContext, value: Value| {
        of(&account, op).save(&at, &sku, &object(json!({ "a": value })), Save::Merge, None).await.unwrap()
    };
    save(&account.op(), json!("none")).await;
    assert_eq!(held().await, 0);
    for number in 0..20 {
        save(&account.work_of(Seed::new(tables.clock.now())), json!(number.to_string())).await;
    }
    assert_eq!(held().await, 16 * 16);
    // What changes nothing writes nothing.
    let version = save(&account.op(), json!("19")).await.version;
    assert_eq!(save(&account.work_of(Seed::new(tables.clock.now())), json!("19")).await.version, version);
}

//! Field groups.

use contract::id::GroupId;
use contract::names::GroupRef;
use contract::resource::FieldGroup;
use contract::{Code, Precondition};
use futures_util::future::join_all;
use serde_json::json;

use crate::fixture::{
    Account, DAY, Tables, all, assert_conflict, by_key, if_match, named, new_group, paged, refused, string, values,
};

async fn rename(
    account: &Account,
    id: GroupId,
    precondition: Option<Precondition>,
    name: &str,
) -> Result<FieldGroup, contract::Error> {
    account.groups().update(&GroupRef::Id(id), precondition, |group| group.name = named(name)).await
}

#[tokio::test]
async fn what_was_created_is_found_by_identifier_and_by_key() {
    let account = Tables::new().await.account().await;
    let made = account.group("product").await;
    assert_eq!((made.version, made.key.as_str(), made.created_at), (1, "product", made.updated_at));
    assert_eq!(account.groups().get(&GroupRef::Id(made.id)).await.unwrap(), made);
    assert_eq!(account.elsewhere().groups().get(&by_key("product")).await.unwrap(), made);
    for absent in [by_key("products"), GroupRef::Id(named("fg_00000000000000000000000000000001"))] {
        assert_eq!(refused(account.groups().get(&absent).await), Code::FieldGroupNotFound);
        assert_eq!(refused(account.groups().delete(&absent, None).await), Code::FieldGroupNotFound);
        assert_eq!(refused(account.groups().restore(&absent, None).await), Code::FieldGroupNotFound);
        let update = account.groups().update(&absent, None, |_| ()).await;
        assert_eq!(refused(update), Code::FieldGroupNotFound);
    }
}

#[tokio::test]
async fn the_list_is_in_order_of_keys_page_by_page() {
    let account = Tables::new().await.account().await;
    assert!(account.groups().list(&all()).await.unwrap().items.is_empty());
    for key in ["m", "z", "a", "b-2", "b1", "b_3", "gone"] {
        account.group(key).await;
    }
    account.groups().delete(&by_key("gone"), None).await.unwrap();
    // Global fields and API keys lie in the same partition.
    account.global("title", string(), &[]).await;
    for limit in [1, 2, 3, 6, 7, 100] {
        let listed = paged(limit, |page| {
            let groups = account.groups();
            async move { groups.list(&page).await }
        });
        let keys: Vec<String> = listed.await.iter().map(|group| group.key.to_string()).collect();
        assert_eq!(keys, ["a", "b-2", "b1", "b_3", "m", "z"], "in pages of {limit}");
    }
}

#[tokio::test]
async fn a_key_is_taken_once() {
    let tables = Tables::new().await;
    let account = tables.account().await;
    let made = account.group("product").await;
    assert_eq!(refused(account.groups().create(new_group("product")).await), Code::KeyTaken);
    assert_eq!(account.groups().get(&by_key("product")).await.unwrap(), made);
    let attempts = join_all((0..10).map(|_| {
        let groups = account.groups();
        async move { groups.create(new_group("race")).await }
    }));
    let attempts = attempts.await;
    assert_eq!(attempts.iter().filter(|made| made.is_ok()).count(), 1);
    assert!(attempts.into_iter().filter_map(Result::err).all(|error| error.code() == Code::KeyTaken));
}

#[tokio::test]
async fn an_update_changes_what_it_names_and_counts_one() {
    let account = Tables::new().await.account().await;
    let made = account.group("product").await;
    let updated = rename(&account, made.id, None, "Product").await.unwrap();
    assert_eq!(updated.version, 2);
    assert!(updated.updated_at > made.updated_at);
    let expected = FieldGroup { name: named("Product"), version: 2, updated_at: updated.updated_at, ..made.clone() };
    assert_eq!(updated, expected);
    let described = |group: &mut FieldGroup| group.description = Some(named("x"));
    assert_eq!(account.groups().update(&by_key("product"), if_match(2), described).await.unwrap().version, 3);
    assert_eq!(account.groups().get(&GroupRef::Id(made.id)).await.unwrap().name, named("Product"));
}

#[tokio::test]
async fn a_stale_version_is_refused_with_both_numbers() {
    let account = Tables::new().await.account().await;
    let id = account.group("product").await.id;
    for version in 2..=5 {
        assert_eq!(rename(&account, id, if_match(version - 1), &format!("x{version}")).await.unwrap().version, version);
    }
    for stale in [4, 1, 6, 0] {
        assert_conflict(rename(&account, id, if_match(stale), "y").await, stale, 5);
        assert_conflict(account.groups().delete(&GroupRef::Id(id), if_match(stale)).await, stale, 5);
    }
    let group = account.groups().get(&GroupRef::Id(id)).await.unwrap();
    assert_eq!((group.name.as_str(), group.version), ("x5", 5));
    let both = join_all(["a", "b", "c"].map(|name| rename(&account, id, if_match(5), name))).await;
    assert_eq!(both.iter().filter(|updated| updated.is_ok()).count(), 1);
    assert_eq!(account.groups().get(&GroupRef::Id(id)).await.unwrap().version, 6);
}

#[tokio::test]
async fn updates_at_once_all_land() {
    let account = Tables::new().await.account().await;
    let id = account.group("product").await.id;
    let other = account.elsewhere();
    let updates = join_all((0..20).map(|n| {
        let (account, name) = (if n % 2 == 0 { &account } else { &other }, format!("name {n}"));
        async move { rename(account, id, None, &name).await.unwrap().version }
    }));
    let mut versions = updates.await;
    versions.sort_unstable();
    assert_eq!(versions, (2..=21).collect::<Vec<_>>());
    assert_eq!(account.groups().get(&GroupRef::Id(id)).await.unwrap().version, 21);
}

#[tokio::test]
async fn a_deleted_group_is_gone_with_its_values_and_comes_back_with_them() {
    let tables = Tables::new().await;
    let account = tables.account().await;
    let group = account.group("product").await;
    account.global("title", string(), &[group.id]).await;
    account.own("acme", group.id, "color", string()).await;
    let sent = json!({ "title": "Oak", "color": "red" });
    account.merge("acme", group.id, "sku", sent.clone()).await.unwrap();

    account.groups().delete(&by_key("product"), if_match(1)).await.unwrap();
    let gone = |code| assert_eq!(code, Code::FieldGroupNotFound);
    for account in [&account, &account.elsewhere()] {
        for name in [GroupRef::Id(group.id), by_key("product")] {
            gone(refused(account.groups().get(&name).await));
            gone(refused(account.groups().update(&name, None, |_| ()).await));
            gone(refused(account.groups().delete(&name, None).await));
            gone(refused(account.values("acme").get(&name, &named("sku")).await));
            gone(refused(account.values("acme").list(&name, &all()).await));
            gone(refused(account.values("acme").delete(&name, &named("sku"), None).await));
            gone(refused(account.fields("acme").list(&name, &all()).await));
        }
        gone(refused(account.merge("acme", group.id, "sku", sent.clone()).await));
        assert!(account.groups().list(&all()).await.unwrap().items.is_empty());
    }

    let restored = account.groups().restore(&GroupRef::Id(group.id), None).await.unwrap();
    assert_eq!((restored.version, restored.key.as_str()), (3, "product"));
    for account in [&account, &account.elsewhere()] {
        let read = account.values("acme").get(&by_key("product"), &named("sku")).await.unwrap();
        assert_eq!((values(&read), read.version), (sent.clone(), 1));
        assert_eq!(account.groups().list(&all()).await.unwrap().items, std::slice::from_ref(&restored));
    }
    // What is not deleted is answered as it is.
    assert_eq!(account.groups().restore(&by_key("product"), None).await.unwrap(), restored);
}

#[tokio::test]
async fn a_key_that_was_given_away_is_not_taken_back() {
    let tables = Tables::new().await;
    let account = tables.account().await;
    let warm = account.elsewhere();
    let old = account.group("product").await;
    account.global("title", string(), &[old.id]).await;
    warm.merge("acme", old.id, "sku", json!({ "title": "old" })).await.unwrap();
    warm.values("acme").get(&by_key("product"), &named("sku")).await.unwrap();
    account.groups().delete(&GroupRef::Id(old.id), None).await.unwrap();
    let new = account.group("product").await;
    assert_ne!(new.id, old.id);
    // An instance that knew the key's old group goes by the new one, which has none of its values or fields.
    let read = warm.values("acme").get(&by_key("product"), &named("sku")).await;
    assert_eq!(refused(read), Code::ValuesNotFound);
    assert_eq!(refused(account.groups().restore(&GroupRef::Id(old.id), None).await), Code::KeyTaken);
    assert_eq!(account.groups().get(&by_key("product")).await.unwrap(), new);
    account.groups().delete(&by_key("product"), None).await.unwrap();
    assert_eq!(account.groups().restore(&GroupRef::Id(old.id), None).await.unwrap().version, 3);
    let read = warm.values("acme").get(&by_key("product"), &named("sku")).await.unwrap();
    assert_eq!(values(&read), json!({ "title": "old" }));
}

#[tokio::test]
async fn by_key_the_last_that_was_deleted_comes_back() {
    let account = Tables::new().await.account().await;
    let mut made = Vec::new();
    for _ in 0..2 {
        made.push(account.group("product").await.id);
        account.groups().delete(&by_key("product"), None).await.unwrap();
    }
    assert_eq!(account.groups().restore(&by_key("product"), None).await.unwrap().id, made[1]);
    // While a group has the key, it is meant.
    assert_eq!(account.groups().restore(&by_key("product"), None).await.unwrap().version, 3);
    assert_eq!(refused(account.groups().restore(&GroupRef::Id(made[0]), None).await), Code::KeyTaken);
    assert_eq!(refused(account.groups().restore(&by_key("other"), None).await), Code::FieldGroupNotFound);
}

#[tokio::test]
async fn restored_by_many_at_once_it_is_restored_once() {
    let account = Tables::new().await.account().await;
    let group = GroupRef::Id(account.group("product").await.id);
    account.groups().delete(&group, None).await.unwrap();
    let restored = join_all((0..8).map(|_| {
        let (groups, group) = (account.groups(), &group);
        async move { groups.restore(group, None).await.unwrap().version }
    }));
    assert_eq!(restored.await, [3; 8]);
}

#[tokio::test]
async fn it_can_be_restored_for_thirty_days() {
    let tables = Tables::new().await;
    let account = tables.account().await;
    let [early, late] = [account.group("early").await, account.group("late").await];
    for group in [&early, &late] {
        account.groups().delete(&GroupRef::Id(group.id), None).await.unwrap();
    }
    tables.clock.advance(DAY * 30 - std::time::Duration::from_secs(5));
    assert_eq!(account.groups().restore(&GroupRef::Id(early.id), None).await.unwrap().version, 3);
    tables.clock.advance(std::time::Duration::from_secs(6));
    assert_eq!(refused(account.groups().restore(&GroupRef::Id(late.id), None).await), Code::FieldGroupNotFound);
}

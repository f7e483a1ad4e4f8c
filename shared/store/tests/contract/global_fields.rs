//! Global fields.

use contract::Code;
use contract::id::{FieldId, GroupId};
use contract::names::GroupRef;
use contract::resource::{GlobalField, Scope};
use futures_util::future::join_all;
use hedgerow_store::global_fields::GlobalFieldChange;
use serde_json::json;

use crate::fixture::{
    Account, DAY, Tables, all, assert_conflict, field_ids, if_match, named, new_global, paged, problems, refused,
    schema, string, values,
};

async fn groups<const N: usize>(account: &Account) -> [GroupId; N] {
    let mut made = [named("fg_00000000000000000000000000000000"); N];
    for (n, id) in made.iter_mut().enumerate() {
        *id = account.group(&format!("group-{n}")).await.id;
    }
    made
}

async fn into(account: &Account, id: FieldId, groups: &[GroupId]) -> Result<GlobalField, contract::Error> {
    let change = GlobalFieldChange { groups: Some(groups.to_vec()), ..GlobalFieldChange::default() };
    account.globals().update(id, None, &change).await
}

/// In which of the groups a tenant sees the field.
async fn seen(account: &Account, groups: &[GroupId], key: &str) -> Vec<bool> {
    let mut seen = Vec::new();
    for group in groups {
        seen.push(account.merged("acme", *group).await.iter().any(|field| field.key.as_str() == key));
    }
    seen
}

#[tokio::test]
async fn a_field_may_be_in_forty_groups() {
    let account = Tables::new().await.account().await;
    let ids: [GroupId; 40] = groups(&account).await;
    let field = account.global("title", string(), &ids).await;
    assert_eq!((field.version, &field.field_group_ids[..]), (1, &ids[..]));
    assert_eq!(account.globals().get(field.id).await.unwrap(), field);
    assert!(seen(&account, &ids, "title").await.iter().all(|seen| *seen));
    let label = GlobalFieldChange { label: Some(named("Title")), ..GlobalFieldChange::default() };
    assert_eq!(account.globals().update(field.id, if_match(1), &label).await.unwrap().version, 2);
    for group in &ids {
        assert_eq!(account.merged("acme", *group).await[0].label.as_str(), "Title");
    }
    account.globals().delete(field.id, if_match(2)).await.unwrap();
    assert!(seen(&account, &ids, "title").await.iter().all(|seen| !*seen));
    assert_eq!(account.globals().restore(field.id, None).await.unwrap().version, 4);
    assert!(seen(&account, &ids, "title").await.iter().all(|seen| *seen));
}

#[tokio::test]
async fn a_key_is_unique_in_each_of_its_groups() {
    let account = Tables::new().await.account().await;
    let ids: [GroupId; 4] = groups(&account).await;
    let first = account.global("title", string(), &ids[..1]).await;
    // Elsewhere the key is free.
    let second = account.global("title", string(), &ids[1..2]).await;
    for taken in [&ids[..1], &ids[..3], &[ids[2], ids[3], ids[1]][..]] {
        let create = account.globals().create(new_global("title", string(), taken)).await;
        assert_eq!(refused(create), Code::KeyTaken);
    }
    assert_eq!(seen(&account, &ids, "title").await, [true, true, false, false]);
    assert_eq!(refused(into(&account, second.id, &[ids[1], ids[2], ids[0]]).await), Code::KeyTaken);
    assert_eq!(account.globals().get(second.id).await.unwrap(), second);
    let race = join_all((0..8).map(|_| {
        let globals = account.globals();
        let new = new_global("race", string(), &ids);
        async move { globals.create(new).await }
    }));
    let race = race.await;
    assert_eq!(race.iter().filter(|made| made.is_ok()).count(), 1);
    assert!(race.into_iter().filter_map(Result::err).all(|error| error.code() == Code::KeyTaken));
    assert_eq!(account.globals().get(first.id).await.unwrap(), first);
}

#[tokio::test]
async fn groups_that_are_not_there_are_told_by_their_place() {
    let account = Tables::new().await.account().await;
    let ids: [GroupId; 3] = groups(&account).await;
    let unknown: GroupId = named("fg_00000000000000000000000000000001");
    account.groups().delete(&GroupRef::Id(ids[1]), None).await.unwrap();
    let create = account.globals().create(new_global("title", string(), &[ids[0], unknown, ids[2], ids[1]])).await;
    assert_eq!(problems(create), ["fieldGroupIds[1] not_found", "fieldGroupIds[3] not_found"]);
    assert_eq!(seen(&account, &[ids[0], ids[2]], "title").await, [false, false]);
    let field = account.global("title", string(), &ids[..1]).await;
    let joined = into(&account, field.id, &[ids[0], ids[1], unknown]).await;
    assert_eq!(problems(joined), ["fieldGroupIds[1] not_found", "fieldGroupIds[2] not_found"]);
    assert_eq!(account.globals().get(field.id).await.unwrap(), field);
}

#[tokio::test]
async fn an_update_joins_and_leaves_groups() {
    let account = Tables::new().await.account().await;
    let ids: [GroupId; 3] = groups(&account).await;
    let field = account.global("title", string(), &ids[..2]).await;
    for group in &ids[..2] {
        account.merge("acme", *group, "sku", json!({ "title": "Oak" })).await.unwrap();
    }
    let moved = into(&account, field.id, &ids[1..]).await.unwrap();
    assert_eq!((moved.version, &moved.field_group_ids[..]), (2, &ids[1..]));
    assert_eq!(seen(&account, &ids, "title").await, [false, true, true]);
    assert_eq!(values(&account.read("acme", ids[0], "sku").await.unwrap()), json!({}));
    assert_eq!(values(&account.read("acme", ids[1], "sku").await.unwrap()), json!({ "title": "Oak" }));
    // The key is free again where it left; where it comes back, so do its values.
    let other = account.global("title", string(), &ids[..1]).await;
    assert_eq!(refused(into(&account, field.id, &ids).await), Code::KeyTaken);
    account.globals().delete(other.id, None).await.unwrap();
    assert_eq!(into(&account, field.id, &ids).await.unwrap().version, 3);
    assert_eq!(values(&account.read("acme", ids[0], "sku").await.unwrap()), json!({ "title": "Oak" }));
    assert_eq!(into(&account, field.id, &[]).await.unwrap().version, 4);
    assert_eq!(seen(&account, &ids, "title").await, [false, false, false]);
    assert_eq!(into(&account, field.id, &ids[..1]).await.unwrap().version, 5);
    assert_eq!(seen(&account, &ids, "title").await, [true, false, false]);
}

#[tokio::test]
async fn one_change_touches_as_many_groups_as_a_transaction_holds() {
    let account = Tables::new().await.account().await;
    let ids: [GroupId; 50] = groups(&account).await;
    let field = account.global("title", string(), &ids[..24]).await;
    assert_eq!(into(&account, field.id, &ids[24..48]).await.unwrap().version, 2);
    let too_many = [&ids[..24], &ids[48..49]].concat();
    assert_eq!(problems(into(&account, field.id, &too_many).await), ["fieldGroupIds too_many"]);
    assert_eq!(seen(&account, &ids, "title").await.iter().filter(|seen| **seen).count(), 24);
}

#[tokio::test]
async fn the_type_stays() {
    let account = Tables::new().await.account().await;
    let ids: [GroupId; 1] = groups(&account).await;
    let field = account.global("size", json!({ "type": "number" }), &ids).await;
    let change = |of| GlobalFieldChange { schema: Some(schema(of)), ..GlobalFieldChange::default() };
    let update = account.globals().update(field.id, None, &change(string())).await;
    assert_eq!(problems(update), ["schema.type immutable"]);
    let stricter = change(json!({ "type": "number", "validation": { "min": 5 } }));
    assert_eq!(account.globals().update(field.id, None, &stricter).await.unwrap().version, 2);
    assert_eq!(problems(account.merge("acme", ids[0], "sku", json!({ "size": 4 })).await), ["size too_small"]);
}

#[tokio::test]
async fn versions_guard_changes_and_changes_at_once_all_land() {
    let account = Tables::new().await.account().await;
    let ids: [GroupId; 2] = groups(&account).await;
    let field = account.global("title", string(), &ids).await;
    let label = |text: &str| GlobalFieldChange { label: Some(named(text)), ..GlobalFieldChange::default() };
    assert_eq!(account.globals().update(field.id, if_match(1), &label("a")).await.unwrap().version, 2);
    assert_conflict(account.globals().update(field.id, if_match(1), &label("b")).await, 1, 2);
    assert_conflict(account.globals().delete(field.id, if_match(3)).await, 3, 2);
    let updates = join_all((0..12).map(|n| {
        let (globals, change) = (account.globals(), label(&n.to_string()));
        async move { globals.update(field.id, None, &change).await.unwrap().version }
    }));
    let mut versions = updates.await;
    versions.sort_unstable();
    assert_eq!(versions, (3..=14).collect::<Vec<_>>());
    let stored = account.globals().get(field.id).await.unwrap();
    assert_eq!(account.merged("acme", ids[1]).await[0].label, stored.label);
}

#[tokio::test]
async fn a_deleted_field_comes_back_with_its_values() {
    let tables = Tables::new().await;
    let account = tables.account().await;
    let ids: [GroupId; 2] = groups(&account).await;
    let field = account.global("title", string(), &ids).await;
    account.merge("acme", ids[0], "sku", json!({ "title": "Oak" })).await.unwrap();
    account.globals().delete(field.id, None).await.unwrap();
    assert_eq!(refused(account.globals().get(field.id).await), Code::GlobalFieldNotFound);
    assert_eq!(
        refused(account.globals().update(field.id, None, &GlobalFieldChange::default()).await),
        Code::GlobalFieldNotFound
    );
    assert_eq!(refused(account.globals().delete(field.id, None).await), Code::GlobalFieldNotFound);
    assert!(account.globals().list(None, &all()).await.unwrap().items.is_empty());
    assert_eq!(values(&account.read("acme", ids[0], "sku").await.unwrap()), json!({}));
    assert_eq!(problems(account.merge("acme", ids[0], "sku", json!({ "title": "x" })).await), ["title unknown_field"]);

    let taker = account.global("title", string(), &ids[1..]).await;
    assert_eq!(refused(account.globals().restore(field.id, None).await), Code::KeyTaken);
    assert_eq!(seen(&account, &ids, "title").await, [false, true]);
    account.globals().delete(taker.id, None).await.unwrap();
    let restored = account.globals().restore(field.id, None).await.unwrap();
    assert_eq!((restored.version, restored.field_group_ids.len()), (3, 2));
    assert_eq!(account.globals().restore(field.id, None).await.unwrap(), restored);
    assert_eq!(values(&account.read("acme", ids[0], "sku").await.unwrap()), json!({ "title": "Oak" }));

    account.globals().delete(field.id, None).await.unwrap();
    tables.clock.advance(DAY * 30 + std::time::Duration::from_secs(1));
    assert_eq!(refused(account.globals().restore(field.id, None).await), Code::GlobalFieldNotFound);
    let never = named("fld_00000000000000000000000000000001");
    assert_eq!(refused(account.globals().restore(never, None).await), Code::GlobalFieldNotFound);
}

#[tokio::test]
async fn the_list_is_oldest_first_and_can_be_of_one_group() {
    let account = Tables::new().await.account().await;
    let ids: [GroupId; 3] = groups(&account).await;
    let mut made = Vec::new();
    for n in 0..12 {
        made.push(account.global(&format!("f{n}"), string(), &ids[n % 2..=n % 2]).await);
    }
    let both = account.global("both", string(), &ids[..2]).await;
    account.globals().delete(made.remove(5).id, None).await.unwrap();
    made.push(both);
    for limit in [1, 2, 5, 12, 100] {
        let list = |group| {
            let account = &account;
            paged(limit, move |page| {
                let globals = account.globals();
                async move { globals.list(group, &page).await }
            })
        };
        assert_eq!(field_ids(&list(None).await), field_ids(&made));
        for group in ids {
            let of_group: Vec<_> = made.iter().filter(|f| f.field_group_ids.contains(&group)).cloned().collect();
            assert_eq!(list(Some(group)).await, of_group, "in pages of {limit}");
        }
    }
    assert!(account.merged("acme", ids[0]).await.iter().all(|f| f.scope == Scope::Global && !f.shadowed));
}

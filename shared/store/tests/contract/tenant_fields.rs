//! Fields of tenants, and the list of them merged with the client's.

use contract::Code;
use contract::id::GroupId;
use contract::names::{GroupRef, Name};
use contract::resource::{Field, Scope};
use futures_util::future::join_all;
use hedgerow_store::limits::TENANT_FIELDS_IN_GROUP;
use hedgerow_store::tenant_fields::TenantFieldChange;
use serde_json::json;

use crate::fixture::{
    Account, DAY, Tables, after, all, assert_conflict, by_key, first, if_match, label_change, named, new_own, paged,
    problems, refused, schema, schema_change, string, values,
};

async fn account_with_group() -> (Account, GroupId) {
    let account = Tables::new().await.account().await;
    let group = account.group("product").await.id;
    (account, group)
}

fn keys(fields: &[Field]) -> Vec<&str> {
    fields.iter().map(|field| field.key.as_str()).collect()
}

/// Key, whose, shadowed: `color tenant shadowed`.
fn shown(fields: &[Field]) -> Vec<String> {
    let shown = |field: &Field| {
        let whose = if field.scope == Scope::Global { "global" } else { "tenant" };
        format!("{} {whose}{}", field.key, if field.shadowed { " shadowed" } else { "" })
    };
    fields.iter().map(shown).collect()
}

#[tokio::test]
async fn a_field_is_made_read_changed_and_deleted() {
    let (account, id) = account_with_group().await;
    let group = GroupRef::Id(id);
    let made = account.own("acme", id, "size", json!({ "type": "number" })).await;
    assert_eq!((made.version, made.tenant_id.as_str(), made.field_group_id), (1, "acme", id));
    assert_eq!(account.fields("acme").get(&by_key("product"), made.id).await.unwrap(), made);
    assert_eq!(refused(account.fields("other").get(&group, made.id).await), Code::TenantFieldNotFound);

    let bigger = schema(json!({ "type": "number", "validation": { "min": 5 } }));
    let name: Name = named("Size");
    let change = TenantFieldChange { label: Some(name.clone()), ..schema_change(&bigger) };
    let updated = account.fields("acme").update(&group, made.id, if_match(1), &change).await.unwrap();
    assert_eq!((updated.version, &updated.label, &updated.schema), (2, &name, &bigger));
    assert_eq!(account.fields("acme").get(&group, made.id).await.unwrap(), updated);
    assert_conflict(
        account.fields("acme").update(&group, made.id, if_match(1), &TenantFieldChange::default()).await,
        1,
        2,
    );
    assert_conflict(account.fields("acme").delete(&group, made.id, if_match(1)).await, 1, 2);
    let other_type = account.fields("acme").update(&group, made.id, None, &schema_change(&schema(string()))).await;
    assert_eq!(problems(other_type), ["schema.type immutable"]);

    account.fields("acme").delete(&group, made.id, if_match(2)).await.unwrap();
    let gone = |code| assert_eq!(code, Code::TenantFieldNotFound);
    gone(refused(account.fields("acme").get(&group, made.id).await));
    gone(refused(account.fields("acme").update(&group, made.id, None, &TenantFieldChange::default()).await));
    gone(refused(account.fields("acme").delete(&group, made.id, None).await));
    gone(refused(account.fields("other").restore(&group, made.id, None).await));
    let other = account.group("other").await.id;
    gone(refused(account.fields("acme").restore(&GroupRef::Id(other), made.id, None).await));
    let restored = account.fields("acme").restore(&group, made.id, None).await.unwrap();
    assert_eq!((restored.version, &restored.label), (4, &name));
    assert_eq!(account.fields("acme").restore(&group, made.id, None).await.unwrap(), restored);
}

#[tokio::test]
async fn a_key_is_unique_among_what_the_tenant_sees() {
    let (account, id) = account_with_group().await;
    let group = GroupRef::Id(id);
    account.global("title", string(), &[id]).await;
    account.own("acme", id, "color", string()).await;
    for key in ["title", "color"] {
        assert_eq!(refused(account.fields("acme").create(&group, new_own(key, string())).await), Code::KeyTaken);
    }
    // Another tenant's, and the same tenant's in another group, are other fields.
    account.own("other", id, "color", string()).await;
    let elsewhere = account.group("elsewhere").await.id;
    account.own("acme", elsewhere, "color", string()).await;
    account.own("acme", elsewhere, "title", string()).await;
    let race = join_all((0..8).map(|_| {
        let (fields, group) = (account.fields("acme"), &group);
        async move { fields.create(group, new_own("race", string())).await }
    }));
    let race = race.await;
    assert_eq!(race.iter().filter(|made| made.is_ok()).count(), 1);
    assert!(race.into_iter().filter_map(Result::err).all(|error| error.code() == Code::KeyTaken));
}

#[tokio::test]
async fn a_deleted_fields_key_can_be_given_away() {
    let (account, id) = account_with_group().await;
    let group = GroupRef::Id(id);
    let old = account.own("acme", id, "color", string()).await;
    account.merge("acme", id, "sku", json!({ "color": "red" })).await.unwrap();
    account.fields("acme").delete(&group, old.id, None).await.unwrap();
    assert_eq!(values(&account.read("acme", id, "sku").await.unwrap()), json!({}));
    let new = account.own("acme", id, "color", json!({ "type": "number" })).await;
    assert_eq!(values(&account.read("acme", id, "sku").await.unwrap()), json!({}));
    account.merge("acme", id, "sku", json!({ "color": 7 })).await.unwrap();
    assert_eq!(refused(account.fields("acme").restore(&group, old.id, None).await), Code::KeyTaken);
    account.fields("acme").delete(&group, new.id, None).await.unwrap();
    account.fields("acme").restore(&group, old.id, None).await.unwrap();
    assert_eq!(values(&account.read("acme", id, "sku").await.unwrap()), json!({ "color": "red" }));
    account.fields("acme").delete(&group, old.id, None).await.unwrap();
    account.tables.clock.advance(DAY * 30 + std::time::Duration::from_secs(1));
    assert_eq!(refused(account.fields("acme").restore(&group, old.id, None).await), Code::TenantFieldNotFound);
}

#[tokio::test]
async fn a_tenant_may_have_a_hundred_fields_in_a_group() {
    let (account, id) = account_with_group().await;
    let group = GroupRef::Id(id);
    account.global("title", string(), &[id]).await;
    let mut made = Vec::new();
    for n in 0..TENANT_FIELDS_IN_GROUP - 4 {
        made.push(account.own("acme", id, &format!("f{n}"), string()).await);
    }
    let other = account.elsewhere();
    let race = join_all((0..12).map(|n| {
        let (fields, group) = (if n % 2 == 0 { &account } else { &other }.fields("acme"), &group);
        async move { fields.create(group, new_own(&format!("race{n}"), string())).await }
    }));
    let race = race.await;
    assert_eq!(race.iter().filter(|made| made.is_ok()).count(), 4);
    assert!(race.into_iter().filter_map(Result::err).all(|error| error.code() == Code::FieldLimitReached));
    assert_eq!(account.merged("acme", id).await.len(), 100, "the first page of 101");
    let create = |tenant: &str, group: &GroupRef| {
        let (fields, group) = (account.fields(tenant), group.clone());
        async move { fields.create(&group, new_own("one_more", string())).await }
    };
    assert_eq!(refused(create("acme", &group).await), Code::FieldLimitReached);

    // A deletion makes room, which a creation or a restoration takes.
    account.fields("acme").delete(&group, made[0].id, None).await.unwrap();
    create("acme", &group).await.unwrap();
    assert_eq!(refused(account.fields("acme").restore(&group, made[0].id, None).await), Code::FieldLimitReached);
    account.fields("acme").delete(&group, made[1].id, None).await.unwrap();
    account.fields("acme").restore(&group, made[0].id, None).await.unwrap();
    assert_eq!(refused(account.fields("acme").restore(&group, made[1].id, None).await), Code::FieldLimitReached);
    // Other tenants and other groups have room of their own.
    create("other", &group).await.unwrap();
    let elsewhere = GroupRef::Id(account.group("elsewhere").await.id);
    create("acme", &elsewhere).await.unwrap();
}

#[tokio::test]
async fn the_list_is_merged_and_in_order() {
    let (account, id) = account_with_group().await;
    let ordered = |order: i64| json!({ "type": "string", "ui": { "order": order } });
    account.own("acme", id, "own_late", string()).await;
    account.own("acme", id, "own_two", ordered(2)).await;
    account.own("acme", id, "own_one", ordered(1)).await;
    account.global("late", string(), &[id]).await;
    account.global("later", string(), &[id]).await;
    account.global("two", ordered(2), &[id]).await;
    account.global("minus", ordered(-1), &[id]).await;
    account.own("other", id, "others", ordered(0)).await;
    let expected = ["minus", "own_one", "two", "own_two", "late", "later", "own_late"];
    for account in [&account, &account.elsewhere()] {
        assert_eq!(keys(&account.merged("acme", id).await), expected);
        for limit in [1, 3, 7, 100] {
            let group = by_key("product");
            let listed = paged(limit, |page| {
                let (fields, group) = (account.fields("acme"), group.clone());
                async move { fields.list(&group, &page).await }
            });
            assert_eq!(keys(&listed.await), expected, "in pages of {limit}");
        }
        assert_eq!(keys(&account.merged("nobody", id).await), ["minus", "two", "late", "later"]);
    }
}

#[tokio::test]
async fn a_page_of_fields_goes_on_where_the_last_ended_whatever_happened_between() {
    let (account, id) = account_with_group().await;
    let group = GroupRef::Id(id);
    let mut made = Vec::new();
    for key in ["a", "b", "c", "d"] {
        made.push(account.own("acme", id, key, string()).await.id);
    }
    let page = account.fields("acme").list(&group, &first(2)).await.unwrap();
    account.fields("acme").delete(&group, made[1], None).await.unwrap();
    account.global("late", json!({ "type": "string", "ui": { "order": 0 } }), &[id]).await;
    account.own("acme", id, "e", string()).await;
    let rest = account.fields("acme").list(&group, &after(100, &page.next_cursor.unwrap())).await.unwrap();
    assert_eq!(keys(&rest.items), ["c", "d", "e"]);
}

#[tokio::test]
async fn a_later_global_field_shadows_a_tenants() {
    let (account, id) = account_with_group().await;
    let group = GroupRef::Id(id);
    let own = account.own("acme", id, "color", string()).await;
    account.merge("acme", id, "sku", json!({ "color": "red" })).await.unwrap();
    let global = account.global("color", json!({ "type": "number" }), &[id]).await;
    assert_eq!(shown(&account.merged("acme", id).await), ["color global", "color tenant shadowed"]);
    assert_eq!(shown(&account.merged("other", id).await), ["color global"]);

    // The values stay under the shadow, whatever is saved over it.
    assert_eq!(values(&account.read("acme", id, "sku").await.unwrap()), json!({}));
    assert_eq!(problems(account.merge("acme", id, "sku", json!({ "color": "blue" })).await), ["color wrong_type"]);
    account.merge("acme", id, "sku", json!({ "color": 7 })).await.unwrap();
    assert_eq!(
        values(&account.replace("acme", id, "sku", json!({ "color": 8 })).await.unwrap()),
        json!({ "color": 8 })
    );
    account.merge("acme", id, "sku", json!({ "color": null })).await.unwrap();

    // Shadowed, it can be read, changed, deleted and restored.
    assert_eq!(account.fields("acme").get(&group, own.id).await.unwrap(), own);
    let label = named("Colour");
    account.fields("acme").update(&group, own.id, if_match(1), &label_change(label)).await.unwrap();
    account.fields("acme").delete(&group, own.id, None).await.unwrap();
    assert_eq!(shown(&account.merged("acme", id).await), ["color global"]);
    account.fields("acme").restore(&group, own.id, None).await.unwrap();
    assert_eq!(refused(account.fields("acme").create(&group, new_own("color", string())).await), Code::KeyTaken);

    account.globals().delete(global.id, None).await.unwrap();
    assert_eq!(shown(&account.merged("acme", id).await), ["color tenant"]);
    assert_eq!(values(&account.read("acme", id, "sku").await.unwrap()), json!({ "color": "red" }));
    assert_eq!(values(&account.elsewhere().read("acme", id, "sku").await.unwrap()), json!({ "color": "red" }));
}

#[tokio::test]
async fn changes_at_once_all_land() {
    let (account, id) = account_with_group().await;
    let group = GroupRef::Id(id);
    let field = account.own("acme", id, "color", string()).await;
    let other = account.own("acme", id, "size", string()).await;
    let updates = join_all((0..12).map(|n| {
        let (fields, label, group) = (account.fields("acme"), named(&n.to_string()), &group);
        let id = if n % 2 == 0 { field.id } else { other.id };
        async move { fields.update(group, id, None, &label_change(label)).await.unwrap() }
    }));
    updates.await;
    for id in [field.id, other.id] {
        assert_eq!(account.elsewhere().fields("acme").get(&group, id).await.unwrap().version, 7);
    }
    let listed = account.fields("acme").list(&group, &all()).await.unwrap().items;
    assert!(listed.iter().all(|field| field.version == 7));
}

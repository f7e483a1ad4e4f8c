//! The list of a group's entities, and the list of tenants.

use contract::Error;
use contract::id::GroupId;
use contract::names::GroupRef;
use futures_util::future::join_all;
use serde_json::json;

use crate::fixture::{Account, Tables, after, all, first, named, paged, string, values};

async fn account_with_group() -> (Account, GroupId) {
    let account = Tables::new().await.account().await;
    let group = account.group("product").await.id;
    account.global("a", string(), &[group]).await;
    (account, group)
}

async fn names(account: &Account, group: GroupId, limit: usize) -> Vec<String> {
    let listed = paged(limit, |page| {
        let values = account.values("acme");
        async move { values.list(&GroupRef::Id(group), &page).await }
    });
    listed.await.iter().map(|values| values.entity_id.to_string()).collect()
}

#[tokio::test]
async fn entities_are_listed_by_identifier_in_the_order_of_its_bytes() {
    let (account, id) = account_with_group().await;
    assert!(names(&account, id, 10).await.is_empty());
    let other = account.group("other").await.id;
    for name in ["m", "ab", "a", "Z", "-", "a:", "_", "z", "a.", "0", "@x", "...", "10", "9"] {
        account.merge("acme", id, name, json!({ "a": name })).await.unwrap();
        account.merge("else", id, "stranger", json!({})).await.unwrap();
        account.merge("acme", other, "stranger", json!({})).await.unwrap();
    }
    account.merge("acme", id, "m", json!({ "a": "again" })).await.unwrap();
    let ordered = ["-", "...", "0", "10", "9", "@x", "Z", "_", "a", "a.", "a:", "ab", "m", "z"];
    for limit in [1, 2, 5, 14, 100] {
        assert_eq!(names(&account, id, limit).await, ordered, "in pages of {limit}");
    }
    let listed = account.values("acme").list(&GroupRef::Id(id), &all()).await.unwrap().items;
    for entity in &listed {
        assert_eq!(*entity, account.read("acme", id, entity.entity_id.as_str()).await.unwrap());
    }
    assert_eq!((values(&listed[12]), listed[12].version), (json!({ "a": "again" }), 2));
}

#[tokio::test]
async fn deleted_ones_are_absent_until_they_are_saved_anew_or_restored() {
    let (account, id) = account_with_group().await;
    let group = GroupRef::Id(id);
    for name in ["a", "b", "c", "d"] {
        account.merge("acme", id, name, json!({})).await.unwrap();
    }
    account.merge("acme", id, "a", json!({ "a": "changed" })).await.unwrap();
    for name in ["a", "c"] {
        account.values("acme").delete(&group, &named(name), None).await.unwrap();
    }
    assert_eq!(names(&account, id, 1).await, ["b", "d"]);
    account.merge("acme", id, "a", json!({})).await.unwrap();
    assert_eq!(names(&account, id, 2).await, ["a", "b", "d"]);
    account.values("acme").restore(&group, &named("c"), None).await.unwrap();
    assert_eq!(names(&account, id, 3).await, ["a", "b", "c", "d"]);
    account.values("acme").delete(&group, &named("a"), None).await.unwrap();
    account.values("acme").restore(&group, &named("a"), None).await.unwrap();
    assert_eq!(names(&account, id, 100).await, ["a", "b", "c", "d"]);
}

#[tokio::test]
async fn a_page_goes_on_where_the_last_ended_whatever_happened_between() {
    let (account, id) = account_with_group().await;
    let group = GroupRef::Id(id);
    for name in ["a", "b", "c", "d"] {
        account.merge("acme", id, name, json!({})).await.unwrap();
    }
    let page = account.values("acme").list(&group, &first(2)).await.unwrap();
    account.values("acme").delete(&group, &named("b"), None).await.unwrap();
    account.merge("acme", id, "e", json!({})).await.unwrap();
    let rest = account.values("acme").list(&group, &after(100, &page.next_cursor.unwrap())).await.unwrap();
    assert_eq!(rest.items.iter().map(|v| v.entity_id.as_str()).collect::<Vec<_>>(), ["c", "d", "e"]);
}

#[tokio::test]
async fn a_page_of_large_entities_ends_early() {
    let (account, id) = account_with_group().await;
    let large = "x".repeat(250 * 1024);
    for n in 0..20 {
        account.merge("acme", id, &format!("e{n:02}"), json!({ "a": large })).await.unwrap();
    }
    let (mut seen, mut request, mut pages) = (Vec::new(), all(), 0);
    loop {
        let page = account.values("acme").list(&GroupRef::Id(id), &request).await.unwrap();
        assert!(!page.items.is_empty() && page.items.len() * large.len() <= 2 * 1024 * 1024);
        seen.extend(page.items.iter().map(|v| v.entity_id.to_string()));
        pages += 1;
        let Some(cursor) = page.next_cursor else { break };
        request = after(100, &cursor);
    }
    assert_eq!(seen, (0..20).map(|n| format!("e{n:02}")).collect::<Vec<_>>());
    assert_eq!(pages, 3);
}

#[tokio::test]
async fn first_saves_at_once_make_one_tenant_and_every_entity() -> Result<(), Error> {
    let (account, id) = account_with_group().await;
    let other = account.elsewhere();
    let saves = join_all((0..12).map(|n| {
        let account = if n % 2 == 0 { &account } else { &other };
        let entity = format!("e{}", n / 2);
        async move { account.merge("acme", id, &entity, json!({ "a": n.to_string() })).await }
    }));
    for saved in saves.await {
        saved?;
    }
    let listed = names(&account, id, 2).await;
    assert_eq!(listed, ["e0", "e1", "e2", "e3", "e4", "e5"]);
    for entity in listed {
        assert_eq!(account.read("acme", id, &entity).await?.version, 2);
    }
    assert_eq!(account.tenants().list(&all()).await?.items.len(), 1);
    Ok(())
}

#[tokio::test]
async fn tenants_are_there_from_their_first_write() -> Result<(), Error> {
    let (account, id) = account_with_group().await;
    let _ = account.read("reader", id, "sku").await;
    account.merged("reader", id).await;
    for tenant in ["m", "a", "Z", "0"] {
        account.merge(tenant, id, "sku", json!({})).await?;
        account.own(tenant, id, "own", string()).await;
    }
    account.own("by-field", id, "own", string()).await;
    for limit in [1, 2, 100] {
        let listed = paged(limit, |page| {
            let tenants = account.tenants();
            async move { tenants.list(&page).await }
        });
        let listed: Vec<String> = listed.await.iter().map(|tenant| tenant.tenant_id.to_string()).collect();
        assert_eq!(listed, ["0", "Z", "a", "by-field", "m"]);
    }
    Ok(())
}

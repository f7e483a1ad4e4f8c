//! A cursor opens for the list that it came from, and for no other.

use contract::Code;
use contract::names::GroupRef;
use serde_json::json;

use crate::fixture::{Account, Tables, after, first, refused, string};

/// Each kind of list, and the same kind with another filter or scope.
const LISTS: usize = 10;

async fn list(account: &Account, number: usize, cursor: Option<&str>) -> Result<Option<String>, contract::Error> {
    let page = cursor.map_or(first(1), |cursor| after(1, cursor));
    let groups = account.groups().list(&first(2)).await?.items;
    let [one, two] = [groups[0].id, groups[1].id];
    let next = match number {
        0 => account.groups().list(&page).await?.next_cursor,
        1 => account.globals().list(None, &page).await?.next_cursor,
        2 => account.globals().list(Some(one), &page).await?.next_cursor,
        3 => account.globals().list(Some(two), &page).await?.next_cursor,
        4 => account.fields("acme").list(&GroupRef::Id(one), &page).await?.next_cursor,
        5 => account.fields("acme").list(&GroupRef::Id(two), &page).await?.next_cursor,
        6 => account.fields("other").list(&GroupRef::Id(one), &page).await?.next_cursor,
        7 => account.values("acme").list(&GroupRef::Id(one), &page).await?.next_cursor,
        8 => account.values("other").list(&GroupRef::Id(one), &page).await?.next_cursor,
        _ => account.tenants().list(&page).await?.next_cursor,
    };
    Ok(next)
}

async fn filled(tables: &Tables) -> Account {
    let account = tables.account().await;
    let ids = [account.group("one").await.id, account.group("two").await.id];
    for key in ["a", "b"] {
        account.global(key, string(), &ids).await;
    }
    for tenant in ["acme", "other"] {
        for entity in ["e1", "e2"] {
            account.merge(tenant, ids[0], entity, json!({ "a": "x" })).await.unwrap();
        }
    }
    account
}

#[tokio::test]
async fn a_cursor_of_one_list_is_refused_by_every_other() {
    let tables = Tables::new().await;
    let (account, other) = (filled(&tables).await, filled(&tables).await);
    for from in 0..LISTS {
        let cursor = list(&account, from, None).await.unwrap().unwrap();
        for to in 0..LISTS {
            let answer = list(&account, to, Some(&cursor)).await;
            if from == to {
                assert_eq!(answer.unwrap(), None, "the second page of list {from} is its last");
            } else {
                assert_eq!(refused(answer), Code::MalformedRequest, "list {to} with a cursor of {from}");
            }
            assert_eq!(refused(list(&other, to, Some(&cursor)).await), Code::MalformedRequest, "another client's {to}");
        }
        // Another instance takes it.
        assert_eq!(list(&account.elsewhere(), from, Some(&cursor)).await.unwrap(), None);
        for at in [0, cursor.len() / 2, cursor.len() - 3] {
            let mut forged = cursor.clone().into_bytes();
            forged[at] = if forged[at] == b'A' { b'B' } else { b'A' };
            let forged = String::from_utf8(forged).unwrap();
            assert_eq!(refused(list(&account, from, Some(&forged)).await), Code::MalformedRequest);
        }
        assert_eq!(refused(list(&account, from, Some("")).await), Code::MalformedRequest);
    }
}

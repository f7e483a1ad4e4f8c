//! Pages of entities, while entities are saved, deleted and restored.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound::{Excluded, Unbounded};

use hedgerow_tests::app::{App, Caller, entities, values};
use serde_json::{Value, json};

async fn page(key: &Caller, limit: usize, cursor: Option<&str>) -> (Vec<Value>, Option<String>) {
    let after = cursor.map_or(String::new(), |cursor| format!("&cursor={cursor}"));
    key.get(&format!("{}?limit={limit}{after}", entities("acme", "product"))).await.page()
}

/// All of the list, in pages.
async fn all(key: &Caller, limit: usize) -> Vec<String> {
    let (mut found, mut cursor) = (Vec::new(), None::<String>);
    loop {
        let (listed, next) = page(key, limit, cursor.as_deref()).await;
        assert!(listed.len() == limit || next.is_none());
        found.extend(listed.iter().map(name_of));
        cursor = next;
        if cursor.is_none() {
            return found;
        }
    }
}

fn name_of(entity: &Value) -> String {
    entity["entityId"].as_str().unwrap().to_owned()
}

fn named(number: usize) -> String {
    format!("e{number:03}")
}

async fn saved(key: &Caller, numbers: impl Iterator<Item = usize>) {
    for number in numbers {
        key.save("acme", "product", &named(number), json!({ "n": number })).await;
    }
}

async fn product(app: &App) -> Caller {
    let key = app.account("ada").await.key;
    key.group("product").await;
    key.own("acme", "product", "n", json!({ "type": "number" })).await;
    key
}

#[tokio::test]
async fn pages_of_any_length_are_the_list() {
    let app = App::start().await;
    let key = product(&app).await;
    saved(&key, 0..101).await;
    let names: Vec<String> = (0..101).map(named).collect();
    for limit in [1, 2, 10, 25, 99, 100] {
        assert_eq!(all(&key, limit).await, names, "in pages of {limit}");
    }
}

/// Between any two pages something is saved, deleted and restored, before the cursor and behind it.
#[tokio::test]
async fn a_page_is_what_lives_behind_the_cursor_when_it_is_read() {
    let app = App::start().await;
    let key = product(&app).await;
    saved(&key, (0..120).step_by(2)).await;
    let mut live: BTreeMap<String, Value> = BTreeMap::new();
    for entity in page(&key, 100, None).await.0 {
        live.insert(name_of(&entity), entity);
    }
    let (mut seen, mut last, mut cursor, mut gone) = (BTreeSet::new(), None::<String>, None::<String>, Vec::new());
    for round in 0.. {
        let (listed, next) = page(&key, 7, cursor.as_deref()).await;
        let behind = live.range::<str, _>((last.as_deref().map_or(Unbounded, Excluded), Unbounded));
        let behind: Vec<&Value> = behind.map(|(_, entity)| entity).collect();
        assert!(listed.iter().eq(behind.iter().copied().take(7)));
        assert_eq!(next.is_some(), behind.len() > 7);
        assert!(listed.iter().all(|entity| seen.insert(name_of(entity))), "listed twice");
        let Some(next) = next else { break };
        cursor = Some(next);
        // One of the page, the one that it ended at, and one behind it.
        let deleted = [&listed[2], &listed[6], behind[9 % behind.len()]].map(name_of);
        last = Some(deleted[1].clone());
        for name in deleted {
            if live.remove(&name).is_some() {
                key.delete(&values("acme", "product", &name)).await.expect(204);
                gone.push(name);
            }
        }
        for number in [round * 14 + 1, (round * 14 + 15) % 120, 119] {
            let entity = key.save("acme", "product", &named(number), json!({ "n": round })).await;
            live.insert(named(number), entity);
        }
        let back = gone.remove(if round % 2 == 0 { 0 } else { gone.len() - 1 });
        let entity = key.post(&format!("{}/restore", values("acme", "product", &back))).await.data(200);
        live.insert(back, entity);
    }
    assert_eq!(all(&key, 100).await, live.into_keys().collect::<Vec<_>>());
}

#[tokio::test]
async fn what_stays_is_listed_once_whatever_others_do_at_once() {
    let app = App::start().await;
    let key = product(&app).await;
    saved(&key, 0..40).await;
    let stays: Vec<String> = (0..40).step_by(2).map(named).collect();
    let others = async {
        for number in (1..40).step_by(2).cycle() {
            let path = values("acme", "product", &named(number));
            key.delete(&path).await.expect(204);
            match number % 3 {
                0 => key.post(&format!("{path}/restore")).await.expect(200),
                _ => key.post(&path).json(&json!({ "n": number })).await.expect(200),
            };
        }
    };
    let reader = async {
        for limit in [1, 3, 4, 7, 100].repeat(3) {
            let found = all(&key, limit).await;
            assert!(found.is_sorted_by(|one, next| one < next), "twice, or out of order: {found:?}");
            assert!(stays.iter().all(|name| found.contains(name)), "missed: {found:?}");
        }
    };
    tokio::select! {
        () = others => {}
        () = reader => {}
    }
}

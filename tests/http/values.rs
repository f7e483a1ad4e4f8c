//! Values: saved, read, replaced, deleted, restored, listed.

use std::time::Duration;

use hedgerow_tests::app::{App, Caller, each, entities, fields, id, values};
use serde_json::{Value, json};

const DAY: Duration = Duration::from_secs(24 * 3600);

/// A group `product` with a required title, a color with a default, and a note.
async fn product(key: &Caller) -> Value {
    let group = key.group("product").await;
    key.global("title", json!({ "type": "string", "validation": { "required": true } }), &[&group]).await;
    key.own("acme", "product", "color", json!({ "type": "string", "default": "grey" })).await;
    key.own("acme", "product", "note", json!({ "type": "textarea" })).await;
    group
}

#[tokio::test]
async fn values_are_saved_and_read_back() {
    let app = App::start().await;
    let key = app.account("ada").await.key;
    let group = product(&key).await;
    let path = values("acme", "product", "sku-1");
    key.get(&path).await.fails(404, "values_not_found");
    let saved = key.post(&path).json(&json!({ "title": "Oak", "note": "a\nb" })).await;
    let data = saved.data(200);
    let told = json!([data["tenantId"], data["fieldGroupId"], data["entityId"], data["status"], data["version"]]);
    assert_eq!(told, json!(["acme", group["id"], "sku-1", "published", 1]));
    assert_eq!(data["values"], json!({ "title": "Oak", "color": "grey", "note": "a\nb" }));
    assert_eq!((&data["missing"], saved.etag()), (&json!([]), "\"1\""));
    for reference in ["product", group["id"].as_str().unwrap()] {
        let found = key.get(&values("acme", reference, "sku-1")).await;
        assert_eq!((found.data(200), found.etag()), (data.clone(), "\"1\""));
    }
    for (tenant, entity) in [("acme", "SKU-1"), ("globex", "sku-1")] {
        key.get(&values(tenant, "product", entity)).await.fails(404, "values_not_found");
    }
}

#[tokio::test]
async fn a_merge_touches_what_it_names() {
    let app = App::start().await;
    let key = app.account("ada").await.key;
    product(&key).await;
    // Half a form: the required title may wait.
    let half = key.save("acme", "product", "e", json!({ "note": "n" })).await;
    assert_eq!((&half["values"], &half["missing"]), (&json!({ "color": "grey", "note": "n" }), &json!(["title"])));
    let more = key.save("acme", "product", "e", json!({ "title": "Oak", "color": null })).await;
    assert_eq!((&more["values"], &more["missing"]), (&json!({ "title": "Oak", "note": "n" }), &json!([])));
    let same = key.save("acme", "product", "e", json!({ "note": "m" })).await;
    assert_eq!(same["values"], json!({ "title": "Oak", "note": "m" }), "what was cleared stays so");
    assert_eq!(same["version"], 3);
    // A value that is touched must be right; clearing a required one is touching it.
    let path = values("acme", "product", "e");
    key.post(&path).json(&json!({ "title": null })).await.wrong(&["title"]);
    key.post(&path).json(&json!({ "title": 1, "note": 2, "zzz": 3 })).await.wrong(&["note", "title", "zzz"]);
    assert_eq!(key.get(&path).await.data(200), same);
}

#[tokio::test]
async fn a_replacement_is_checked_as_a_whole() {
    let app = App::start().await;
    let key = app.account("ada").await.key;
    product(&key).await;
    let path = values("acme", "product", "e");
    for bad in [json!({}), json!({ "note": "n" }), json!({ "title": null })] {
        key.put(&path).json(&bad).await.wrong(&["title"]);
    }
    key.put(&path).json(&json!({ "note": 1, "no": 1 })).await.wrong(&["no", "note", "title"]);
    key.get(&path).await.fails(404, "values_not_found");
    let first = key.put(&path).json(&json!({ "title": "Oak", "note": "n", "color": "red" })).await.data(200);
    assert_eq!(first["values"], json!({ "title": "Oak", "note": "n", "color": "red" }));
    let next = key.put(&path).json(&json!({ "title": "Elm", "color": null })).await;
    assert_eq!(next.data(200)["values"], json!({ "title": "Elm" }), "what is not named is cleared");
    assert_eq!((next.etag(), &next.data(200)["version"]), ("\"2\"", &json!(2)));
}

#[tokio::test]
async fn a_required_field_that_comes_later_is_missing() {
    let app = App::start().await;
    let key = app.account("ada").await.key;
    let group = product(&key).await;
    key.save("acme", "product", "e", json!({ "title": "Oak" })).await;
    key.global("price", json!({ "type": "number", "validation": { "required": true } }), &[&group]).await;
    let path = values("acme", "product", "e");
    assert_eq!(key.get(&path).await.data(200)["missing"], json!(["price"]));
    assert_eq!(key.save("acme", "product", "e", json!({ "note": "n" })).await["missing"], json!(["price"]));
    key.put(&path).json(&json!({ "title": "Oak" })).await.wrong(&["price"]);
    assert_eq!(key.save("acme", "product", "e", json!({ "price": 0 })).await["missing"], json!([]));
}

#[tokio::test]
async fn what_is_saved_in_a_group_of_manual_publishing_is_a_draft() {
    let app = App::start().await;
    let key = app.account("ada").await.key;
    let body = json!({ "key": "page", "name": "Pages", "publishing": "manual" });
    key.post("/api/v1/field-groups").json(&body).await.expect(201);
    assert_eq!(key.save("acme", "page", "e", json!({})).await["status"], "draft");
    assert_eq!(key.get(&values("acme", "page", "e")).await.data(200)["status"], "draft");
}

#[tokio::test]
async fn deleted_values_are_gone_at_once_and_come_back() {
    let app = App::start().await;
    let key = app.account("ada").await.key;
    product(&key).await;
    let path = values("acme", "product", "e");
    for method in ["DELETE", "GET"] {
        key.call(method, &path).await.fails(404, "values_not_found");
    }
    key.post(&format!("{path}/restore")).await.fails(404, "values_not_found");
    let saved = key.save("acme", "product", "e", json!({ "title": "Oak" })).await;
    key.save("acme", "product", "other", json!({ "title": "Elm" })).await;
    key.delete(&path).await.expect(204);
    key.get(&path).await.fails(404, "values_not_found");
    key.delete(&path).await.fails(404, "values_not_found");
    assert_eq!(each(&key.get(&entities("acme", "product")).await.page().0, "entityId"), ["other"]);
    let back = key.post(&format!("{path}/restore")).await;
    assert_eq!((back.etag(), &back.data(200)["version"]), ("\"3\"", &json!(3)));
    assert_eq!(back.data(200)["values"], saved["values"]);
    assert_eq!(key.get(&path).await.data(200), back.data(200));
    assert_eq!(key.post(&format!("{path}/restore")).await.data(200), back.data(200), "not deleted: as it is");
    let (list, _) = key.get(&entities("acme", "product")).await.page();
    assert_eq!(each(&list, "entityId"), ["e", "other"]);
}

#[tokio::test]
async fn a_save_over_deleted_values_begins_anew_and_goes_on_counting() {
    let app = App::start().await;
    let key = app.account("ada").await.key;
    product(&key).await;
    let path = values("acme", "product", "e");
    key.save("acme", "product", "e", json!({ "title": "Oak", "note": "n" })).await;
    key.delete(&path).await.expect(204);
    let anew = key.save("acme", "product", "e", json!({ "title": "Elm" })).await;
    assert_eq!(anew["values"], json!({ "title": "Elm", "color": "grey" }));
    assert_eq!(anew["version"], 3);
    assert_eq!(key.post(&format!("{path}/restore")).await.data(200), anew, "there is nothing deleted any more");
    assert_eq!(key.get(&entities("acme", "product")).await.page().0, [anew]);
}

#[tokio::test]
async fn values_can_be_restored_for_thirty_days() {
    let app = App::start().await;
    let key = app.account("ada").await.key;
    product(&key).await;
    let path = values("acme", "product", "e");
    key.save("acme", "product", "e", json!({ "title": "Oak" })).await;
    key.delete(&path).await.expect(204);
    app.clock.advance(DAY * 29);
    key.post(&format!("{path}/restore")).await.expect(200);
    key.delete(&path).await.expect(204);
    app.clock.advance(DAY * 31);
    key.post(&format!("{path}/restore")).await.fails(404, "values_not_found");
}

#[tokio::test]
async fn entities_are_listed_by_identifier_with_their_values() {
    let app = App::start().await;
    let key = app.account("ada").await.key;
    product(&key).await;
    key.group("other").await;
    let mut saved = Vec::new();
    for entity in ["zebra", "Ant", "a.b_c:d@e-f", "...", "10", "9"] {
        saved.push(key.save("acme", "product", entity, json!({ "title": entity })).await);
    }
    saved.sort_by_key(|one| one["entityId"].as_str().unwrap().to_owned());
    key.save("globex", "product", "foreign", json!({ "title": "x" })).await;
    key.save("acme", "other", "elsewhere", json!({})).await;
    assert_eq!(key.get(&entities("acme", "product")).await.page(), (saved, None));
    key.save("acme", "product", "10", json!({ "note": "changed" })).await;
    let (listed, _) = key.get(&entities("acme", "product")).await.page();
    assert_eq!(each(&listed, "entityId"), ["...", "10", "9", "Ant", "a.b_c:d@e-f", "zebra"]);
}

#[tokio::test]
async fn values_are_at_most_256_kib() {
    let app = App::start().await;
    let key = app.account("ada").await.key;
    product(&key).await;
    let path = values("acme", "product", "e");
    key.post(&path).json(&json!({ "note": "x".repeat(200_000) })).await.expect(200);
    let before = key.get(&path).await.data(200);
    for body in [json!({ "title": "x".repeat(100_000) }), json!({ "note": "é".repeat(140_000) })] {
        key.post(&path).json(&body).await.fails(413, "payload_too_large");
    }
    assert_eq!(key.get(&path).await.data(200), before);
}

#[tokio::test]
async fn values_of_deleted_fields_take_no_room_from_those_that_are_seen() {
    let app = App::start().await;
    let key = app.account("ada").await.key;
    product(&key).await;
    let path = values("acme", "product", "e");
    for number in 0..3 {
        let own = key.own("acme", "product", "own", json!({ "type": "textarea" })).await;
        let sent = key.post(&path).json(&json!({ "own": "x".repeat(150_000) })).await;
        match number {
            0 | 1 => _ = sent.expect(200),
            // An item can't hold any number of those that are kept for a restoration.
            _ => sent.fails(413, "payload_too_large"),
        }
        key.delete(&format!("{}/{}", fields("acme", "product"), id(&own))).await.expect(204);
    }
    key.delete(&path).await.expect(204);
    key.own("acme", "product", "own", json!({ "type": "textarea" })).await;
    key.post(&path).json(&json!({ "own": "x".repeat(250_000) })).await.expect(200);
}

#[tokio::test]
async fn a_list_of_large_values_comes_in_pages_that_fit() {
    let app = App::start().await;
    let key = app.account("ada").await.key;
    product(&key).await;
    for number in 0..25 {
        key.save("acme", "product", &format!("e{number:02}"), json!({ "note": "x".repeat(250_000) })).await;
    }
    let (mut found, mut query) = (Vec::new(), "?limit=100".to_owned());
    loop {
        let answer = key.get(&format!("{}{query}", entities("acme", "product"))).await;
        assert!(answer.body.len() < 6 * 1024 * 1024, "more than a function can answer");
        let (page, next) = answer.page();
        assert!(!page.is_empty());
        found.extend(page.iter().map(|one| one["entityId"].as_str().unwrap().to_owned()));
        let Some(next) = next else { break };
        query = format!("?limit=100&cursor={next}");
    }
    assert_eq!(found, (0..25).map(|number| format!("e{number:02}")).collect::<Vec<_>>());
}

#[tokio::test]
async fn saves_at_once_each_count_and_none_is_lost() {
    let app = App::start().await;
    let key = app.account("ada").await.key;
    key.group("product").await;
    for number in 0..6 {
        key.own("acme", "product", &format!("f{number}"), json!({ "type": "number" })).await;
    }
    let saves: Vec<_> = (0..6)
        .map(|number| {
            let body = json!({ format!("f{number}"): number });
            tokio::spawn(key.post(&values("acme", "product", "e")).json(&body).into_future())
        })
        .collect();
    let mut versions = Vec::new();
    for save in saves {
        versions.push(save.await.unwrap().data(200)["version"].as_u64().unwrap());
    }
    versions.sort_unstable();
    assert_eq!(versions, [1, 2, 3, 4, 5, 6]);
    let all = json!({ "f0": 0, "f1": 1, "f2": 2, "f3": 3, "f4": 4, "f5": 5 });
    assert_eq!(key.get(&values("acme", "product", "e")).await.data(200)["values"], all);
}

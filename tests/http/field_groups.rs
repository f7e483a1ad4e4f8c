//! Field groups.

use std::time::Duration;

use hedgerow_tests::app::{App, each, fields, id, values};
use serde_json::{Value, json};

const GROUPS: &str = "/api/v1/field-groups";
const DAY: Duration = Duration::from_secs(24 * 3600);

#[tokio::test]
async fn a_group_is_found_by_its_identifier_and_by_its_key() {
    let app = App::start().await;
    let key = app.account("ada").await.key;
    let body = json!({ "key": "product", "name": "Products", "description": "two\nlines", "publishing": "manual" });
    let made = key.post(GROUPS).json(&body).await;
    let data = made.data(201);
    for (name, value) in body.as_object().unwrap() {
        assert_eq!(data[name], *value);
    }
    assert!(id(&data).starts_with("fg_"));
    assert_eq!((made.etag(), &data["version"], &data["createdAt"]), ("\"1\"", &json!(1), &data["updatedAt"]));
    for reference in [id(&data), "product"] {
        let found = key.get(&format!("{GROUPS}/{reference}")).await;
        assert_eq!((found.data(200), found.etag()), (data.clone(), "\"1\""));
    }
    assert_eq!(key.get(GROUPS).await.page(), (vec![data], None));
}

#[tokio::test]
async fn members_left_out_have_their_defaults() {
    let app = App::start().await;
    let key = app.account("ada").await.key;
    let made = key.group("product").await;
    assert_eq!((&made["description"], &made["publishing"]), (&Value::Null, &json!("immediate")));
}

#[tokio::test]
async fn a_key_is_unique_within_a_client() {
    let app = App::start().await;
    let (ada, bob) = (app.account("ada").await.key, app.account("bob").await.key);
    ada.group("product").await;
    ada.post(GROUPS).json(&json!({ "key": "product", "name": "Again" })).await.fails(409, "key_taken");
    bob.group("product").await;
    assert_eq!(ada.get(GROUPS).await.page().0.len(), 1);
}

#[tokio::test]
async fn of_two_creations_at_once_one_gets_the_key() {
    let app = App::start().await;
    let key = app.account("ada").await.key;
    let body = json!({ "key": "product", "name": "A" });
    let (one, other) =
        tokio::join!(key.post(GROUPS).json(&body).into_future(), key.post(GROUPS).json(&body).into_future());
    let mut statuses = [one.status, other.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409]);
    assert_eq!(key.get(GROUPS).await.page().0.len(), 1);
}

#[tokio::test]
async fn a_change_leaves_the_rest_as_it_is() {
    let app = App::start().await;
    let key = app.account("ada").await.key;
    let made = key.post(GROUPS).json(&json!({ "key": "a", "name": "A", "description": "old" })).await.data(201);
    let path = format!("{GROUPS}/{}", id(&made));
    let changed = key.patch(&path).json(&json!({ "name": "B" })).await;
    assert_eq!(changed.etag(), "\"2\"");
    let data = changed.data(200);
    assert_eq!(json!([data["key"], data["name"], data["description"]]), json!(["a", "B", "old"]));
    assert_eq!((&data["createdAt"], &data["version"]), (&made["createdAt"], &json!(2)));
    let by_key =
        key.patch("/api/v1/field-groups/a").json(&json!({ "description": null, "publishing": "manual" })).await;
    let data = by_key.data(200);
    assert_eq!(json!([data["name"], data["description"], data["publishing"]]), json!(["B", null, "manual"]));
    assert_eq!(key.get(&path).await.data(200), data);
}

#[tokio::test]
async fn every_wrong_member_is_named_and_nothing_is_written() {
    let app = App::start().await;
    let key = app.account("ada").await.key;
    let made = key.group("product").await;
    let before = key.everything("acme", "product").await;
    key.post(GROUPS).json(&json!({})).await.wrong(&["key", "name"]);
    let body = json!({ "key": "1", "name": 1, "description": [], "publishing": "never", "id": "fg_1" });
    key.post(GROUPS).json(&body).await.wrong(&["description", "id", "key", "name", "publishing"]);
    let long = "a".repeat(65);
    for bad in ["", "A", "a.b", "a b", "é", "-a", "_a", "fg_a", "a/b", "a\u{0}", &long] {
        key.post(GROUPS).json(&json!({ "key": bad, "name": "A" })).await.wrong(&["key"]);
    }
    for bad in
        [json!(""), json!("  "), json!("a\u{0}"), json!("a\nb"), json!("x".repeat(201)), json!("\u{200b}"), Value::Null]
    {
        key.post(GROUPS).json(&json!({ "key": "ok", "name": bad })).await.wrong(&["name"]);
        key.patch(&format!("{GROUPS}/{}", id(&made))).json(&json!({ "name": bad })).await.wrong(&["name"]);
    }
    for bad in [json!("a\u{0}"), json!("x".repeat(2001)), json!("a\u{feff}"), json!(1)] {
        key.post(GROUPS).json(&json!({ "key": "ok", "name": "A", "description": bad })).await.wrong(&["description"]);
    }
    let change = json!({ "key": "other", "version": 7, "publishing": null });
    key.patch("/api/v1/field-groups/product").json(&change).await.wrong(&["key", "publishing", "version"]);
    assert_eq!(key.everything("acme", "product").await, before);
}

#[tokio::test]
async fn keys_and_texts_at_their_bounds_are_taken() {
    let app = App::start().await;
    let key = app.account("ada").await.key;
    for good in ["a", "a-b_1", "fg", "f", &"a".repeat(64)] {
        let body = json!({ "key": good, "name": "é".repeat(200), "description": "x".repeat(2000) });
        key.post(GROUPS).json(&body).await.expect(201);
        key.get(&format!("{GROUPS}/{good}")).await.expect(200);
    }
}

#[tokio::test]
async fn a_deleted_group_is_gone_at_once_with_its_values_and_comes_back_with_them() {
    let app = App::start().await;
    let key = app.account("ada").await.key;
    let group = key.group("product").await;
    key.global("title", json!({ "type": "string" }), &[&group]).await;
    key.own("acme", "product", "color", json!({ "type": "string" })).await;
    let saved = key.save("acme", "product", "sku-1", json!({ "title": "Oak", "color": "red" })).await;
    let listed = key.get(&fields("acme", "product")).await.expect(200).json();

    key.delete(&format!("{GROUPS}/product")).await.expect(204);
    for reference in [id(&group), "product"] {
        let path = format!("{GROUPS}/{reference}");
        for method in ["GET", "DELETE"] {
            key.call(method, &path).await.fails(404, "field_group_not_found");
        }
        key.patch(&path).json(&json!({})).await.fails(404, "field_group_not_found");
        for path in [values("acme", reference, "sku-1"), fields("acme", reference)] {
            key.get(&path).await.fails(404, "field_group_not_found");
        }
        let save = key.post(&values("acme", reference, "sku-2")).json(&json!({})).await;
        save.fails(404, "field_group_not_found");
    }
    assert_eq!(key.get(GROUPS).await.page().0.len(), 0);

    let restored = key.post(&format!("{GROUPS}/{}/restore", id(&group))).await;
    assert_eq!((restored.etag(), &restored.data(200)["version"]), ("\"3\"", &json!(3)));
    assert_eq!(key.get(&values("acme", "product", "sku-1")).await.data(200), saved);
    assert_eq!(key.get(&fields("acme", "product")).await.expect(200).json(), listed);
}

#[tokio::test]
async fn a_key_given_away_meanwhile_stands_in_the_way_of_a_restore() {
    let app = App::start().await;
    let key = app.account("ada").await.key;
    let old = key.group("product").await;
    key.global("title", json!({ "type": "string" }), &[&old]).await;
    key.save("acme", "product", "sku-1", json!({ "title": "Oak" })).await;
    key.delete(&format!("{GROUPS}/{}", id(&old))).await.expect(204);
    let new = key.group("product").await;
    assert_ne!(id(&old), id(&new));
    // The old values stay with the old group.
    key.get(&values("acme", "product", "sku-1")).await.fails(404, "values_not_found");
    assert_eq!(key.get(&fields("acme", "product")).await.page().0.len(), 0);
    let restore = format!("{GROUPS}/{}/restore", id(&old));
    key.post(&restore).await.fails(409, "key_taken");
    key.delete(&format!("{GROUPS}/product")).await.expect(204);
    key.post(&restore).await.expect(200);
    assert_eq!(key.get(&values("acme", "product", "sku-1")).await.data(200)["values"], json!({ "title": "Oak" }));
}

#[tokio::test]
async fn a_key_restores_what_was_last_deleted_under_it() {
    let app = App::start().await;
    let key = app.account("ada").await.key;
    let restore = format!("{GROUPS}/product/restore");
    key.post(&restore).await.fails(404, "field_group_not_found");
    let mut last = Value::Null;
    for _ in 0..2 {
        last = key.group("product").await;
        key.delete(&format!("{GROUPS}/product")).await.expect(204);
    }
    assert_eq!(key.post(&restore).await.data(200)["id"], last["id"]);
    assert_eq!(key.get(&format!("{GROUPS}/product")).await.data(200)["id"], last["id"]);
}

#[tokio::test]
async fn a_group_can_be_restored_for_thirty_days() {
    let app = App::start().await;
    let key = app.account("ada").await.key;
    let group = key.group("product").await;
    let (path, restore) = (format!("{GROUPS}/{}", id(&group)), format!("{GROUPS}/{}/restore", id(&group)));
    key.delete(&path).await.expect(204);
    app.clock.advance(DAY * 30 - Duration::from_secs(60));
    key.post(&restore).await.expect(200);
    key.delete(&path).await.expect(204);
    app.clock.advance(DAY * 30 + Duration::from_secs(60));
    key.post(&restore).await.fails(404, "field_group_not_found");
}

#[tokio::test]
async fn what_is_not_deleted_is_restored_as_it_is() {
    let app = App::start().await;
    let key = app.account("ada").await.key;
    let group = key.group("product").await;
    for reference in [id(&group), "product"] {
        assert_eq!(key.post(&format!("{GROUPS}/{reference}/restore")).await.data(200), group);
    }
}

#[tokio::test]
async fn groups_are_listed_by_key() {
    let app = App::start().await;
    let key = app.account("ada").await.key;
    for one in ["c", "a", "b"] {
        key.group(one).await;
    }
    assert_eq!(each(&key.get(GROUPS).await.page().0, "key"), ["a", "b", "c"]);
}

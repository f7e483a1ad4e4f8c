//! Global fields: in their groups, changed, deleted, restored.

use std::time::Duration;

use hedgerow_tests::app::{App, each, fields, id, values};
use serde_json::{Value, json};

const GLOBAL: &str = "/api/v1/global-fields";
const DAY: Duration = Duration::from_secs(24 * 3600);

fn text() -> Value {
    json!({ "type": "string" })
}

#[tokio::test]
async fn a_field_is_seen_by_every_tenant_in_its_groups() {
    let app = App::start().await;
    let key = app.account("ada").await.key;
    let (a, b) = (key.group("a").await, key.group("b").await);
    key.group("c").await;
    let schema = json!({ "type": "string", "validation": { "maxLength": 3 }, "ui": { "placeholder": "…" } });
    let body = json!({ "key": "title", "label": "Title", "schema": schema, "fieldGroupIds": [a["id"], b["id"]] });
    let made = key.post(GLOBAL).json(&body).await;
    let data = made.data(201);
    for (name, value) in body.as_object().unwrap() {
        assert_eq!(data[name], *value);
    }
    assert!(id(&data).starts_with("fld_"));
    assert_eq!((made.etag(), &data["version"]), ("\"1\"", &json!(1)));
    let found = key.get(&format!("{GLOBAL}/{}", id(&data))).await;
    assert_eq!((found.data(200), found.etag()), (data.clone(), "\"1\""));
    assert_eq!(key.get(GLOBAL).await.page(), (vec![data], None));
    for tenant in ["acme", "globex"] {
        for (group, seen) in [("a", 1), ("b", 1), ("c", 0)] {
            let (list, _) = key.get(&fields(tenant, group)).await.page();
            assert_eq!(list.len(), seen);
            assert!(list.iter().all(|field| field["scope"] == "global" && field["shadowed"] == false));
        }
    }
}

#[tokio::test]
async fn the_list_can_be_of_one_group() {
    let app = App::start().await;
    let key = app.account("ada").await.key;
    let (a, b) = (key.group("a").await, key.group("b").await);
    key.global("one", text(), &[&a]).await;
    key.global("two", text(), &[&b]).await;
    key.global("both", text(), &[&b, &a]).await;
    for (filter, keys) in [(&a, ["one", "both"]), (&b, ["two", "both"])] {
        let (list, _) = key.get(&format!("{GLOBAL}?fieldGroupId={}", id(filter))).await.page();
        assert_eq!(each(&list, "key"), keys);
    }
    for bad in ["", "a", "fg_1", "%00"] {
        key.get(&format!("{GLOBAL}?fieldGroupId={bad}")).await.fails(400, "malformed_request");
    }
}

#[tokio::test]
async fn a_key_is_unique_in_a_group() {
    let app = App::start().await;
    let key = app.account("ada").await.key;
    let (a, b) = (key.group("a").await, key.group("b").await);
    key.global("title", text(), &[&a]).await;
    let body = json!({ "key": "title", "label": "T", "schema": text(), "fieldGroupIds": [b["id"], a["id"]] });
    key.post(GLOBAL).json(&body).await.fails(409, "key_taken");
    assert_eq!(key.get(&fields("acme", "b")).await.page().0.len(), 0, "all or nothing");
    key.global("title", text(), &[&b]).await;
}

#[tokio::test]
async fn a_change_reaches_every_tenant_at_once() {
    let app = App::start().await;
    let key = app.account("ada").await.key;
    let (a, b, c) = (key.group("a").await, key.group("b").await, key.group("c").await);
    let field = key.global("title", text(), &[&a, &b]).await;
    key.save("acme", "a", "e", json!({ "title": "long enough" })).await;
    let path = format!("{GLOBAL}/{}", id(&field));
    let schema = json!({ "type": "string", "validation": { "maxLength": 3 } });
    let body = json!({ "label": "New", "schema": schema, "fieldGroupIds": [b["id"], c["id"]] });
    let changed = key.patch(&path).json(&body).await;
    assert_eq!(changed.etag(), "\"2\"");
    let data = changed.data(200);
    assert_eq!(json!([data["key"], data["label"], data["schema"]]), json!(["title", "New", schema]));
    assert_eq!(data["fieldGroupIds"], body["fieldGroupIds"]);
    for (group, seen) in [("a", 0), ("b", 1), ("c", 1)] {
        assert_eq!(key.get(&fields("acme", group)).await.page().0.len(), seen, "{group}");
    }
    key.post(&values("acme", "b", "e")).json(&json!({ "title": "long" })).await.wrong(&["title"]);
    key.post(&values("acme", "a", "e")).json(&json!({ "title": "x" })).await.wrong(&["title"]);
    assert_eq!(key.get(&values("acme", "a", "e")).await.data(200)["values"], json!({}));
    // Back in its group, the field finds its values.
    key.patch(&path).json(&json!({ "fieldGroupIds": [a["id"]] })).await.expect(200);
    assert_eq!(key.get(&values("acme", "a", "e")).await.data(200)["values"], json!({ "title": "long enough" }));
}

#[tokio::test]
async fn every_wrong_member_is_named_and_nothing_is_written() {
    let app = App::start().await;
    let key = app.account("ada").await.key;
    let group = key.group("product").await;
    let field = key.global("title", text(), &[&group]).await;
    let before = key.everything("acme", "product").await;
    key.post(GLOBAL).json(&json!({})).await.wrong(&["fieldGroupIds", "key", "label", "schema"]);
    let body = json!({ "key": "a-b", "label": 1, "schema": "string", "fieldGroupIds": ["x", 1], "scope": "global" });
    let places = ["fieldGroupIds[0]", "fieldGroupIds[1]", "key", "label", "schema", "scope"];
    key.post(GLOBAL).json(&body).await.wrong(&places);
    for bad in ["", "A", "1a", "a-b", "a.b", "é", "_a", "a\u{0}", &"a".repeat(65)] {
        let body = json!({ "key": bad, "label": "L", "schema": text(), "fieldGroupIds": [group["id"]] });
        key.post(GLOBAL).json(&body).await.wrong(&["key"]);
    }
    let absent = format!("fg_{}", "0".repeat(32));
    let one = || group["id"].clone();
    let path = format!("{GLOBAL}/{}", id(&field));
    for (groups, place) in [
        (json!([]), "fieldGroupIds"),
        (json!([absent]), "fieldGroupIds[0]"),
        (json!([one(), absent]), "fieldGroupIds[1]"),
        (json!([one(), one(), one(), absent]), "fieldGroupIds[3]"),
        (json!(["product"]), "fieldGroupIds[0]"),
        (json!({}), "fieldGroupIds"),
        (Value::Null, "fieldGroupIds"),
    ] {
        let body = json!({ "key": "ok", "label": "L", "schema": text(), "fieldGroupIds": groups });
        key.post(GLOBAL).json(&body).await.wrong(&[place]);
        key.patch(&path).json(&json!({ "fieldGroupIds": groups })).await.wrong(&[place]);
    }
    let body = json!({ "key": "A", "label": "", "schema": {}, "fieldGroupIds": [one(), 1] });
    key.post(GLOBAL).json(&body).await.wrong(&["fieldGroupIds[1]", "key", "label", "schema.type"]);
    key.patch(&path).json(&json!({ "key": "other", "type": "number" })).await.wrong(&["key", "type"]);
    key.patch(&path).json(&json!({ "label": null, "schema": null })).await.wrong(&["label", "schema"]);
    key.patch(&path).json(&json!({ "schema": { "type": "number" } })).await.wrong(&["schema.type"]);
    assert_eq!(key.everything("acme", "product").await, before);
}

#[tokio::test]
async fn a_deleted_group_takes_no_fields() {
    let app = App::start().await;
    let key = app.account("ada").await.key;
    let (live, deleted) = (key.group("live").await, key.group("deleted").await);
    let field = key.global("title", text(), &[&live]).await;
    key.delete("/api/v1/field-groups/deleted").await.expect(204);
    let groups = json!([live["id"], deleted["id"]]);
    let body = json!({ "key": "other", "label": "L", "schema": text(), "fieldGroupIds": groups });
    key.post(GLOBAL).json(&body).await.wrong(&["fieldGroupIds[1]"]);
    let path = format!("{GLOBAL}/{}", id(&field));
    key.patch(&path).json(&json!({ "fieldGroupIds": groups })).await.wrong(&["fieldGroupIds[1]"]);
    assert_eq!(key.get(&fields("acme", "live")).await.page().0.len(), 1);
}

#[tokio::test]
async fn a_field_has_at_most_forty_groups() {
    let app = App::start().await;
    let key = app.account("ada").await.key;
    let mut ids = Vec::new();
    for number in 0..41 {
        ids.push(key.group(&format!("g{number}")).await["id"].clone());
    }
    let body = |ids: &[Value]| json!({ "key": "title", "label": "T", "schema": text(), "fieldGroupIds": ids });
    key.post(GLOBAL).json(&body(&ids)).await.wrong(&["fieldGroupIds"]);
    let field = key.post(GLOBAL).json(&body(&ids[1..])).await.data(201);
    let path = format!("{GLOBAL}/{}", id(&field));
    key.patch(&path).json(&json!({ "fieldGroupIds": ids[..40] })).await.expect(200);
    assert_eq!(key.get(&fields("acme", "g0")).await.page().0.len(), 1);
    assert_eq!(key.get(&fields("acme", "g40")).await.page().0.len(), 0);
    key.delete(&path).await.expect(204);
    assert_eq!(key.get(&fields("acme", "g0")).await.page().0.len(), 0);
}

#[tokio::test]
async fn a_deleted_field_is_gone_at_once_and_comes_back_with_its_values() {
    let app = App::start().await;
    let key = app.account("ada").await.key;
    let group = key.group("product").await;
    let required = json!({ "type": "string", "validation": { "required": true } });
    let field = key.global("title", required, &[&group]).await;
    key.save("acme", "product", "sku-1", json!({ "title": "Oak" })).await;
    let path = format!("{GLOBAL}/{}", id(&field));
    key.delete(&path).await.expect(204);
    for method in ["GET", "DELETE"] {
        key.call(method, &path).await.fails(404, "global_field_not_found");
    }
    key.patch(&path).json(&json!({})).await.fails(404, "global_field_not_found");
    assert_eq!(key.get(GLOBAL).await.page().0.len(), 0);
    assert_eq!(key.get(&fields("acme", "product")).await.page().0.len(), 0);
    let left = key.get(&values("acme", "product", "sku-1")).await.data(200);
    assert_eq!((&left["values"], &left["missing"]), (&json!({}), &json!([])));
    key.post(&values("acme", "product", "sku-1")).json(&json!({ "title": "x" })).await.wrong(&["title"]);
    // A save of other fields loses nothing of what is hidden.
    key.put(&values("acme", "product", "sku-1")).json(&json!({})).await.expect(200);

    let restored = key.post(&format!("{path}/restore")).await;
    assert_eq!((restored.etag(), &restored.data(200)["version"]), ("\"3\"", &json!(3)));
    let back = key.get(&values("acme", "product", "sku-1")).await.data(200);
    assert_eq!(back["values"], json!({ "title": "Oak" }));
}

#[tokio::test]
async fn a_key_given_away_meanwhile_stands_in_the_way_of_a_restore() {
    let app = App::start().await;
    let key = app.account("ada").await.key;
    let group = key.group("product").await;
    let old = key.global("title", text(), &[&group]).await;
    key.save("acme", "product", "sku-1", json!({ "title": "Oak" })).await;
    key.delete(&format!("{GLOBAL}/{}", id(&old))).await.expect(204);
    let new = key.global("title", json!({ "type": "number" }), &[&group]).await;
    assert_eq!(key.get(&values("acme", "product", "sku-1")).await.data(200)["values"], json!({}));
    let restore = format!("{GLOBAL}/{}/restore", id(&old));
    key.post(&restore).await.fails(409, "key_taken");
    key.save("acme", "product", "sku-1", json!({ "title": 7 })).await;
    key.delete(&format!("{GLOBAL}/{}", id(&new))).await.expect(204);
    key.post(&restore).await.expect(200);
    assert_eq!(key.get(&values("acme", "product", "sku-1")).await.data(200)["values"], json!({ "title": "Oak" }));
}

#[tokio::test]
async fn a_field_can_be_restored_for_thirty_days() {
    let app = App::start().await;
    let key = app.account("ada").await.key;
    let group = key.group("product").await;
    let field = key.global("title", text(), &[&group]).await;
    let path = format!("{GLOBAL}/{}", id(&field));
    key.delete(&path).await.expect(204);
    app.clock.advance(DAY * 29);
    key.post(&format!("{path}/restore")).await.expect(200);
    assert_eq!(key.post(&format!("{path}/restore")).await.data(200)["version"], 3, "not deleted: as it is");
    key.delete(&path).await.expect(204);
    app.clock.advance(DAY * 31);
    key.post(&format!("{path}/restore")).await.fails(404, "global_field_not_found");
}

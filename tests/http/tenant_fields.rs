//! Tenant fields, the list of them merged with the client's, and tenants.

use std::time::Duration;

use hedgerow_tests::app::{App, each, fields, id, values};
use serde_json::{Value, json};

const DAY: Duration = Duration::from_secs(24 * 3600);

fn text() -> Value {
    json!({ "type": "string" })
}

#[tokio::test]
async fn a_field_is_seen_by_its_tenant_in_its_group_alone() {
    let app = App::start().await;
    let key = app.account("ada").await.key;
    let (group, _) = (key.group("product").await, key.group("other").await);
    let schema = json!({ "type": "number", "validation": { "min": 0 }, "default": 1.5 });
    let body = json!({ "key": "weight", "label": "Weight", "schema": schema });
    let made = key.post(&fields("acme", "product")).json(&body).await;
    let data = made.data(201);
    for (name, value) in body.as_object().unwrap() {
        assert_eq!(data[name], *value);
    }
    assert!(id(&data).starts_with("fld_"));
    assert_eq!((made.etag(), &data["tenantId"], &data["fieldGroupId"]), ("\"1\"", &json!("acme"), &group["id"]));
    for reference in ["product", id(&group)] {
        let found = key.get(&format!("{}/{}", fields("acme", reference), id(&data))).await;
        assert_eq!((found.data(200), found.etag()), (data.clone(), "\"1\""));
        let (list, _) = key.get(&fields("acme", reference)).await.page();
        assert_eq!((each(&list, "key"), each(&list, "scope")), (vec!["weight"], vec!["tenant"]));
    }
    for path in [fields("globex", "product"), fields("acme", "other"), fields("Acme", "product")] {
        assert_eq!(key.get(&path).await.page().0.len(), 0, "{path}");
        key.get(&format!("{path}/{}", id(&data))).await.fails(404, "tenant_field_not_found");
    }
    key.own("globex", "product", "weight", text()).await;
}

#[tokio::test]
async fn the_merged_list_is_in_order() {
    let app = App::start().await;
    let key = app.account("ada").await.key;
    let group = key.group("product").await;
    let at = |order: i64| json!({ "type": "string", "ui": { "order": order } });
    key.global("last_global", text(), &[&group]).await;
    key.own("acme", "product", "last_own", text()).await;
    key.own("acme", "product", "third", at(30)).await;
    key.global("second", at(20), &[&group]).await;
    key.own("acme", "product", "first", at(-1)).await;
    let (list, _) = key.get(&fields("acme", "product")).await.page();
    assert_eq!(each(&list, "key"), ["first", "second", "third", "last_global", "last_own"]);
    assert_eq!(each(&list, "scope"), ["tenant", "global", "tenant", "global", "tenant"]);
}

#[tokio::test]
async fn a_global_field_shadows_a_tenants_of_the_same_key() {
    let app = App::start().await;
    let key = app.account("ada").await.key;
    let group = key.group("product").await;
    let own = key.own("acme", "product", "color", text()).await;
    key.save("acme", "product", "sku-1", json!({ "color": "red" })).await;
    let global = key.global("color", json!({ "type": "number" }), &[&group]).await;

    let (list, _) = key.get(&fields("acme", "product")).await.page();
    let mut seen: Vec<_> =
        list.iter().map(|field| (field["scope"].as_str().unwrap(), field["shadowed"].as_bool().unwrap())).collect();
    seen.sort_unstable();
    assert_eq!(seen, [("global", false), ("tenant", true)]);
    let path = values("acme", "product", "sku-1");
    assert_eq!(key.get(&path).await.data(200)["values"], json!({}));
    key.post(&path).json(&json!({ "color": "blue" })).await.wrong(&["color"]);
    assert_eq!(key.save("acme", "product", "sku-1", json!({ "color": 7 })).await["values"], json!({ "color": 7 }));
    key.put(&path).json(&json!({})).await.expect(200);
    // It can still be read and changed, and no second one takes its key.
    let own_path = format!("{}/{}", fields("acme", "product"), id(&own));
    key.patch(&own_path).json(&json!({ "label": "Colour" })).await.expect(200);
    let again = json!({ "key": "color", "label": "C", "schema": text() });
    key.post(&fields("acme", "product")).json(&again).await.fails(409, "key_taken");

    key.delete(&format!("/api/v1/global-fields/{}", id(&global))).await.expect(204);
    assert_eq!(key.get(&path).await.data(200)["values"], json!({ "color": "red" }), "it keeps its values");
    assert_eq!(key.get(&fields("acme", "product")).await.page().0[0]["shadowed"], false);
}

#[tokio::test]
async fn a_key_is_unique_among_what_a_tenant_sees() {
    let app = App::start().await;
    let key = app.account("ada").await.key;
    let group = key.group("product").await;
    key.global("title", text(), &[&group]).await;
    key.own("acme", "product", "color", text()).await;
    for taken in ["title", "color"] {
        let body = json!({ "key": taken, "label": "L", "schema": text() });
        key.post(&fields("acme", "product")).json(&body).await.fails(409, "key_taken");
    }
    assert_eq!(key.get(&fields("acme", "product")).await.page().0.len(), 2);
}

#[tokio::test]
async fn a_change_counts_at_once() {
    let app = App::start().await;
    let key = app.account("ada").await.key;
    key.group("product").await;
    let field = key.own("acme", "product", "color", text()).await;
    let path = format!("{}/{}", fields("acme", "product"), id(&field));
    let schema = json!({ "type": "string", "validation": { "maxLength": 3 } });
    let changed = key.patch(&path).json(&json!({ "label": "Colour", "schema": schema })).await;
    let data = changed.data(200);
    let seen = json!([data["key"], data["label"], data["schema"], data["version"]]);
    assert_eq!(seen, json!(["color", "Colour", schema, 2]));
    assert_eq!((key.get(&path).await.data(200), changed.etag()), (data, "\"2\""));
    key.post(&values("acme", "product", "e")).json(&json!({ "color": "green" })).await.wrong(&["color"]);
    let cleared = key.patch(&path).json(&json!({ "schema": text() })).await.data(200);
    assert_eq!(cleared["schema"], text());
    key.save("acme", "product", "e", json!({ "color": "green" })).await;
}

#[tokio::test]
async fn every_wrong_member_is_named_and_nothing_is_written() {
    let app = App::start().await;
    let key = app.account("ada").await.key;
    key.group("product").await;
    let field = key.own("acme", "product", "color", text()).await;
    let before = key.everything("acme", "product").await;
    let path = fields("acme", "product");
    key.post(&path).json(&json!({})).await.wrong(&["key", "label", "schema"]);
    let body = json!({ "key": "A", "label": "", "schema": { "type": "list" }, "fieldGroupIds": [] });
    key.post(&path).json(&body).await.wrong(&["fieldGroupIds", "key", "label", "schema.type"]);
    let own = format!("{path}/{}", id(&field));
    let change = json!({ "key": "b", "label": 7, "schema": { "type": "string", "x": 1 } });
    key.patch(&own).json(&change).await.wrong(&["key", "label", "schema.x"]);
    key.patch(&own).json(&json!({ "label": null, "schema": null })).await.wrong(&["label", "schema"]);
    key.patch(&own).json(&json!({ "schema": { "type": "textarea" } })).await.wrong(&["schema.type"]);
    assert_eq!(key.everything("acme", "product").await, before);
}

#[tokio::test]
async fn a_deleted_field_is_gone_at_once_and_comes_back_with_its_values() {
    let app = App::start().await;
    let key = app.account("ada").await.key;
    key.group("product").await;
    let field = key.own("acme", "product", "color", text()).await;
    key.save("acme", "product", "sku-1", json!({ "color": "red" })).await;
    let path = format!("{}/{}", fields("acme", "product"), id(&field));
    let entity = values("acme", "product", "sku-1");
    key.delete(&path).await.expect(204);
    for method in ["GET", "DELETE"] {
        key.call(method, &path).await.fails(404, "tenant_field_not_found");
    }
    key.patch(&path).json(&json!({})).await.fails(404, "tenant_field_not_found");
    assert_eq!(key.get(&fields("acme", "product")).await.page().0.len(), 0);
    assert_eq!(key.get(&entity).await.data(200)["values"], json!({}));
    key.post(&entity).json(&json!({ "color": "x" })).await.wrong(&["color"]);

    // Its key goes to another, which stands in the way; the old values stay with the old field.
    let new = key.own("acme", "product", "color", json!({ "type": "number" })).await;
    key.save("acme", "product", "sku-1", json!({ "color": 5 })).await;
    key.post(&format!("{path}/restore")).await.fails(409, "key_taken");
    key.delete(&format!("{}/{}", fields("acme", "product"), id(&new))).await.expect(204);
    let restored = key.post(&format!("{path}/restore")).await;
    assert_eq!((restored.etag(), &restored.data(200)["version"]), ("\"3\"", &json!(3)));
    assert_eq!(key.get(&entity).await.data(200)["values"], json!({ "color": "red" }));
    assert_eq!(key.post(&format!("{path}/restore")).await.data(200)["version"], 3, "not deleted: as it is");

    key.delete(&path).await.expect(204);
    app.clock.advance(DAY * 31);
    key.post(&format!("{path}/restore")).await.fails(404, "tenant_field_not_found");
}

#[tokio::test]
async fn a_tenant_has_so_many_fields_in_a_group_and_no_more() {
    let app = App::start().await;
    let key = app.account("ada").await.key;
    let (_, _) = (key.group("product").await, key.group("other").await);
    let path = fields("acme", "product");
    let mut last = Value::Null;
    for number in 0..100 {
        last = key.own("acme", "product", &format!("f{number}"), text()).await;
    }
    let more = json!({ "key": "one_more", "label": "L", "schema": text() });
    key.post(&path).json(&more).await.fails(422, "field_limit_reached");
    key.own("acme", "other", "elsewhere", text()).await;
    key.own("globex", "product", "another_tenants", text()).await;
    let deleted = format!("{path}/{}", id(&last));
    key.delete(&deleted).await.expect(204);
    key.post(&path).json(&more).await.expect(201);
    key.post(&format!("{deleted}/restore")).await.fails(422, "field_limit_reached");
    assert_eq!(key.get(&format!("{path}?limit=100")).await.page().0.len(), 100);
}

#[tokio::test]
async fn many_first_uses_at_once_make_one_tenant() {
    let app = App::start().await;
    let key = app.account("ada").await.key;
    key.group("product").await;
    let body = |number: u32| json!({ "key": format!("f{number}"), "label": "L", "schema": text() });
    let uses: Vec<_> = (0..6)
        .map(|number| match number % 2 {
            0 => key.post(&values("acme", "product", &format!("e{number}"))).json(&json!({})),
            _ => key.post(&fields("acme", "product")).json(&body(number)),
        })
        .map(|call| tokio::spawn(call.into_future()))
        .collect();
    for one in uses {
        let answer = one.await.unwrap();
        assert!([200, 201].contains(&answer.status), "{answer}");
    }
    assert_eq!(each(&key.get("/api/v1/tenants").await.page().0, "tenantId"), ["acme"]);
    assert_eq!(key.get(&fields("acme", "product")).await.page().0.len(), 3);
    assert_eq!(key.get(&hedgerow_tests::app::entities("acme", "product")).await.page().0.len(), 3);
}

#[tokio::test]
async fn a_tenant_is_there_from_its_first_use_on() {
    let app = App::start().await;
    let (key, bob) = (app.account("ada").await.key, app.account("bob").await.key);
    let group = key.group("product").await;
    key.global("title", text(), &[&group]).await;
    // Reading is no use, nor is a save that is refused.
    key.get(&fields("reader", "product")).await.expect(200);
    key.get(&values("reader", "product", "e")).await.fails(404, "values_not_found");
    key.post(&values("reader", "product", "e")).json(&json!({ "no": 1 })).await.wrong(&["no"]);
    assert_eq!(key.get("/api/v1/tenants").await.page(), (vec![], None));

    for tenant in ["globex", "Acme", "acme", "a.b_c:d@e-f", "..."] {
        key.save(tenant, "product", "e", json!({ "title": tenant })).await;
    }
    key.own("by-field", "product", "color", text()).await;
    key.save("acme", "product", "e2", json!({})).await;
    let (list, _) = key.get("/api/v1/tenants").await.page();
    let mut found = each(&list, "tenantId");
    found.sort_unstable();
    assert_eq!(found, ["...", "Acme", "a.b_c:d@e-f", "acme", "by-field", "globex"]);
    assert!(list.iter().all(|tenant| tenant["createdAt"].as_str().unwrap().ends_with('Z')));
    assert_eq!(key.get(&values("Acme", "product", "e")).await.data(200)["values"], json!({ "title": "Acme" }));
    assert_eq!(bob.get("/api/v1/tenants").await.page().0.len(), 0);
}

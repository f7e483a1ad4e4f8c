//! What is another's reads, byte for byte, like what is not there.

use hedgerow_tests::app::{App, Caller, fields, id, values};
use serde_json::{Value, json};

/// Sends the same request to what is another's and to what nobody has, and compares the answers whole.
async fn alike(caller: &Caller, method: &str, foreign: &str, absent: &str, body: Option<&Value>) {
    let mut answers = Vec::new();
    for path in [foreign, absent] {
        let call = caller.call(method, path);
        answers.push(match body {
            Some(body) => call.json(body).await,
            None => call.await,
        });
    }
    assert_eq!(answers[0].but_for_request_id(), answers[1].but_for_request_id(), "{method} {foreign}");
    assert_eq!(answers[0].status, 404, "{}", answers[0]);
}

fn absent(prefix: &str) -> String {
    // A time-ordered identifier like any other.
    format!("{prefix}_0193a1b2c3d47ef08123456789abcdef")
}

#[tokio::test]
async fn another_clients_resources_are_as_if_they_were_not() {
    let app = App::start().await;
    let (ada, bob) = (app.account("ada").await, app.account("bob").await);
    let text = json!({ "type": "string" });
    let group = ada.key.group("product").await;
    let global = ada.key.global("title", text.clone(), &[&group]).await;
    let own = ada.key.own("acme", "product", "color", text.clone()).await;
    ada.key.save("acme", "product", "sku-1", json!({ "color": "red" })).await;
    let (keys, _) = ada.owner.get("/api/v1/api-keys").await.page();
    let hook = json!({ "url": "https://example.com/hooks", "events": ["*"], "active": false });
    let hook = ada.key.post("/api/v1/webhooks").json(&hook).await.data(201);
    let hook_path = format!("/api/v1/webhooks/{}", id(&hook));
    let ping = ada.key.post(&format!("{hook_path}/test")).await.data(202);
    let since = json!({ "since": "2026-01-01T00:00:00Z" });
    let job = ada.key.post(&format!("{hook_path}/recover")).json(&since).await.data(202);
    let delivery_path = format!("/api/v1/deliveries/{}", id(&ping));
    let hooks_before = [ada.key.get(&hook_path).await.data(200), ada.key.get(&delivery_path).await.data(200)];
    let bobs = bob.key.group("bobs").await;
    let before = ada.key.everything("acme", "product").await;

    let path = |kind: &str, id: &str| format!("/api/v1/{kind}/{id}");
    let change = json!({ "name": "Stolen" });
    let (foreign, nobodys) = (path("api-keys", id(&keys[0])), path("api-keys", &absent("key")));
    alike(&bob.owner, "GET", &foreign, &nobodys, None).await;
    alike(&bob.owner, "PATCH", &foreign, &nobodys, Some(&change)).await;
    alike(&bob.owner, "DELETE", &foreign, &nobodys, None).await;

    for caller in [&bob.key, &bob.owner] {
        for (foreign, nobodys) in [(id(&group).to_owned(), absent("fg")), ("product".to_owned(), "nothing".to_owned())]
        {
            let (from, to) = (path("field-groups", &foreign), path("field-groups", &nobodys));
            alike(caller, "GET", &from, &to, None).await;
            alike(caller, "PATCH", &from, &to, Some(&change)).await;
            alike(caller, "DELETE", &from, &to, None).await;
            alike(caller, "POST", &format!("{from}/restore"), &format!("{to}/restore"), None).await;
            for tenant in ["acme", "globex"] {
                let (from, to) = (fields(tenant, &foreign), fields(tenant, &nobodys));
                alike(caller, "GET", &from, &to, None).await;
                let field = json!({ "key": "a", "label": "A", "schema": text });
                alike(caller, "POST", &from, &to, Some(&field)).await;
                for method in ["GET", "PATCH", "DELETE"] {
                    let body = (method == "PATCH").then(|| json!({ "label": "L" }));
                    let (from, to) = (format!("{from}/{}", id(&own)), format!("{to}/{}", absent("fld")));
                    alike(caller, method, &from, &to, body.as_ref()).await;
                }
                let (from, to) = (format!("{from}/{}/restore", id(&own)), format!("{to}/{}/restore", absent("fld")));
                alike(caller, "POST", &from, &to, None).await;
                let (from, to) = (values(tenant, &foreign, "sku-1"), values(tenant, &nobodys, "sku-1"));
                for method in ["GET", "POST", "PUT", "DELETE"] {
                    let body = matches!(method, "POST" | "PUT").then(|| json!({ "color": "blue" }));
                    alike(caller, method, &from, &to, body.as_ref()).await;
                }
                alike(caller, "POST", &format!("{from}/restore"), &format!("{to}/restore"), None).await;
                let list = |group: &str| hedgerow_tests::app::entities(tenant, group);
                alike(caller, "GET", &list(&foreign), &list(&nobodys), None).await;
            }
        }
        let (foreign, nobodys) = (path("global-fields", id(&global)), path("global-fields", &absent("fld")));
        alike(caller, "GET", &foreign, &nobodys, None).await;
        alike(caller, "PATCH", &foreign, &nobodys, Some(&json!({ "label": "L" }))).await;
        alike(caller, "DELETE", &foreign, &nobodys, None).await;
        alike(caller, "POST", &format!("{foreign}/restore"), &format!("{nobodys}/restore"), None).await;
        let (foreign, nobodys) = (path("webhooks", id(&hook)), path("webhooks", &absent("whk")));
        for (method, end, body) in [
            ("GET", "", None),
            ("PATCH", "", Some(json!({ "active": true }))),
            ("DELETE", "", None),
            ("POST", "/rotate-secret", Some(json!({ "graceSeconds": 0 }))),
            ("POST", "/test", None),
            ("GET", "/deliveries", None),
            ("POST", "/recover", Some(since.clone())),
        ] {
            alike(caller, method, &format!("{foreign}{end}"), &format!("{nobodys}{end}"), body.as_ref()).await;
        }
        let (foreign, nobodys) = (path("deliveries", id(&ping)), path("deliveries", &absent("dlv")));
        alike(caller, "GET", &foreign, &nobodys, None).await;
        alike(caller, "POST", &format!("{foreign}/redeliver"), &format!("{nobodys}/redeliver"), None).await;
        alike(caller, "GET", &path("jobs", id(&job)), &path("jobs", &absent("job")), None).await;
    }
    let hooks_after = [ada.key.get(&hook_path).await.data(200), ada.key.get(&delivery_path).await.data(200)];
    assert_eq!(hooks_after, hooks_before);

    // Named in a body or in the query, it is not there either.
    for groups in [json!([group["id"]]), json!([bobs["id"], group["id"]])] {
        let of = |text: String| {
            json!({ "key": "a", "label": "A", "schema": { "type": "string" },
            "fieldGroupIds": serde_json::from_str::<Value>(&text).unwrap() })
        };
        let foreign = bob.key.post("/api/v1/global-fields").json(&of(groups.to_string())).await;
        let nobodys = groups.to_string().replace(id(&group), &absent("fg"));
        let nobodys = bob.key.post("/api/v1/global-fields").json(&of(nobodys)).await;
        foreign.fails(422, "validation_failed");
        assert_eq!(foreign.but_for_request_id(), nobodys.but_for_request_id());
    }
    let filtered = |id: &str| bob.key.get(&format!("/api/v1/global-fields?fieldGroupId={id}")).into_future();
    let (foreign, nobodys) = (filtered(id(&group)).await, filtered(&absent("fg")).await);
    assert_eq!(foreign.but_for_request_id(), nobodys.but_for_request_id());
    assert_eq!(ada.key.everything("acme", "product").await, before);
}

#[tokio::test]
async fn another_tenants_resources_are_as_if_they_were_not() {
    let app = App::start().await;
    let key = app.account("ada").await.key;
    let text = json!({ "type": "string" });
    let (group, other) = (key.group("product").await, key.group("other").await);
    let global = key.global("title", text.clone(), &[&group]).await;
    let own = key.own("acme", "product", "color", text.clone()).await;
    let deleted = key.own("acme", "product", "gone", text).await;
    key.save("acme", "product", "sku-1", json!({ "color": "red" })).await;
    key.save("globex", "product", "mine", json!({ "title": "x" })).await;
    key.delete(&format!("{}/{}", fields("acme", "product"), id(&deleted))).await.expect(204);
    let before = key.everything("acme", "product").await;

    for (tenant, group) in [("globex", "product"), ("globex", id(&group)), ("acme", "other"), ("acme", id(&other))] {
        let nobodys = format!("{}/{}", fields(tenant, group), absent("fld"));
        // A global field is not a tenant's, and has its own address.
        for field in [&own, &deleted, &global] {
            let foreign = format!("{}/{}", fields(tenant, group), id(field));
            alike(&key, "GET", &foreign, &nobodys, None).await;
            alike(&key, "PATCH", &foreign, &nobodys, Some(&json!({ "label": "L" }))).await;
            alike(&key, "DELETE", &foreign, &nobodys, None).await;
            alike(&key, "POST", &format!("{foreign}/restore"), &format!("{nobodys}/restore"), None).await;
        }
        let (foreign, nobodys) = (values(tenant, group, "sku-1"), values(tenant, group, "nothing"));
        alike(&key, "GET", &foreign, &nobodys, None).await;
        alike(&key, "DELETE", &foreign, &nobodys, None).await;
        alike(&key, "POST", &format!("{foreign}/restore"), &format!("{nobodys}/restore"), None).await;
    }
    let as_global = |id: &str| format!("/api/v1/global-fields/{id}");
    for method in ["GET", "DELETE"] {
        alike(&key, method, &as_global(id(&own)), &as_global(&absent("fld")), None).await;
    }
    // A field that the tenant does not see takes no values.
    let path = values("globex", "product", "sku-1");
    let (foreign, nobodys) = (json!({ "color": "x" }), json!({ "colot": "x" }));
    let (foreign, nobodys) = (key.post(&path).json(&foreign).await, key.post(&path).json(&nobodys).await);
    foreign.wrong(&["color"]);
    assert_eq!(String::from_utf8_lossy(&nobodys.body).replace("colot", "color").len(), foreign.body.len());
    assert_eq!(key.everything("acme", "product").await, before);
}

#[tokio::test]
async fn the_same_names_in_two_clients_are_two_things() {
    let app = App::start().await;
    let (ada, bob) = (app.account("ada").await.key, app.account("bob").await.key);
    for (key, color) in [(&ada, "red"), (&bob, "blue")] {
        key.group("product").await;
        key.own("acme", "product", "color", json!({ "type": "string" })).await;
        key.save("acme", "product", "sku-1", json!({ "color": color })).await;
    }
    bob.delete(&values("acme", "product", "sku-1")).await.expect(204);
    bob.delete("/api/v1/field-groups/product").await.expect(204);
    let kept = ada.get(&values("acme", "product", "sku-1")).await.data(200);
    assert_eq!((&kept["values"], &kept["version"]), (&json!({ "color": "red" }), &json!(1)));
}

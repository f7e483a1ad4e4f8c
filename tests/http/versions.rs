//! Versions: `ETag`, `If-Match`, conflicts.

use hedgerow_tests::app::{App, Caller, fields, id, values};
use serde_json::{Value, json};

/// A resource that can be changed: who, where, by which method, from what to what, and whether it can be restored.
struct Kind {
    caller: Caller,
    path: String,
    method: &'static str,
    change: fn(u64) -> Value,
    restores: bool,
}

async fn kinds(app: &App) -> Vec<Kind> {
    let account = app.account("ada").await;
    let key = &account.key;
    let group = key.group("product").await;
    key.group("spare").await;
    let global = key.global("title", json!({ "type": "string" }), &[&group]).await;
    let own = key.own("acme", "product", "color", json!({ "type": "number" })).await;
    key.save("acme", "product", "sku-1", json!({ "color": 0 })).await;
    key.save("acme", "product", "sku-2", json!({ "color": 0 })).await;
    let made = account.owner.post("/api/v1/api-keys").json(&json!({ "name": "A", "type": "preview" })).await.data(201);
    let hook = json!({ "url": "https://example.com/hooks", "events": ["*"], "active": false });
    let hook = key.post("/api/v1/webhooks").json(&hook).await.data(201);
    let described = |number| json!({ "description": format!("n{number}") });
    let named = |number| json!({ "name": format!("n{number}") });
    let labelled = |number| json!({ "label": format!("n{number}") });
    let colored = |number| json!({ "color": number });
    let kind = |caller: &Caller, path: String, method, change, restores| Kind {
        caller: caller.clone(),
        path,
        method,
        change,
        restores,
    };
    vec![
        kind(&account.owner, format!("/api/v1/api-keys/{}", id(&made)), "PATCH", named, false),
        kind(key, format!("/api/v1/webhooks/{}", id(&hook)), "PATCH", described, false),
        kind(key, values("acme", "product", "sku-1"), "POST", colored, true),
        kind(key, values("acme", "product", "sku-2"), "PUT", colored, true),
        kind(key, format!("{}/{}", fields("acme", "product"), id(&own)), "PATCH", labelled, true),
        kind(key, format!("/api/v1/global-fields/{}", id(&global)), "PATCH", labelled, true),
        kind(key, format!("/api/v1/field-groups/{}", id(&group)), "PATCH", named, true),
    ]
}

#[tokio::test]
async fn every_change_is_one_version_more() {
    let app = App::start().await;
    for kind in kinds(&app).await {
        let Kind { caller, path, method, change, .. } = &kind;
        for version in 1..4 {
            let found = caller.get(path).await;
            assert_eq!((found.etag(), &found.data(200)["version"]), (&*format!("\"{version}\""), &json!(version)));
            let changed = caller.call(method, path).at(&format!("\"{version}\"")).json(&change(version)).await;
            assert_eq!(changed.etag(), format!("\"{}\"", version + 1));
            assert_eq!(changed.data(200)["version"], version + 1);
            assert_eq!(caller.get(path).await.data(200), changed.data(200));
        }
        caller.call(method, path).json(&change(9)).await.expect(200);
        if kind.restores {
            caller.delete(path).at("\"5\"").await.expect(204);
            let restore = format!("{path}/restore");
            caller.post(&restore).at("\"5\"").await.fails(409, "version_conflict");
            caller.post(&restore).at("6").await.fails(400, "malformed_request");
            let back = caller.post(&restore).at("\"6\"").await;
            assert_eq!((back.etag(), &back.data(200)["version"]), ("\"7\"", &json!(7)), "{path}");
        }
    }
}

#[tokio::test]
async fn what_changes_nothing_makes_no_version() {
    let app = App::start().await;
    let account = app.account("ada").await;
    let (owner, key) = (&account.owner, &account.key);
    let groups = [key.group("product").await, key.group("spare").await];
    let ids = groups.each_ref().map(id);
    let schema = json!({ "type": "string", "validation": { "maxLength": 9 }, "ui": { "placeholder": "p" } });
    let global = key.global("title", json!({ "type": "url" }), &[&groups[0], &groups[1]]).await;
    let own = key.own("acme", "product", "color", schema).await;
    key.own("acme", "product", "many", json!({ "type": "multiselect", "validation": { "options": ["a", "b"] } })).await;
    key.own("acme", "product", "mail", json!({ "type": "email" })).await;
    key.save("acme", "product", "sku", json!({ "color": "red", "mail": "a@b.example" })).await;
    let api_key = json!({
        "name": "A", "type": "management", "permissions": ["values:read", "schema:read"],
        "allowedIps": ["10.0.0.0/8", "6.6.6.6", "::1"], "expiresAt": "2100-01-01T00:00:00Z",
    });
    let api_key = owner.post("/api/v1/api-keys").json(&api_key).await.data(201);
    let preview = owner.post("/api/v1/api-keys").json(&json!({ "name": "B", "type": "preview" })).await.data(201);
    let hook = json!({
        "url": "https://example.com", "events": ["field_group.deleted", "field_value.*"], "tenantIds": ["b", "a"],
        "headers": { "X-A": "1", "X-B": "2" },
    });
    let hook = key.post("/api/v1/webhooks").json(&hook).await.data(201);
    assert_eq!(
        (&hook["events"], &hook["tenantIds"]),
        (&json!(["field_value.*", "field_group.deleted"]), &json!(["a", "b"]))
    );

    let group = format!("/api/v1/field-groups/{}", ids[0]);
    let global = format!("/api/v1/global-fields/{}", id(&global));
    let own = format!("{}/{}", fields("acme", "product"), id(&own));
    let saved = values("acme", "product", "sku");
    let api_key = format!("/api/v1/api-keys/{}", id(&api_key));
    let preview = format!("/api/v1/api-keys/{}", id(&preview));
    let hook = format!("/api/v1/webhooks/{}", id(&hook));
    let whole = json!({ "type": "string", "validation": { "maxLength": 9.0, "required": false, "minLength": 0 },
        "ui": { "placeholder": " p", "order": null }, "default": null });
    for (caller, method, path, change) in [
        (key, "PATCH", &group, json!({})),
        (key, "PATCH", &group, json!({ "name": " product ", "description": null, "publishing": "immediate" })),
        (key, "PATCH", &global, json!({ "schema": { "type": "url", "ui": {} } })),
        (key, "PATCH", &global, json!({ "schema": { "type": "url", "validation": { "required": false } } })),
        (key, "PATCH", &global, json!({ "fieldGroupIds": [ids[1], ids[0], ids[1]] })),
        (key, "PATCH", &own, json!({ "schema": whole })),
        (key, "POST", &saved, json!({})),
        (key, "POST", &saved, json!({ "color": "red", "mail": " a@b。example", "many": null })),
        (key, "PUT", &saved, json!({ "mail": "a@b.example", "color": "red" })),
        (owner, "PATCH", &api_key, json!({ "permissions": ["schema:read", "values:read", "schema:read"] })),
        (
            owner,
            "PATCH",
            &api_key,
            json!({ "expiresAt": "2100-01-01T02:00:00+02:00", "active": true, "rateLimit": null }),
        ),
        (owner, "PATCH", &api_key, json!({ "allowedIps": ["::1", "6.6.6.6/32", "10.1.2.3/8", "::ffff:6.6.6.6"] })),
        (
            owner,
            "PATCH",
            &preview,
            json!({ "permissions": null, "allowedIps": null, "rateLimit": null, "expiresAt": null }),
        ),
        (key, "PATCH", &hook, json!({ "events": ["field_value.*", "field_group.deleted", "field_value.*"] })),
        (key, "PATCH", &hook, json!({ "tenantIds": ["b", "a", "b"], "url": "https://example.com/", "active": true })),
        (key, "PATCH", &hook, json!({ "headers": { "X-B": "2", "X-A": null }, "signatureHeader": null })),
    ] {
        let before = caller.get(path).await.data(200);
        let after = caller.call(method, path).json(&change).await;
        assert_eq!(after.data(200), before, "{path} {change}");
        assert_eq!(caller.get(path).await.data(200), before, "{path} {change}");
    }
}

#[tokio::test]
async fn a_stale_version_is_a_conflict() {
    let app = App::start().await;
    for Kind { caller, path, method, change, .. } in kinds(&app).await {
        for number in 1..5 {
            caller.call(method, &path).json(&change(number)).await.expect(200);
        }
        let before = caller.get(&path).await.data(200);
        for (sent, version) in [("\"4\"", 4), ("\"6\"", 6), ("\"0\"", 0), ("\"18446744073709551615\"", u64::MAX)] {
            let changed = caller.call(method, &path).at(sent).json(&change(7)).await;
            let deleted = caller.delete(&path).at(sent).await;
            for answer in [changed, deleted] {
                answer.fails(409, "version_conflict");
                let expected = json!({
                    "error": "version_conflict",
                    "message": format!("Version mismatch: client sent {version}, current is 5."),
                    "details": { "currentVersion": 5, "clientVersion": version },
                    "requestId": answer.request_id(),
                });
                assert_eq!(answer.json(), expected);
                assert!(answer.all("etag").is_empty());
            }
        }
        assert_eq!(caller.get(&path).await.data(200), before);
    }
}

#[tokio::test]
async fn a_malformed_version_is_refused() {
    let app = App::start().await;
    for Kind { caller, path, method, change, .. } in kinds(&app).await {
        let before = caller.get(&path).await.data(200);
        for bad in [
            "",
            "1",
            "\"\"",
            "\"",
            "\"1",
            "1\"",
            "W/1",
            "w/\"1\"",
            "W/ \"1\"",
            "W/*",
            "\"*\"",
            "*, \"1\"",
            "\"01\"",
            "\"18446744073709551616\"",
            "\"one\"",
            "\"-1\"",
            "\"+1\"",
            "\"1.0\"",
            "\" 1\"",
            "\"1\", \"2\"",
            "\"1\",\"1\"",
            "\"0x1\"",
            "'1'",
            "\"\u{661}\"",
            "\"1\" x",
        ] {
            let changed = caller.call(method, &path).at(bad).json(&change(7)).await;
            assert_eq!(changed.status, 400, "{bad}: {changed}");
            caller.delete(&path).at(bad).await.fails(400, "malformed_request");
        }
        let twice = caller.call(method, &path).at("\"1\"").at("\"1\"").json(&change(7)).await;
        twice.fails(400, "malformed_request");
        assert_eq!(caller.get(&path).await.data(200), before);
    }
}

#[tokio::test]
async fn a_precondition_may_be_weak_or_ask_that_something_is_there_or_not() {
    let app = App::start().await;
    for Kind { caller, path, method, change, restores } in kinds(&app).await {
        let write = |number| caller.call(method, &path).json(&change(number));
        assert_eq!(write(1).at("W/\"1\"").await.data(200)["version"], 2);
        write(2).at("W/\"1\"").await.fails(409, "version_conflict");
        assert_eq!(write(2).at("*").await.data(200)["version"], 3);
        for refused in [write(3), caller.delete(&path)] {
            let refused = refused.header("if-none-match", "*").await;
            refused.fails(409, "version_conflict");
            assert_eq!(refused.json()["message"], "Version mismatch: client sent 0, current is 3.");
            assert_eq!(refused.json()["details"], json!({ "currentVersion": 3, "clientVersion": 0 }));
        }
        for bad in ["\"3\"", "W/\"3\"", "", "**"] {
            write(3).header("if-none-match", bad).await.fails(400, "malformed_request");
        }
        write(3).at("\"3\"").header("if-none-match", "*").await.fails(400, "malformed_request");
        write(3).header("if-none-match", "*").header("if-none-match", "*").await.fails(400, "malformed_request");
        assert_eq!(caller.get(&path).await.data(200)["version"], 3);
        if restores {
            caller.delete(&path).at("*").await.expect(204);
            let restore = format!("{path}/restore");
            caller.post(&restore).at("*").await.fails(409, "version_conflict");
            assert_eq!(caller.post(&restore).header("if-none-match", "*").await.data(200)["version"], 5);
            caller.post(&restore).header("if-none-match", "*").await.fails(409, "version_conflict");
        }
    }
}

#[tokio::test]
async fn what_is_new_is_not_there_yet() {
    let app = App::start().await;
    let account = app.account("ada").await;
    let group = account.key.group("product").await;
    let field = json!({ "key": "color", "label": "Color", "schema": { "type": "string" } });
    let global = json!({
        "key": "title", "label": "Title", "schema": { "type": "string" }, "fieldGroupIds": [id(&group)]
    });
    for (caller, path, body) in [
        (&account.key, "/api/v1/field-groups".to_owned(), json!({ "key": "new", "name": "New" })),
        (&account.key, "/api/v1/global-fields".to_owned(), global),
        (&account.key, fields("acme", "product"), field),
        (&account.owner, "/api/v1/api-keys".to_owned(), json!({ "name": "A", "type": "preview" })),
        (&account.key, "/api/v1/webhooks".to_owned(), json!({ "url": "https://example.com/", "events": ["*"] })),
    ] {
        let create = || caller.post(&path).json(&body);
        for absent in ["*", "\"1\"", "W/\"2\""] {
            let refused = create().at(absent).await;
            refused.fails(409, "version_conflict");
            assert_eq!(refused.json()["details"]["currentVersion"], 0);
        }
        create().at("1").await.fails(400, "malformed_request");
        create().header("if-none-match", "\"1\"").await.fails(400, "malformed_request");
        create().header("if-none-match", "*").await.expect(201);
    }
}

#[tokio::test]
async fn values_are_saved_only_if_there_are_none_or_only_if_there_are_some() {
    let app = App::start().await;
    let key = app.account("ada").await.key;
    key.group("product").await;
    key.own("acme", "product", "color", json!({ "type": "string" })).await;
    for method in ["POST", "PUT"] {
        let path = values("acme", "product", method);
        let save = |color: &str| key.call(method, &path).json(&json!({ "color": color }));
        let absent = save("red").at("*").await;
        absent.fails(409, "version_conflict");
        assert_eq!(absent.json()["message"], "Version mismatch: client sent *, current is 0.");
        assert_eq!(absent.json()["details"], json!({ "currentVersion": 0, "clientVersion": null }));
        assert_eq!(save("red").header("if-none-match", "*").await.data(200)["version"], 1);
        save("blue").header("if-none-match", "*").await.fails(409, "version_conflict");
        assert_eq!(key.get(&path).await.data(200)["values"]["color"], "red");
        // What is deleted is not there.
        key.delete(&path).await.expect(204);
        for stale in ["\"1\"", "\"2\"", "*"] {
            let refused = save("blue").at(stale).await;
            refused.fails(409, "version_conflict");
            assert_eq!(refused.json()["details"]["currentVersion"], 0);
        }
        assert_eq!(save("blue").header("if-none-match", "*").await.data(200)["version"], 3);
    }
}

#[tokio::test]
async fn of_those_who_make_something_at_once_one_does() {
    let app = App::start().await;
    let key = app.account("ada").await.key;
    key.group("product").await;
    let path = values("acme", "product", "e");
    let make = || tokio::spawn(key.put(&path).header("if-none-match", "*").json(&json!({})).into_future());
    let calls: Vec<_> = (0..6).map(|_| make()).collect();
    let mut made = 0;
    for call in calls {
        match call.await.unwrap() {
            answer if answer.status == 200 => made += 1,
            answer => answer.fails(409, "version_conflict"),
        }
    }
    assert_eq!(made, 1);
}

#[tokio::test]
async fn a_write_that_changes_nothing_makes_no_version() {
    let app = App::start().await;
    for Kind { caller, path, method, change, .. } in kinds(&app).await {
        let first = caller.call(method, &path).json(&change(1)).await.data(200);
        let again = caller.call(method, &path).json(&change(1)).at("\"2\"").await;
        assert_eq!((again.etag(), again.data(200)), ("\"2\"", first.clone()), "{path}");
        caller.call(method, &path).json(&change(1)).at("\"1\"").await.fails(409, "version_conflict");
        if method != "PUT" {
            assert_eq!(caller.call(method, &path).json(&json!({})).await.data(200), first);
        }
        assert_eq!(caller.get(&path).await.data(200), first);
    }
}

#[tokio::test]
async fn sixteen_writers_of_one_entity_all_get_an_answer() {
    let app = App::start().await;
    let key = app.account("ada").await.key;
    key.group("product").await;
    key.own("acme", "product", "number", json!({ "type": "number" })).await;
    let path = values("acme", "product", "e");
    let save = |number: u64| tokio::spawn(key.post(&path).json(&json!({ "number": number })).into_future());
    for round in 0..3 {
        let calls: Vec<_> = (0..16).map(|writer| save(round * 16 + writer)).collect();
        for call in calls {
            let answer = call.await.unwrap();
            assert!(matches!(answer.status, 200 | 409), "{answer}");
        }
    }
}

#[tokio::test]
async fn values_that_are_not_there_have_no_version_yet() {
    let app = App::start().await;
    let key = app.account("ada").await.key;
    key.group("product").await;
    let path = values("acme", "product", "e");
    for method in ["POST", "PUT"] {
        let conflict = key.call(method, &path).at("\"1\"").json(&json!({})).await;
        conflict.fails(409, "version_conflict");
        assert_eq!(conflict.json()["message"], "Version mismatch: client sent 1, current is 0.");
    }
    key.get(&path).await.fails(404, "values_not_found");
    assert_eq!(key.post(&path).at("\"0\"").json(&json!({})).await.data(200)["version"], 1);
}

#[tokio::test]
async fn of_changes_of_one_version_at_once_one_wins() {
    let app = App::start().await;
    for Kind { caller, path, method, change, .. } in kinds(&app).await {
        let calls: Vec<_> = (1..5)
            .map(|number| tokio::spawn(caller.call(method, &path).at("\"1\"").json(&change(number)).into_future()))
            .collect();
        let mut won = 0;
        for call in calls {
            let answer = call.await.unwrap();
            match answer.status {
                200 => won += 1,
                _ => answer.fails(409, "version_conflict"),
            }
        }
        assert_eq!(won, 1, "{path}");
        assert_eq!(caller.get(&path).await.data(200)["version"], 2);
    }
}

#[tokio::test]
async fn what_is_not_there_is_not_found_whatever_the_version() {
    let app = App::start().await;
    let key = app.account("ada").await.key;
    key.group("product").await;
    for version in ["\"0\"", "\"1\""] {
        key.delete(&values("acme", "product", "e")).at(version).await.fails(404, "values_not_found");
        let changed = key.patch("/api/v1/field-groups/nothing").at(version).json(&json!({ "name": "A" })).await;
        changed.fails(404, "field_group_not_found");
    }
}

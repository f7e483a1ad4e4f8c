//! Lists: pages, limits, and cursors that are good for their own list alone.

use hedgerow_tests::app::{Account, App, Caller, entities, fields, id};
use serde_json::{Value, json};

/// A client with five of everything; its lists, each with who may read it.
async fn lists<'a>(app: &App, account: &'a Account) -> Vec<(&'a Caller, String)> {
    let (key, owner) = (&account.key, &account.owner);
    let text = json!({ "type": "string" });
    let (mut groups, mut hooks) = (Vec::new(), Vec::new());
    for number in 0..5 {
        groups.push(key.group(&format!("g{number}")).await);
        if number > 0 {
            owner.post("/api/v1/api-keys").json(&json!({ "name": "A", "type": "preview" })).await.expect(201);
        }
    }
    for number in 0..5 {
        key.global(&format!("f{number}"), text.clone(), &[&groups[0], &groups[1]]).await;
        for tenant in ["acme", "globex"] {
            for group in ["g0", "g1"] {
                key.save(tenant, group, &format!("e{number}"), json!({})).await;
            }
        }
        key.save(&format!("tenant{number}"), "g0", "e", json!({})).await;
        let hook = json!({ "url": "https://example.com/hooks", "events": ["*"], "active": false });
        hooks.push(key.post("/api/v1/webhooks").json(&hook).await.data(201));
        app.clock.advance(std::time::Duration::from_millis(2));
    }
    let deliveries = |at: usize| format!("/api/v1/webhooks/{}/deliveries", id(&hooks[at]));
    for _ in 0..5 {
        for hook in &hooks[..2] {
            key.post(&format!("/api/v1/webhooks/{}/test", id(hook))).await.expect(202);
        }
        app.clock.advance(std::time::Duration::from_millis(2));
    }
    let filtered = |group: &Value| format!("/api/v1/global-fields?fieldGroupId={}", id(group));
    vec![
        (owner, "/api/v1/api-keys".to_owned()),
        (key, "/api/v1/field-groups".to_owned()),
        (key, "/api/v1/global-fields".to_owned()),
        (key, filtered(&groups[0])),
        (key, filtered(&groups[1])),
        (key, "/api/v1/tenants".to_owned()),
        (key, fields("acme", "g0")),
        (key, fields("acme", "g1")),
        (key, fields("globex", "g0")),
        (key, entities("acme", "g0")),
        (key, entities("acme", "g1")),
        (key, entities("globex", "g0")),
        (key, "/api/v1/webhooks".to_owned()),
        (key, deliveries(0)),
        (key, deliveries(1)),
        (key, format!("{}?status=held", deliveries(0))),
        (key, format!("{}?event=test.ping", deliveries(0))),
    ]
}

fn with(path: &str, query: &str) -> String {
    format!("{path}{}{query}", if path.contains('?') { '&' } else { '?' })
}

#[tokio::test]
async fn the_pages_of_a_list_are_the_list() {
    let app = App::start().await;
    let account = app.account("ada").await;
    for (caller, path) in lists(&app, &account).await {
        let (all, end) = caller.get(&with(&path, "limit=100")).await.page();
        assert!(all.len() >= 5 && end.is_none(), "{path}");
        for limit in [1, 2, 3, all.len()] {
            let (mut found, mut cursor, mut pages) = (Vec::new(), None::<String>, 0);
            loop {
                let after = cursor.map_or(String::new(), |cursor| format!("&cursor={cursor}"));
                let (page, next) = caller.get(&with(&path, &format!("limit={limit}{after}"))).await.page();
                assert!(page.len() == limit || next.is_none(), "{path}");
                found.extend(page);
                cursor = next;
                pages += 1;
                if cursor.is_none() {
                    break;
                }
            }
            assert_eq!((&found, pages), (&all, all.len().div_ceil(limit)), "{path}");
        }
    }
}

#[tokio::test]
async fn a_page_has_twenty_five_unless_it_is_told() {
    let app = App::start().await;
    let key = app.account("ada").await.key;
    for number in 0..27 {
        key.group(&format!("g{number:02}")).await;
    }
    let (page, next) = key.get("/api/v1/field-groups").await.page();
    assert_eq!(page.len(), 25);
    let (rest, end) = key.get(&format!("/api/v1/field-groups?cursor={}", next.unwrap())).await.page();
    assert_eq!((rest.len(), end), (2, None));
    let (all, end) = key.get("/api/v1/field-groups?limit=27").await.page();
    assert_eq!((all.len(), end), (27, None));
}

#[tokio::test]
async fn a_limit_is_a_whole_number_from_1_to_100() {
    let app = App::start().await;
    let account = app.account("ada").await;
    for (caller, path) in lists(&app, &account).await {
        for bad in ["0", "101", "abc", "", "-1", "1.5", "1e1", "%2B5", " 5", "0x5", "99999999999999999999", "5&limit=5"]
        {
            caller.get(&with(&path, &format!("limit={bad}"))).await.fails(400, "malformed_request");
        }
        for good in ["1", "100"] {
            caller.get(&with(&path, &format!("limit={good}"))).await.expect(200);
        }
    }
}

#[tokio::test]
async fn a_cursor_is_good_for_its_own_list_alone() {
    let app = App::start().await;
    let (ada, bob) = (app.account("ada").await, app.account("bob").await);
    let (adas, bobs) = (lists(&app, &ada).await, lists(&app, &bob).await);
    for (at, (caller, path)) in adas.iter().enumerate() {
        let cursor = caller.get(&with(path, "limit=2")).await.page().1.unwrap();
        let first = caller.get(&with(path, &format!("limit=2&cursor={cursor}"))).await.expect(200).json();
        for (other, (caller, path)) in adas.iter().enumerate() {
            let answer = caller.get(&with(path, &format!("limit=2&cursor={cursor}"))).await;
            if at == other {
                assert_eq!(answer.expect(200).json(), first, "again, the same page");
            } else {
                answer.fails(400, "malformed_request");
            }
        }
        let (caller, path) = &bobs[at];
        caller.get(&with(path, &format!("limit=2&cursor={cursor}"))).await.fails(400, "malformed_request");
    }
}

#[tokio::test]
async fn a_cursor_that_was_touched_is_none() {
    let app = App::start().await;
    let account = app.account("ada").await;
    for (caller, path) in lists(&app, &account).await {
        let cursor = caller.get(&with(&path, "limit=2")).await.page().1.unwrap();
        assert!(cursor.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)), "{cursor}");
        let first = caller.get(&with(&path, "limit=2")).await.expect(200).json();
        assert_eq!(caller.get(&with(&path, "limit=2&cursor=")).await.expect(200).json(), first, "an empty one is none");
        let mut bad = vec![
            "x".into(),
            "%00".into(),
            "%FF".into(),
            "%C3%A9".into(),
            "fg_00000000000000000000000000000000".into(),
            cursor[..cursor.len() - 1].into(),
            cursor[1..].into(),
            format!("{cursor}A"),
            format!("{cursor}%3D"),
            format!("{cursor}&cursor={cursor}"),
            cursor.to_lowercase(),
            "A".repeat(10_000),
        ];
        for at in (0..cursor.len()).step_by(5) {
            let mut text = cursor.as_bytes().to_vec();
            text[at] = if text[at] == b'A' { b'Q' } else { b'A' };
            bad.push(String::from_utf8(text).unwrap());
        }
        for bad in bad.iter().filter(|bad| **bad != cursor) {
            caller.get(&with(&path, &format!("cursor={bad}"))).await.fails(400, "malformed_request");
        }
    }
}

#[tokio::test]
async fn a_cursor_outlives_what_it_ended_at() {
    let app = App::start().await;
    let account = app.account("ada").await;
    let key = &account.key;
    key.group("product").await;
    for number in 0..4 {
        key.own("acme", "product", &format!("f{number}"), json!({ "type": "string" })).await;
        key.save("acme", "product", &format!("e{number}"), json!({})).await;
        key.group(&format!("z{number}")).await;
        account.owner.post("/api/v1/api-keys").json(&json!({ "name": "A", "type": "preview" })).await.expect(201);
        app.clock.advance(std::time::Duration::from_millis(2));
    }
    for (caller, list, name) in [
        (key, fields("acme", "product"), "id"),
        (key, entities("acme", "product"), "entityId"),
        (key, "/api/v1/field-groups".to_owned(), "id"),
    ] {
        let (all, _) = caller.get(&list).await.page();
        let (page, cursor) = caller.get(&with(&list, "limit=2")).await.page();
        let last = page[1][name].as_str().unwrap();
        let own = if name == "id" { format!("{list}/{last}") } else { format!("{list}/{last}/values") };
        caller.delete(&own).await.expect(204);
        let (rest, _) = caller.get(&with(&list, &format!("cursor={}", cursor.unwrap()))).await.page();
        assert_eq!(rest, all[2..], "{list}");
    }
}

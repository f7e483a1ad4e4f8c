//! The audit log, as an auditor reads it.

use std::collections::BTreeSet;
use std::time::Duration;

use auth::ApiKeySecret;
use auth::audit_chain::{Report, Verifier};
use contract::permission::KeyType;
use hedgerow_tests::app::{Account, App, Caller, cookie_of, id, values};
use hedgerow_tests::process::{Dev, PATIENCE, program};
use hedgerow_tests::wait::{eventually, until};
use serde_json::{Value, json};
use store::tables::Table;

const LOG: &str = "/api/v1/audit-log";
const EXPORT: &str = "/api/v1/audit-log/export";
const NEW: &str = "four oak tables and a lamp";

/// Hedgerow with what writes the log.
async fn working() -> App {
    let mut app = App::start().await;
    app.work();
    app
}

/// Waits until all that was done is written down.
async fn recorded(app: &App) {
    let stream = &app.backend.engine.as_ref().unwrap().engines.dynamo;
    let stream = stream.stream(app.backend.tables.of(Table::Main)).unwrap();
    eventually(|| async {
        let read = stream.checkpoint("recorder").unwrap();
        stream.read(read.as_deref(), 1).unwrap().is_empty()
    })
    .await;
}

/// All that the log has, newest first.
async fn log(caller: &Caller, query: &str) -> Vec<Value> {
    let (mut all, mut cursor) = (Vec::new(), String::new());
    loop {
        let (items, next) = caller.get(&format!("{LOG}?limit=7{query}{cursor}")).await.page();
        all.extend(items);
        let Some(next) = next else { return all };
        cursor = format!("&cursor={next}");
    }
}

/// Of what has `resource` as a part of its path, oldest first: what was done, and by whom.
async fn of(caller: &Caller, resource: &str) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let mut all = log(caller, &format!("&resource={resource}")).await;
    all.reverse();
    all.iter().map(|entry| (text(&entry["action"]), text(&entry["actor"]))).collect()
}

fn done<'a>(actor: &'a str, actions: &[&'a str]) -> Vec<(String, String)> {
    actions.iter().map(|action| ((*action).to_owned(), actor.to_owned())).collect()
}

async fn exported(caller: &Caller, query: &str) -> String {
    let answer = caller.get(&format!("{EXPORT}{query}")).await.expect(200);
    assert_eq!(answer.header("content-type"), "application/jsonl");
    String::from_utf8(answer.body).unwrap()
}

fn verified(text: &str) -> Report {
    let mut verifier = Verifier::new();
    text.lines().for_each(|line| verifier.line(line));
    verifier.end()
}

async fn user_of(caller: &Caller) -> String {
    id(&caller.get("/api/auth/session").await.data(200)["user"]).to_owned()
}

/// The identifier of a key, by its owner's list.
async fn key_of(account: &Account) -> String {
    id(&account.owner.get("/api/v1/api-keys").await.page().0[0]).to_owned()
}

#[tokio::test]
async fn what_is_done_to_definitions_and_values_is_told_with_who_did_it() {
    let app = working().await;
    let account = app.account("acme").await;
    let (key, owner) = (key_of(&account).await, user_of(&account.owner).await);
    let group = account.key.group("product").await;
    let path = format!("/api/v1/field-groups/{}", id(&group));
    account.owner.patch(&path).json(&json!({ "name": "Goods" })).await.expect(200);
    let field = account.key.global("title", json!({ "type": "string" }), &[&group]).await;
    let own = account.key.own("acme", "product", "color", json!({ "type": "string" })).await;

    let sku = values("acme", "product", "sku-1");
    account.key.save("acme", "product", "sku-1", json!({ "title": "Walnut table", "color": "green" })).await;
    let body = json!({ "tenantId": "acme", "fieldGroupKey": "product" });
    let token = account.key.post("/api/auth/token").json(&body).await.data(201);
    let page = app.anonymous().with("authorization", &format!("Bearer {}", token["token"].as_str().unwrap()));
    let saved = page.with("x-request-id", "of-the-page").with("user-agent", "a browser");
    saved.post(&sku).json(&json!({ "title": "Oak table" })).await.expect(200);
    // What changes nothing is nothing that was done.
    saved.post(&sku).json(&json!({ "title": "Oak table" })).await.expect(200);
    account.owner.delete(&sku).await.expect(204);
    account.owner.post(&format!("{sku}/restore")).await.expect(200);
    account.key.delete(&path).await.expect(204);
    account.key.post(&format!("{path}/restore")).await.expect(200);
    let revoke = "/api/v1/tenants/acme/embed-tokens/revoke";
    account.key.post(revoke).await.expect(204);
    recorded(&app).await;

    let group_path = format!("field-groups/{}", id(&group));
    let mut groups = log(&account.key, "&action=field_group.*").await;
    groups.reverse();
    let told: Vec<_> =
        groups.iter().map(|entry| (entry["action"].as_str().unwrap(), entry["actor"].as_str().unwrap())).collect();
    let expected = [("created", &key), ("updated", &owner), ("deleted", &key), ("restored", &key)];
    assert_eq!(
        told,
        expected
            .map(|(action, by)| (format!("field_group.{action}"), by.as_str()))
            .each_ref()
            .map(|(a, b)| (a.as_str(), *b))
    );
    assert!(groups.iter().all(|entry| entry["resource"] == group_path));
    assert_eq!(
        (&groups[1]["before"], &groups[1]["after"]),
        (&json!({ "name": "product", "version": 1 }), &json!({ "name": "Goods", "version": 2 }))
    );
    assert_eq!(groups[0]["after"]["key"], "product");

    let fields = of(&account.key, &format!("global-fields/{}", id(&field))).await;
    assert_eq!(fields, done(&key, &["global_field.created"]));
    let fields = log(&account.key, "&action=tenant_field.created").await;
    assert_eq!(fields[0]["resource"], format!("tenants/acme/{group_path}/fields/{}", id(&own)));
    assert_eq!((&fields[0]["tenantId"], &fields[0]["fieldGroupId"]), (&json!("acme"), &group["id"]));

    let mut saves = log(&account.key, "&action=field_value.*").await;
    saves.reverse();
    let tok = saves[1]["actor"].as_str().unwrap().to_owned();
    assert!(tok.starts_with("tok_"));
    let told: Vec<_> =
        saves.iter().map(|entry| (&entry["action"], entry["actor"].as_str().unwrap(), &entry["changed"])).collect();
    let (both, title) = (json!(["color", "title"]), json!(["title"]));
    assert_eq!(
        told,
        [
            (&json!("field_value.saved"), key.as_str(), &both),
            (&json!("field_value.saved"), tok.as_str(), &title),
            (&json!("field_value.deleted"), owner.as_str(), &both),
            (&json!("field_value.restored"), owner.as_str(), &both),
        ]
    );
    for entry in &saves {
        assert_eq!(entry["resource"], format!("tenants/acme/{group_path}/entities/sku-1/values"));
        assert_eq!((&entry["entityId"], &entry["fieldGroupKey"]), (&json!("sku-1"), &json!("product")));
    }
    let by_page = &saves[1];
    assert_eq!(
        (&by_page["requestId"], &by_page["agent"], &by_page["address"]),
        (&json!("of-the-page"), &json!("a browser"), &json!("127.0.0.1"))
    );
    assert_eq!(
        (&by_page["keyId"], &by_page["before"], &by_page["after"]),
        (&json!(key), &json!({ "version": 1 }), &json!({ "version": 2 }))
    );
    assert!(by_page["eventId"].as_str().unwrap().starts_with("evt_"));

    // All of one tenant, by the filter and from the export alone.
    let tenants = of(&account.key, "tenants/acme").await;
    let actions: BTreeSet<&str> = tenants.iter().map(|(action, _)| action.as_str()).collect();
    let expected = [
        "field_value.deleted",
        "field_value.restored",
        "field_value.saved",
        "tenant.created",
        "tenant.tokens_revoked",
        "tenant_field.created",
    ];
    assert_eq!(actions, expected.into());
    let text = exported(&account.owner, "").await;
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    assert_eq!(lines.filter(|line| line["tenantId"] == "acme").count(), tenants.len());
    for value in ["Walnut", "Oak table", "green"] {
        assert!(!text.contains(value), "{value}");
    }
    // Whoever has the key finds what its tokens did, too.
    assert!(log(&account.key, &format!("&actor={key}")).await.iter().any(|entry| entry["actor"] == tok.as_str()));
}

#[tokio::test]
async fn what_is_done_with_keys_webhooks_people_and_the_client_is_told_without_a_secret() {
    let app = working().await;
    let account = app.account("acme").await;
    let owner = user_of(&account.owner).await;
    let mut secrets = vec![account.secret.clone(), account.password.clone(), NEW.to_owned()];
    let mut shown = |value: &Value| secrets.push(value.as_str().unwrap().to_owned());

    let body = json!({ "name": "Website", "type": "management" });
    let key = account.owner.post("/api/v1/api-keys").json(&body).await.data(201);
    shown(&key["key"]);
    let path = format!("/api/v1/api-keys/{}", id(&key));
    account.owner.patch(&path).json(&json!({ "name": "Shop" })).await.expect(200);
    shown(&account.owner.post(&format!("{path}/rotate")).json(&json!({ "graceSeconds": 60 })).await.data(201)["key"]);
    account.owner.delete(&path).await.expect(204);

    let body = json!({ "url": "http://127.0.0.1:9/", "events": ["*"], "headers": { "X-Token": "a secret of theirs" }, "active": false });
    let hook = account.key.post("/api/v1/webhooks").json(&body).await.data(201);
    shown(&hook["secret"]);
    let path = format!("/api/v1/webhooks/{}", id(&hook));
    account.key.patch(&path).json(&json!({ "headers": { "X-Token": "another secret" } })).await.expect(200);
    shown(
        &account.key.post(&format!("{path}/rotate-secret")).json(&json!({ "graceSeconds": 0 })).await.data(200)["secret"],
    );
    account.key.post(&format!("{path}/test")).await.expect(202);
    account.key.delete(&path).await.expect(204);

    let invite = |email: &str, role: &str| {
        account.owner.post("/api/v1/members/invitations").json(&json!({ "email": email, "role": role }))
    };
    let taken_back = invite("eve@example.com", "viewer").await.data(201);
    account.owner.delete(&format!("/api/v1/members/invitations/{}", id(&taken_back))).await.expect(204);
    let invitation = invite("bob@example.com", "viewer").await.data(201);
    let mails = || {
        app.mails_to("bob@example.com")
            .into_iter()
            .find_map(|mail| Some(mail.text.split("?token=").nth(1)?.split_whitespace().next()?.to_owned()))
    };
    until(PATIENCE, || async { mails().is_some() }).await;
    let token = mails().unwrap();
    secrets.push(token.clone());
    let accepted = app
        .anonymous()
        .post("/api/auth/invitations/accept")
        .json(&json!({ "token": token, "password": NEW }))
        .await
        .expect(200);
    let bob = app.with_cookie(&cookie_of(&accepted));
    let user = user_of(&bob).await;
    bob.post("/api/auth/logout").await.expect(204);
    let log_in = |password: &str| {
        app.anonymous().post("/api/auth/login").json(&json!({ "email": "bob@example.com", "password": password }))
    };
    log_in("not the password").await.fails(401, "invalid_credentials");
    let bob = app.with_cookie(&cookie_of(&log_in(NEW).await.expect(200)));
    let other = "eleven chairs and a stove";
    secrets.push(other.to_owned());
    bob.post("/api/auth/password").json(&json!({ "currentPassword": NEW, "newPassword": other })).await.expect(204);
    secrets.push(
        bob.post("/api/auth/totp").json(&json!({ "password": other })).await.data(201)["secret"]
            .as_str()
            .unwrap()
            .to_owned(),
    );
    let member = format!("/api/v1/members/{user}");
    account.owner.patch(&member).json(&json!({ "role": "editor" })).await.expect(200);
    account.owner.delete(&member).await.expect(204);
    account.owner.patch("/api/v1/client").json(&json!({ "name": "Acme Ltd" })).await.expect(200);
    let settings = json!({ "version": 1, "cors": { "origins": ["https://shop.example"] } });
    account.owner.patch("/api/v1/settings").json(&settings).await.expect(200);
    recorded(&app).await;

    assert_eq!(
        of(&account.key, id(&key)).await,
        done(&owner, &["api_key.created", "api_key.updated", "api_key.rotated", "api_key.deleted"])
    );
    let by = key_of(&account).await;
    let hooks = ["webhook.created", "webhook.updated", "webhook.rotated", "webhook.tested", "webhook.deleted"];
    assert_eq!(of(&account.key, id(&hook)).await, done(&by, &hooks));
    let updated = &log(&account.key, "&action=webhook.updated").await[0];
    assert_eq!((&updated["changed"], &updated["after"]), (&json!(["headers"]), &json!({ "version": 2 })));
    assert_eq!(of(&account.key, id(&taken_back)).await, done(&owner, &["invitation.created", "invitation.deleted"]));
    let told = of(&account.key, id(&invitation)).await;
    assert_eq!(told, [done(&owner, &["invitation.created"]), done(&user, &["invitation.accepted"])].concat());
    let mut expected = done(&user, &["member.created"]);
    expected.extend(done("anonymous", &["login.failed"]));
    expected
        .extend(done(&user, &["login.succeeded", "password.updated", "second_factor.started", "session.all_deleted"]));
    expected.extend(done(&owner, &["member.deleted", "member.updated"]));
    let mut told = of(&account.key, &user).await;
    // What one request did has one time.
    expected.sort();
    told.sort();
    assert_eq!(told, expected);
    assert_eq!(log(&account.key, "&action=session.deleted").await[0]["actor"], user);
    let removed = &log(&account.key, "&action=member.deleted").await[0];
    assert_eq!(removed["before"], json!({ "id": user, "email": "bob@example.com", "role": "editor" }));
    let client = &log(&account.key, "&resource=client&action=client.updated").await[0];
    assert_eq!(client["after"], json!({ "name": "Acme Ltd", "version": 2 }));

    let settings = &log(&account.key, "&action=settings.updated").await[0];
    assert_eq!((&settings["actor"], &settings["before"]["version"]), (&json!(owner), &json!(1)));
    assert_eq!(settings["after"], json!({ "version": 2, "cors": { "origins": ["https://shop.example"] } }));

    let text = exported(&account.key, "").await;
    secrets.extend(["a secret of theirs", "another secret"].map(str::to_owned));
    for secret in &secrets {
        assert!(!text.contains(secret.as_str()), "{secret}");
    }
    let report = verified(&text);
    assert!(report.faults.is_empty() && report.entries > 25, "{report:?}");
}

#[tokio::test]
async fn filters_join_by_and_and_pages_meet() {
    let app = working().await;
    let account = app.account("acme").await;
    account.key.group("product").await;
    for n in 0..30 {
        account.key.save(if n % 3 == 0 { "acme" } else { "other" }, "product", &format!("e-{n}"), json!({})).await;
    }
    app.advance(Duration::from_secs(36 * 3600));
    let middle = app.clock.now();
    for n in 0..5 {
        account.key.save("acme", "product", &format!("f-{n}"), json!({})).await;
    }
    recorded(&app).await;
    let all = log(&account.key, "").await;
    let ids: BTreeSet<&str> = all.iter().map(id).collect();
    assert_eq!(ids.len(), all.len(), "none is there twice");
    assert!(all.windows(2).all(|pair| pair[0]["at"].as_str() >= pair[1]["at"].as_str()), "newest first");
    assert_eq!(log(&account.key, "&resource=tenants/acme&action=field_value.saved").await.len(), 15);
    assert_eq!(
        log(&account.key, &format!("&resource=tenants/acme&action=field_value.saved&from={middle}")).await.len(),
        5
    );
    assert_eq!(log(&account.key, &format!("&resource=field_value&to={middle}")).await.len(), 30);
    assert_eq!(log(&account.key, "&actor=usr_nobody").await, Vec::<Value>::new());
    assert_eq!(log(&account.key, "&from=2099-01-01T00:00:00Z").await, Vec::<Value>::new());
    // A page of another question is none of this one.
    let (_, cursor) = account.key.get(&format!("{LOG}?limit=1")).await.page();
    account.key.get(&format!("{LOG}?limit=1&actor=x&cursor={}", cursor.unwrap())).await.fails(400, "malformed_request");
    for bad in ["action=nothing", "action=*", "from=yesterday", "resource=a%20b", "actor=", "who=me"] {
        account.key.get(&format!("{LOG}?{bad}")).await.fails(400, "malformed_request");
    }
    let report = verified(&exported(&account.key, "").await);
    assert_eq!((report.faults.len(), report.days >= 2, report.entries), (0, true, all.len() as u64));
    let of_later = verified(&exported(&account.key, &format!("?from={middle}")).await);
    assert_eq!((of_later.faults.len(), of_later.days, of_later.entries), (0, 1, 5));
    // A day is there for 400 days, and then gone whole.
    app.advance(Duration::from_secs(400 * 24 * 3600));
    assert_eq!(log(&account.key, "&action=field_value.saved").await.len(), 5);
}

#[tokio::test]
async fn who_may_not_read_the_log_is_refused_and_that_is_told() {
    let app = working().await;
    let (account, other) = (app.account("acme").await, app.account("other").await);
    let body = json!({ "name": "Reader", "type": "management", "permissions": ["values:read"], "allowedIps": ["203.0.113.7"] });
    let far = account.owner.post("/api/v1/api-keys").json(&body).await.data(201);
    let far = app.with_key(far["key"].as_str().unwrap());
    let body = json!({ "name": "Reader", "type": "management", "permissions": ["values:read"] });
    let weak = account.owner.post("/api/v1/api-keys").json(&body).await.data(201);
    let (weak_id, weak) = (id(&weak).to_owned(), app.with_key(weak["key"].as_str().unwrap()));
    for _ in 0..20 {
        weak.get(LOG).await.fails(403, "forbidden");
        far.get(LOG).await.fails(403, "ip_not_allowed");
    }
    account.owner.patch(&format!("/api/v1/api-keys/{weak_id}")).json(&json!({ "active": false })).await.expect(200);
    app.advance(Duration::from_secs(61));
    for _ in 0..3 {
        weak.get(LOG).await.fails(401, "unauthenticated");
    }
    let page = account.owner.with("origin", "https://evil.example");
    page.patch("/api/v1/client").json(&json!({ "name": "X" })).await.fails(403, "origin_not_allowed");
    recorded(&app).await;
    let told =
        |entries: &[Value]| entries.iter().rev().map(|entry| entry["count"].as_u64().unwrap()).collect::<Vec<_>>();
    let refused = log(&account.key, "&action=permission.refused").await;
    assert_eq!(
        (told(&refused), &refused[0]["actor"], &refused[0]["reason"]),
        (vec![1, 19], &json!(weak_id), &json!("forbidden"))
    );
    assert_eq!((&refused[0]["resource"], &refused[0]["address"]), (&json!("audit-log"), &json!("127.0.0.1")));
    assert_eq!(told(&log(&account.key, "&action=address.refused").await), [1, 19]);
    let dead = log(&account.key, "&action=credential.refused").await;
    assert_eq!((told(&dead), &dead[0]["actor"]), (vec![1], &json!(weak_id)));
    assert_eq!(log(&account.key, "&action=origin.refused").await[0]["reason"], "origin_not_allowed");
    // Another client hears nothing of it.
    assert_eq!(log(&other.key, "&action=permission.refused").await, Vec::<Value>::new());
    assert!(verified(&exported(&account.key, "").await).faults.is_empty());
}

/// Many write at once, over the stream's repetitions and the recorder's deaths.
#[tokio::test]
async fn the_chain_holds_under_writers_at_once_and_a_recorder_that_dies() {
    let mut app = working().await;
    let account = app.account("acme").await;
    account.key.group("product").await;
    for round in 0..3 {
        let saves = (0..40).map(|n| {
            let (key, tenant, entity) = (account.key.clone(), format!("t-{}", n % 5), format!("e-{round}-{n}"));
            tokio::spawn(async move { key.save(&tenant, "product", &entity, json!({})).await })
        });
        for save in saves.collect::<Vec<_>>() {
            save.await.unwrap();
        }
        // In the middle of whatever it has in hand.
        drop(app.workers.take());
        app.work();
    }
    recorded(&app).await;
    assert_eq!(log(&account.key, "&action=field_value.saved").await.len(), 120);
    let report = verified(&exported(&account.key, "").await);
    assert_eq!(report.faults, []);
}

async fn audit(folder: &std::path::Path, arguments: &[&str]) -> (i32, String) {
    let mut command = tokio::process::Command::new(program("hedgerow"));
    let output = command.arg("audit").args(arguments).arg("--data").arg(folder.join("data")).output().await.unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8(said).unwrap())
}

#[tokio::test]
async fn a_removed_and_an_altered_line_are_named_in_an_export_and_in_the_store() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let dev = Dev::start(folder, 1).await;
    let caller = dev.caller();
    caller.save("acme", "product", "sku-9", json!({ "title": "Lamp" })).await;
    let nobodys = ApiKeySecret::generate(KeyType::Management);
    Caller::at(&dev.base).with("x-api-key", nobodys.reveal()).get(LOG).await.fails(401, "unauthenticated");
    eventually(|| async { !log(&caller, "&resource=sku-9").await.is_empty() }).await;
    let text = exported(&caller, "").await;
    let file = folder.join("log.jsonl");
    let verify = async |lines: &[&str]| {
        std::fs::write(&file, lines.iter().map(|line| format!("{line}\n")).collect::<String>()).unwrap();
        audit(folder, &["verify", file.to_str().unwrap()]).await
    };
    let lines: Vec<&str> = text.lines().collect();
    let (code, said) = verify(&lines).await;
    assert!(code == 0 && said.contains("the chain is whole"), "{said}");
    let removed: Vec<&str> = lines.iter().enumerate().filter(|(at, _)| *at != 2).map(|(_, line)| *line).collect();
    let number = serde_json::from_str::<Value>(lines[2]).unwrap()["sequence"].to_string();
    let (code, said) = verify(&removed).await;
    assert!(code == 1 && said.contains(&format!("a line is missing: number {number} of")), "{said}");
    let altered = lines[1].replacen("127.0.0.1", "192.0.2.1", 1).replacen("samples", "others", 1).replacen(
        "\"at\":\"2",
        "\"at\":\"3",
        1,
    );
    let with: Vec<&str> =
        lines.iter().enumerate().map(|(at, line)| if at == 1 { altered.as_str() } else { line }).collect();
    let (code, said) = verify(&with).await;
    assert!(code == 1 && said.contains("line 2 (aud_") && said.contains("was altered"), "{said}");
    let (code, said) = audit(folder, &["verify", "/nowhere.jsonl"]).await;
    assert!(code == 2 && said.contains("/nowhere.jsonl"), "{said}");

    // In the store: all logs, the deployment's own with the credential that nobody knows among them.
    let (code, said) = audit(folder, &["verify"]).await;
    assert!(code == 0 && said.contains("deployment: ") && said.matches("the chain is whole").count() >= 2, "{said}");
    let (code, said) = audit(folder, &["export", "--deployment"]).await;
    assert!(code == 0 && said.contains("credential.refused"), "{said}");
    assert!(verified(&said).faults.is_empty());
    let (code, said) = audit(folder, &["export"]).await;
    assert!(code == 2 && said.contains("say whose"), "{said}");
}

//! The end of data: tenants are exported and erased, and what was deleted is purged.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use hedgerow_tests::app::{Account, App, Caller, each, entities, fields, id, values};
use hedgerow_tests::process::PATIENCE;
use hedgerow_tests::wait::{found, until};
use local::backend::Backend;
use serde_json::{Value, json};
use store::author::Clock;
use store::tables::Table;

use crate::embed_tokens::{bearing, token};

const DAY: Duration = Duration::from_secs(24 * 3600);
/// Nothing else is called like this.
const TENANT: &str = "Zebra:7f3a@example.com";

fn tenant(name: &str) -> String {
    format!("/api/v1/tenants/{name}")
}

async fn working() -> App {
    let mut app = App::start().await;
    app.work();
    app
}

/// A job, when it is over.
async fn over(caller: &Caller, job: &Value) -> Value {
    let path = format!("/api/v1/jobs/{}", id(job));
    found(|| async {
        let job = caller.get(&path).await.data(200);
        matches!(job["status"].as_str(), Some("completed" | "failed")).then_some(job)
    })
    .await
}

/// What there is of some tenants, of every kind, also deleted.
async fn furnish(ada: &Account, tenants: &[&str]) {
    let (key, text) = (&ada.key, json!({ "type": "string" }));
    let hook = json!({ "url": "http://127.0.0.1:9/", "events": ["*"], "active": false });
    let hook = key.post("/api/v1/webhooks").json(&hook).await.data(201);
    let groups = [key.group("product").await, key.group("other").await];
    key.global("title", text.clone(), &[&groups[0], &groups[1]]).await;
    for name in tenants {
        for group in ["product", "other"] {
            let gone = key.own(name, group, "gone", text.clone()).await;
            key.delete(&format!("{}/{}", fields(name, group), id(&gone))).await.expect(204);
            key.own(name, group, "color", text.clone()).await;
            for entity in 0..3 {
                key.save(name, group, &format!("sku-{entity}"), json!({ "title": *name, "color": "red" })).await;
            }
            key.delete(&values(name, group, "sku-0")).await.expect(204);
        }
        key.post(&values(name, "product", "sku-1")).once("once").json(&json!({ "title": "again" })).await.expect(200);
        key.post(&format!("{}/embed-tokens/revoke", tenant(name))).await.expect(204);
    }
    let deliveries = format!("/api/v1/webhooks/{}/deliveries?limit=100", id(&hook));
    let saved = 8 * tenants.len();
    until(PATIENCE, || async {
        let (all, _) = key.get(&deliveries).await.page();
        each(&all, "event").iter().filter(|event| event.starts_with("field_value.saved")).count()
            >= saved - tenants.len()
    })
    .await;
}

/// Every item that names something.
fn items(app: &App, name: &str) -> Vec<String> {
    let engine = app.backend.engine.as_ref().unwrap();
    let of = |table: Table| engine.engines.dynamo.items(app.backend.tables.of(table)).unwrap();
    let all = Table::ALL.into_iter().flat_map(of).filter(|item| !is_audit(item));
    all.map(|item| item.to_string()).filter(|item| item.contains(name)).collect()
}

/// What was done with a tenant is kept, by names alone, until that expires.
fn is_audit(item: &Value) -> bool {
    ["A#", "AH#", "AD#"].iter().any(|kind| item["pk"]["S"].as_str().unwrap().starts_with(kind))
}

/// Takes away what would have expired in a year.
async fn expire_audit(app: &App) {
    let engine = app.backend.engine.as_ref().unwrap();
    let table = app.backend.tables.of(Table::Log);
    for item in engine.engines.dynamo.items(table).unwrap().iter().filter(|item| is_audit(item)) {
        let [pk, sk] = ["pk", "sk"].map(|name| AttributeValue::S(item[name]["S"].as_str().unwrap().to_owned()));
        engine.dynamo.delete_item().table_name(table).key("pk", pk).key("sk", sk).send().await.unwrap();
    }
}

#[tokio::test]
async fn a_tenant_is_there_once_it_is_used() {
    let app = working().await;
    let (ada, eve) = (app.account("ada").await, app.account("eve").await);
    ada.key.group("product").await;
    let absent = ada.key.get(&tenant("acme")).await;
    absent.fails(404, "tenant_not_found");
    ada.key.post(&format!("{}/embed-tokens/revoke", tenant("acme"))).await.expect(204);
    ada.key.get(&tenant("acme")).await.fails(404, "tenant_not_found");
    ada.key.post(&format!("{}/export", tenant("acme"))).once("absent").await.fails(404, "tenant_not_found");
    ada.key.save("acme", "product", "sku-1", json!({})).await;
    let there = ada.key.get(&tenant("acme")).await.data(200);
    assert_eq!(there["tenantId"], "acme");
    assert_eq!(ada.key.get("/api/v1/tenants").await.page().0, [there]);
    for path in ["", "/export"] {
        let call =
            if path.is_empty() { eve.key.delete(&tenant("acme")) } else { eve.key.post(&(tenant("acme") + path)) };
        call.await.fails(404, "tenant_not_found");
    }
    eve.key.get(&tenant("acme")).await.fails(404, "tenant_not_found");
    ada.key.get(&tenant("..")).await.fails(404, "route_not_found");
}

#[tokio::test]
async fn a_tenant_is_gone_at_once_and_for_good_and_can_be_made_anew() {
    let app = working().await;
    let ada = app.account("ada").await;
    furnish(&ada, &[TENANT, "other"]).await;
    let key = &ada.key;
    let usage = async || key_usage(&ada).await;
    assert_eq!(usage().await, 2);
    let page = bearing(&app.anonymous(), &token(key, &json!({ "tenantId": TENANT })).await);
    page.get(&fields(TENANT, "product")).await.expect(200);

    let job = key.delete(&tenant(TENANT)).await.data(202);
    assert_eq!((&job["kind"], &job["status"]), (&json!("tenant_erasure"), &json!("pending")));
    assert_eq!(key.delete(&tenant(TENANT)).await.data(202)["id"], job["id"], "it is being erased");
    // Gone from every read at once, and nothing is written any more.
    page.get(&fields(TENANT, "product")).await.fails(401, "unauthenticated");
    key.get(&tenant(TENANT)).await.fails(404, "tenant_not_found");
    assert_eq!(each(&key.get("/api/v1/tenants").await.page().0, "tenantId"), ["other"]);
    key.get(&values(TENANT, "product", "sku-1")).await.fails(404, "values_not_found");
    assert!(key.get(&entities(TENANT, "product")).await.page().0.is_empty());
    assert_eq!(each(&key.get(&fields(TENANT, "product")).await.page().0, "key"), ["title"]);
    key.post(&values(TENANT, "product", "sku-1"))
        .json(&json!({ "title": "late" }))
        .await
        .fails(404, "tenant_not_found");
    key.post(&format!("{}/restore", values(TENANT, "product", "sku-0"))).await.fails(404, "tenant_not_found");
    let field = json!({ "key": "late", "label": "Late", "schema": { "type": "string" } });
    key.post(&fields(TENANT, "product")).json(&field).await.fails(404, "tenant_not_found");
    assert_eq!(usage().await, 1);

    let done = over(key, &job).await;
    let certificate = &done["result"];
    assert_eq!(done["status"], "completed", "{done}");
    let erased = &certificate["erased"];
    for (kind, count) in [
        ("tenants", 1),
        ("values", 4),
        ("deletedValues", 2),
        ("fields", 2),
        ("deletedFields", 2),
        ("idempotencyAnswers", 1),
    ] {
        assert_eq!(erased[kind], count, "{kind} {certificate}");
    }
    assert!(erased["events"].as_u64().unwrap() >= 14 && erased["events"] == erased["deliveries"], "{certificate}");
    assert_eq!(certificate["subject"].as_str().unwrap().len(), 64);
    assert!(certificate["verifiedAt"].as_str() >= certificate["closedAt"].as_str());
    assert!(!done.to_string().contains(TENANT));
    until(PATIENCE, || async { items(&app, TENANT).is_empty() }).await;
    assert!(!items(&app, "\"other\"").is_empty());
    key.get(&values("other", "product", "sku-1")).await.expect(200);

    // What was answered before is not answered again; it is carried out anew.
    key.get(&tenant(TENANT)).await.fails(404, "tenant_not_found");
    page.get(&fields(TENANT, "product")).await.fails(401, "unauthenticated");
    let again = key.post(&values(TENANT, "product", "sku-1")).once("once").json(&json!({ "title": "again" })).await;
    assert!(again.all("idempotency-replayed").is_empty());
    assert_eq!(again.data(200)["version"], 1);
    page.get(&fields(TENANT, "product")).await.fails(401, "unauthenticated");
    let page = bearing(&app.anonymous(), &token(key, &json!({ "tenantId": TENANT })).await);
    assert_eq!(page.get(&values(TENANT, "product", "sku-1")).await.data(200)["values"], json!({ "title": "again" }));
    assert_eq!(key.get(&entities(TENANT, "product")).await.page().0.len(), 1);
    assert_eq!(usage().await, 2);
}

async fn key_usage(ada: &Account) -> u64 {
    ada.owner.get("/api/v1/subscription").await.data(200)["usage"]["tenants"].as_u64().unwrap()
}

#[tokio::test]
async fn writes_beside_an_erasure_neither_survive_nor_break() {
    let app = working().await;
    let ada = app.account("ada").await;
    ada.key.group("product").await;
    for round in 0..3 {
        ada.key.save(TENANT, "product", "first", json!({})).await;
        let writing = (0..8).map(|writer| {
            let key = ada.key.clone();
            tokio::spawn(async move {
                let mut refused = 0;
                for entity in 0..40 {
                    let path = values(TENANT, "product", &format!("{round}-{writer}-{entity}"));
                    match key.post(&path).json(&json!({})).await {
                        answer if answer.status == 200 => {}
                        answer => {
                            answer.fails(404, "tenant_not_found");
                            refused += 1;
                        }
                    }
                }
                refused
            })
        });
        let writing: Vec<_> = writing.collect();
        let job = ada.key.delete(&tenant(TENANT)).await.data(202);
        let mut refused = 0;
        for one in writing {
            refused += one.await.unwrap();
        }
        assert!(refused > 0);
        assert_eq!(over(&ada.key, &job).await["status"], "completed");
        until(PATIENCE, || async { items(&app, TENANT).is_empty() }).await;
    }
}

#[tokio::test]
async fn no_file_of_a_data_folder_names_an_erased_tenant() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let backend = Backend::in_folder(&data, Clock::default()).await.unwrap();
    let mut app = App::over(backend).await;
    app.work();
    let ada = app.account("ada").await;
    furnish(&ada, &[TENANT]).await;
    let export = ada.key.post(&format!("{}/export", tenant(TENANT))).once("export").await.data(202);
    assert_eq!(over(&ada.key, &export).await["status"], "completed");
    assert!(named_in(&data, TENANT) > 0);
    let job = ada.key.delete(&tenant(TENANT)).await.data(202);
    let done = over(&ada.key, &job).await;
    assert_eq!(done["result"]["erased"]["exports"], 1, "{done}");
    ada.key.get(&format!("/api/v1/jobs/{}", id(&export))).await.fails(404, "job_not_found");
    until(PATIENCE, || async { items(&app, TENANT).is_empty() }).await;
    // What SQLite has deleted lies in its files until they are written anew, and the stream's last records until they are
    // pruned.
    until(PATIENCE, || async {
        expire_audit(&app).await;
        compact(&data);
        named_in(&data, TENANT) == 0
    })
    .await;
}

/// Writes the SQLite files of a folder anew.
fn compact(folder: &Path) {
    for file in std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()) {
        if file.extension().is_some_and(|kind| kind == "db") {
            let database = rusqlite::Connection::open(file).unwrap();
            database.busy_timeout(Duration::from_secs(10)).unwrap();
            let _ = database.execute_batch("VACUUM; PRAGMA wal_checkpoint(TRUNCATE);");
        }
    }
}

/// In how many files below a folder a text stands.
fn named_in(folder: &Path, text: &str) -> usize {
    let of = |path: std::path::PathBuf| {
        if path.is_dir() {
            return named_in(&path, text);
        }
        let bytes = std::fs::read(path).unwrap_or_default();
        usize::from(bytes.windows(text.len()).any(|part| part == text.as_bytes()))
    };
    std::fs::read_dir(folder).unwrap().map(|file| of(file.unwrap().path())).sum()
}

/// What a ZIP holds, by the names of its files: read by a program that is not ours.
fn unzip(archive: &[u8]) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("export.zip");
    std::fs::write(&file, archive).unwrap();
    let script = "import hashlib, json, sys, zipfile\nz = zipfile.ZipFile(sys.argv[1])\nassert z.testzip() is None\n\
        print(json.dumps({n: [json.loads(z.read(n)), hashlib.sha256(z.read(n)).hexdigest()] for n in z.namelist()}))";
    let told = Command::new("python3").arg("-c").arg(script).arg(file).stderr(Stdio::inherit()).output().unwrap();
    assert!(told.status.success());
    serde_json::from_slice(&told.stdout).unwrap()
}

#[tokio::test]
async fn an_export_has_all_of_a_tenant_and_says_what_it_has() {
    let app = working().await;
    let ada = app.account("ada").await;
    furnish(&ada, &["acme", "other"]).await;
    let key = &ada.key;
    for entity in 0..120 {
        key.save("acme", "other", &format!("many-{entity:03}"), json!({ "title": "x" })).await;
    }
    let job = key.post(&format!("{}/export", tenant("acme"))).await.data(202);
    assert_eq!((&job["kind"], job.get("result")), (&json!("tenant_export"), None));
    let done = over(key, &job).await;
    let result = &done["result"];
    assert_eq!(
        result["counts"],
        json!({ "entities": 124, "fieldGroups": 2, "fields": 2, "globalFields": 1 }),
        "{done}"
    );
    let answer = reqwest::get(result["url"].as_str().unwrap()).await.unwrap();
    assert_eq!(answer.status(), 200);
    let disposition = format!("attachment; filename=\"{}.zip\"", id(&job));
    assert_eq!(answer.headers()["content-disposition"], disposition);
    assert_eq!(answer.headers()["content-type"], "application/zip");
    assert_eq!(answer.headers()["x-content-type-options"], "nosniff");
    let archive = answer.bytes().await.unwrap();
    assert_eq!(result["size"], archive.len());
    let files = unzip(&archive);
    let manifest = &files["manifest.json"][0];
    assert_eq!((&manifest["tenantId"], &manifest["counts"]), (&json!("acme"), &result["counts"]));
    for file in manifest["files"].as_array().unwrap() {
        let found = &files[file["name"].as_str().unwrap()];
        assert_eq!(found[1], file["sha256"], "{file}");
        let count = found[0].as_array().map_or(1, Vec::len);
        assert_eq!(file["count"], count, "{file}");
    }
    assert_eq!(files.as_object().unwrap().len(), manifest["files"].as_array().unwrap().len() + 1);
    assert_eq!(files["tenant.json"][0]["tenantId"], "acme");
    assert_eq!(each(files["field-groups.json"][0].as_array().unwrap(), "key"), ["other", "product"]);
    assert_eq!(each(files["global-fields.json"][0].as_array().unwrap(), "key"), ["title"]);
    assert_eq!(each(files["fields.json"][0].as_array().unwrap(), "key"), ["color", "color"]);
    let saved = key.get(&values("acme", "product", "sku-1")).await.data(200);
    assert_eq!(files["values/product/0001.json"][0][0], saved);
    assert!(!files.to_string().contains("globex"));

    // Another address each time; a key that may not read values follows no export.
    assert_ne!(over(key, &job).await["result"]["url"], Value::Null);
    app.clock.advance(8 * DAY);
    assert_eq!(over(key, &job).await["result"]["url"], Value::Null);
}

#[tokio::test]
async fn what_was_deleted_is_purged_with_all_that_hangs_on_it() {
    let mut app = App::start().await;
    let ada = app.account("ada").await;
    let (key, text) = (&ada.key, json!({ "type": "string" }));
    let groups = [key.group("doomed").await, key.group("kept").await];
    let title = key.global("title", text.clone(), &[&groups[0], &groups[1]]).await;
    let only = key.global("only", text.clone(), &[&groups[0]]).await;
    let gone = key.global("gone", text.clone(), &[&groups[1]]).await;
    for name in ["acme", "globex"] {
        let own = key.own(name, "kept", "own", text.clone()).await;
        key.own(name, "doomed", "mine", text.clone()).await;
        for group in ["doomed", "kept"] {
            key.save(name, group, "sku-1", json!({ "title": "t" })).await;
            key.save(name, group, "sku-2", json!({ "title": "t" })).await;
            key.delete(&values(name, group, "sku-2")).await.expect(204);
        }
        key.post(&values(name, "kept", "sku-1"))
            .json(&json!({ "gone": "secret-g", "own": "secret-o" }))
            .await
            .expect(200);
        key.delete(&format!("{}/{}", fields(name, "kept"), id(&own))).await.expect(204);
    }
    key.delete(&format!("/api/v1/global-fields/{}", id(&gone))).await.expect(204);
    key.delete("/api/v1/field-groups/doomed").await.expect(204);
    let back = key.group("back").await;
    key.delete(&format!("/api/v1/field-groups/{}", id(&back))).await.expect(204);
    key.post("/api/v1/field-groups/back/restore").await.expect(200);
    let new = json!({ "name": "Old", "type": "management" });
    let old = ada.owner.post("/api/v1/api-keys").json(&new).await.data(201);
    ada.owner.delete(&format!("/api/v1/api-keys/{}", id(&old))).await.expect(204);
    let doomed = id(&groups[0]).to_owned();
    let before = key.get(&values("acme", "kept", "sku-1")).await;
    let old_key = ada.secret.clone();

    app.work();
    app.clock.advance(29 * DAY);
    assert!(!items(&app, &doomed).is_empty());
    app.clock.advance(5 * DAY);
    until(PATIENCE, || async { items(&app, &doomed).is_empty() }).await;
    until(PATIENCE, || async { items(&app, "secret-").is_empty() && items(&app, id(&old)).is_empty() }).await;
    let left = |name: &str| items(&app, name).into_iter().filter(|item| item.contains("Z#2")).count();
    until(PATIENCE, || async { left("Z#2") == 0 }).await;

    let key = &app.with_key(&old_key);
    let now = key.get(&values("acme", "kept", "sku-1")).await;
    assert_eq!((now.etag(), now.data(200)), (before.etag(), before.data(200)), "nobody has changed them");
    key.post(&format!("/api/v1/field-groups/{doomed}/restore")).await.fails(404, "field_group_not_found");
    key.post(&format!("/api/v1/global-fields/{}/restore", id(&gone))).await.fails(404, "global_field_not_found");
    key.get("/api/v1/field-groups/back").await.expect(200);
    // What hung on the group can be changed, and joins others.
    let title = key.get(&format!("/api/v1/global-fields/{}", id(&title))).await.data(200);
    assert_eq!((&title["fieldGroupIds"], &title["version"]), (&json!([id(&groups[1])]), &json!(2)));
    let change = json!({ "label": "Another" });
    key.patch(&format!("/api/v1/global-fields/{}", id(&title))).json(&change).await.expect(200);
    let only = format!("/api/v1/global-fields/{}", id(&only));
    assert_eq!(key.get(&only).await.data(200)["fieldGroupIds"], json!([]));
    key.patch(&only).json(&json!({ "fieldGroupIds": [id(&groups[1])] })).await.expect(200);
    assert_eq!(each(&key.get(&fields("acme", "kept")).await.page().0, "key"), ["title", "only"]);
    // The counts went down with what was counted.
    let again = key.group("doomed").await;
    assert_ne!(id(&again), doomed);
    assert!(key.get(&entities("acme", "doomed")).await.page().0.is_empty());
    key.own("acme", "doomed", "mine", text.clone()).await;
}

//! `hedgerow dev`, as one runs it: killed, doubled, ended, and read for what it must not say.

use std::process::Stdio;
use std::time::Duration;

use serde_json::json;
use tokio::process::Command;

use crate::app::{Caller, each, entities, id, values};
use crate::process::{Dev, PATIENCE, arguments, program, until};

#[tokio::test]
async fn data_and_key_outlive_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let dev = Dev::start(folder.path(), 1).await;
    let mut saved = Vec::new();
    for number in 0..20 {
        let entity = format!("new-{number}");
        saved.push(dev.caller().save("acme", "product", &entity, json!({ "title": entity })).await);
    }
    let key = dev.key.clone();
    dev.kill().await;
    let dev = Dev::start(folder.path(), 2).await;
    assert_eq!(dev.key, key);
    for one in saved {
        let path = values("acme", "product", one["entityId"].as_str().unwrap());
        assert_eq!(dev.caller().get(&path).await.data(200), one);
    }
    dev.owner().await.get("/api/auth/session").await.expect(200);
}

#[tokio::test]
async fn two_processes_share_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = tokio::join!(Dev::start(folder.path(), 1), Dev::start(folder.path(), 2));
    assert_eq!(one.key, other.key);
    let (a, b) = (one.caller(), other.caller());
    for round in 0..5 {
        let saved = a.save("acme", "product", "shared", json!({ "title": format!("a{round}") })).await;
        assert_eq!(b.get(&values("acme", "product", "shared")).await.data(200), saved);
        let saved = b.save("acme", "product", "shared", json!({ "title": format!("b{round}") })).await;
        assert_eq!(a.get(&values("acme", "product", "shared")).await.data(200), saved);
        // A definition counts at once in the other process too.
        let key = format!("f{round}");
        a.own("acme", "product", &key, json!({ "type": "number" })).await;
        b.save("acme", "product", "shared", json!({ key: round })).await;
    }
    let before = a.get(&values("acme", "product", "shared")).await.data(200)["version"].as_u64().unwrap();
    let saves: Vec<_> = (0..10)
        .map(|number| {
            let caller = if number % 2 == 0 { &a } else { &b };
            let call = caller.post(&values("acme", "product", "shared")).json(&json!({ "f0": 100 + number }));
            tokio::spawn(call.into_future())
        })
        .collect();
    let mut versions = Vec::new();
    for save in saves {
        versions.push(save.await.unwrap().data(200)["version"].as_u64().unwrap());
    }
    versions.sort_unstable();
    assert_eq!(versions, (before + 1..=before + 10).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_key_that_is_switched_off_in_one_process_is_refused_by_the_other() {
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = tokio::join!(Dev::start(folder.path(), 1), Dev::start(folder.path(), 2));
    let owner = one.owner().await;
    let mut made = Vec::new();
    for _ in 0..2 {
        let body = json!({ "name": "A", "type": "management" });
        let key = owner.post("/api/v1/api-keys").json(&body).await.data(201);
        let caller = Caller::at(&other.base).with("x-api-key", key["key"].as_str().unwrap());
        // Known to the other process, so that it has something to forget.
        caller.get("/api/v1/field-groups").await.expect(200);
        made.push((format!("/api/v1/api-keys/{}", id(&key)), caller));
    }
    owner.patch(&made[0].0).json(&json!({ "active": false })).await.expect(200);
    owner.delete(&made[1].0).await.expect(204);
    for (_, caller) in &made {
        until(Duration::from_secs(10), || async { caller.get("/api/v1/field-groups").await.status == 401 }).await;
    }
    // A session ends everywhere at once.
    let session = one.owner().await;
    session.post("/api/auth/logout").await.expect(204);
    session.get("/api/auth/session").await.fails(401, "unauthenticated");
}

#[tokio::test]
async fn the_printed_commands_work() {
    let folder = tempfile::tempdir().unwrap();
    let dev = Dev::start(folder.path(), 1).await;
    let commands: Vec<&str> = dev.greeting.lines().filter(|line| line.starts_with("curl ")).collect();
    assert_eq!(commands.len(), 4);
    for command in commands {
        let (mut caller, mut path, mut body) = (Caller::at(&dev.base), None, None);
        let mut arguments = arguments(command).into_iter();
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "-H" => {
                    let header = arguments.next().unwrap();
                    let (name, value) = header.split_once(": ").unwrap();
                    caller = caller.with(name, value);
                }
                "-d" => body = arguments.next(),
                url => path = Some(url.strip_prefix(&dev.base).unwrap().to_owned()),
            }
        }
        let path = path.unwrap();
        match body {
            Some(body) if path.ends_with("/webhooks") => caller.post(&path).bare(body).await.expect(201),
            Some(body) => caller.post(&path).bare(body).await.expect(200),
            None => caller.get(&path).await.expect(200),
        };
    }
    let saved = dev.caller().get(&values("acme", "product", "sku-1")).await.data(200);
    assert_eq!(saved["values"], json!({ "title": "Walnut table", "color": "green" }));
    assert!(each(&dev.caller().get(&entities("acme", "product")).await.page().0, "entityId").contains(&"sku-1"));
}

#[tokio::test]
async fn a_termination_ends_it_cleanly() {
    let folder = tempfile::tempdir().unwrap();
    let dev = Dev::start(folder.path(), 1).await;
    let base = dev.base.clone();
    dev.caller().save("acme", "product", "last", json!({ "title": "x" })).await;
    let (status, rest, _) = dev.terminate().await;
    assert!(status.success() && rest.trim().is_empty(), "{status} {rest}");
    assert!(tokio::net::TcpStream::connect(base.strip_prefix("http://").unwrap()).await.is_err());
}

#[tokio::test]
async fn flags_that_make_no_sense_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "not a folder").unwrap();
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    let cases: &[&[&str]] = &[
        &["dev", "--listen", "nowhere"],
        &["dev", "--listen", "127.0.0.1"],
        &["dev", "--listen", "127.0.0.1:70000"],
        &["dev", "--listen", ":3000"],
        &["dev", "--listen", "3000"],
        &["dev", "--listen", "localhost"],
        &["dev", "--listen", "no.such.name.invalid:0"],
        &["dev", "--listen", "0.0.0.0:0"],
        &["dev", "--listen", "[::]:0"],
        &["dev", "--listen", &taken],
        &["dev", "--listen", "127.0.0.1:0", "--data", file.to_str().unwrap()],
        &["dev", "--limit", "nobody=1/1"],
        &["dev", "--limit", "login=0/1"],
        &["dev", "--trusted-proxies", "-1"],
        &["dev", "--webhook-retries", "1x"],
        &["dev", "--webhook-targets", "everywhere"],
        &["dev", "--store", "paper"],
        &["dev", "--nothing"],
        &["dev", "extra"],
        &["nothing"],
        &[],
    ];
    for arguments in cases {
        let mut command = Command::new(program("hedgerow"));
        command.args(*arguments).current_dir(folder.path()).stdin(Stdio::null()).kill_on_drop(true);
        let output = tokio::time::timeout(PATIENCE, command.output()).await.unwrap().unwrap();
        assert!(!output.status.success() && !output.stderr.is_empty(), "{arguments:?}");
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!said.contains("panicked") && output.stdout.is_empty(), "{arguments:?}: {said}");
    }
}

#[tokio::test]
async fn who_listens_beyond_this_machine_says_where_webhooks_may_go() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(program("hedgerow"));
    command.args(["dev", "--listen", "0.0.0.0:0"]).current_dir(folder.path()).stdin(Stdio::null()).kill_on_drop(true);
    let output = tokio::time::timeout(PATIENCE, command.output()).await.unwrap().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && said.contains("--webhook-targets"), "{said}");
    assert!(!folder.path().join(".hedgerow").exists(), "nothing was begun");

    let dev = Dev::with(folder.path(), 1, &["--listen", "0.0.0.0:0", "--webhook-targets", "public"]).await;
    let base = dev.base.replace("0.0.0.0", "127.0.0.1");
    Caller::at(&base).get("/api/health").await.expect(200);
    let hook = json!({ "url": "http://127.0.0.1:4000/", "events": ["*"] });
    // Whatever stands in front of it.
    for body in [hook.to_string(), format!("\u{feff}{hook}")] {
        let caller = Caller::at(&base).with("x-api-key", &dev.key);
        caller.post("/api/v1/webhooks").body("application/json", body).await.wrong(&["url"]);
    }
}

#[tokio::test]
async fn a_name_can_be_listened_on() {
    let folder = tempfile::tempdir().unwrap();
    let dev = Dev::with(folder.path(), 1, &["--listen", "localhost:0"]).await;
    assert!(dev.base.starts_with("http://localhost:"), "{}", dev.base);
    dev.caller().get("/api/v1/field-groups").await.expect(200);
    // In every family that the name has.
    let authority = dev.base.strip_prefix("http://").unwrap();
    for address in tokio::net::lookup_host(authority).await.unwrap() {
        if tokio::net::TcpListener::bind((address.ip(), 0)).await.is_ok() {
            Caller::at(&format!("http://{address}")).get("/api/health").await.expect(200);
        }
    }
}

#[tokio::test]
async fn its_log_holds_no_secret() {
    let folder = tempfile::tempdir().unwrap();
    let dev = Dev::start(folder.path(), 1).await;
    let anyone = Caller::at(&dev.base);
    let signup = json!({ "email": "m4il@secret.example", "password": "p4ssword secret", "clientName": "N4me secret" });
    let answer = anyone.post("/api/auth/signup").json(&signup).await.expect(201);
    let owner = anyone.with("cookie", &crate::app::cookie_of(&answer));
    let wrong = json!({ "email": "m4il@secret.example", "password": "wr0ng secret" });
    anyone.post("/api/auth/login").json(&wrong).await.fails(401, "invalid_credentials");
    let made = owner.post("/api/v1/api-keys").json(&json!({ "name": "A", "type": "management" })).await.data(201);
    let secret = made["key"].as_str().unwrap();
    let key = anyone.with("authorization", &format!("Bearer {secret}"));
    key.get("/api/v1/field-groups?cursor=qu3ry-secret&apiKey=qu3ry-secret").await.fails(400, "malformed_request");
    key.post("/api/v1/field-groups")
        .once("1dempotency-secret")
        .json(&json!({ "key": "b0dy_secret", "name": "b0dy secret" }))
        .await;
    key.post("/api/v1/field-groups").body("application/json", "{\"b0dy\": secret").await.expect(400);
    key.post("/api/v1/field-groups").json(&json!({ "key": "b0dy secret" })).await.expect(422);
    anyone.with("x-api-key", "hr_live_f0rged-secret").get("/api/v1/field-groups").await.expect(401);
    anyone.with("x-request-id", "seen-in-the-log").get("/api/health").await.expect(200);
    let cookie = crate::app::cookie_of(&answer);
    let (greeting, demo) = (dev.greeting.clone(), dev.key.clone());
    let (_, rest, log) = dev.terminate().await;
    assert!(log.contains("seen-in-the-log"), "there is a log to read");
    let mut requests = 0;
    for line in log.lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        requests += usize::from(line["request_id"].is_string());
        // A batch of webhooks' work has its count of records.
        assert!(line["request_id"].is_string() || line["records"].is_u64() || line["level"] != "INFO", "{line}");
    }
    assert_eq!(requests, 9, "one line a request: {log}");
    let password = greeting.lines().find(|line| line.starts_with("demo account")).unwrap().split_whitespace().nth(4);
    for told in [
        "secret",
        "m4il",
        "p4ss",
        "N4me",
        "wr0ng",
        "qu3ry",
        "b0dy",
        "1demp",
        "f0rged",
        secret,
        cookie.split_once('.').unwrap().1,
        "hr_live_",
        "Bearer",
        "__Host",
        &demo,
        password.unwrap(),
    ] {
        assert!(!log.contains(told) && !rest.contains(told), "{told} is in the log: {log}");
    }
    for line in greeting.lines().filter(|line| line.contains("hr_")) {
        assert!(["demo key", "hedgerow listen", "curl "].iter().any(|start| line.starts_with(start)), "{line}");
    }
}

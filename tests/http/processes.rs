//! `hedgerow dev`, as one runs it: killed, doubled, ended, and read for what it must not say.

use std::process::Stdio;
use std::time::Duration;

use auth::ApiKeySecret;
use contract::permission::KeyType;
use hedgerow_tests::app::{Caller, each, entities, id, values};
use hedgerow_tests::process::{Dev, PATIENCE, arguments, program};
use hedgerow_tests::wait::until;
use serde_json::json;
use store::author::Clock;
use tokio::process::Command;

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
async fn a_key_that_ends_in_one_process_is_refused_by_the_other() {
    const KEYS: &str = "/api/v1/api-keys";
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = tokio::join!(Dev::start(folder.path(), 1), Dev::start(folder.path(), 2));
    let owner = one.owner().await;
    let mut made = Vec::new();
    for _ in 0..5 {
        let body = json!({ "name": "A", "type": "management" });
        let key = owner.post(KEYS).json(&body).await.data(201);
        let caller = Caller::at(&other.base).with("x-api-key", key["key"].as_str().unwrap());
        // Known to the other process, so that it has something to forget.
        caller.get("/api/v1/field-groups").await.expect(200);
        made.push((format!("{KEYS}/{}", id(&key)), caller));
    }
    owner.patch(&made[0].0).json(&json!({ "active": false })).await.expect(200);
    owner.delete(&made[1].0).await.expect(204);
    // Some seconds from now, or it would be over before it is heard of.
    let soon = Clock::default().now().plus(Duration::from_secs(5));
    owner.patch(&made[2].0).json(&json!({ "expiresAt": soon })).await.expect(200);
    let mut new = Vec::new();
    for (rotated, seconds) in [(&made[3], 0), (&made[4], 1)] {
        let rotation = format!("{}/rotate", rotated.0);
        let key = owner.post(&rotation).json(&json!({ "graceSeconds": seconds })).await.data(201);
        new.push(Caller::at(&other.base).with("x-api-key", key["key"].as_str().unwrap()));
    }
    let asked = async |caller: &Caller| caller.get("/api/v1/field-groups").await.status;
    for caller in &new {
        assert_eq!(asked(caller).await, 200, "a new key works everywhere at once");
    }
    until(PATIENCE, || async { Clock::default().now() > soon }).await;
    for (_, caller) in &made {
        until(Duration::from_secs(10), || async { asked(caller).await == 401 }).await;
    }
    for caller in &new {
        assert_eq!(asked(caller).await, 200);
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
        &["dev", "--listen", "127.0.0.1:0", "--origin", "http://example.com"],
        &["dev", "--listen", "127.0.0.1:0", "--origin", "https://example.com/admin"],
        &["dev", "--listen", "127.0.0.1:0", "--origin", "*"],
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
async fn links_lead_to_where_it_listens_or_to_where_it_is_said_to_be() {
    for (number, listen, said, origin) in [
        (1, "127.0.0.1:0", None, "http://127.0.0.1:"),
        (2, "0.0.0.0:0", None, "http://localhost:"),
        (3, "127.0.0.1:0", Some("https://Hedgerow.example.com"), "https://hedgerow.example.com\n"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let mut flags = vec!["--webhook-targets", "public", "--listen", listen];
        flags.extend(said.into_iter().flat_map(|origin| ["--origin", origin]));
        let dev = Dev::with(folder.path(), number, &flags).await;
        let mail = format!("mail          is written to {}; ", folder.path().join("data/mail").display());
        assert!(dev.greeting.contains(&format!("{mail}its links lead to {origin}")), "{}", dev.greeting);
        assert!(folder.path().join("data/mail").is_dir());
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
    let owner = anyone.in_session(&hedgerow_tests::app::cookie_of(&answer));
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
    let cookie = hedgerow_tests::app::cookie_of(&answer);
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

#[tokio::test]
async fn a_credential_that_was_pasted_anywhere_is_in_no_line() {
    let folder = tempfile::tempdir().unwrap();
    let dev = Dev::start(folder.path(), 1).await;
    let (caller, owner) = (dev.caller(), dev.owner().await);
    // The first is one of ours and works, but nowhere that it is put here.
    let mut pasted = vec![dev.key.clone()];
    for key_type in [KeyType::Management, KeyType::Delivery, KeyType::Preview] {
        pasted.push(ApiKeySecret::generate(key_type).reveal().to_owned());
    }
    pasted.push("whsec_C2FVsBQIhrscChlQIMVxb5sSYspob7oD".to_owned());
    pasted.push("eyJhbGciOiJIUzI1NiJ9.eyJ0ZW5hbnQiOiJhY21lIn0.c2lnbmF0dXJlc2lnbmF0dXJl".to_owned());
    pasted.push("usr_00000000000000000000000000000007.c2Vzc2lvbnNlc3Npb25zZXNzaW9uc2Vzc2lvbnNlc3Npb24".to_owned());
    for credential in &pasted {
        let encoded = credential.replace('_', "%5F").replace('.', "%2E");
        for form in [credential, &encoded, &encoded.replace('%', "%25")] {
            for path in [
                format!("/api/v1/field-groups/{form}"),
                format!("/api/v1/tenants/{form}/field-groups/{form}/entities/{form}/values"),
                format!("/api/v1/field-groups?{form}={form}"),
                format!("/api/v1/field-groups?cursor={form}"),
                format!("/{form}"),
                format!("/api/v1/webhooks/{form}x/deliveries?status={form}"),
            ] {
                for method in ["GET", "POST"] {
                    let answer = caller.call(method, &path).await;
                    assert!(answer.status >= 400, "{answer}");
                    let body = String::from_utf8(answer.body).unwrap();
                    assert!(!body.contains(credential.as_str()), "{body}");
                }
            }
        }
        let named = caller.with("x-request-id", credential).with("user-agent", credential);
        let answer = named.get("/api/v1/field-groups/product").await.expect(200);
        let id = answer.request_id();
        assert!(id.starts_with("req_") && !id.contains(credential.as_str()), "{answer}");
        let unknown = json!({ "name": "A", "type": "delivery", credential: credential });
        let answer = owner.post("/api/v1/api-keys").json(&unknown).await.expect(422);
        assert!(!String::from_utf8(answer.body).unwrap().contains(credential.as_str()));
    }
    // What is written keeps who wrote it: the agent is stored without the key.
    let agent = format!("curl {}", pasted[0]);
    caller.with("user-agent", &agent).post(&values("acme", "product", "pasted")).json(&json!({})).await.expect(200);
    let (_, rest, log) = dev.terminate().await;
    assert!(log.contains("hr_live_") && log.contains('…'), "there are lines to read, with what may be told");
    for credential in &pasted {
        let encoded = credential.replace('_', "%5F").replace('.', "%2E");
        for form in [credential, &encoded, &encoded.replace('%', "%25")] {
            assert!(!log.contains(form.as_str()) && !rest.contains(form.as_str()), "{form} is in the log");
        }
        assert!(!log.contains(&credential[credential.len() - 20..]), "{credential} is in the log");
    }
    // But for the file of the demo key.
    let data = std::fs::read_dir(folder.path().join("data")).unwrap();
    for file in data.map(|file| file.unwrap().path()).filter(|path| path.extension().is_some_and(|e| e != "json")) {
        if file.is_file() {
            let bytes = std::fs::read(&file).unwrap();
            let key = pasted[0].as_bytes();
            assert!(!bytes.windows(key.len()).any(|part| part == key), "{}", file.display());
        }
    }
}

//! `hedgerow admin`, over the folder of a running `hedgerow dev`.

use std::path::Path;
use std::process::Stdio;

use hedgerow_tests::app::{Caller, cookie_of, id};
use hedgerow_tests::person::totp_code;
use hedgerow_tests::process::{Dev, program};
use serde_json::{Value, json};
use store::author::Clock;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

const PASSWORD: &str = "four oak tables and a lamp";

/// What a command printed, and how it ended.
async fn admin(folder: &Path, arguments: &[&str], input: &str) -> (i32, String, String) {
    let mut command = Command::new(program("hedgerow"));
    command.arg("admin").arg("--data").arg(folder.join("data")).args(arguments);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // A command that does not read it may have ended.
    let _ = stdin.write_all(input.as_bytes()).await;
    drop(stdin);
    let output = child.wait_with_output().await.unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn app_code(secret: &Value) -> String {
    totp_code(secret.as_str().unwrap(), Clock::default().now())
}

#[tokio::test]
async fn whoever_runs_a_deployment_opens_accounts_sets_plans_ends_sessions_and_unlocks() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let dev = Dev::start(folder, 1).await;
    let open = ["create-account", "--email", "ada@example.com", "--name", "Acme"];
    let (code, _, said) = admin(folder, &open, "acmeacmeacme\n").await;
    assert!(code == 1 && said.contains("password: Must not hold `Acme`"), "{said}");
    let (code, _, said) = admin(folder, &open, "short\n").await;
    assert!(code == 1 && said.contains("at least 12 characters"), "{said}");
    let (code, said, _) = admin(folder, &open, &format!("{PASSWORD}\n")).await;
    assert!(code == 0 && said.contains("ada@example.com") && said.contains("(acme)"), "{said}");
    let (code, _, said) = admin(folder, &open, PASSWORD).await;
    assert!(code == 1 && said.contains("There is an account"), "{said}");

    let body = |password: &str| json!({ "email": "ada@example.com", "password": password });
    let log_in = async |password: &str| Caller::at(&dev.base).post("/api/auth/login").json(&body(password)).await;
    let ada = Caller::at(&dev.base).in_session(&cookie_of(&log_in(PASSWORD).await.expect(200)));
    let client = ada.get("/api/v1/client").await.data(200);
    for (named, plan) in [("acme", "team"), (id(&client), "starter")] {
        let (code, said, _) = admin(folder, &["set-plan", named, plan, "--status", "past_due"], "").await;
        assert!(code == 0 && said.contains(plan), "{said}");
        let subscription = ada.get("/api/v1/subscription").await.data(200);
        assert_eq!((&subscription["plan"], &subscription["status"]), (&json!(plan), &json!("past_due")));
    }
    let (code, _, said) = admin(folder, &["set-plan", "nobody", "team"], "").await;
    assert!(code == 1 && said.contains("there is no client nobody"), "{said}");
    let (code, _, said) = admin(folder, &["set-plan", "acme", "gold"], "").await;
    assert!(code == 2 && said.contains("`starter`"), "{said}");

    for _ in 0..10 {
        log_in("not the password").await.fails(401, "invalid_credentials");
    }
    log_in(PASSWORD).await.fails(401, "invalid_credentials");
    assert_eq!(admin(folder, &["unlock", "ADA@example.com"], "").await.0, 0);
    log_in(PASSWORD).await.expect(200);

    let secret = ada.post("/api/auth/totp").json(&json!({ "password": PASSWORD })).await.data(201);
    let confirmed = ada.post("/api/auth/totp/confirm").json(&json!({ "code": app_code(&secret["secret"]) })).await;
    let ada = Caller::at(&dev.base).in_session(&cookie_of(&confirmed.expect(200)));
    log_in(PASSWORD).await.fails(401, "totp_required");
    let (code, said, _) = admin(folder, &["turn-off-totp", "ada@example.com"], "").await;
    assert!(code == 0 && said.contains("no second factor"), "{said}");
    log_in(PASSWORD).await.expect(200);

    assert_eq!(ada.get("/api/auth/session").await.data(200)["user"]["secondFactor"], false);
    assert_eq!(admin(folder, &["end-sessions", "ada@example.com"], "").await.0, 0);
    ada.get("/api/auth/session").await.fails(401, "unauthenticated");
    let (code, _, said) = admin(folder, &["end-sessions", "nobody@example.com"], "").await;
    assert!(code == 1 && said.contains("there is no account"), "{said}");
    let nowhere = folder.join("nowhere");
    let (code, _, said) = admin(&nowhere, &["unlock", "ada@example.com"], "").await;
    assert!(code == 1 && said.contains("there is no such data folder") && !nowhere.exists(), "{said}");
}

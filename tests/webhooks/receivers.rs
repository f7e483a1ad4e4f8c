//! The receivers that the documentation shows, as processes of their own.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{SystemTime, UNIX_EPOCH};

use hedgerow_tests::wait::PATIENCE;
use reqwest::Client;
use serde_json::{Value, json};
use signature::Key;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

use crate::world::{SOON, World};

const SECRET: &str = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

/// A receiver's process. It is killed when it is dropped.
struct Program {
    port: u16,
    lines: Lines<BufReader<ChildStdout>>,
    _child: Child,
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("receivers").join(name)
}

impl Program {
    async fn start(mut command: Command) -> Self {
        command.arg("0").env("WEBHOOK_SECRET", SECRET).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let first = timeout(PATIENCE, lines.next_line()).await.unwrap().unwrap();
        let first = first.unwrap_or_else(|| panic!("{command:?} ended"));
        let port = first.strip_prefix("listening ").unwrap_or_else(|| panic!("{first}")).parse().unwrap();
        Self { port, lines, _child: child }
    }

    /// What it says next.
    async fn says(&mut self) -> Value {
        let line = timeout(PATIENCE, self.lines.next_line()).await.unwrap().unwrap().unwrap();
        serde_json::from_str(&line).unwrap()
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }

    /// Posts a delivery by hand; gives the status.
    async fn post(&self, body: &str, signed: &str, secret: &str, age: i64) -> u16 {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let at = i64::try_from(now).unwrap() - age;
        let signature = signature::standard([&Key::parse(secret).unwrap()], "evt_1", at, signed.as_bytes());
        let request = Client::new().post(self.url()).header("webhook-id", "evt_1").header("webhook-timestamp", at);
        request.header("webhook-signature", signature).body(body.to_owned()).send().await.unwrap().status().as_u16()
    }
}

/// That a real delivery is verified, and what is forged or old is refused.
async fn verifies(command: Command) {
    let mut program = Program::start(command).await;
    let world = World::start(&[SOON; 5]).await;
    let hook = world.hook_with(json!({ "url": program.url(), "events": ["*"], "secret": SECRET })).await;
    world.product().await;
    world.save("sku-1", "Größe \u{1f333}").await;
    let mut told = Vec::new();
    for _ in 0..3 {
        told.push(program.says().await);
    }
    let deliveries = hook.until("delivered", 3).await;
    for delivery in &deliveries {
        let said = json!({ "ok": true, "event": delivery["event"], "eventId": delivery["eventId"] });
        assert!(told.contains(&said), "{said} {told:?}");
    }

    let body = r#"{"event":"test.ping","eventId":"evt_1"}"#;
    let altered = r#"{"event":"test.pong","eventId":"evt_1"}"#;
    let other = "whsec_c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2U=";
    assert_eq!(program.post(body, body, SECRET, 0).await, 204);
    assert_eq!(program.says().await, json!({ "ok": true, "event": "test.ping", "eventId": "evt_1" }));
    for (body, signed, secret, age) in
        [(altered, body, SECRET, 0), (body, body, other, 0), (body, body, SECRET, 600), (body, body, SECRET, -600)]
    {
        assert_eq!(program.post(body, signed, secret, age).await, 401);
        let said = program.says().await;
        assert!(said["ok"] == false && said["error"].is_string(), "{said}");
    }
    let bare = Client::new().post(program.url()).body(body).send().await.unwrap();
    assert_eq!((bare.status().as_u16(), &program.says().await["ok"]), (401, &json!(false)));
}

#[tokio::test]
async fn the_one_in_node_verifies() {
    let folder = folder("node");
    let installed = folder.join("node_modules/standardwebhooks");
    assert!(installed.exists(), "{} is missing: run `make receivers`", installed.display());
    let mut command = Command::new("node");
    command.arg("verify.mjs").current_dir(folder);
    verifies(command).await;
}

#[tokio::test]
async fn the_one_in_python_verifies() {
    let folder = folder("python");
    let python = folder.join("venv/bin/python");
    assert!(python.exists(), "{} is missing: run `make receivers`", python.display());
    let mut command = Command::new(python);
    command.arg("verify.py").current_dir(folder);
    verifies(command).await;
}

#[tokio::test]
async fn the_one_in_rust_verifies() {
    verifies(Command::new(env!("CARGO_BIN_EXE_receiver"))).await;
}

#[test]
fn the_documentation_shows_them_as_they_are() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let page = std::fs::read_to_string(root.join("docs/webhooks.md")).unwrap();
    for path in ["node/verify.mjs", "python/verify.py", "rust/main.rs"] {
        let path = format!("tests/receivers/{path}");
        let after =
            page.split_once(&format!("<!-- {path} -->\n```")).unwrap_or_else(|| panic!("{path} is not shown")).1;
        let block = after.split_once('\n').unwrap().1;
        let end = if block.starts_with("```") { 0 } else { block.find("\n```").unwrap() + 1 };
        let file = std::fs::read_to_string(root.join(&path)).unwrap();
        assert!(block[..end] == file, "docs/webhooks.md shows another {path} than stands there");
    }
}

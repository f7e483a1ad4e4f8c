//! The `hedgerow` command as a process, and the programs that tests build.

use std::path::{Path, PathBuf};
use std::process::{Command as Build, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, ChildStdout, Command};

use contract::rate_limit::LimitName;

use crate::app::Caller;

/// How long anything may take on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A program of the workspace, built from what stands here now: `hedgerow`, `merge-values` or `send-mail`.
pub fn program(name: &str) -> PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| {
        let own = std::env::current_exe().unwrap();
        let folder = own.parent().and_then(Path::parent).unwrap().to_owned();
        let mut build = Build::new(env!("CARGO"));
        // As the Makefile does, so that features are unified as for the tests of all and nothing is built twice.
        let programs = ["--bin", "hedgerow", "--bin", "merge-values", "--bin", "send-mail"];
        build.args(["build", "--quiet", "--workspace"]).args(programs).args(["--test", "used"]);
        build.arg("--target-dir").arg(folder.parent().unwrap());
        if folder.ends_with("release") {
            build.arg("--release");
        }
        assert!(build.current_dir(env!("CARGO_MANIFEST_DIR")).status().unwrap().success());
        folder
    });
    folder.join(name)
}

/// A running `hedgerow dev`. It is killed when it is dropped.
pub struct Dev {
    /// Where it listens.
    pub base: String,
    /// What it printed up to the last of the commands that it proposes.
    pub greeting: String,
    /// The demo key.
    pub key: String,
    child: Child,
    stdout: BufReader<ChildStdout>,
    log: PathBuf,
}

impl Dev {
    /// Starts one over a folder; its log goes to a file of this number beside the folder's data.
    pub async fn start(folder: &Path, number: u32) -> Self {
        Self::with(folder, number, &["--listen", "127.0.0.1:0"]).await
    }

    /// The same with other flags. Unless they set rate limits, nobody runs into any.
    pub async fn with(folder: &Path, number: u32, flags: &[&str]) -> Self {
        let log = folder.join(format!("{number}.log"));
        let mut command = Command::new(program("hedgerow"));
        command.arg("dev").arg("--data").arg(folder.join("data")).args(flags);
        if !flags.contains(&"--limit") {
            command.args(LimitName::ALL.iter().map(|name| format!("--limit={}=1000000/1", name.name())));
        }
        command.stdout(Stdio::piped()).stderr(std::fs::File::create(&log).unwrap()).kill_on_drop(true);
        let mut child = command.spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let (mut greeting, mut commands) = (String::new(), 0);
        while commands < 4 {
            let mut line = String::new();
            let read = tokio::time::timeout(PATIENCE, stdout.read_line(&mut line)).await.unwrap().unwrap();
            let said = std::fs::read_to_string(&log).unwrap();
            assert!(read > 0, "it ended: {greeting}{said}");
            commands += usize::from(line.starts_with("curl "));
            greeting.push_str(&line);
        }
        let after = |word: &str| {
            let rest = greeting.split_once(word).unwrap().1;
            rest.split_whitespace().next().unwrap().to_owned()
        };
        let (base, key) = (after("listens on "), after("demo key"));
        Self { base, key, greeting, child, stdout, log }
    }

    /// Whoever has the demo key.
    pub fn caller(&self) -> Caller {
        Caller::at(&self.base).with("x-api-key", &self.key)
    }

    /// The owner of the demo account, logged in.
    pub async fn owner(&self) -> Caller {
        let line = self.greeting.lines().find(|line| line.starts_with("demo account")).unwrap();
        let words: Vec<&str> = line.split_whitespace().collect();
        let body = serde_json::json!({ "email": words[2], "password": words[4] });
        let answer = Caller::at(&self.base).post("/api/auth/login").json(&body).await.expect(200);
        Caller::at(&self.base).in_session(&crate::app::cookie_of(&answer))
    }

    /// `kill -9`.
    pub async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }

    /// SIGTERM; how it ended, what it said after its greeting, and its log.
    pub async fn terminate(mut self) -> (std::process::ExitStatus, String, String) {
        let pid = self.child.id().unwrap().to_string();
        assert!(Build::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        let status = tokio::time::timeout(PATIENCE, self.child.wait()).await.unwrap().unwrap();
        let mut rest = String::new();
        while self.stdout.read_line(&mut rest).await.unwrap() > 0 {}
        (status, rest, std::fs::read_to_string(&self.log).unwrap())
    }
}

/// The arguments of a printed `curl` command, as a shell reads them.
pub fn arguments(line: &str) -> Vec<String> {
    let script = format!("curl() {{ printf '%s\\0' \"$@\"; }}\n{line}");
    let output = Build::new("sh").args(["-c", &script]).output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap().split_terminator('\0').map(str::to_owned).collect()
}

//! How fast a function starts: from exec to its first poll for an event and to its first answer, under a stand-in
//! Runtime API with the embedded DynamoDB behind it, beside functions that do nothing.

use std::process::Stdio;
use std::time::Instant;

use bytes::Bytes;
use engines::Engines;
use local::backend::Backend;
use runtime_api::{RuntimeApi, environment};
use samples::Identity;
use store::author::Clock;
use tokio::net::TcpListener;
use tokio::process::Command;

use crate::{Failure, row};

/// Starts of each binary; the median counts.
const STARTS: usize = 21;
/// Ours against the empty function with the same SDK client.
const AIM: f64 = 1.5;

/// Prints the medians in milliseconds, and how ours compare.
pub(crate) async fn run() -> Result<(), Failure> {
    let engines = Engines::memory()?;
    let backend = Backend::embedded(engines.clone(), Clock::default()).await.map_err(|e| e.to_string())?;
    samples::seed(&backend.store, &Identity::of_events(), &*backend.app.vault()?.ring().await?).await?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let endpoint = format!("http://{}", listener.local_addr()?);
    tokio::spawn(engines::serve(engines, listener));

    let mut medians = Vec::new();
    for (program, what, event) in [
        ("empty", "start of an empty function", "get-health"),
        ("empty-sdk", "start of an empty function with the SDK", "get-values"),
        ("get-health", "start of get-health", "get-health"),
        ("get-values", "start of get-values", "get-values"),
    ] {
        let event = Bytes::from(std::fs::read(format!("events/{event}.json"))?);
        let (mut polls, mut answers) = (Vec::new(), Vec::new());
        for _ in 0..STARTS {
            let (poll, answer) = start(program, &endpoint, event.clone()).await?;
            polls.push(poll);
            answers.push(answer);
        }
        let pair = (median(polls), median(answers));
        row(&format!("{what}: first poll"), pair.0, "ms", None);
        row(&format!("{what}: first answer"), pair.1, "ms", None);
        medians.push(pair);
    }
    if let [_, empty, _, ours] = medians.as_slice() {
        row("get-values / empty with SDK: first poll", ours.0 / empty.0, "×", Some(AIM));
        row("get-values / empty with SDK: first answer", ours.1 / empty.1, "×", Some(AIM));
    }
    Ok(())
}

/// Milliseconds from exec to the first poll and to the first answer.
async fn start(program: &str, endpoint: &str, event: Bytes) -> Result<(f64, f64), Failure> {
    let api = RuntimeApi::start().await?;
    let mut command = Command::new(std::env::current_exe()?.with_file_name(program));
    command.env_clear().envs(environment(api.address(), program));
    command.env("AWS_ENDPOINT_URL", endpoint).env("AWS_REGION", "local");
    command.env("HEDGEROW_ORIGIN", "https://api.example.com");
    command.env("AWS_ACCESS_KEY_ID", "local").env("AWS_SECRET_ACCESS_KEY", "local");
    let started = Instant::now();
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true).spawn()?;
    api.polled().await;
    let polled = started.elapsed();
    let answer = api.invoke(event).await.ok_or("no answer")?;
    let answered = started.elapsed();
    let answer: serde_json::Value = serde_json::from_slice(&answer.map_err(|_| "the function failed")?)?;
    if answer["statusCode"] != 200 {
        return Err(format!("{program} answered {answer}").into());
    }
    child.kill().await?;
    Ok((polled.as_secs_f64() * 1000.0, answered.as_secs_f64() * 1000.0))
}

fn median(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    all.get(all.len() / 2).copied().unwrap_or_default()
}

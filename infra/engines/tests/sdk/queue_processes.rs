//! Queues in one folder under several handles, processes and deaths.

use std::collections::HashSet;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::QueueAttributeName;
use hedgerow_engines::{Connector, Engines, Sqs};

use super::queues::{bodies, queue, receive, send};
use super::{secrets_manager, sqs};

const CHILD: &str = "HEDGEROW_TEST_QUEUES";

fn open(folder: &Path) -> (Sqs, Client) {
    let engines = Engines::open(folder).unwrap();
    (engines.sqs.clone(), sqs(&Connector::new(engines)))
}

#[cfg(unix)]
#[test]
fn the_files_are_their_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let _engines = Engines::open(&folder.path().join("new")).unwrap();
    for file in std::fs::read_dir(folder.path().join("new")).unwrap() {
        let file = file.unwrap();
        let metadata = file.metadata().unwrap();
        let mode = if metadata.is_dir() { 0o700 } else { 0o600 };
        assert_eq!(metadata.permissions().mode() & 0o777, mode, "{file:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_handles_hand_each_message_out_once() {
    const ALL: usize = 400;
    let folder = tempfile::tempdir().unwrap();
    let ((_, one), (_, other)) = (open(folder.path()), open(folder.path()));
    let url = queue(&one, "first", &[(QueueAttributeName::VisibilityTimeout, "600")]).await;
    let tasks: Vec<_> = [one.clone(), other.clone(), one.clone(), other.clone()]
        .into_iter()
        .enumerate()
        .map(|(nth, sqs)| {
            let url = url.clone();
            tokio::spawn(async move {
                let mut received = Vec::new();
                for n in 0..ALL / 4 {
                    send(&sqs, &url, &format!("{nth} {n}")).await;
                    received.extend(receive(&sqs, &url).await.iter().map(|m| m.body().unwrap().to_owned()));
                }
                received
            })
        })
        .collect();
    let mut received = Vec::new();
    for task in tasks {
        received.extend(task.await.unwrap());
    }
    received.extend(bodies(&receive(&one, &url).await).into_iter().map(str::to_owned));
    assert_eq!((received.len(), received.iter().collect::<HashSet<_>>().len()), (ALL, ALL));
}

#[tokio::test]
async fn a_wait_sees_what_another_handle_sends() {
    let folder = tempfile::tempdir().unwrap();
    let ((_, one), (_, other)) = (open(folder.path()), open(folder.path()));
    let url = queue(&one, "first", &[]).await;
    let started = Instant::now();
    let wait = one.receive_message().queue_url(&url).wait_time_seconds(20).send();
    let (received, ()) = tokio::join!(wait, async {
        tokio::time::sleep(Duration::from_millis(20)).await;
        send(&other, &url, "sent").await;
    });
    assert_eq!(bodies(received.unwrap().messages()), ["sent"]);
    // Not by the end of the wait.
    assert!(started.elapsed() < Duration::from_secs(15), "{:?}", started.elapsed());
}

#[tokio::test]
async fn secrets_are_shared_too() {
    let folder = tempfile::tempdir().unwrap();
    let [one, other] = [(); 2].map(|()| secrets_manager(&Connector::new(Engines::open(folder.path()).unwrap())));
    one.create_secret().name("seal").secret_string("x").send().await.unwrap();
    assert_eq!(other.get_secret_value().secret_id("seal").send().await.unwrap().secret_string(), Some("x"));
}

/// The child of the next test; alone it does nothing. It says each number once that is sent, and takes some of them.
#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "how the parent says that this is the child")]
async fn child_that_sends_until_it_is_killed() {
    let Some(folder) = std::env::var_os(CHILD) else {
        return;
    };
    let (_, sqs) = open(Path::new(&folder));
    let url = queue(&sqs, "first", &[(QueueAttributeName::VisibilityTimeout, "43200")]).await;
    for n in 0.. {
        send(&sqs, &url, &n.to_string()).await;
        if n % 3 == 0 {
            sqs.receive_message().queue_url(&url).send().await.unwrap();
        }
        eprintln!("sent {n}");
    }
}

#[tokio::test]
async fn nothing_acknowledged_is_lost_when_the_process_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "queue_processes::child_that_sends_until_it_is_killed", "--nocapture"])
        .env(CHILD, folder.path())
        .stderr(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    let number = |line: String| line.strip_prefix("sent ").and_then(|n| n.parse::<u64>().ok());
    let mut last = said.by_ref().filter_map(number).find(|n| *n >= 300).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    last = said.filter_map(number).last().unwrap_or(last);

    let (engine, sqs) = open(folder.path());
    let url = sqs.get_queue_url().queue_name("first").send().await.unwrap().queue_url.unwrap();
    // Whoever takes over has what the dead one had in flight, and not in twelve hours.
    assert!(engine.release_in_flight().unwrap() >= 100);
    let mut seen = HashSet::new();
    loop {
        let received = receive(&sqs, &url).await;
        if received.is_empty() {
            break;
        }
        seen.extend(received.iter().map(|message| message.body().unwrap().parse::<u64>().unwrap()));
    }
    assert!((0..=last).all(|n| seen.contains(&n)));
}

//! One folder under several handles, processes and deaths.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use aws_sdk_dynamodb::Client;
use futures_util::future::join_all;
use hedgerow_engines::{Connector, Engines};

use super::{client, create, get, key, number, put};

const CHILD: &str = "HEDGEROW_TEST_FOLDER";

fn open(folder: &Path) -> Client {
    client(&Connector::new(Engines::open(folder).unwrap()))
}

/// Adds one to a counter if it is still what was read; a writer that lost tries again.
async fn increment(dynamo: &Client) {
    loop {
        let seen = get(dynamo, "C#1", "#").await.unwrap();
        let update = dynamo
            .update_item()
            .table_name("main")
            .set_key(Some(key("C#1", "#")))
            .update_expression("SET n = :new")
            .condition_expression("n = :seen")
            .expression_attribute_values(":new", number(seen + 1))
            .expression_attribute_values(":seen", number(seen));
        match update.send().await {
            Ok(_) => return,
            Err(e) => assert!(e.into_service_error().is_conditional_check_failed_exception()),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_handles_on_one_folder_are_one_store() {
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = (open(folder.path()), open(folder.path()));
    create(&one).await;
    put(&one, "C#1", "#", 0).await;
    assert_eq!(get(&other, "C#1", "#").await, Some(0));

    let writers = [one.clone(), other.clone(), one.clone(), other.clone()].map(|dynamo| {
        tokio::spawn(async move {
            for _ in 0..50 {
                increment(&dynamo).await;
            }
        })
    });
    for writer in join_all(writers).await {
        writer.unwrap();
    }
    assert_eq!(get(&one, "C#1", "#").await, Some(200));
    drop((one, other));
    assert_eq!(get(&open(folder.path()), "C#1", "#").await, Some(200));
}

#[test]
fn many_may_open_a_new_folder_at_once() {
    let folder = tempfile::tempdir().unwrap();
    std::thread::scope(|threads| {
        for _ in 0..8 {
            threads.spawn(|| Engines::open(&folder.path().join("new")).unwrap());
        }
    });
}

/// The child of the next test; alone it does nothing. It says each number once that is written.
#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "how the parent says that this is the child")]
async fn child_that_writes_until_it_is_killed() {
    let Some(folder) = std::env::var_os(CHILD) else {
        return;
    };
    let dynamo = open(Path::new(&folder));
    create(&dynamo).await;
    for n in 0.. {
        put(&dynamo, "C#1", &format!("{n:06}"), n).await;
        eprintln!("written {n}");
    }
}

#[tokio::test]
async fn nothing_acknowledged_is_lost_when_the_process_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "processes::child_that_writes_until_it_is_killed", "--nocapture"])
        .env(CHILD, folder.path())
        .stderr(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    let number = |line: String| line.strip_prefix("written ").and_then(|n| n.parse::<u64>().ok());
    let mut last = said.by_ref().filter_map(number).find(|n| *n >= 300).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    last = said.filter_map(number).last().unwrap_or(last);
    let dynamo = open(folder.path());
    for n in 0..=last {
        assert_eq!(get(&dynamo, "C#1", &format!("{n:06}")).await, Some(n));
    }
}

//! A table's stream, as its consumer reads it.

use std::time::{Duration, Instant};

use aws_sdk_dynamodb::Client;
use hedgerow_engines::{Connector, Dynamo, Engines, Stream};
use serde_json::{Value, json};

use super::{client, create, key, put};

async fn fresh() -> (Engines, Client) {
    let engines = Engines::memory().unwrap();
    let dynamo = client(&Connector::new(engines.clone()));
    create(&dynamo).await;
    (engines, dynamo)
}

fn number(record: &Value) -> &str {
    record["dynamodb"]["SequenceNumber"].as_str().unwrap()
}

fn sort_keys(records: &[Value]) -> Vec<&str> {
    records.iter().map(|record| record["dynamodb"]["Keys"]["sk"]["S"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn records_are_as_lambda_hands_them_on() {
    let (engines, dynamo) = fresh().await;
    let stream = engines.dynamo.stream("main").unwrap();
    put(&dynamo, "C#1", "#", 1).await;
    put(&dynamo, "C#1", "#", 2).await;
    dynamo.delete_item().table_name("main").set_key(Some(key("C#1", "#"))).send().await.unwrap();
    let records = stream.read(None, 10).unwrap();
    let item = |n: &str| json!({ "pk": { "S": "C#1" }, "sk": { "S": "#" }, "n": { "N": n } });
    let images = [
        ("INSERT", Some(item("1")), None),
        ("MODIFY", Some(item("2")), Some(item("1"))),
        ("REMOVE", None, Some(item("2"))),
    ];
    assert_eq!(records.len(), 3);
    for (record, (name, new, old)) in records.iter().zip(images) {
        assert_eq!(record["eventName"], name);
        assert_eq!(
            (record["dynamodb"].get("NewImage"), record["dynamodb"].get("OldImage")),
            (new.as_ref(), old.as_ref())
        );
        assert_eq!(record["dynamodb"]["Keys"], json!({ "pk": { "S": "C#1" }, "sk": { "S": "#" } }));
        assert_eq!(record["dynamodb"]["StreamViewType"], "NEW_AND_OLD_IMAGES");
        assert!(record["dynamodb"]["SizeBytes"].as_u64().unwrap() > 0);
        assert!(record["dynamodb"]["ApproximateCreationDateTime"].as_f64().unwrap() > 1.7e9);
        assert_eq!((number(record).len(), record["eventID"].as_str().unwrap().len()), (21, 32));
        assert_eq!(
            [&record["eventVersion"], &record["eventSource"], &record["awsRegion"]],
            ["1.1", "aws:dynamodb", "us-east-1"]
        );
        let source = record["eventSourceARN"].as_str().unwrap();
        assert!(source.starts_with("arn:aws:dynamodb:us-east-1:000000000000:table/main/stream/"), "{source}");
    }
    assert!(records.windows(2).all(|pair| number(&pair[0]) < number(&pair[1])));

    assert_eq!(stream.read(Some(number(&records[0])), 1).unwrap(), records[1..2]);
    assert_eq!(stream.read(Some(number(&records[2])), 10).unwrap(), Vec::<Value>::new());
    assert!(stream.read(Some("x"), 10).is_err());
    assert!(engines.dynamo.stream("none").unwrap().read(None, 10).unwrap().is_empty());
}

#[tokio::test]
async fn what_was_pruned_is_gone_and_numbers_go_on() {
    let (engines, dynamo) = fresh().await;
    let stream = engines.dynamo.stream("main").unwrap();
    for n in 0..5 {
        put(&dynamo, "C#1", &n.to_string(), n).await;
    }
    let records = stream.read(None, 10).unwrap();
    stream.prune(number(&records[2])).unwrap();
    assert_eq!(stream.read(None, 10).unwrap(), records[3..]);
    // All are handled: the newest stays, for the next number is one more than it.
    let last = number(&records[4]);
    stream.prune(last).unwrap();
    assert_eq!(stream.read(None, 10).unwrap(), records[4..]);
    assert!(stream.read(Some(last), 10).unwrap().is_empty());
    put(&dynamo, "C#1", "5", 5).await;
    let next = stream.read(Some(last), 10).unwrap();
    assert_eq!(sort_keys(&next), ["5"]);
    assert!(number(&next[0]) > last);
}

#[tokio::test]
async fn a_checkpoint_is_a_consumers_own() {
    let folder = tempfile::tempdir().unwrap();
    let dynamo = Dynamo::open(folder.path()).unwrap();
    let stream = dynamo.stream("main").unwrap();
    assert_eq!(stream.checkpoint("fan-out").unwrap(), None);
    for n in 1..=2 {
        stream.set_checkpoint("fan-out", &format!("10000000000000000000{n}")).unwrap();
    }
    assert!(stream.set_checkpoint("fan-out", "7").is_err());
    drop((stream, dynamo));
    let stream = Dynamo::open(folder.path()).unwrap().stream("main").unwrap();
    assert_eq!(stream.checkpoint("fan-out").unwrap().as_deref(), Some("100000000000000000002"));
    assert_eq!(stream.checkpoint("other").unwrap(), None);
}

#[tokio::test]
async fn a_record_stays_until_every_consumer_is_past_it() {
    let (engines, dynamo) = fresh().await;
    let stream = engines.dynamo.stream("main").unwrap();
    for n in 0..4 {
        put(&dynamo, "C#1", &n.to_string(), n).await;
    }
    let records = stream.read(None, 10).unwrap();
    let both = ["fan-out", "recorder"];
    stream.set_checkpoint("fan-out", number(&records[2])).unwrap();
    stream.prune_behind(&both).unwrap();
    assert_eq!(stream.read(None, 10).unwrap(), records, "one has not begun");
    stream.set_checkpoint("recorder", number(&records[0])).unwrap();
    stream.prune_behind(&both).unwrap();
    assert_eq!(stream.read(None, 10).unwrap(), records[1..]);
    stream.set_checkpoint("recorder", number(&records[3])).unwrap();
    stream.prune_behind(&both).unwrap();
    assert_eq!(stream.read(None, 10).unwrap(), records[3..]);
    // Neither waits for the other's turn.
    let _fan_out = stream.turn("fan-out").await;
    let _recorder = stream.turn("recorder").await;
}

async fn ends_within(stream: &Stream, limit: Duration) -> Duration {
    let started = Instant::now();
    tokio::time::timeout(limit, stream.changed()).await.unwrap();
    started.elapsed()
}

#[tokio::test]
async fn a_wait_ends_with_a_write_and_not_before() {
    let folder = tempfile::tempdir().unwrap();
    let (here, elsewhere) = (Engines::open(folder.path()).unwrap(), Engines::open(folder.path()).unwrap());
    let (one, other) = (client(&Connector::new(here.clone())), client(&Connector::new(elsewhere)));
    create(&one).await;
    let stream = here.dynamo.stream("main").unwrap();
    let soon = Duration::from_secs(5);
    // Before the first read there may be anything.
    ends_within(&stream, soon).await;
    stream.read(None, 10).unwrap();
    assert!(tokio::time::timeout(Duration::from_millis(250), stream.changed()).await.is_err());
    // Written between the read and the wait, by this process and by another.
    put(&one, "C#1", "1", 1).await;
    ends_within(&stream, soon).await;
    assert_eq!(sort_keys(&stream.read(None, 10).unwrap()), ["1"]);
    put(&other, "C#1", "2", 2).await;
    ends_within(&stream, soon).await;
    assert_eq!(sort_keys(&stream.read(None, 10).unwrap()), ["1", "2"]);
    // Written during the wait.
    tokio::join!(ends_within(&stream, soon), put(&one, "C#1", "3", 3));
    assert_eq!(stream.read(None, 10).unwrap().len(), 3);
    tokio::join!(ends_within(&stream, soon), put(&other, "C#1", "4", 4));
    let records = stream.read(None, 10).unwrap();
    assert_eq!(records.len(), 4);
    // Its own pruning is no news.
    stream.prune(number(&records[1])).unwrap();
    assert!(tokio::time::timeout(Duration::from_millis(250), stream.changed()).await.is_err());
}

/// SQLite lets one writer in at a time, so a number is given and committed before the next is given.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_reader_misses_nothing_that_two_handles_write() {
    const EACH: u64 = 200;
    let folder = tempfile::tempdir().unwrap();
    let engines = [Engines::open(folder.path()).unwrap(), Engines::open(folder.path()).unwrap()];
    let writers = engines.clone().map(|engines| client(&Connector::new(engines)));
    create(&writers[0]).await;
    let stream = engines[0].dynamo.stream("main").unwrap();
    let tasks: Vec<_> = (0..4)
        .map(|writer| {
            let dynamo = writers[writer % 2].clone();
            tokio::spawn(async move {
                for n in 0..EACH {
                    put(&dynamo, "C#1", &format!("{writer} {n}"), n).await;
                }
            })
        })
        .collect();
    let (mut after, mut seen) = (None, Vec::new());
    let deadline = Instant::now() + Duration::from_secs(60);
    while seen.len() < 4 * EACH as usize {
        assert!(Instant::now() < deadline, "{} of {}", seen.len(), 4 * EACH);
        let records = stream.read(after.as_deref(), 7).unwrap();
        let Some(last) = records.last() else {
            stream.changed().await;
            continue;
        };
        let through = number(last).to_owned();
        assert!(after.is_none_or(|before| before < through));
        stream.set_checkpoint("test", &through).unwrap();
        stream.prune(&through).unwrap();
        after = Some(through);
        seen.extend(sort_keys(&records).into_iter().map(str::to_owned));
    }
    for task in tasks {
        task.await.unwrap();
    }
    // Each writer's own writes came in their order, and each once.
    for writer in 0..4 {
        let of = |key: &&String| key.starts_with(&format!("{writer} "));
        let expected: Vec<_> = (0..EACH).map(|n| format!("{writer} {n}")).collect();
        assert_eq!(seen.iter().filter(of).cloned().collect::<Vec<_>>(), expected);
    }
}

//! What the engine's file must look like, whatever version of `dynoxide` wrote it.

use std::time::{Duration, Instant};

use bytes::Bytes;
use rusqlite::{Connection, params};
use serde_json::json;

use super::{Dynamo, stream};

/// `dynoxide` 3.2.0's own statements, from its `storage.rs`. On an upgrade, compare them.
const NEXT: &str =
    "SELECT COALESCE(MAX(CAST(sequence_number AS INTEGER)), 0) + 1 FROM _stream_records WHERE table_name = ?1";
const PAGE: &str =
    "SELECT event_name, keys_json, new_image, old_image, sequence_number, created_at, user_identity, event_id
             FROM _stream_records
             WHERE table_name = ?1 AND shard_id = ?2 AND CAST(sequence_number AS INTEGER) > ?3
             ORDER BY CAST(sequence_number AS INTEGER) ASC
             LIMIT ?4";

/// So many records that were there before.
const FILL: &str =
    "INSERT INTO _stream_records (table_name, event_name, keys_json, sequence_number, shard_id, created_at)
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
    SELECT 'main', 'INSERT', '{}', CAST(i AS TEXT), 'shard', 0 FROM n";

async fn ok(dynamo: &Dynamo, operation: &str, body: &str) -> serde_json::Value {
    let answer = dynamo.call(&format!("DynamoDB_20120810.{operation}"), Bytes::from(body.to_owned())).await;
    assert_eq!(answer.status, 200, "{:?}", answer.body);
    serde_json::from_slice(&answer.body).unwrap()
}

async fn create_streamed(dynamo: &Dynamo) {
    let table = r#"{"TableName":"main","BillingMode":"PAY_PER_REQUEST",
        "KeySchema":[{"AttributeName":"pk","KeyType":"HASH"},{"AttributeName":"sk","KeyType":"RANGE"}],
        "AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"},{"AttributeName":"sk","AttributeType":"S"}],
        "StreamSpecification":{"StreamEnabled":true,"StreamViewType":"NEW_AND_OLD_IMAGES"}}"#;
    ok(dynamo, "CreateTable", table).await;
}

async fn put(dynamo: &Dynamo, sk: &str) -> Duration {
    let started = Instant::now();
    ok(dynamo, "PutItem", &format!(r#"{{"TableName":"main","Item":{{"pk":{{"S":"C#1"}},"sk":{{"S":"{sk}"}}}}}}"#))
        .await;
    started.elapsed()
}

/// How SQLite would carry out a statement of `dynoxide`'s on this file.
fn plan(file: &Connection, statement: &str) -> String {
    let mut explained = file.prepare(&format!("EXPLAIN QUERY PLAN {statement}")).unwrap();
    let count = explained.parameter_count();
    let rows =
        explained.query_map(rusqlite::params_from_iter(vec!["1"; count]), |row| row.get::<_, String>(3)).unwrap();
    rows.map(Result::unwrap).collect::<Vec<_>>().join("; ")
}

#[tokio::test]
async fn the_stream_has_an_index_and_its_statements_use_it() {
    let folder = tempfile::tempdir().unwrap();
    let dynamo = Dynamo::open(folder.path()).unwrap();
    create_streamed(&dynamo).await;
    put(&dynamo, "1").await;
    let file = Connection::open(folder.path().join("dynamo.db")).unwrap();
    for statement in [NEXT, PAGE, stream::PAGE, stream::PRUNE] {
        let plan = plan(&file, statement);
        let searched = plan.split("; ").filter(|step| step.starts_with("SEARCH") || step.starts_with("SCAN"));
        let mut by_index = searched.map(|step| {
            step.contains("USING INDEX hedgerow_stream_position")
                || step.contains("USING COVERING INDEX hedgerow_stream_position")
        });
        assert!(by_index.all(|by_index| by_index), "{plan}");
        assert!(plan.contains("hedgerow_stream_position") && !plan.contains("TEMP B-TREE"), "{plan}");
    }
}

/// `dynoxide` counts from the newest record that is there, or else from the clock, which may be set back.
#[tokio::test]
async fn numbers_go_on_after_all_is_pruned() {
    let folder = tempfile::tempdir().unwrap();
    let dynamo = Dynamo::open(folder.path()).unwrap();
    create_streamed(&dynamo).await;
    put(&dynamo, "1").await;
    let file = Connection::open(folder.path().join("dynamo.db")).unwrap();
    let ahead = "UPDATE _stream_records SET sequence_number = CAST(sequence_number + 3600 * 1000000 AS TEXT)";
    assert_eq!(file.execute(ahead, []).unwrap(), 1);
    let stream = dynamo.stream("main").unwrap();
    let number = |record: &serde_json::Value| record["dynamodb"]["SequenceNumber"].as_str().unwrap().to_owned();
    let before = number(&stream.read(None, 1).unwrap()[0]);
    stream.prune(&before).unwrap();
    put(&dynamo, "2").await;
    let after = stream.read(Some(&before), 10).unwrap();
    let next = (before.parse::<u128>().unwrap() + 1).to_string();
    assert_eq!(after.iter().map(number).collect::<Vec<_>>(), [next]);
}

/// A reader that looks again and again finds nothing new at once, whatever lies behind it.
#[tokio::test]
async fn a_look_at_a_long_stream_costs_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let dynamo = Dynamo::open(folder.path()).unwrap();
    create_streamed(&dynamo).await;
    put(&dynamo, "first").await;
    let file = Connection::open(folder.path().join("dynamo.db")).unwrap();
    file.execute(FILL, params![200_000]).unwrap();
    let stream = dynamo.stream("main").unwrap();
    let last = stream.read(Some("100000000000000199999"), 10).unwrap();
    let last = last.last().unwrap()["dynamodb"]["SequenceNumber"].as_str().unwrap();
    let started = Instant::now();
    for _ in 0..100 {
        assert!(stream.read(Some(last), 100).unwrap().is_empty());
    }
    assert!(started.elapsed() < Duration::from_millis(200), "{:?}: without the index it is seconds", started.elapsed());
}

/// The same by its effect, whatever the statements have become: without the index a write reads all records.
async fn a_long_stream_costs_a_write_nothing(dynamo: Dynamo, file: Connection) {
    create_streamed(&dynamo).await;
    put(&dynamo, "first").await;
    file.execute(FILL, params![200_000]).unwrap();
    let mut fastest = Duration::MAX;
    for n in 0..10 {
        fastest = fastest.min(put(&dynamo, &n.to_string()).await);
    }
    assert!(fastest < Duration::from_millis(8), "{fastest:?}: without the index it is more than 15 ms");
}

#[tokio::test]
async fn a_long_stream_costs_a_write_nothing_on_file() {
    let folder = tempfile::tempdir().unwrap();
    let dynamo = Dynamo::open(folder.path()).unwrap();
    let file = Connection::open(folder.path().join("dynamo.db")).unwrap();
    a_long_stream_costs_a_write_nothing(dynamo, file).await;
}

#[tokio::test]
async fn a_long_stream_costs_a_write_nothing_in_memory() {
    let dynamo = Dynamo::at("file:/a-long-stream?vfs=memdb", Connection::open_in_memory().unwrap()).unwrap();
    let beside = Connection::open("file:/a-long-stream?vfs=memdb").unwrap();
    a_long_stream_costs_a_write_nothing(dynamo, beside).await;
}

#[tokio::test]
async fn stores_in_memory_are_apart() {
    let (one, other) = (Dynamo::memory().unwrap(), Dynamo::memory().unwrap());
    create_streamed(&one).await;
    assert_eq!(ok(&other, "ListTables", "{}").await["TableNames"], serde_json::json!([]));
    assert_eq!(ok(&one.clone(), "ListTables", "{}").await["TableNames"], serde_json::json!(["main"]));
}

#[cfg(unix)]
#[test]
fn the_folder_is_its_owners_alone_and_the_journal_a_wal() {
    use std::os::unix::fs::PermissionsExt;
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("a/b");
    let _dynamo = Dynamo::open(&folder).unwrap();
    assert_eq!(folder.metadata().unwrap().permissions().mode() & 0o777, 0o700);
    let file = Connection::open(folder.join("dynamo.db")).unwrap();
    let journal: String = file.query_row("PRAGMA journal_mode", [], |row| row.get(0)).unwrap();
    assert_eq!(journal, "wal");
}

#[tokio::test]
async fn what_aws_refuses_is_refused() {
    let dynamo = Dynamo::memory().unwrap();
    create_streamed(&dynamo).await;
    for (target, body, kind) in [
        ("DynamoDB_20120810.Nothing", "{}", "UnknownOperationException"),
        ("DynamoDB_20120810.GetRecords", "{}", "UnknownOperationException"),
        ("", "{}", "UnknownOperationException"),
        ("DynamoDB_20120810.Scan", r#"{"TableName":"main"}"#, "AccessDeniedException"),
        ("DynamoDB_20120810.ExecuteStatement", r#"{"Statement":"SELECT * FROM main"}"#, "AccessDeniedException"),
        ("DynamoDB_20120810.GetItem", "{", "SerializationException"),
        ("DynamoDB_20120810.GetItem", r#"{"TableName":"main"}"#, "ValidationException"),
        ("DynamoDB_20120810.GetItem", r#"{"TableName":"main","Key":{"pk":{"S":"1"}}}"#, "ValidationException"),
        ("DynamoDB_20120810.GetItem", r#"{"TableName":"none","Key":{"pk":{"S":"1"}}}"#, "ResourceNotFoundException"),
    ] {
        let answer = dynamo.call(target, Bytes::from(body)).await;
        let text = String::from_utf8(answer.body.to_vec()).unwrap();
        assert_eq!(answer.status, 400, "{target} {text}");
        assert!(text.contains(&format!("#{kind}\"")), "{target} {text}");
        // The markers by which dynoxide's types tell its errors apart are not for callers.
        assert!(!text.contains("VALIDATION:") && !text.contains(" at line "), "{text}");
    }
}

/// What is answered with the items as they lie is what `dynoxide` says, which gets whatever names a `Select`.
#[tokio::test]
async fn a_query_is_answered_as_dynoxide_does() {
    let dynamo = Dynamo::memory().unwrap();
    create_streamed(&dynamo).await;
    for n in 0..10 {
        let item = json!({
            "pk": { "S": "C#1" }, "sk": { "S": format!("a#{n:02}\"é") }, "n": { "N": "7" }, "b": { "B": "AAE=" },
            "text": { "S": "x".repeat(if n < 6 { 20 } else { 300_000 }) }
        });
        ok(&dynamo, "PutItem", &json!({ "TableName": "main", "Item": item }).to_string()).await;
    }
    for sk in ["A", "a", "b#1", "~"] {
        put(&dynamo, sk).await;
    }
    let text = |text: &str| json!({ "S": text });
    let (mut asked, mut found) = (0, 0);
    for (low, high) in
        [("a#", "a#~"), ("A", "~"), ("a#03\"é", "a#08\"é"), ("b", "a"), ("", ""), ("b#1", "b#1"), ("c", "d")]
    {
        for pk in ["C#1", "none", ""] {
            for forward in [None, Some(false)] {
                for limit in [None, Some(0), Some(1), Some(5)] {
                    for after in [None, Some("a#02\"é"), Some("a#04"), Some("a#99"), Some("0")] {
                        let mut query = json!({
                            "TableName": "main", "ConsistentRead": true,
                            "KeyConditionExpression": "pk = :pk AND sk BETWEEN :low AND :high",
                            "ExpressionAttributeValues": { ":pk": text(pk), ":low": text(low), ":high": text(high) },
                        });
                        if low.is_empty() {
                            query["KeyConditionExpression"] = json!("pk = :pk");
                            query["ExpressionAttributeValues"] = json!({ ":pk": text(pk) });
                        }
                        if let Some(forward) = forward {
                            query["ScanIndexForward"] = json!(forward);
                        }
                        if let Some(limit) = limit {
                            query["Limit"] = json!(limit);
                        }
                        if let Some(after) = after {
                            query["ExclusiveStartKey"] = json!({ "pk": text(pk), "sk": text(after) });
                        }
                        let ours = dynamo.call("DynamoDB_20120810.Query", query.to_string().into()).await;
                        found +=
                            usize::from(super::query::answer(&dynamo.lists, query.to_string().as_bytes()).is_some());
                        query["Select"] = json!("ALL_ATTRIBUTES");
                        let theirs = dynamo.call("DynamoDB_20120810.Query", query.to_string().into()).await;
                        // Which counts as scanned the item too that no longer fits.
                        let json = |body: &Bytes| {
                            let mut body: serde_json::Value = serde_json::from_slice(body).unwrap();
                            body["ScannedCount"].take();
                            body
                        };
                        assert_eq!((ours.status, json(&ours.body)), (theirs.status, json(&theirs.body)), "{query}");
                        asked += 1;
                    }
                }
            }
        }
    }
    assert!(found > 150, "{found} of {asked} were answered with the items as they lie");
}

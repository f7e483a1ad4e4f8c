//! Faults of the stream: records that come twice, in another order, or that nobody can read.

use hedgerow_tests::app::values;
use hedgerow_tests::receiver::Receiver;
use hedgerow_tests::wait::eventually;
use serde_json::{Value, json};

use crate::ledger::Hook;
use crate::rig::Rig;

/// What a partition key of a record begins with.
fn client(record: &Value) -> String {
    let pk = record["dynamodb"]["NewImage"]["pk"]["S"].as_str().unwrap();
    pk.split('#').nth(1).unwrap().to_owned()
}

#[tokio::test]
async fn records_that_come_twice_are_announced_once() {
    let mut rig = Rig::idle().await;
    rig.save_many(5).await;
    let records = rig.records();
    rig.fan_out([records.clone(), records.clone()].concat()).await;
    rig.fan_out(records).await;
    // And once more by whoever works the stream.
    rig.work();
    let sum = rig.balanced().await;
    assert_eq!((sum.deliveries, sum.posts, sum.unknown), (5, 5, 0));
    // A record that comes when all is over is no news either.
    rig.save("last").await;
    rig.balanced().await;
    assert_eq!(rig.receiver.count(), 6);
}

#[tokio::test]
async fn records_in_another_order_are_all_announced() {
    let mut rig = Rig::idle().await;
    for round in 0..3 {
        rig.save(&format!("e-{round}")).await;
        rig.save("same").await;
    }
    let mut records = rig.records();
    records.reverse();
    for record in records {
        rig.fan_out(vec![record]).await;
    }
    rig.work();
    let sum = rig.balanced().await;
    assert_eq!((sum.deliveries, sum.posts), (6, 6));
}

#[tokio::test]
async fn a_record_that_nobody_can_read_goes_to_the_failed_records_and_holds_up_nothing() {
    let mut rig = Rig::idle().await;
    rig.save_many(5).await;
    let new = &rig.records()[0]["dynamodb"]["NewImage"];
    let mut broken = new.clone();
    broken["sk"]["S"] = json!(new["sk"]["S"].as_str().unwrap().replace("e-0", "broken"));
    broken["doc"] = json!({ "S": "{" });
    rig.raw("PutItem", &json!({ "TableName": "hedgerow-main", "Item": broken })).await;
    for number in 5..9 {
        rig.save(&format!("e-{number}")).await;
    }
    rig.work();
    eventually(|| async {
        rig.pass(1).await;
        rig.receiver.count() >= 9
    })
    .await;
    let sum = rig.balanced().await;
    assert_eq!((sum.deliveries, sum.posts, sum.unknown), (9, 9, 0));
    let workers = rig.app.workers.as_ref().unwrap();
    // Of both that read the stream.
    eventually(|| async { workers.failed_records().len() == 2 }).await;
    assert!(workers.failed_records().iter().all(|record| record["dynamodb"]["NewImage"] == broken));
    rig.save("after").await;
    assert_eq!(rig.balanced().await.posts, 10);
}

#[tokio::test]
async fn a_webhook_that_nobody_can_read_is_no_reason_not_to_tell_the_others() {
    let mut rig = Rig::idle().await;
    let other = rig.app.account("other").await;
    let group = other.key.group("product").await;
    other.key.global("title", json!({ "type": "string" }), &[&group]).await;
    let receiver = Receiver::start();
    Hook::make(&other.key, &receiver, "/other").await;
    rig.save("e-1").await;
    let client = client(&rig.records()[rig.records().len() - 1]);
    let sk = "whk_0000000000000000000000000000000a";
    let item = json!({ "pk": { "S": format!("W#{client}") }, "sk": { "S": sk }, "doc": { "S": "{" }, "version": { "N": "1" } });
    rig.raw("PutItem", &json!({ "TableName": "hedgerow-main", "Item": item })).await;
    other.key.save("t1", "product", "theirs", json!({ "title": "theirs" })).await;
    rig.save("e-2").await;
    rig.work();
    eventually(|| async {
        rig.pass(1).await;
        receiver.count() >= 1 && rig.receiver.count() >= 2
    })
    .await;
    // Changed, it is a record that can't be read.
    let update = json!({
        "TableName": "hedgerow-main",
        "Key": { "pk": item["pk"], "sk": item["sk"] },
        "UpdateExpression": "SET version = :two",
        "ExpressionAttributeValues": { ":two": { "N": "2" } },
    });
    rig.raw("UpdateItem", &update).await;
    rig.save("e-3").await;
    eventually(|| async {
        rig.pass(1).await;
        rig.receiver.count() >= 3
    })
    .await;
    // Gone, it is in nobody's way.
    let key = json!({ "TableName": "hedgerow-main", "Key": { "pk": item["pk"], "sk": item["sk"] } });
    rig.raw("DeleteItem", &key).await;
    rig.account.key.get(&values("t1", "product", "e-3")).await.data(200);
    assert_eq!(rig.balanced().await.posts, 3);
}

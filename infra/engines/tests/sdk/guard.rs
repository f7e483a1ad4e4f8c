//! What AWS would refuse a function whose role has these grants.

use std::future::Future;

use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::types::{
    ConditionCheck, DeleteRequest, KeysAndAttributes, Put, PutRequest, TransactWriteItem, Update, WriteRequest,
};
use aws_sdk_dynamodb::{Client, error::SdkError};
use hedgerow_engines::{Grant, permitted};

use super::{fresh, get, key, number, put, row, text};

fn grant(table: &str, actions: &[&'static str], keys: &[&str]) -> Grant {
    Grant::Items {
        table: table.to_owned(),
        actions: actions.to_vec(),
        leading_keys: keys.iter().map(|k| (*k).to_owned()).collect(),
    }
}

/// Whether a call is let through under these grants; any refusal but access denied fails the test.
async fn allowed<T: std::fmt::Debug, E: ProvideErrorMetadata + std::fmt::Debug>(
    grants: &[Grant],
    call: impl Future<Output = Result<T, SdkError<E>>>,
) -> bool {
    match permitted(grants.to_vec(), call).await {
        Ok(_) => true,
        Err(e) => {
            assert_eq!(e.code(), Some("AccessDeniedException"), "{e:?}");
            assert_eq!(e.raw_response().unwrap().status().as_u16(), 400);
            false
        }
    }
}

fn get_item(dynamo: &Client, pk: &str) -> aws_sdk_dynamodb::operation::get_item::builders::GetItemFluentBuilder {
    dynamo.get_item().table_name("main").set_key(Some(key(pk, "#")))
}

#[tokio::test]
async fn a_key_an_action_or_a_table_that_is_not_granted_is_refused() {
    let (_, dynamo) = fresh().await;
    let grants = [grant("main", &["GetItem", "dynamodb:PutItem"], &["C#*", "V#1#*"])];
    for (pk, expected) in [("C#1", true), ("V#1#x", true), ("V#2#x", false), ("D#1", false), ("c#1", false)] {
        assert_eq!(allowed(&grants, get_item(&dynamo, pk).send()).await, expected, "{pk}");
        let put = dynamo.put_item().table_name("main").set_item(Some(row(pk, "#", 1)));
        assert_eq!(allowed(&grants, put.send()).await, expected, "{pk}");
    }
    let delete = dynamo.delete_item().table_name("main").set_key(Some(key("C#1", "#")));
    assert!(!allowed(&grants, delete.send()).await);
    assert!(!allowed(&grants, dynamo.get_item().table_name("log").set_key(Some(key("C#1", "#"))).send()).await);
    assert!(!allowed(&grants, dynamo.delete_table().table_name("main").send()).await);
    assert!(!allowed(&[], get_item(&dynamo, "C#1").send()).await);
    // Without grants in force nothing is refused, and a refused call did nothing.
    assert_eq!(get(&dynamo, "D#1", "#").await, None);
    put(&dynamo, "D#1", "#", 1).await;
}

#[tokio::test]
async fn a_query_is_held_to_its_partition_whatever_it_is_called() {
    let (_, dynamo) = fresh().await;
    let grants = [grant("main", &["Query"], &["C#1"]), grant("main/index/by-owner", &["Query"], &["O#1"])];
    for (condition, pk, expected) in [
        ("pk = :pk", "C#1", true),
        ("pk = :pk", "C#2", false),
        ("#p=:pk AND sk BETWEEN :a AND :b", "C#1", true),
        ("(#p = :pk) AND (sk BETWEEN :a AND :b)", "C#2", false),
        ("sk = :a AND pk = :pk", "C#1", true),
        ("sk = :a AND pk = :pk", "C#2", false),
    ] {
        let mut query = dynamo
            .query()
            .table_name("main")
            .key_condition_expression(condition)
            .expression_attribute_values(":pk", text(pk));
        if condition.contains("#p") {
            query = query.expression_attribute_names("#p", "pk");
        }
        for name in [":a", ":b"] {
            if condition.contains(name) {
                query = query.expression_attribute_values(name, text("C#1"));
            }
        }
        assert_eq!(allowed(&grants, query.send()).await, expected, "{condition} {pk}");
    }
    for (owner, expected) in [("O#1", true), ("C#1", false)] {
        let query = dynamo
            .query()
            .table_name("main")
            .index_name("by-owner")
            .key_condition_expression("sk = :sk AND #o = :o")
            .expression_attribute_names("#o", "owner")
            .expression_attribute_values(":o", text(owner))
            .expression_attribute_values(":sk", text("O#1"));
        assert_eq!(allowed(&grants, query.send()).await, expected, "{owner}");
    }
}

#[tokio::test]
async fn every_key_of_a_batch_counts() {
    let (_, dynamo) = fresh().await;
    let grants = [grant("main", &["BatchGetItem", "BatchWriteItem"], &["C#*"])];
    for (second, expected) in [("C#2", true), ("D#2", false)] {
        let keys = KeysAndAttributes::builder().keys(key("C#1", "#")).keys(key(second, "#")).build().unwrap();
        assert_eq!(allowed(&grants, dynamo.batch_get_item().request_items("main", keys).send()).await, expected);
        let put = PutRequest::builder().set_item(Some(row("C#1", "#", 1))).build().unwrap();
        let delete = DeleteRequest::builder().set_key(Some(key(second, "#"))).build().unwrap();
        let writes = vec![
            WriteRequest::builder().put_request(put).build(),
            WriteRequest::builder().delete_request(delete).build(),
        ];
        assert_eq!(allowed(&grants, dynamo.batch_write_item().request_items("main", writes).send()).await, expected);
    }
    // Two statements with half of the keys each don't add up, as in IAM.
    let halves = [grant("main", &["BatchGetItem"], &["C#*"]), grant("main", &["BatchGetItem"], &["D#*"])];
    let keys = KeysAndAttributes::builder().keys(key("C#1", "#")).keys(key("D#1", "#")).build().unwrap();
    assert!(!allowed(&halves, dynamo.batch_get_item().request_items("main", keys).send()).await);
}

#[tokio::test]
async fn a_transaction_needs_the_actions_of_its_parts() {
    let (_, dynamo) = fresh().await;
    put(&dynamo, "C#1", "#", 1).await;
    let transaction = |checked: &str| {
        let new = Put::builder().table_name("main").set_item(Some(row("D#1", "#", 1))).build().unwrap();
        let update = Update::builder()
            .table_name("main")
            .set_key(Some(key("D#2", "#")))
            .update_expression("SET n = :n")
            .expression_attribute_values(":n", number(1))
            .build()
            .unwrap();
        let check = ConditionCheck::builder()
            .table_name("main")
            .set_key(Some(key(checked, "#")))
            .condition_expression("attribute_exists(pk)")
            .build()
            .unwrap();
        dynamo
            .transact_write_items()
            .transact_items(TransactWriteItem::builder().put(new).build())
            .transact_items(TransactWriteItem::builder().update(update).build())
            .transact_items(TransactWriteItem::builder().condition_check(check).build())
    };
    let writes = || grant("main", &["PutItem", "UpdateItem"], &["D#*"]);
    let enough = [writes(), grant("main", &["ConditionCheckItem"], &["C#*"])];
    assert!(allowed(&enough, transaction("C#1").send()).await);
    assert!(!allowed(&enough, transaction("D#1").send()).await);
    for lacking in [
        vec![writes()],
        vec![grant("main", &["PutItem"], &["D#*"]), grant("main", &["ConditionCheckItem"], &["C#*"])],
        vec![grant("main", &["TransactWriteItems"], &["*"])],
    ] {
        assert!(!allowed(&lacking, transaction("C#1").send()).await, "{lacking:?}");
    }
}

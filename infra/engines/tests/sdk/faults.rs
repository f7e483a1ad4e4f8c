//! Each fault as the SDK and its caller see it.

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem};
use hedgerow_engines::Fault;

use super::{fresh, get, number, put, row};

#[tokio::test]
async fn throttles_and_internal_errors_are_retried() {
    for fault in [Fault::Throughput, Fault::Throttling, Fault::Internal] {
        let (connector, dynamo) = fresh().await;
        connector.faults().set(move |call| (call.operation == "PutItem" && call.nth <= 2).then_some(fault));
        put(&dynamo, "C#1", "#", 1).await;
        assert_eq!(connector.trace().snapshot().of("PutItem"), 3, "{fault:?}");
        assert_eq!(get(&dynamo, "C#1", "#").await, Some(1));
    }
}

#[tokio::test]
async fn faults_that_go_on_reach_the_caller() {
    for (fault, status, code) in [
        (Fault::Throughput, 400, "ProvisionedThroughputExceededException"),
        (Fault::Throttling, 400, "ThrottlingException"),
        (Fault::Internal, 500, "InternalServerError"),
    ] {
        let (connector, dynamo) = fresh().await;
        connector.faults().set(move |_| Some(fault));
        let failed = dynamo.put_item().table_name("main").set_item(Some(row("C#1", "#", 1))).send().await.unwrap_err();
        assert_eq!(failed.raw_response().unwrap().status().as_u16(), status);
        assert_eq!(failed.code(), Some(code));
        connector.faults().clear();
        assert_eq!(get(&dynamo, "C#1", "#").await, None, "{fault:?} was carried out");
    }
}

#[tokio::test]
async fn a_conflict_cancels_a_transaction_with_its_reason() {
    let (connector, dynamo) = fresh().await;
    connector.faults().set(|_| Some(Fault::TransactionConflict));
    let part = |sk: &str| {
        let put = Put::builder().table_name("main").set_item(Some(row("C#1", sk, 1))).build().unwrap();
        TransactWriteItem::builder().put(put).build()
    };
    let both = dynamo.transact_write_items().transact_items(part("a")).transact_items(part("b"));
    let failed = both.send().await.unwrap_err().into_service_error();
    let TransactWriteItemsError::TransactionCanceledException(failed) = failed else { panic!("{failed:?}") };
    let codes: Vec<_> = failed.cancellation_reasons().iter().map(|r| r.code().unwrap()).collect();
    assert_eq!(codes, ["TransactionConflict", "None"]);
    let failed = dynamo.put_item().table_name("main").set_item(Some(row("C#1", "#", 1))).send().await.unwrap_err();
    assert!(matches!(failed.into_service_error(), PutItemError::TransactionConflictException(_)));
}

#[tokio::test]
async fn a_lost_answer_makes_the_sdk_repeat_a_committed_write() {
    let (connector, dynamo) = fresh().await;
    connector.faults().set(|call| (call.operation == "PutItem" && call.nth == 1).then_some(Fault::Lost));
    let failed = dynamo
        .put_item()
        .table_name("main")
        .set_item(Some(row("C#1", "#", 5)))
        .condition_expression("attribute_not_exists(pk)")
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
        .send()
        .await
        .unwrap_err()
        .into_service_error();
    // The conflict is with the writer's own first attempt: what it finds is its own item.
    let PutItemError::ConditionalCheckFailedException(failed) = failed else { panic!("{failed:?}") };
    assert_eq!(failed.item().unwrap()["n"], number(5));
    assert_eq!(connector.trace().snapshot().of("PutItem"), 2);
}

#[tokio::test]
async fn answers_that_are_all_lost_leave_the_caller_without_one() {
    let (connector, dynamo) = fresh().await;
    connector.faults().set(|call| (call.operation == "PutItem").then_some(Fault::Lost));
    let failed = dynamo.put_item().table_name("main").set_item(Some(row("C#1", "#", 5))).send().await.unwrap_err();
    assert!(matches!(failed, SdkError::DispatchFailure(e) if e.is_io()));
    assert_eq!(get(&dynamo, "C#1", "#").await, Some(5));
}

//! Conditions, transactions, pages, time-to-live, and the same over a socket.

use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::operation::RequestId;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    ConditionCheck, Put, ReturnValuesOnConditionCheckFailure, TimeToLiveSpecification, TransactWriteItem,
};
use hedgerow_engines::{Connector, Engines};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::{client, config, create, fresh, get, key, number, put, row, text};

#[tokio::test]
async fn a_failed_condition_returns_the_old_item() {
    let (_, dynamo) = fresh().await;
    put(&dynamo, "C#1", "#", 7).await;
    let failed = dynamo
        .put_item()
        .table_name("main")
        .set_item(Some(row("C#1", "#", 8)))
        .condition_expression("attribute_not_exists(pk)")
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
        .send()
        .await
        .unwrap_err()
        .into_service_error();
    let PutItemError::ConditionalCheckFailedException(failed) = failed else { panic!("{failed:?}") };
    assert_eq!(failed.item().unwrap()["n"], number(7));
    assert_eq!(get(&dynamo, "C#1", "#").await, Some(7));
}

#[tokio::test]
async fn a_cancelled_transaction_gives_reasons_and_items() {
    let (_, dynamo) = fresh().await;
    put(&dynamo, "C#1", "#", 7).await;
    let new = Put::builder().table_name("main").set_item(Some(row("C#2", "#", 1))).build().unwrap();
    let check = ConditionCheck::builder()
        .table_name("main")
        .set_key(Some(key("C#1", "#")))
        .condition_expression("n = :n")
        .expression_attribute_values(":n", number(8))
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
        .build()
        .unwrap();
    let failed = dynamo
        .transact_write_items()
        .transact_items(TransactWriteItem::builder().put(new).build())
        .transact_items(TransactWriteItem::builder().condition_check(check).build())
        .send()
        .await
        .unwrap_err()
        .into_service_error();
    let TransactWriteItemsError::TransactionCanceledException(failed) = failed else { panic!("{failed:?}") };
    let reasons = failed.cancellation_reasons();
    assert_eq!(reasons.iter().map(|r| r.code().unwrap()).collect::<Vec<_>>(), ["None", "ConditionalCheckFailed"]);
    assert_eq!(reasons[1].item().unwrap()["n"], number(7));
    assert_eq!(get(&dynamo, "C#2", "#").await, None);
}

#[tokio::test]
async fn pages_are_complete_and_in_order() {
    let (_, dynamo) = fresh().await;
    for n in 0..25 {
        put(&dynamo, "C#1", &format!("k#{n:02}"), n).await;
    }
    put(&dynamo, "C#1", "m#1", 99).await;
    let mut seen = Vec::new();
    let mut start = None;
    let mut pages = 0;
    loop {
        let page = dynamo
            .query()
            .table_name("main")
            .key_condition_expression("pk = :pk AND begins_with(sk, :sk)")
            .expression_attribute_values(":pk", text("C#1"))
            .expression_attribute_values(":sk", text("k#"))
            .limit(10)
            .set_exclusive_start_key(start)
            .send()
            .await
            .unwrap();
        pages += 1;
        seen.extend(page.items().iter().map(|item| item["n"].as_n().unwrap().parse::<u64>().unwrap()));
        start = page.last_evaluated_key;
        if start.is_none() {
            break;
        }
    }
    assert_eq!((pages, seen), (3, (0..25).collect()));
}

#[tokio::test]
async fn a_sweep_deletes_what_is_over() {
    let (engine, dynamo) = {
        let engine = Engines::memory().unwrap();
        let client = client(&Connector::new(engine.clone()));
        create(&client).await;
        (engine, client)
    };
    let ttl = TimeToLiveSpecification::builder().attribute_name("n").enabled(true).build().unwrap();
    dynamo.update_time_to_live().table_name("main").time_to_live_specification(ttl).send().await.unwrap();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    put(&dynamo, "C#1", "over", now - 60).await;
    put(&dynamo, "C#1", "lasting", now + 600).await;
    assert_eq!(engine.dynamo.sweep().await.unwrap(), 1);
    assert_eq!(get(&dynamo, "C#1", "over").await, None);
    assert!(get(&dynamo, "C#1", "lasting").await.is_some());
}

#[tokio::test]
async fn nobody_scans() {
    let (_, dynamo) = fresh().await;
    let refused = dynamo.scan().table_name("main").send().await.unwrap_err();
    assert_eq!(refused.raw_response().unwrap().status().as_u16(), 400);
    assert!(refused.request_id().is_some_and(|id| id.len() == 52));
    assert_eq!(refused.code(), Some("AccessDeniedException"));
}

#[tokio::test]
async fn the_same_engine_answers_over_http() {
    let engine = Engines::memory().unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(hedgerow_engines::serve(engine.clone(), listener));
    let outside = aws_sdk_dynamodb::Client::from_conf(config().endpoint_url(format!("http://{address}")).build());
    create(&outside).await;
    put(&outside, "C#1", "#", 3).await;
    assert_eq!(get(&client(&Connector::new(engine)), "C#1", "#").await, Some(3));
    let failed = outside
        .put_item()
        .table_name("main")
        .set_item(Some(row("C#1", "#", 8)))
        .condition_expression("attribute_not_exists(pk)")
        .send()
        .await
        .unwrap_err();
    assert_eq!(failed.code(), Some("ConditionalCheckFailedException"));
    // On loopback it answers to loopback names alone.
    for (host, status) in [("localhost", 200), ("127.0.0.1:8000", 200), ("example.com", 403), ("127.0.0.1.nip.io", 403)]
    {
        let request = format!(
            "POST / HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\nx-amz-target: DynamoDB_20120810.ListTables\r\n\
             authorization: any\r\ncontent-length: 2\r\n\r\n{{}}"
        );
        let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut told = String::new();
        stream.read_to_string(&mut told).await.unwrap();
        assert!(told.starts_with(&format!("HTTP/1.1 {status} ")), "{host}: {told}");
    }
    server.abort();
}

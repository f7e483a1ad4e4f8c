//! The engines as the AWS SDK's own client sees them.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod data;
mod faults;
mod guard;
mod mail;
mod objects;
mod processes;
mod queue_processes;
mod queue_refusals;
mod queues;
mod rounds;
mod secrets;
mod services;
mod stream;

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::{AsyncSleep, BehaviorVersion, Credentials, Region, SharedAsyncSleep, Sleep};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
    ProjectionType, ScalarAttributeType, StreamSpecification, StreamViewType,
};
use hedgerow_engines::{Connector, Engines};

/// What every client here has, wherever it goes: of a service's SDK.
macro_rules! config {
    ($sdk:ident) => {
        $sdk::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .credentials_provider(Credentials::new("local", "local", None, None, "tests"))
            .retry_config(RetryConfig::standard().with_max_attempts(3).with_initial_backoff(Duration::from_millis(1)))
    };
}

fn config() -> aws_sdk_dynamodb::config::Builder {
    config!(aws_sdk_dynamodb)
}

/// A retry's pause takes no time here.
#[derive(Debug)]
struct Now;

impl AsyncSleep for Now {
    fn sleep(&self, _: Duration) -> Sleep {
        Sleep::new(std::future::ready(()))
    }
}

fn client(connector: &Connector) -> Client {
    let at_once = SharedAsyncSleep::new(Now);
    Client::from_conf(config().sleep_impl(at_once).http_client(connector.clone()).build())
}

fn sqs(connector: &Connector) -> aws_sdk_sqs::Client {
    let config = config!(aws_sdk_sqs).sleep_impl(SharedAsyncSleep::new(Now)).http_client(connector.clone());
    aws_sdk_sqs::Client::from_conf(config.build())
}

fn secrets_manager(connector: &Connector) -> aws_sdk_secretsmanager::Client {
    let config = config!(aws_sdk_secretsmanager).sleep_impl(SharedAsyncSleep::new(Now)).http_client(connector.clone());
    aws_sdk_secretsmanager::Client::from_conf(config.build())
}

fn ses(connector: &Connector) -> aws_sdk_sesv2::Client {
    let config = config!(aws_sdk_sesv2).sleep_impl(SharedAsyncSleep::new(Now)).http_client(connector.clone());
    aws_sdk_sesv2::Client::from_conf(config.build())
}

/// A store in memory with the table `main`.
async fn fresh() -> (Connector, Client) {
    let connector = Connector::new(Engines::memory().unwrap());
    let client = client(&connector);
    create(&client).await;
    connector.trace().reset();
    (connector, client)
}

async fn create(dynamo: &Client) {
    let attribute = |name: &str| {
        AttributeDefinition::builder().attribute_name(name).attribute_type(ScalarAttributeType::S).build().unwrap()
    };
    let key = |name: &str, kind| KeySchemaElement::builder().attribute_name(name).key_type(kind).build().unwrap();
    let everything = Projection::builder().projection_type(ProjectionType::All).build();
    let index = GlobalSecondaryIndex::builder()
        .index_name("by-owner")
        .key_schema(key("owner", KeyType::Hash))
        .key_schema(key("sk", KeyType::Range))
        .projection(everything);
    let stream =
        StreamSpecification::builder().stream_enabled(true).stream_view_type(StreamViewType::NewAndOldImages).build();
    dynamo
        .create_table()
        .table_name("main")
        .billing_mode(BillingMode::PayPerRequest)
        .set_attribute_definitions(Some(vec![attribute("pk"), attribute("sk"), attribute("owner")]))
        .set_key_schema(Some(vec![key("pk", KeyType::Hash), key("sk", KeyType::Range)]))
        .global_secondary_indexes(index.build().unwrap())
        .stream_specification(stream.unwrap())
        .send()
        .await
        .unwrap();
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

fn number(value: u64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

fn key(pk: &str, sk: &str) -> HashMap<String, AttributeValue> {
    HashMap::from([("pk".to_owned(), text(pk)), ("sk".to_owned(), text(sk))])
}

fn row(pk: &str, sk: &str, n: u64) -> HashMap<String, AttributeValue> {
    let mut item = key(pk, sk);
    item.insert("n".to_owned(), number(n));
    item
}

async fn put(dynamo: &Client, pk: &str, sk: &str, n: u64) {
    dynamo.put_item().table_name("main").set_item(Some(row(pk, sk, n))).send().await.unwrap();
}

async fn get(dynamo: &Client, pk: &str, sk: &str) -> Option<u64> {
    let got =
        dynamo.get_item().table_name("main").set_key(Some(key(pk, sk))).consistent_read(true).send().await.unwrap();
    Some(got.item?["n"].as_n().unwrap().parse().unwrap())
}

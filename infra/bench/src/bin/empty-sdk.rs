//! The least that a function with a DynamoDB client can be: it reads one item for each event.

use aws_config::BehaviorVersion;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use lambda_http::{Body, Error, Request, Response, run, service_fn};

fn main() -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let config = aws_config::defaults(BehaviorVersion::v2026_01_12()).load().await;
        let dynamo = Client::new(&config);
        run(service_fn(|_: Request| answer(dynamo.clone()))).await
    })
}

async fn answer(dynamo: Client) -> Result<Response<Body>, Error> {
    let nothing = || AttributeValue::S("#".to_owned());
    let read = dynamo.get_item().table_name("hedgerow-main").key("pk", nothing()).key("sk", nothing());
    let found = read.send().await?.item.is_some();
    Ok(Response::new(Body::from(format!("{{\"found\": {found}}}"))))
}

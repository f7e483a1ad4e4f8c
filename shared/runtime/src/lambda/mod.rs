//! The entry of a function in AWS Lambda, or under anything that speaks its Runtime API.

pub mod consumer;

use std::time::{Duration, SystemTime};

use aws_config::BehaviorVersion;
use aws_config::timeout::TimeoutConfig;
use http::header::SET_COOKIE;
use lambda_http::aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use lambda_http::aws_lambda_events::encodings::Body;
use lambda_http::{LambdaEvent, lambda_runtime, service_fn};
use store::Store;
use store::author::Clock;
use store::keys::Kind;

use crate::app::App;
use crate::config::{BadSetting, Config};
use crate::endpoint::Endpoint;
use crate::extract::Part;
use crate::respond::Reply;
use crate::spec::access::Access;
use crate::start::Start;
use crate::token_vault::TokenVault;
use crate::{gates, log};
use consumer::Consumer;

/// How long the first connection may take during INIT before requests go ahead without it.
const WARM_UP: Duration = Duration::from_millis(800);

/// How long one try of a call to AWS may take, and all of its tries together.
const ATTEMPT: Duration = Duration::from_secs(3);
const OPERATION: Duration = Duration::from_secs(8);

/// Serves one route until the runtime ends the process. Neither generic nor async, so that what is below is compiled
/// once and a binary links in a second.
pub fn serve(endpoint: &'static Endpoint) {
    log::init();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let served = runtime.map_err(lambda_runtime::Error::from).and_then(|runtime| runtime.block_on(run(endpoint)));
    if let Err(error) = served {
        tracing::error!(error = %error, "the function stopped: it could not start, or the Lambda runtime ended it");
        std::process::exit(1);
    }
}

async fn run(endpoint: &'static Endpoint) -> Result<(), lambda_runtime::Error> {
    let authenticates = endpoint.route.access != Access::Public;
    // What authenticates may read a key's card.
    let app = connect(authenticates.then_some(Kind::Key), |start| prepare(endpoint, start)).await?;
    let handler = |event: LambdaEvent<ApiGatewayV2httpRequest>| {
        let app = app.clone();
        async move { Ok::<_, lambda_runtime::Error>(to_event(gates::answer(&app, endpoint, event.payload).await)) }
    };
    lambda_runtime::run(service_fn(handler)).await
}

/// What the gates need, and what the handler needs.
fn prepare(endpoint: &Endpoint, start: &mut Start<'_>) -> Result<(), BadSetting> {
    if endpoint.route.method.is_change() {
        start.config.origin()?;
    }
    if endpoint.route.access.takes_tokens() {
        <TokenVault as Part>::prepare(start)?;
    }
    endpoint.handler.prepare(start)
}

/// Serves a consumer until the runtime ends the process.
pub fn consume(consumer: &'static Consumer) {
    log::init();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let served = runtime.map_err(lambda_runtime::Error::from).and_then(|runtime| runtime.block_on(work(consumer)));
    if let Err(error) = served {
        tracing::error!(error = %error, "the function stopped: it could not start, or the Lambda runtime ended it");
        std::process::exit(1);
    }
}

async fn work(consumer: &'static Consumer) -> Result<(), lambda_runtime::Error> {
    // Nobody waits for its first batch: it makes its connections then.
    let app = connect(None, consumer.prepare).await?;
    let worker = (consumer.start)(&app)?;
    let handler = |event: LambdaEvent<serde_json::Value>| {
        let worker = worker.clone();
        async move {
            let time = event.context.deadline().duration_since(SystemTime::now()).unwrap_or_default();
            consumer::run(consumer, &worker, event.payload, time).await.map_err(lambda_runtime::Error::from)
        }
    };
    lambda_runtime::run(service_fn(handler)).await
}

async fn connect(
    first_read: Option<Kind>,
    prepare: impl FnOnce(&mut Start<'_>) -> Result<(), BadSetting>,
) -> Result<App, BadSetting> {
    // Below the function's own limit, so that a store that is silent is told the caller in the contract's form.
    let timeouts = TimeoutConfig::builder().operation_attempt_timeout(ATTEMPT).operation_timeout(OPERATION).build();
    let config = Config::from_env()?;
    let sdk = aws_config::defaults(BehaviorVersion::v2026_01_12()).timeout_config(timeouts).load().await;
    let store = Store::new(aws_sdk_dynamodb::Client::new(&sdk), config.tables.clone(), Clock::default(), config.store);
    let mut app = App {
        origin: config.origin.clone(),
        trusted_proxies: config.trusted_proxies,
        rate_limits: config.rate_limits.clone(),
        webhooks: config.webhooks.clone(),
        ..App::new(store.clone())
    };
    let mut start = Start { sdk: &sdk, config: &config, app: &mut app, first_read };
    prepare(&mut start)?;
    if let Some(kind) = start.first_read {
        // The first real call then finds a connection. What fails now is for the request that meets it again.
        let _ = tokio::time::timeout(WARM_UP, store.warm_up(kind)).await;
    }
    Ok(app)
}

fn to_event(reply: Reply) -> ApiGatewayV2httpResponse {
    let mut headers = reply.headers;
    let cookies =
        headers.get_all(SET_COOKIE).iter().filter_map(|value| value.to_str().ok().map(str::to_owned)).collect();
    headers.remove(SET_COOKIE);
    let mut event = ApiGatewayV2httpResponse::default();
    event.status_code = reply.status.into();
    event.headers = headers;
    event.cookies = cookies;
    if !reply.body.is_empty() {
        event.body = Some(Body::from(String::from_utf8_lossy(&reply.body).into_owned()));
    }
    event
}

//! The gates between the address and the handler, in their order, the same for all routes.

mod address;
mod authenticate;
mod authorize;
mod body;
mod cors;
mod csrf;
mod embed_token;
mod idempotency;
mod key_use;
mod own_delivery;
mod query;
pub(crate) mod rate_limit;
mod standing;

use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::time::Instant;

use contract::Error;
use futures_util::FutureExt as _;
use http::{HeaderMap, HeaderValue};
use lambda_http::aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use store::apart;
use store::author::Seed;

use crate::app::App;
use crate::endpoint::Endpoint;
use crate::extract::Pending;
use crate::log;
use crate::request::RequestContext;
use crate::request::incoming::{self, REQUEST_ID};
use crate::respond::{Reply, headers};
use crate::spec::route::HeaderPolicy;

/// A gate. What it finds out goes into the context; it refuses with an error.
enum Gate {
    /// One that looks at what is there.
    Check(fn(&RequestContext) -> Result<(), Error>),
    /// One that asks the store, and may have the answer itself.
    Ask(for<'c> fn(&'c mut RequestContext) -> Asked<'c>),
}

/// The verdict of a gate, to come: to go on, or an answer.
type Asked<'c> = Pin<Box<dyn Future<Output = Result<Option<Reply>, Error>> + Send + 'c>>;

/// The order is part of the contract: which refusal a caller sees if there are several reasons.
const GATES: &[Gate] = &[
    Gate::Ask(rate_limit::count_address),
    Gate::Check(own_delivery::refuse_own_delivery),
    Gate::Ask(authenticate::authenticate),
    Gate::Ask(standing::look_up),
    Gate::Check(standing::refuse_ended),
    Gate::Check(address::refuse_addresses),
    Gate::Check(authorize::authorize),
    Gate::Check(csrf::refuse_other_sites),
    Gate::Check(standing::admit),
    Gate::Ask(rate_limit::count_caller),
    Gate::Check(body::refuse_unreadable),
    Gate::Check(query::refuse_unknown_parameters),
    Gate::Ask(idempotency::reserve),
];

/// Answers an event on a route. This is the entry of every function, in AWS and on one machine.
pub async fn answer(app: &App, endpoint: &'static Endpoint, event: ApiGatewayV2httpRequest) -> Reply {
    let started = Instant::now();
    let mut context = RequestContext::new(app, &endpoint.route, event);
    // On the heap: futures inside futures are large.
    let passed = caught(Box::pin(pass(endpoint, &mut context))).await;
    let request_id = &context.incoming.info.request_id;
    let (mut reply, error) = match passed {
        Ok(reply) => (reply, None),
        Err(error) => (Reply::of_error(&error, request_id), Some(error)),
    };
    finish(&mut reply, endpoint.route.headers, request_id);
    cors::expose(&context, &mut reply.headers);
    reply.headers.extend(std::mem::take(&mut context.headers));
    log::request(started, &context, reply.status, error.as_ref());
    reply
}

async fn pass(endpoint: &'static Endpoint, context: &mut RequestContext) -> Result<Reply, Error> {
    match pass_gates(context).await {
        Ok(None) => {
            let handled =
                key_use::noted(context, caught(Box::pin(async { begin(endpoint, context).await?.await }))).await;
            idempotency::remember(context, &handled).await;
            handled
        }
        Ok(Some(reply)) => key_use::noted(context, async { Ok(reply) }).await,
        Err(error) => {
            let error = Box::pin(rate_limit::count_refused(context, error)).await;
            key_use::noted(context, async { Err(error) }).await
        }
    }
}

async fn pass_gates(context: &mut RequestContext) -> Result<Option<Reply>, Error> {
    for gate in GATES {
        match gate {
            Gate::Check(check) => check(context)?,
            Gate::Ask(ask) => {
                if let Some(reply) = ask(context).await? {
                    return Ok(Some(reply));
                }
            }
        }
    }
    Ok(None)
}

/// Takes the handler's arguments: where that may take long, on a thread that nothing else waits for.
async fn begin(endpoint: &'static Endpoint, context: &RequestContext) -> Result<Pending, Error> {
    let handler = endpoint.handler;
    let Some(scope) = context.caller.scope().filter(|_| handler.takes_long(context)) else {
        return handler.run(context);
    };
    let own = context.clone();
    apart::for_client(scope.client(), move || handler.run(&own)).await?
}

/// A panic fails one request, not the instance.
async fn caught(work: impl Future<Output = Result<Reply, Error>>) -> Result<Reply, Error> {
    let done = AssertUnwindSafe(work).catch_unwind().await;
    done.unwrap_or_else(|_| Err(Error::internal("a handler panicked")))
}

/// The answer to a request that can't be made an event: what the gateway in front refuses by itself.
#[must_use]
pub fn refuse(app: &App, error: &Error, headers: &HeaderMap) -> Reply {
    let request_id = incoming::request_id(headers, Seed::new(app.clock().now()));
    let mut reply = Reply::of_error(error, &request_id);
    finish(&mut reply, HeaderPolicy::API, &request_id);
    let cause = error.cause().map(ToString::to_string);
    tracing::info!(
        status = reply.status,
        request_id,
        error = error.code().name(),
        cause,
        "a request that could not be read was refused"
    );
    reply
}

fn finish(reply: &mut Reply, policy: HeaderPolicy, request_id: &str) {
    headers::secure(&mut reply.headers, policy);
    if let Ok(value) = HeaderValue::from_str(request_id) {
        reply.headers.insert(REQUEST_ID, value);
    }
}

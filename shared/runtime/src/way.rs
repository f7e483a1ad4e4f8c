//! The way of a request: the gates, in one order, the same for all routes.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use contract::{Code, Error};
use futures_util::FutureExt as _;
use http::{HeaderMap, HeaderName, HeaderValue};
use lambda_http::aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use store::Work;
use store::author::{Author, Seed};

use crate::answer::Reply;
use crate::app::App;
use crate::credential::Caller;
use crate::handler::{Admitted, Route};
use crate::idempotency::{self, Turn};
use crate::incoming::{Incoming, MAX_BODY, REQUEST_ID};
use crate::log::LogLine;
use crate::{body, credential, headers, incoming, parameters};

/// What every delivery says of itself.
const WEBHOOK_AGENT: &str = "Hedgerow-Webhooks/";
const WEBHOOK_ID: HeaderName = HeaderName::from_static("webhook-id");

/// Answers an event on a route. This is the entry of every function, in AWS and on one machine.
pub async fn answer(app: &App, route: &'static Route, event: ApiGatewayV2httpRequest) -> Reply {
    let seed = Seed::new(app.clock().now());

    // Request id, and the caller's address.
    let incoming = Incoming::from_event(event, seed);
    let request_id = incoming.origin.request_id.clone();
    let mut log = LogLine::begin(route.meta, &incoming);

    // A panic fails one request, not the instance.
    let passed = AssertUnwindSafe(pass(app, route, incoming, seed, &mut log)).catch_unwind().await;
    let passed = passed.unwrap_or_else(|_| Err(Error::internal("a handler panicked")));

    // Error to response, headers, log line.
    let (mut reply, error) = match passed {
        Ok(reply) => (reply, None),
        Err(error) => (Reply::of_error(&error, &request_id), Some(error)),
    };
    finish(&mut reply, &request_id);
    log.write(reply.status, error.as_ref());
    reply
}

/// The answer to a request that can't be made an event: what the gateway in front refuses by itself.
#[must_use]
pub fn refuse(app: &App, error: &Error, headers: &HeaderMap) -> Reply {
    let request_id = incoming::request_id(headers, Seed::new(app.clock().now()));
    let mut reply = Reply::of_error(error, &request_id);
    finish(&mut reply, &request_id);
    let cause = error.cause().map(ToString::to_string);
    tracing::info!(status = reply.status, request_id, error = error.code().name(), cause, "request refused unread");
    reply
}

fn finish(reply: &mut Reply, request_id: &str) {
    headers::secure(&mut reply.headers);
    if let Ok(value) = HeaderValue::from_str(request_id) {
        reply.headers.insert(REQUEST_ID, value);
    }
}

/// The gates between the address and the handler. Those that are still to come have their place here: the address's
/// limit before the credential, preflight and CORS after it; then the client's IP allow-list, CSRF, the subscription,
/// the limit of the key or session.
async fn pass(
    app: &App,
    route: &'static Route,
    incoming: Incoming,
    seed: Seed,
    log: &mut LogLine,
) -> Result<Reply, Error> {
    // A delivery of our own: a webhook that leads back here, with a key in its headers, would feed itself for ever.
    if incoming.origin.agent.starts_with(WEBHOOK_AGENT) && incoming.headers.contains_key(WEBHOOK_ID) {
        return Err(Error::saying(Code::Forbidden, "A webhook may not lead to this API."));
    }

    // Credential: who it is, and whether they may enter.
    let caller = credential::admit(app, route.meta.access, &incoming).await?;
    log.client = caller.scope().map(|scope| scope.client().to_string());
    log.actor = caller.scope().map(|_| caller.actor());

    // Size, and coding: there is none that would be read.
    if incoming.body.len() > MAX_BODY {
        return Err(Code::PayloadTooLarge.into());
    }
    if incoming.has_coding() {
        return Err(Error::unsupported_coding());
    }

    // Query: nothing that the route does not know.
    parameters::only_known(route, &incoming.query)?;

    // Idempotency.
    let (seed, slot) = match idempotency::begin(app, route.meta, &caller, &incoming, seed).await? {
        Turn::Go(seed, slot) => (seed, slot),
        Turn::Replay(answer) => return Ok(Reply::of_remembered(answer)),
    };

    // Path, query and body, parsed and validated; the handler.
    let author = Author::new(&caller.actor(), &incoming.origin, seed);
    let Some(slot) = slot else { return handle(app, route, incoming, caller, author).await };
    let author = author.keyed(slot.again);
    let handled = AssertUnwindSafe(handle(app, route, incoming, caller, author)).catch_unwind().await;
    let handled = handled.unwrap_or_else(|_| Err(Error::internal("a handler panicked")));
    idempotency::finish(app, slot, &handled).await;
    handled
}

async fn handle(app: &App, route: &Route, incoming: Incoming, caller: Caller, author: Author) -> Result<Reply, Error> {
    let author = Arc::new(author);
    let work = match (caller.scope(), route.connects) {
        (Some(scope), true) => Some(Work::new(app.store()?.clone(), scope.clone(), author.clone())),
        _ => None,
    };
    // A body that the route would not look at is refused with what else is wrong.
    let failed = body::only_taken(route, &incoming).err();
    route.handler.run(Admitted { incoming, caller, app: app.clone(), author, work, failed }).await
}

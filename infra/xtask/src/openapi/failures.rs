//! Failures: which of them a route has, and what they look like.

use std::collections::BTreeSet;

use contract::Code;
use runtime::{Access, Method, OperationSpec, RouteSpec};

use super::rate_limits;
use crate::node::Node;
use crate::{Failure, map};

/// What a response is called, by its status.
const NAMES: [(u16, &str, &str); 14] = [
    (400, "MalformedRequest", "The request could not be read."),
    (401, "Unauthenticated", "The credential is not one, or no longer."),
    (403, "Forbidden", "The credential may not do that."),
    (404, "NotFound", "It is not there, or not the caller's."),
    (405, "MethodNotAllowed", "The path does not take this method."),
    (408, "RequestTimeout", "The request did not arrive in time."),
    (409, "Conflict", "It can't be done as things are."),
    (413, "PayloadTooLarge", "The request is too large."),
    (415, "UnsupportedMediaType", "The body is not sent as `application/json`."),
    (422, "Unprocessable", "The request was read and is not valid."),
    (429, "TooManyRequests", "There were more requests than a limit allows."),
    (431, "HeadersTooLarge", "The request line and the headers are too large."),
    (500, "Internal", "Something went wrong on our side."),
    (503, "Unavailable", "The service is busy."),
];

/// What any request may be answered: two explicit credentials are refused even where none is looked at, and so is a
/// delivery of our own and, on one machine, a foreign `Host`; a gateway refuses what does not arrive or is too large; and
/// who comes too often is refused, with a credential or without.
const EVERYWHERE: [u16; 7] = [400, 403, 408, 413, 429, 431, 500];

/// The statuses of the failures that a route has.
pub(super) fn statuses(spec: &RouteSpec, operation: &OperationSpec) -> BTreeSet<u16> {
    let route = spec.route();
    let mut statuses = BTreeSet::from(EVERYWHERE);
    if route.access != Access::Public {
        statuses.insert(401);
    }
    if route.access != Access::Public || route.uses_store {
        statuses.insert(503);
    }
    let in_path = route.parameters().next().is_some();
    if in_path {
        statuses.extend([404, 422]);
    }
    // A body is looked at where none is taken, too: it would be ignored otherwise.
    if operation.body.is_some() || route.method == Method::Post {
        statuses.extend([415, 422]);
    }
    if takes_version(operation) {
        statuses.insert(409);
    }
    if route.idempotent() {
        statuses.extend([409, 422]);
    }
    statuses.extend(spec.about.failures.iter().map(|code| code.status()));
    statuses
}

fn takes_version(operation: &OperationSpec) -> bool {
    operation.parameters.iter().any(|parameter| parameter.name == "If-Match")
}

/// A status and where its response is.
pub(super) fn reference(status: u16) -> Result<(String, Node), Failure> {
    Ok((status.to_string(), map! { "$ref" => format!("#/components/responses/{}", name(status)?.0) }))
}

fn name(status: u16) -> Result<(&'static str, &'static str), Failure> {
    let found = NAMES.iter().find(|(known, ..)| *known == status);
    found.map(|(_, name, text)| (*name, *text)).ok_or_else(|| format!("no name for failures with {status}").into())
}

/// One response a status, for all routes that have it.
pub(super) fn responses(statuses: &BTreeSet<u16>) -> Result<Node, Failure> {
    let mut responses = Vec::new();
    for status in statuses {
        let (name, text) = name(*status)?;
        let codes: Vec<_> = Code::ALL.iter().filter(|code| code.status() == *status).map(|code| code.name()).collect();
        let description = format!("{text} `error` is `{}`.", codes.join("`, `"));
        let header = |name: &str| map! { "$ref" => format!("#/components/headers/{name}") };
        let challenge = (*status == 401).then(|| header("WWW-Authenticate"));
        let mut headers = map! { "X-Request-Id" => header("X-Request-Id") };
        for name in rate_limits::names() {
            headers = headers.with(name, header(name));
        }
        let headers = headers.with_some("Retry-After", (*status == 429).then(|| header("Retry-After")));
        let response = map! {
            "description" => description,
            "headers" => headers.with_some("WWW-Authenticate", challenge),
            "content" => json_of(map! { "$ref" => "#/components/schemas/Error" }),
        };
        responses.push((name.to_owned(), response));
    }
    Ok(Node::Map(responses))
}

/// A JSON body.
pub(super) fn json_of(schema: Node) -> Node {
    map! { "application/json" => map! { "schema" => schema } }
}

/// The body of every failure.
pub(super) fn schema() -> Vec<(&'static str, Node)> {
    let text = |description: &str| map! { "type" => "string", "description" => description };
    let number = |description: &str| map! { "type" => "integer", "description" => description };
    let codes: Node = Code::ALL.iter().map(|code| code.name()).collect();
    let fields = map! {
        "type" => "array",
        "description" => "With `validation_failed`: every failure.",
        "items" => map! { "$ref" => "#/components/schemas/Problem" },
    };
    let details = map! {
        "type" => "object",
        "properties" => map! {
            "fields" => fields,
            "currentVersion" => number("With `version_conflict`: the version that is."),
            "clientVersion" => map! {
                "type" => ["integer", "null"],
                "description" => "With `version_conflict`: the version that was sent; `null` for `*`.",
            },
        },
    };
    let error = map! {
        "type" => "object",
        "description" => "Why a request failed.",
        "properties" => map! {
            "error" => map! { "type" => "string", "description" => "A stable code.", "enum" => codes },
            "message" => text("One sentence for a human."),
            "details" => details,
            "requestId" => text("Names the request in our log."),
        },
        "required" => ["error", "message", "requestId"],
    };
    vec![("Error", error)]
}

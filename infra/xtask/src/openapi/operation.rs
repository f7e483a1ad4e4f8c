//! One operation.

use std::collections::BTreeSet;

use contract::names::TenantId;
use runtime::spec::operation::{Content, Parameter, Success};
use runtime::{Counts, OperationSpec, Route, RouteSpec};

use super::access;
use super::failures::{self, json_of};
use super::rate_limits;
use super::schemas::Schemas;
use crate::node::Node;
use crate::{Failure, map};

/// The operation of a route, and the statuses of its failures.
pub(super) fn operation(spec: &RouteSpec, schemas: &mut Schemas) -> Result<(Node, BTreeSet<u16>), Failure> {
    let route = spec.route();
    let (read, written) = schemas.operation(spec);
    let statuses = failures::statuses(spec, &read);
    let asked = access::asked(route.access);
    let parameters = parameters(route, &read, schemas)?;
    let success = written.success.as_ref().ok_or_else(|| format!("{} answers nothing", route.id))?;
    let mut responses = vec![(success.status.to_string(), answer(spec, success, schemas))];
    for status in &statuses {
        responses.push(failures::reference(*status)?);
    }
    let body = read.body.as_ref().map(|schema| map! { "required" => true, "content" => json_of(schemas.read(schema)) });
    let operation = map! {
        "operationId" => route.id,
        "summary" => spec.summary(),
        "description" => format!("{} {}", spec.description(), asked.sentence).trim(),
        "tags" => [route.package],
        "security" => asked.security,
    }
    .with_some("x-permission", asked.permission)
    .with_some("x-role", asked.role)
    .with_some("parameters", (!parameters.is_empty()).then_some(parameters))
    .with_some("requestBody", body)
    .with("responses", Node::Map(responses));
    Ok((operation, statuses))
}

/// The path's parameters in its order, then those of query and headers in the order of the arguments.
fn parameters(route: &Route, operation: &OperationSpec, schemas: &mut Schemas) -> Result<Vec<Node>, Failure> {
    let mut parameters = Vec::new();
    for name in route.parameters() {
        let known =
            operation.parameters.iter().find(|parameter| parameter.location == "path" && parameter.name == name);
        parameters.push(match known {
            Some(parameter) => described(parameter, schemas),
            // It is taken by the repositories of a tenant.
            None if name == "tenantId" => {
                schemas.of::<TenantId>();
                map! { "$ref" => "#/components/parameters/tenantId" }
            }
            None => return Err(format!("{}: no argument takes `{name}` of the path", route.id).into()),
        });
    }
    let others = operation.parameters.iter().filter(|parameter| parameter.location != "path");
    parameters.extend(others.map(|parameter| described(parameter, schemas)));
    if route.idempotent() {
        parameters.push(map! { "$ref" => "#/components/parameters/Idempotency-Key" });
    }
    Ok(parameters)
}

fn described(parameter: &Parameter, schemas: &mut Schemas) -> Node {
    map! {
        "name" => parameter.name,
        "in" => parameter.location,
        "required" => parameter.location == "path",
        "description" => parameter.description,
        "schema" => schemas.read(&parameter.schema),
    }
}

/// Parameters that no argument describes.
pub(super) fn shared_parameters() -> Node {
    map! {
        "tenantId" => map! {
            "name" => "tenantId", "in" => "path", "required" => true,
            "description" => "The client's own identifier of one of its customers.",
            "schema" => map! { "$ref" => "#/components/schemas/TenantId" },
        },
        "Idempotency-Key" => map! {
            "name" => "Idempotency-Key", "in" => "header", "required" => false,
            "description" => "For 24 hours the same request under the same key gets the first answer again.",
            "schema" => map! { "type" => "string", "minLength" => 1, "maxLength" => 255, "pattern" => "^[!-~]([ -~]*[!-~])?$" },
        },
    }
}

/// Headers of answers.
pub(super) fn shared_headers() -> Node {
    let text = |description: &str| {
        map! { "description" => description, "schema" => map! { "type" => "string" } }
    };
    let headers = map! {
        "X-Request-Id" => map! {
            "description" => "The caller's own, or a new one.",
            "required" => true,
            "schema" => map! { "type" => "string", "pattern" => "^[A-Za-z0-9._-]{1,128}$" },
        },
        "ETag" => map! {
            "description" => "The version, in quotes.",
            "required" => true,
            "schema" => map! { "type" => "string", "pattern" => "^\"[0-9]+\"$" },
        },
        "Idempotency-Replayed" => text("`true`, if this is the answer to an earlier request under the same key."),
        "WWW-Authenticate" => text("`Bearer`, with `unauthenticated`."),
    };
    rate_limits::headers().into_iter().fold(headers, |headers, (name, header)| headers.with(name, header))
}

/// The answer when all is well.
fn answer(spec: &RouteSpec, success: &Success, schemas: &mut Schemas) -> Node {
    let (text, content) = match &success.body {
        None => ("Done.", None),
        Some(Content::Document) => ("A document of its own.", Some(map! { "type" => "object" })),
        Some(Content::List(schema)) => ("A page of the list.", Some(list(schemas.written(schema)))),
        Some(Content::Data(schema)) => {
            let text = match success.status {
                201 => "What was made.",
                202 => "What was begun; it goes on after the answer.",
                _ => "As it is now.",
            };
            (text, Some(data(schemas.written(schema))))
        }
    };
    let versioned = matches!(&success.body, Some(Content::Data(schema)) if schemas.has_version(schema));
    let header = |name: &str| map! { "$ref" => format!("#/components/headers/{name}") };
    let cookie = spec
        .about
        .cookie
        .map(|text| map! { "description" => text, "required" => true, "schema" => map! { "type" => "string" } });
    let mut headers = map! { "X-Request-Id" => header("X-Request-Id") };
    if spec.route().counts != Counts::Nothing {
        for name in rate_limits::names() {
            headers = headers.with(name, header(name));
        }
    }
    let headers = headers
        .with_some("ETag", versioned.then(|| header("ETag")))
        .with_some("Set-Cookie", cookie)
        .with_some("Idempotency-Replayed", spec.route().idempotent().then(|| header("Idempotency-Replayed")));
    map! { "description" => text, "headers" => headers }.with_some("content", content.map(json_of))
}

fn data(schema: Node) -> Node {
    map! { "type" => "object", "properties" => map! { "data" => schema }, "required" => ["data"] }
}

fn list(schema: Node) -> Node {
    let cursor = map! {
        "type" => ["string", "null"],
        "description" => "The `cursor` of the next page; `null` on the last.",
    };
    let meta = map! {
        "type" => "object",
        "properties" => map! { "nextCursor" => cursor },
        "required" => ["nextCursor"],
    };
    map! {
        "type" => "object",
        "properties" => map! { "data" => map! { "type" => "array", "items" => schema }, "meta" => meta },
        "required" => ["data", "meta"],
    }
}

//! One operation.

use std::collections::BTreeSet;

use contract::names::TenantId;
use contract::route::Meta;
use runtime::needs::{Content, Parameter, Success};
use runtime::{Described, Needs};

use super::failures::{self, json_of};
use super::schemas::Schemas;
use super::{access, beyond};
use crate::node::Node;
use crate::{Failure, map};

/// The operation of a route, and the statuses of its failures.
pub(super) fn operation(described: &Described, schemas: &mut Schemas) -> Result<(Node, BTreeSet<u16>), Failure> {
    let meta = described.route.meta;
    let (read, written) = schemas.needs(described);
    let statuses = failures::statuses(described, &read);
    let asked = access::asked(meta);
    let parameters = parameters(meta, &read, schemas)?;
    let success = written.success.as_ref().ok_or_else(|| format!("{} answers nothing", meta.id))?;
    let mut responses = vec![(success.status.to_string(), answer(meta, success, schemas))];
    for status in &statuses {
        responses.push(failures::reference(*status)?);
    }
    let body = read.body.as_ref().map(|schema| map! { "required" => true, "content" => json_of(schemas.read(schema)) });
    let operation = map! {
        "operationId" => meta.id,
        "summary" => meta.summary,
        "description" => asked.sentence,
        "tags" => [meta.package],
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
fn parameters(meta: &Meta, needs: &Needs, schemas: &mut Schemas) -> Result<Vec<Node>, Failure> {
    let mut parameters = Vec::new();
    for name in meta.parameters() {
        let known = needs.parameters.iter().find(|parameter| parameter.place == "path" && parameter.name == name);
        parameters.push(match known {
            Some(parameter) => described(parameter, schemas),
            // It is taken by the repositories of a tenant.
            None if name == "tenantId" => {
                schemas.of::<TenantId>();
                map! { "$ref" => "#/components/parameters/tenantId" }
            }
            None => return Err(format!("{}: no argument takes `{name}` of the path", meta.id).into()),
        });
    }
    let others = needs.parameters.iter().filter(|parameter| parameter.place != "path");
    parameters.extend(others.map(|parameter| described(parameter, schemas)));
    if meta.idempotent() {
        parameters.push(map! { "$ref" => "#/components/parameters/Idempotency-Key" });
    }
    Ok(parameters)
}

fn described(parameter: &Parameter, schemas: &mut Schemas) -> Node {
    map! {
        "name" => parameter.name,
        "in" => parameter.place,
        "required" => parameter.place == "path",
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
    map! {
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
    }
}

/// The answer when all is well.
fn answer(meta: &Meta, success: &Success, schemas: &mut Schemas) -> Node {
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
    let cookie = beyond::cookie(meta)
        .map(|text| map! { "description" => text, "required" => true, "schema" => map! { "type" => "string" } });
    let headers = map! { "X-Request-Id" => header("X-Request-Id") }
        .with_some("ETag", versioned.then(|| header("ETag")))
        .with_some("Set-Cookie", cookie)
        .with_some("Idempotency-Replayed", meta.idempotent().then(|| header("Idempotency-Replayed")));
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

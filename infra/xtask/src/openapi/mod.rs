//! The API's description (OpenAPI 3.1), from the routes' declarations and the handlers' types.

mod access;
mod failures;
mod operation;
mod rate_limits;
mod schemas;

use std::collections::BTreeSet;

use runtime::RouteSpec;

use crate::node::Node;
use crate::{Failure, map};
use schemas::Schemas;

/// The whole document.
///
/// # Errors
/// If a route can't be described: a parameter of its path has no type, a code's status has no name.
pub fn document() -> Result<Node, Failure> {
    let mut schemas = Schemas::new();
    let mut paths: Vec<(String, Node)> = Vec::new();
    let mut statuses = BTreeSet::new();
    for spec in described() {
        let route = spec.route();
        let (operation, failures) = operation::operation(spec, &mut schemas)?;
        statuses.extend(failures);
        let method = route.method.name().to_ascii_lowercase();
        match paths.iter_mut().find(|(path, _)| path == route.path) {
            Some((_, Node::Map(methods))) => methods.push((method, operation)),
            _ => paths.push((route.path.to_owned(), map! { method => operation })),
        }
    }
    let responses = failures::responses(&statuses)?;
    let schemas = schemas.into_components(failures::schema())?;
    Ok(map! {
        "openapi" => "3.1.0",
        "info" => info(),
        "servers" => [map! { "url" => "/" }],
        "tags" => tags(),
        "paths" => Node::Map(paths),
        "components" => map! {
            "securitySchemes" => security_schemes(),
            "parameters" => operation::shared_parameters(),
            "headers" => operation::shared_headers(),
            "responses" => responses,
            "schemas" => schemas,
        },
    })
}

/// The routes that have a path.
fn described() -> impl Iterator<Item = &'static RouteSpec> {
    functions::routes().filter(|spec| spec.route().path.starts_with('/'))
}

fn info() -> Node {
    map! {
        "title" => "Hedgerow",
        "version" => env!("CARGO_PKG_VERSION"),
        "summary" => "Custom fields that a SaaS company's customers define",
        "license" => map! { "name" => "Apache-2.0", "identifier" => "Apache-2.0" },
    }
}

fn tags() -> Node {
    let mut names: Vec<&str> = Vec::new();
    for spec in described() {
        if !names.contains(&spec.route().package) {
            names.push(spec.route().package);
        }
    }
    names.into_iter().map(|name| map! { "name" => name }).collect()
}

fn security_schemes() -> Node {
    map! {
        "apiKey" => map! {
            "type" => "apiKey", "in" => "header", "name" => "X-API-Key",
            "description" => "An API key.",
        },
        "bearer" => map! {
            "type" => "http", "scheme" => "bearer",
            "description" => "An API key as a bearer token.",
        },
        "embedToken" => map! {
            "type" => "http", "scheme" => "bearer", "bearerFormat" => "JWT",
            "description" => "An embed token, made by `create-embed-token`, for the tenant that it names.",
        },
        "session" => map! {
            "type" => "apiKey", "in" => "cookie", "name" => "__Host-hedgerow_session",
            "description" => "The session of a user of the dashboard, begun by `log-in` or `sign-up`.",
        },
    }
}

//! The SAM template: tables, gateway, and a function for every route.

mod function;
mod gateway;
mod tables;

use contract::routes::ROUTES;

use crate::node::Node;
use crate::{Failure, map};

const HEADER: &str = "\
# Written by `cargo xtask gen` from the routes' table and the handlers' types. Not to be changed by hand.
#
# A function's role holds, for each table and action, one statement with the kinds of partition key that its route
# needs: IAM asks that one statement allow an action for all the keys that a call names. `ForAllValues` is true where a
# call names no key at all; only actions on items are granted, and those always name one (no Scan, no PartiQL).
";

/// The template's text.
///
/// # Errors
/// If a route of the table has no function, or YAML can't be written.
pub fn text() -> Result<String, Failure> {
    let options = serde_saphyr::ser_options! { prefer_block_scalars: false };
    Ok(HEADER.to_owned() + &serde_saphyr::to_string_with_options(&document()?, options)?)
}

/// The template.
///
/// # Errors
/// If a route of the table has no function.
pub fn document() -> Result<Node, Failure> {
    let mut resources = tables::resources();
    resources.extend(gateway::resources());
    for meta in ROUTES {
        let described = functions::all().find(|described| described.route.meta.id == meta.id);
        let described = described.ok_or_else(|| format!("{} has no function", meta.id))?;
        resources.extend(function::resources(described));
        resources.extend(gateway::of_route(meta));
    }
    Ok(map! {
        "AWSTemplateFormatVersion" => "2010-09-09",
        "Transform" => "AWS::Serverless-2016-10-31",
        "Description" => "Hedgerow: a backend for custom fields",
        "Parameters" => parameters(),
        "Conditions" => map! {
            "HasEndpoint" => map! { "Fn::Not" => [map! { "Fn::Equals" => [reference("EndpointUrl"), Node::from("")] }] },
        },
        "Globals" => map! { "Function" => function::globals() },
        "Resources" => Node::Map(resources),
        "Outputs" => outputs(),
    })
}

fn parameters() -> Node {
    let text = |default: &str, description: &str| {
        map! { "Type" => "String", "Default" => default, "Description" => description }
    };
    map! {
        "TablePrefix" => text("hedgerow", "What the tables' names begin with")
            .with("AllowedPattern", "^[A-Za-z0-9_.-]{1,200}$"),
        "Architecture" => text("arm64", "What the functions were built for")
            .with("AllowedValues", ["arm64", "x86_64"]),
        "LogRetentionDays" => map! {
            "Type" => "Number",
            "Default" => 30_u64,
            "Description" => "How long logs are kept",
            "AllowedValues" => [1_u64, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827],
        },
        "EndpointUrl" => text("", "Where AWS is, if not at its own addresses: for tests against another engine"),
    }
}

fn outputs() -> Node {
    let mut outputs = vec![(
        "ApiUrl".to_owned(),
        map! { "Description" => "Where the API is", "Value" => attribute("Api", "ApiEndpoint") },
    )];
    outputs.extend(tables::outputs());
    Node::Map(outputs)
}

fn reference(name: &str) -> Node {
    map! { "Ref" => name }
}

fn attribute(resource: &str, name: &str) -> Node {
    map! { "Fn::GetAtt" => [resource, name] }
}

fn filled(text: impl Into<String>) -> Node {
    map! { "Fn::Sub" => text.into() }
}

/// `create-field-group` as a resource's name: `CreateFieldGroup`.
#[must_use]
pub fn logical(id: &str) -> String {
    let capital = |part: &str| part.chars().next().map(|first| first.to_ascii_uppercase().to_string() + &part[1..]);
    id.split('-').filter_map(capital).collect()
}

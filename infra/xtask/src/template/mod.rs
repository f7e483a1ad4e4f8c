//! The SAM template: tables, queues, gateway, a function for every route, and those that no route reaches.

mod alarms;
mod function;
mod gateway;
mod parameters;
mod queues;
mod role;
mod secret;
mod source;
mod tables;

use crate::node::Node;
use crate::{Failure, map};

const HEADER: &str = "\
# Written by `cargo xtask gen` from the routes' declarations and the handlers' types. Not to be changed by hand.
#
# A function's role holds, for each table and action, one statement with the kinds of partition key that its route
# needs: IAM asks that one statement allow an action for all the keys that a call names. `ForAllValues` is true where a
# call names no key at all; of the tables' actions, only those on items are granted, and they always name one (no Scan,
# no PartiQL). What a role may do with queues, the stream, the secret and the bucket is held to those by their names.
";

/// The template's text.
///
/// # Errors
/// If YAML can't be written.
pub fn text() -> Result<String, Failure> {
    let options = serde_saphyr::ser_options! { prefer_block_scalars: false };
    Ok(HEADER.to_owned() + &serde_saphyr::to_string_with_options(&document(), options)?)
}

/// The template.
#[must_use]
pub fn document() -> Node {
    let mut resources = tables::resources();
    resources.extend(queues::resources());
    resources.extend(secret::resources());
    resources.extend(source::resources());
    resources.extend(gateway::resources());
    for spec in functions::routes() {
        resources.extend(function::of_route(spec));
        resources.extend(gateway::of_route(spec.route()));
    }
    for consumer in functions::consumers() {
        resources.extend(function::of_consumer(consumer));
    }
    resources.extend(alarms::resources());
    map! {
        "AWSTemplateFormatVersion" => "2010-09-09",
        "Transform" => "AWS::Serverless-2016-10-31",
        "Description" => "Hedgerow: a backend for custom fields",
        "Parameters" => parameters::parameters(),
        "Conditions" => parameters::conditions(),
        "Globals" => map! { "Function" => function::globals() },
        "Resources" => Node::Map(resources),
        "Outputs" => outputs(),
    }
}

fn outputs() -> Node {
    let mut outputs = vec![(
        "ApiUrl".to_owned(),
        map! { "Description" => "Where the API is", "Value" => attribute("Api", "ApiEndpoint") },
    )];
    outputs.extend(tables::outputs());
    outputs.extend(queues::outputs());
    outputs.extend(source::outputs());
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

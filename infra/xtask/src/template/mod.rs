//! The templates: a root with tables, queues, gateway and the functions that no route reaches, and a nested stack a
//! package for its routes. CloudFormation alone, without a transform.

mod alarms;
mod bucket;
mod function;
mod gateway;
mod nested;
mod parameters;
mod queues;
mod role;
mod route;
mod secret;
mod source;
pub mod stacks;
mod tables;

use std::collections::BTreeMap;

pub use function::{LONGEST_ID, LONGEST_STACK_NAME};
pub use route::RouteFunction;

use crate::node::Node;
use crate::{Failure, map};
use stacks::Stacks;

const WRITTEN: &str = "\
# Written by `cargo xtask gen` from the routes' declarations and the handlers' types. Not to be changed by hand.
";

const ROLES: &str = "\
#
# A function's role holds, for each table and action, one statement with the kinds of partition key that its route
# needs: IAM asks that one statement allow an action for all the keys that a call names. `ForAllValues` is true where a
# call names no key at all; of the tables' actions, only those on items are granted, and they always name one (no Scan,
# no PartiQL). What a role may do with queues, the stream, the secret, the buckets and its log is held to those by their
# names, and with objects to what their keys begin with.
";

/// What happens to a resource whose data outlive the stack: when the stack is deleted, unless it was never there whole,
/// and when the resource is replaced.
const KEPT: (&str, &str) = ("RetainExceptOnCreate", "Retain");

/// A template: its path below `infra/`, and what it says.
pub struct Template {
    /// `stacks/values.yaml`
    pub path: String,
    /// What it says.
    pub document: Node,
}

impl Template {
    /// As it is written down.
    ///
    /// # Errors
    /// If YAML can't be written.
    pub fn text(&self) -> Result<String, Failure> {
        let options = serde_saphyr::ser_options! { prefer_block_scalars: false };
        let header = format!("{WRITTEN}{ROLES}");
        Ok(header + &serde_saphyr::to_string_with_options(&self.document, options)?)
    }
}

/// The functions of all routes.
#[must_use]
pub fn route_functions() -> Vec<RouteFunction> {
    functions::routes().map(RouteFunction::of).collect()
}

/// All templates: the root first, then what can be imported, then the nested ones.
#[must_use]
pub fn all(functions: &[RouteFunction], stacks: &Stacks) -> Vec<Template> {
    let mut by_stack: BTreeMap<&str, Vec<&RouteFunction>> = BTreeMap::new();
    for function in functions {
        by_stack.entry(stacks.of(&function.id).unwrap_or(&function.package)).or_default().push(function);
    }
    let template = |path: &str, document| Template { path: path.to_owned(), document };
    let mut all = vec![
        template("template.yaml", root(by_stack.keys().copied())),
        template("kept.yaml", kept()),
        template(&nested::path(nested::STACK_NAME), nested::stack_name()),
    ];
    let packages = by_stack.iter();
    all.extend(packages.map(|(stack, functions)| template(&nested::path(stack), nested::of_package(stack, functions))));
    all
}

fn root<'a>(nested: impl Iterator<Item = &'a str>) -> Node {
    let mut resources = tables::resources();
    resources.extend(queues::resources());
    resources.extend(secret::resources());
    resources.extend(source::resources());
    resources.extend(bucket::resources());
    resources.extend(gateway::resources());
    resources.extend(nested::resources(nested));
    for consumer in functions::consumers() {
        resources.extend(function::of_consumer(consumer));
    }
    resources.extend(alarms::resources());
    map! {
        "AWSTemplateFormatVersion" => "2010-09-09",
        "Description" => "Hedgerow: a backend for custom fields",
        "Parameters" => parameters::parameters(),
        "Conditions" => parameters::conditions(),
        "Resources" => Node::Map(resources),
        "Outputs" => outputs(),
    }
}

/// What outlives a stack under a name of its own, alone: another stack begins by importing it.
fn kept() -> Node {
    let prefix = parameters::parameters().get("TablePrefix").cloned().unwrap_or(Node::Null);
    let tables = tables::KEPT_TABLES.map(|table| (tables::logical(table).to_owned(), tables::resource(table)));
    map! {
        "AWSTemplateFormatVersion" => "2010-09-09",
        "Description" => "Hedgerow: what outlived its stack, for a new one to begin with",
        "Parameters" => map! { "TablePrefix" => prefix },
        "Resources" => Node::Map(tables.into()).with(secret::DATA_KEYS, secret::data_keys()),
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
    outputs.extend(bucket::outputs());
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

/// The ARN of a resource of this account and region, by its name.
fn named(service: &str, name: &str) -> Node {
    filled(format!("arn:${{AWS::Partition}}:{service}:${{AWS::Region}}:${{AWS::AccountId}}:{name}"))
}

/// `create-field-group` as a resource's name: `CreateFieldGroup`.
#[must_use]
pub fn logical(id: &str) -> String {
    let capital = |part: &str| part.chars().next().map(|first| first.to_ascii_uppercase().to_string() + &part[1..]);
    id.split('-').filter_map(capital).collect()
}

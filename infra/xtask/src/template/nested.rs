//! The nested stacks: one a package for its routes, and one that only sees that the stack's name is short enough.

use super::bucket::BUCKET;
use super::function::{self, LONGEST_STACK_NAME};
use super::route::RouteFunction;
use super::{attribute, logical, parameters, queues, reference, secret, tables};
use crate::map;
use crate::node::Node;

/// The template of a nested stack, below `infra/`.
pub(super) fn path(stack: &str) -> String {
    format!("stacks/{stack}.yaml")
}

/// The stack whose parameter holds what the root's own name may be: CloudFormation has no other way to say it.
pub(super) const STACK_NAME: &str = "stack-name";

pub(super) fn stack_name() -> Node {
    let value = map! {
        "Type" => "String",
        "Description" => "The name of the whole stack",
        "MaxLength" => LONGEST_STACK_NAME,
        "ConstraintDescription" => format!(
            "must have {LONGEST_STACK_NAME} characters at the most: it is what the stack is called, and functions are called \
             after it. Take a shorter name for the stack"
        ),
    };
    map! {
        "AWSTemplateFormatVersion" => "2010-09-09",
        "Description" => "Hedgerow: whether the stack's name is short enough",
        "Parameters" => map! { "StackName" => value },
        // A template has to have a resource; this one makes nothing.
        "Resources" => map! { "Nothing" => map! { "Type" => "AWS::CloudFormation::WaitConditionHandle" } },
        "Outputs" => map! { "Value" => map! { "Value" => reference("StackName") } },
    }
}

/// The template of a package's routes. All it needs is the API, the role that calls functions, and plain parameters.
pub(super) fn of_package(stack: &str, functions: &[&RouteFunction]) -> Node {
    let plain = |name: &str| (name.to_owned(), map! { "Type" => "String" });
    let mut known: Vec<_> = ["StackName", "Api", "InvokeRole"].map(plain).into();
    // The bucket is no parameter of the root's.
    let of = |name| {
        if name == BUCKET {
            map! { "Type" => "String" }
        } else {
            parameters::plain(name)
        }
    };
    known.extend(function::parameters().map(|name| (name.to_owned(), of(name))));
    map! {
        "AWSTemplateFormatVersion" => "2010-09-09",
        "Description" => format!("Hedgerow: the routes of {stack}"),
        "Parameters" => Node::Map(known),
        "Conditions" => map! { "HasEndpoint" => parameters::given("EndpointUrl") },
        "Resources" => Node::Map(functions.iter().flat_map(|function| function::of_route(function)).collect()),
    }
}

/// The nested stacks, as resources of the root.
pub(super) fn resources<'a>(stacks: impl Iterator<Item = &'a str>) -> Vec<(String, Node)> {
    let stack = |name: &str, parameters: Node| {
        map! { "TemplateURL" => format!("./{}", path(name)), "Parameters" => parameters }
    };
    let first = map! { "StackName" => reference("AWS::StackName") };
    let first = map! { "Type" => "AWS::CloudFormation::Stack", "Properties" => stack(STACK_NAME, first) };
    let mut resources = vec![(logical(STACK_NAME), first)];
    resources.extend(stacks.map(|name| {
        let resource = map! {
            "Type" => "AWS::CloudFormation::Stack",
            // Roles name these: they are there before the functions, and go after them.
            "DependsOn" => needed(),
            "Properties" => stack(name, told()),
        };
        (format!("{}Stack", logical(name)), resource)
    }));
    resources
}

fn told() -> Node {
    let mut told = vec![
        ("StackName".to_owned(), attribute(&logical(STACK_NAME), "Outputs.Value")),
        ("Api".to_owned(), reference("Api")),
        ("InvokeRole".to_owned(), attribute("InvokeRole", "Arn")),
    ];
    told.extend(function::parameters().map(|name| {
        let value = if name == "Origin" { function::origin() } else { reference(name) };
        (name.to_owned(), value)
    }));
    Node::Map(told)
}

fn needed() -> Node {
    let all = [tables::resources(), queues::resources(), secret::resources()];
    all.into_iter().flatten().map(|(name, _)| name).collect()
}

//! A function and its role.

use runtime::Described;

use super::gateway::log_group;
use super::{attribute, filled, logical, reference, tables};
use crate::map;
use crate::node::Node;
use crate::policy::{Statement, statements};

/// What all functions have.
pub(super) fn globals() -> Node {
    let endpoint =
        map! { "Fn::If" => [Node::from("HasEndpoint"), reference("EndpointUrl"), reference("AWS::NoValue")] };
    map! {
        "Runtime" => "provided.al2023",
        "Handler" => "bootstrap",
        "Architectures" => [reference("Architecture")],
        "MemorySize" => 512_u64,
        "Timeout" => 15_u64,
        "Environment" => map! {
            "Variables" => map! { "HEDGEROW_TABLE_PREFIX" => reference("TablePrefix"), "AWS_ENDPOINT_URL" => endpoint },
        },
    }
}

/// The function of a route, and its log.
pub(super) fn resources(described: &Described) -> Vec<(String, Node)> {
    let meta = described.route.meta;
    let name = logical(meta.id);
    let statements: Vec<Node> = statements(&described.grants()).iter().map(statement).collect();
    let policy = map! { "Version" => "2012-10-17", "Statement" => statements.clone() };
    let properties = map! {
        "FunctionName" => filled(format!("${{AWS::StackName}}-{}", meta.id)),
        "Description" => meta.summary,
        "CodeUri" => format!("../target/lambda/{}/", meta.id),
        "LoggingConfig" => map! { "LogGroup" => reference(&format!("{name}Log")) },
    }
    .with_some("Policies", (!statements.is_empty()).then_some([policy]));
    let function = map! { "Type" => "AWS::Serverless::Function", "Properties" => properties };
    let log = log_group(&format!("/aws/lambda/${{AWS::StackName}}-{}", meta.id));
    vec![(name.clone(), function), (format!("{name}Log"), log)]
}

fn statement(of: &Statement) -> Node {
    map! {
        "Effect" => "Allow",
        "Action" => of.actions.iter().map(|action| format!("dynamodb:{action}")).collect::<Node>(),
        "Resource" => attribute(tables::logical(of.table), "Arn"),
        "Condition" => map! {
            "ForAllValues:StringLike" => map! { "dynamodb:LeadingKeys" => of.leading_keys().collect::<Node>() },
        },
    }
}

//! A function and its role.

use runtime::{Consumer, RouteSpec};

use super::gateway::log_group;
use super::{attribute, filled, logical, queues, reference, role, secret, source};
use crate::map;
use crate::node::Node;

/// What all functions have.
pub(super) fn globals() -> Node {
    let endpoint =
        map! { "Fn::If" => [Node::from("HasEndpoint"), reference("EndpointUrl"), reference("AWS::NoValue")] };
    let origin = map! { "Fn::If" => [Node::from("HasOrigin"), reference("Origin"), attribute("Api", "ApiEndpoint")] };
    map! {
        "Runtime" => "provided.al2023",
        "Handler" => "bootstrap",
        "Architectures" => [reference("Architecture")],
        "MemorySize" => 512_u64,
        "Timeout" => 15_u64,
        "Environment" => map! {
            "Variables" => map! {
                "HEDGEROW_TABLE_PREFIX" => reference("TablePrefix"),
                "HEDGEROW_QUEUES" => queues::base(),
                "HEDGEROW_ORIGIN" => origin,
                "HEDGEROW_SIGNUP" => reference("Signup"),
                "HEDGEROW_SESSION_IDLE_MINUTES" => reference("SessionIdleMinutes"),
                "HEDGEROW_SESSION_MINUTES" => reference("SessionMinutes"),
                "HEDGEROW_MAIL_FROM" => reference("MailFrom"),
                "HEDGEROW_WEBHOOK_HTTP" => reference("WebhookHttp"),
                "HEDGEROW_WEBHOOK_PORTS" => reference("WebhookPorts"),
                "AWS_ENDPOINT_URL" => endpoint,
            },
        },
    }
}

/// The function of a route, and its log.
pub(super) fn of_route(spec: &RouteSpec) -> Vec<(String, Node)> {
    resources(spec.route().id, spec.summary(), None, role::statements(&spec.permissions()))
}

/// A function that no route reaches, its log, and what feeds it.
pub(super) fn of_consumer(consumer: &Consumer) -> Vec<(String, Node)> {
    let mut statements = role::statements(&(consumer.permissions)());
    statements.extend(source::statements(consumer.source));
    let mut resources = resources(consumer.id, consumer.summary, Some(consumer.timeout.as_secs()), statements);
    resources.extend(source::mappings(consumer));
    resources.extend(source::schedule(consumer));
    resources.extend(secret::rotation(consumer));
    resources
}

fn resources(id: &str, summary: &str, timeout: Option<u64>, statements: Vec<Node>) -> Vec<(String, Node)> {
    let name = logical(id);
    let policy = (!statements.is_empty()).then(|| [map! { "Version" => "2012-10-17", "Statement" => statements }]);
    let properties = map! {
        "FunctionName" => filled(format!("${{AWS::StackName}}-{id}")),
        "Description" => summary,
        "CodeUri" => format!("../target/lambda/{id}/"),
        "LoggingConfig" => map! { "LogGroup" => reference(&format!("{name}Log")) },
    }
    .with_some("Timeout", timeout)
    .with_some("Policies", policy);
    let function = map! { "Type" => "AWS::Serverless::Function", "Properties" => properties };
    let log = log_group(&format!("/aws/lambda/${{AWS::StackName}}-{id}"));
    vec![(name.clone(), function), (format!("{name}Log"), log)]
}

//! The gateway: native resources, since local engines ignore the routes of `AWS::Serverless::HttpApi`.

use super::route::RouteFunction;
use super::{attribute, filled, logical, named, reference, role};
use crate::map;
use crate::node::Node;

/// The access log's line: the path without the query, which may hold what is searched for.
const ACCESS: [(&str, &str); 10] = [
    ("requestId", "$context.requestId"),
    // What the lines START and REPORT of the function's log have.
    ("invocationId", "$context.integration.requestId"),
    ("time", "$context.requestTime"),
    ("sourceIp", "$context.identity.sourceIp"),
    ("method", "$context.httpMethod"),
    ("path", "$context.path"),
    ("routeKey", "$context.routeKey"),
    ("status", "$context.status"),
    ("latencyMs", "$context.responseLatency"),
    ("integrationError", "$context.integrationErrorMessage"),
];

pub(super) fn resources() -> Vec<(String, Node)> {
    let line = ACCESS.map(|(name, variable)| format!("\"{name}\":\"{variable}\"")).join(",");
    let api = map! {
        "Type" => "AWS::ApiGatewayV2::Api",
        "Properties" => map! { "Name" => reference("AWS::StackName"), "ProtocolType" => "HTTP" },
    };
    let stage = map! {
        "Type" => "AWS::ApiGatewayV2::Stage",
        "Properties" => map! {
            "ApiId" => reference("Api"),
            "StageName" => "$default",
            "AutoDeploy" => true,
            "DefaultRouteSettings" => map! { "ThrottlingBurstLimit" => 500_u64, "ThrottlingRateLimit" => 1000_u64 },
            "AccessLogSettings" => map! {
                "DestinationArn" => attribute("AccessLog", "Arn"),
                "Format" => format!("{{{line}}}"),
            },
        },
    };
    let log = log_group("/aws/apigateway/${AWS::StackName}");
    let all = [("Api", api), ("Stage", stage), ("AccessLog", log), ("InvokeRole", invoke_role())];
    all.map(|(name, node)| (name.to_owned(), node)).into()
}

/// A log that goes with the stack.
pub(super) fn log_group(name: &str) -> Node {
    map! {
        "Type" => "AWS::Logs::LogGroup",
        "DeletionPolicy" => "Delete",
        "UpdateReplacePolicy" => "Delete",
        "Properties" => map! { "LogGroupName" => filled(name), "RetentionInDays" => reference("LogRetentionDays") },
    }
}

/// The role by which the gateway calls the stack's functions: one for all, in place of a permission a route.
fn invoke_role() -> Node {
    let functions = named("lambda", "function:${StackName.Outputs.Value}-*");
    role::resource("apigateway.amazonaws.com", vec![role::allow(["lambda:InvokeFunction"], functions)])
}

/// A route, and its way to its function.
pub(super) fn of_route(function: &RouteFunction) -> Vec<(String, Node)> {
    let name = logical(&function.id);
    let integration = map! {
        "Type" => "AWS::ApiGatewayV2::Integration",
        "Properties" => map! {
            "ApiId" => reference("Api"),
            "IntegrationType" => "AWS_PROXY",
            "IntegrationUri" => attribute(&name, "Arn"),
            "CredentialsArn" => reference("InvokeRole"),
            "PayloadFormatVersion" => "2.0",
        },
    };
    let route = |key: &String| {
        let resource = map! {
            "Type" => "AWS::ApiGatewayV2::Route",
            "Properties" => map! {
                "ApiId" => reference("Api"),
                "RouteKey" => key.as_str(),
                "Target" => filled(format!("integrations/${{{name}Integration}}")),
            },
        };
        let method = if key.starts_with("HEAD ") { "Head" } else { "" };
        (format!("{name}{method}Route"), resource)
    };
    [(format!("{name}Integration"), integration)].into_iter().chain(function.route_keys.iter().map(route)).collect()
}

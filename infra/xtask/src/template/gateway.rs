//! The gateway: native resources, since local engines ignore the routes of `AWS::Serverless::HttpApi`.

use runtime::{Method, Route};

use super::{attribute, filled, logical, reference};
use crate::map;
use crate::node::Node;

/// The access log's line: the path without the query, which may hold what is searched for.
const ACCESS: [(&str, &str); 9] = [
    ("requestId", "$context.requestId"),
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
    [("Api", api), ("Stage", stage), ("AccessLog", log)].map(|(name, node)| (name.to_owned(), node)).into()
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

/// What the gateway calls a route: one name for every method that it takes, with what tells their resources apart.
fn route_keys(route: &Route) -> Vec<(&'static str, String)> {
    if route.method == Method::Any {
        return vec![("", route.path.to_owned())];
    }
    let tokens = route.method.tokens().iter();
    tokens.map(|token| (if *token == "HEAD" { "Head" } else { "" }, format!("{token} {}", route.path))).collect()
}

/// A route, its way to its function, and the leave to call it.
pub(super) fn of_route(route: &Route) -> Vec<(String, Node)> {
    let function = logical(route.id);
    let integration = map! {
        "Type" => "AWS::ApiGatewayV2::Integration",
        "Properties" => map! {
            "ApiId" => reference("Api"),
            "IntegrationType" => "AWS_PROXY",
            "IntegrationUri" => attribute(&function, "Arn"),
            "PayloadFormatVersion" => "2.0",
        },
    };
    let resource = |key: String| {
        map! {
            "Type" => "AWS::ApiGatewayV2::Route",
            "Properties" => map! {
                "ApiId" => reference("Api"),
                "RouteKey" => key,
                "Target" => filled(format!("integrations/${{{function}Integration}}")),
            },
        }
    };
    let source = "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${Api}/*";
    let permission = map! {
        "Type" => "AWS::Lambda::Permission",
        "Properties" => map! {
            "Action" => "lambda:InvokeFunction",
            "FunctionName" => reference(&function),
            "Principal" => "apigateway.amazonaws.com",
            "SourceArn" => filled(source),
        },
    };
    let mut resources = vec![(format!("{function}Integration"), integration)];
    let keys = route_keys(route).into_iter();
    resources.extend(keys.map(|(kind, key)| (format!("{function}{kind}Route"), resource(key))));
    resources.push((format!("{function}Permission"), permission));
    resources
}

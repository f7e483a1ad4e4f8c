//! A sample event for every function, of the sample account: API Gateway HTTP API, payload format 2.0, for the routes.

mod consumers;
mod requests;

use runtime::spec::access::KeyAccess;
use runtime::{Access, Consumer, Method, Route, RouteSpec};
use samples::Samples;
use serde_json::Value;

use crate::node::Node;
use crate::seeded::Seeded;
use crate::{Failure, map};
use requests::{Request, request};

const ACCOUNT: &str = "123456789012";
const REGION: &str = "eu-central-1";
const API: &str = "hedgerow00";
const HOST: &str = "hedgerow00.execute-api.eu-central-1.amazonaws.com";
const ADDRESS: &str = "203.0.113.7";
const AGENT: &str = "curl/8.14.1";

/// The events, by the identifiers of their functions.
///
/// # Errors
/// If a route has no sample request, or what was seeded can't be read.
pub fn all(seeded: &Seeded) -> Result<Vec<(&'static str, Node)>, Failure> {
    let samples = &seeded.samples;
    let of_route =
        |spec: &'static RouteSpec| Ok((spec.route().id, event(spec.route(), samples, &request(spec, samples)?)));
    let routes = functions::routes().map(of_route);
    let of_consumer = |consumer: &'static Consumer| Ok((consumer.id, consumers::event(consumer, seeded)?));
    routes.chain(functions::consumers().into_iter().map(of_consumer)).collect()
}

fn event(route: &Route, samples: &Samples, request: &Request) -> Node {
    let method = if route.method == Method::Any { "GET" } else { route.method.name() };
    let key = if route.method == Method::Any { route.path.to_owned() } else { format!("{method} {}", route.path) };
    let path = path(route, request);
    let body = request.body.as_ref().map(Value::to_string);
    let session = matches!(route.access, Access::Credential { key: KeyAccess::Refused, .. });
    let parameters =
        Node::Map(request.parameters.iter().map(|(name, value)| ((*name).to_owned(), value.as_str().into())).collect());
    let query =
        Node::Map(request.query.iter().map(|(name, value)| ((*name).to_owned(), value.as_str().into())).collect());
    let pairs: Vec<_> = request.query.iter().map(|(name, value)| format!("{name}={value}")).collect();
    map! {
        "version" => "2.0",
        "routeKey" => key.as_str(),
        "rawPath" => path.as_str(),
        "rawQueryString" => pairs.join("&"),
    }
    .with_some("cookies", session.then_some([samples.shop.cookie.as_str()]))
    .with("headers", headers(route, body.as_deref(), session))
    .with_some("queryStringParameters", (!request.query.is_empty()).then_some(query))
    .with("requestContext", context(method, &key, &path))
    .with_some("pathParameters", (!request.parameters.is_empty()).then_some(parameters))
    .with_some("body", body)
    .with("isBase64Encoded", false)
}

/// The path with its parameters, none of which needs an escape.
fn path(route: &Route, request: &Request) -> String {
    match request.path {
        Some(path) => path.to_owned(),
        None => request
            .parameters
            .iter()
            .fold(route.path.to_owned(), |path, (name, value)| path.replace(&format!("{{{name}}}"), value)),
    }
}

fn headers(route: &Route, body: Option<&str>, session: bool) -> Node {
    let writes = route.method != Method::Get && route.method != Method::Any;
    let page = writes && (session || route.access == Access::Public);
    let key = matches!(route.access, Access::Credential { key: KeyAccess::Management(_), .. });
    map! { "accept" => "application/json" }
        .with_some("content-length", body.map(|body| body.len().to_string()))
        .with_some("content-type", body.map(|_| "application/json"))
        .with("host", HOST)
        .with_some("idempotency-key", route.idempotent().then(|| format!("sample-{}", route.id)))
        // What a browser adds to a page's own requests.
        .with_some("origin", page.then(|| format!("https://{HOST}")))
        .with_some("sec-fetch-site", page.then_some("same-origin"))
        .with("user-agent", AGENT)
        .with("x-amzn-trace-id", "Root=1-6955b900-000000000000000000000001")
        .with_some("x-api-key", key.then_some(samples::KEY))
        .with("x-forwarded-for", ADDRESS)
        .with("x-forwarded-port", "443")
        .with("x-forwarded-proto", "https")
}

fn context(method: &str, key: &str, path: &str) -> Node {
    map! {
        "accountId" => ACCOUNT,
        "apiId" => API,
        "domainName" => HOST,
        "domainPrefix" => API,
        "http" => map! {
            "method" => method,
            "path" => path,
            "protocol" => "HTTP/1.1",
            "sourceIp" => ADDRESS,
            "userAgent" => AGENT,
        },
        "requestId" => "JKJaXmPLvHcESHA=",
        "routeKey" => key,
        "stage" => "$default",
        "time" => "01/Jan/2026:00:00:00 +0000",
        "timeEpoch" => 1_767_225_600_000_u64,
    }
}

//! HTTP requests as API Gateway HTTP API events (payload 2.0), the way API Gateway makes them: header values of one
//! name joined by commas, cookies apart, the path and its parameters decoded, a body that is not text in base64.

use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{COOKIE, HeaderMap, HeaderValue};
use http::request::Parts;
use lambda_http::aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use percent_encoding::percent_decode_str;
use runtime::Route;

/// The event of a request on a route, with the parameters that its path has there.
#[must_use]
pub fn of_request(parts: &Parts, body: &Bytes, route: &Route, address: Option<IpAddr>) -> ApiGatewayV2httpRequest {
    let path = parts.uri.path();
    let mut event = ApiGatewayV2httpRequest::default();
    event.version = Some("2.0".to_owned());
    event.route_key = Some(route_key(parts, route));
    event.raw_path = Some(decoded(path));
    event.raw_query_string = Some(parts.uri.query().unwrap_or_default().to_owned());
    event.path_parameters = route
        .matches(path)
        .unwrap_or_default()
        .into_iter()
        .map(|(name, text)| (name.to_owned(), decoded(text)))
        .collect();
    event.headers = joined(&parts.headers);
    event.cookies = cookies(&parts.headers);
    if !body.is_empty() {
        match std::str::from_utf8(body) {
            Ok(text) => event.body = Some(text.to_owned()),
            Err(_) => {
                event.body = Some(STANDARD.encode(body));
                event.is_base64_encoded = true;
            }
        }
    }
    let http = &mut event.request_context.http;
    http.method = parts.method.clone();
    http.path = event.raw_path.clone();
    http.source_ip = address.map(|address| address.to_string());
    event.request_context.stage = Some("$default".to_owned());
    event.request_context.route_key.clone_from(&event.route_key);
    event
}

/// `GET /api/health`, or `$default`.
fn route_key(parts: &Parts, route: &Route) -> String {
    if route.path.starts_with('/') { format!("{} {}", parts.method, route.path) } else { route.path.to_owned() }
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

fn joined(headers: &HeaderMap) -> HeaderMap {
    let mut all = HeaderMap::with_capacity(headers.keys_len());
    for name in headers.keys().filter(|name| **name != COOKIE) {
        let values: Vec<&[u8]> = headers.get_all(name).iter().map(HeaderValue::as_bytes).collect();
        if let Ok(value) = HeaderValue::from_bytes(&values.join(&b","[..])) {
            all.insert(name.clone(), value);
        }
    }
    all
}

fn cookies(headers: &HeaderMap) -> Option<Vec<String>> {
    // Another application's cookie may be no ASCII; ours is still among them.
    let values = headers.get_all(COOKIE).iter().map(|value| String::from_utf8_lossy(value.as_bytes()));
    let split = |value: std::borrow::Cow<'_, str>| {
        value.split(';').map(|one| one.trim_matches([' ', '\t']).to_owned()).collect::<Vec<_>>()
    };
    let cookies: Vec<String> = values.flat_map(split).collect();
    (!cookies.is_empty()).then_some(cookies)
}

#[cfg(test)]
mod tests {
    use runtime::{Access, Method};

    use super::*;

    fn parts(uri: &str) -> Parts {
        let request = http::Request::builder().uri(uri).header("a", "1").header("a", "2").header("cookie", "x=1; y=2");
        request.body(()).expect("a request").into_parts().0
    }

    #[test]
    fn the_path_is_split_before_it_is_decoded() {
        let parts = parts("/api/v1/tenants/a%2Fb/field-groups/g/entities/e%20%c3%a9/values?limit=1&x=%41");
        let path = "/api/v1/tenants/{tenantId}/field-groups/{groupId}/entities/{entityId}/values";
        let route = Route { path, ..Route::usual(Method::Get, Access::Public) };
        let event = of_request(&parts, &Bytes::from_static(b"\xff"), &route, "192.0.2.1".parse().ok());
        assert_eq!(event.path_parameters["tenantId"], "a/b");
        assert_eq!(event.path_parameters["entityId"], "e é");
        assert_eq!(event.raw_path.as_deref(), Some("/api/v1/tenants/a/b/field-groups/g/entities/e é/values"));
        assert_eq!(event.raw_query_string.as_deref(), Some("limit=1&x=%41"));
        assert_eq!(event.headers["a"], "1,2");
        assert!(!event.headers.contains_key("cookie"));
        assert_eq!(event.cookies, Some(vec!["x=1".to_owned(), "y=2".to_owned()]));
        assert_eq!((event.body.as_deref(), event.is_base64_encoded), (Some("/w=="), true));
    }
}

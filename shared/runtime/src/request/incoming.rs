//! A request as it comes in: an API Gateway HTTP API event (payload 2.0), whoever made it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use contract::Origin;
use http::header::{CONTENT_ENCODING, COOKIE, HeaderName, ORIGIN, USER_AGENT};
use http::{HeaderMap, HeaderValue};
use lambda_http::aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use store::author::{RequestInfo, Seed};
use uuid::Uuid;

use super::address;
use crate::spec::route::Method;

/// The header that names a request.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// A request before any gate. lambda_http's own conversion is passed by: it panics on hosts and decoded paths that
/// don't make a URL.
#[derive(Clone)]
pub struct Incoming {
    /// The method's token.
    pub method: String,
    /// The path without the query, as it came.
    pub path: String,
    /// The path's parameters, decoded once, by name.
    pub parameters: Vec<(String, String)>,
    /// The query, as it came.
    pub query: String,
    /// The headers; the cookies are back in theirs.
    pub headers: HeaderMap,
    /// The body, decoded.
    pub body: Bytes,
    /// Who asks, and under which identifier.
    pub info: RequestInfo,
    /// The gateway's own identifier of the request, which its access log has.
    pub gateway_request_id: Option<String>,
}

impl Incoming {
    /// Reads an event that came over so many proxies. Nothing in it can fail: what is malformed is left to the gate that looks at it.
    #[must_use]
    pub fn from_event(event: ApiGatewayV2httpRequest, seed: Seed, proxies: usize) -> Self {
        let mut headers = event.headers;
        if let Some(Ok(value)) = event.cookies.map(|all| HeaderValue::from_bytes(all.join("; ").as_bytes())) {
            headers.insert(COOKIE, value);
        }
        // The event keeps them in a map without an order; what is made of them (the idempotency gate) needs one.
        let mut parameters: Vec<_> = event.path_parameters.into_iter().collect();
        parameters.sort_unstable();
        let http = event.request_context.http;
        let body = event.body.unwrap_or_default();
        let decoded = event.is_base64_encoded.then(|| STANDARD.decode(&body).ok()).flatten();
        let info = RequestInfo {
            address: address::of_event(http.source_ip.as_deref(), &headers, proxies),
            agent: auth::mask(text(&headers, &USER_AGENT)).chars().take(200).collect(),
            request_id: request_id(&headers, seed),
        };
        Self {
            method: http.method.as_str().to_owned(),
            path: event.raw_path.unwrap_or_default(),
            parameters,
            query: event.raw_query_string.unwrap_or_default(),
            headers,
            body: decoded.map_or_else(|| Bytes::from(body), Bytes::from),
            info,
            gateway_request_id: event.request_context.request_id,
        }
    }

    /// Whether its body is said to be in a content coding (RFC 9110 §8.4); what only reads has no body that counts.
    #[must_use]
    pub(crate) fn has_coding(&self) -> bool {
        let names =
            self.headers.get_all(CONTENT_ENCODING).iter().flat_map(|value| value.as_bytes().split(|b| *b == b','));
        let mut codings = names.map(<[u8]>::trim_ascii).filter(|name| !name.is_empty());
        !Method::Get.tokens().contains(&self.method.as_str())
            && codings.any(|name| !name.eq_ignore_ascii_case(b"identity"))
    }

    /// A header byte for byte, several of one name joined as API Gateway joins them; empty if it is absent.
    #[must_use]
    pub fn bytes(&self, name: &HeaderName) -> Vec<u8> {
        let values: Vec<&[u8]> = self.headers.get_all(name).iter().map(HeaderValue::as_bytes).collect();
        values.join(&b","[..])
    }

    /// A header as text; empty if it is absent or not text.
    #[must_use]
    pub fn header(&self, name: &HeaderName) -> &str {
        text(&self.headers, name)
    }

    /// The page that sends the request, if a browser says that one does.
    ///
    /// # Errors
    /// If what it says is none that is known here.
    pub(crate) fn page(&self) -> Result<Option<Origin>, NoOrigin> {
        let Some(text) = self.only(&ORIGIN).map_err(|NotOne| NoOrigin)? else { return Ok(None) };
        // A browser writes it in the one form that it has.
        let origin = text.parse::<Origin>().ok().filter(|origin| origin.as_str() == text);
        origin.map(Some).ok_or(NoOrigin)
    }

    /// The one value of a header, without the blanks around it, if it is there.
    ///
    /// # Errors
    /// If it is there more than once, or not text.
    pub(crate) fn only(&self, name: &HeaderName) -> Result<Option<&str>, NotOne> {
        let mut all = self.headers.get_all(name).iter();
        match (all.next(), all.next()) {
            (None, _) => Ok(None),
            (Some(value), None) => value.to_str().map(|text| Some(text.trim())).map_err(|_| NotOne),
            (Some(_), Some(_)) => Err(NotOne),
        }
    }
}

/// What is sent as `Origin` is the origin of no page that anybody could list: `null`, another scheme, several of them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NoOrigin;

/// A header that should be there once is there several times, or is not text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NotOne;

fn text<'h>(headers: &'h HeaderMap, name: &HeaderName) -> &'h str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// The caller's own identifier if it is one (contract: `^[A-Za-z0-9._-]{1,128}$`), else a new one. It is kept with what
/// is written and sent on to webhooks, so a credential that was put there by mistake is none.
pub(crate) fn request_id(headers: &HeaderMap, seed: Seed) -> String {
    let sent = text(headers, &REQUEST_ID);
    let known = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    if (1..=128).contains(&sent.len()) && sent.bytes().all(known) && !auth::has_credential(sent) {
        return sent.to_owned();
    }
    let mut tail = [0; 10];
    tail.copy_from_slice(&seed.bytes[22..]);
    let millis = u64::try_from(seed.at.millis()).unwrap_or(0);
    format!("req_{}", Uuid::as_simple(&uuid::Builder::from_unix_timestamp_millis(millis, &tail).into_uuid()))
}

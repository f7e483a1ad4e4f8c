//! What an engine answers, before it is HTTP.

use std::borrow::Cow;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use serde_json::Value;

/// What the services send that speak AWS JSON 1.0, errors included.
const JSON_1_0: &str = "application/x-amz-json-1.0";
/// What the one sends that speaks AWS JSON 1.1.
const JSON_1_1: &str = "application/x-amz-json-1.1";
/// What the ones send that go by methods and paths.
const REST_JSON: &str = "application/json";
const REST_XML: &str = "application/xml";

/// The header by which the SDKs tell SQS's errors apart.
const QUERY_ERROR: &str = "x-amzn-query-error";
/// The header by which they tell the errors of services apart that go by methods and paths.
const ERROR_TYPE: &str = "x-amzn-errortype";

/// An engine's answer: a status and a body, JSON but of S3, errors included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: Bytes,
    /// The `content-type`.
    pub content_type: Cow<'static, str>,
    /// Other headers: by which the SDKs tell an error, where the body does not say it, or what S3 says of an object.
    pub headers: Vec<(&'static str, String)>,
}

impl Answer {
    /// A body as it is, from a service that speaks AWS JSON 1.0.
    pub(crate) fn of(status: u16, body: Bytes) -> Self {
        Self { status, body, content_type: Cow::Borrowed(JSON_1_0), headers: Vec::new() }
    }

    pub(crate) fn json_1_0(status: u16, body: &Value) -> Self {
        Self::of(status, Bytes::from(body.to_string()))
    }

    pub(crate) fn json_1_1(status: u16, body: &Value) -> Self {
        Self { content_type: Cow::Borrowed(JSON_1_1), ..Self::json_1_0(status, body) }
    }

    pub(crate) fn rest_json(status: u16, body: &Value) -> Self {
        Self { content_type: Cow::Borrowed(REST_JSON), ..Self::json_1_0(status, body) }
    }

    pub(crate) fn rest_xml(status: u16, body: String) -> Self {
        Self { content_type: Cow::Borrowed(REST_XML), ..Self::of(status, Bytes::from(body)) }
    }

    /// An object of S3's.
    pub(crate) fn object(content_type: String, body: Vec<u8>) -> Self {
        Self { content_type: Cow::Owned(content_type), ..Self::of(200, Bytes::from(body)) }
    }

    /// That it is done.
    pub(crate) fn nothing() -> Self {
        Self::rest_xml(204, String::new())
    }

    pub(crate) fn with(mut self, header: &'static str, value: String) -> Self {
        self.headers.push((header, value));
        self
    }

    pub(crate) fn with_query_error(self, query_error: String) -> Self {
        self.with(QUERY_ERROR, query_error)
    }

    pub(crate) fn with_error_type(self, kind: &str) -> Self {
        self.with(ERROR_TYPE, kind.to_owned())
    }

    /// An error in AWS's JSON: `kind` is the qualified type, such as `com.amazon.coral.service#AccessDeniedException`.
    pub(crate) fn error(status: u16, kind: &str, message: Option<&str>) -> Self {
        let body = match message {
            Some(message) => serde_json::json!({ "__type": kind, "message": message }),
            None => serde_json::json!({ "__type": kind }),
        };
        Self::json_1_0(status, &body)
    }

    /// An operation that the service doesn't have. AWS sends no message with it.
    pub(crate) fn unknown_operation() -> Self {
        Self::error(400, "com.amazon.coral.service#UnknownOperationException", None)
    }

    /// What IAM says when no statement allows a call of DynamoDB. AWS doesn't name the keys; whoever reads this is a
    /// developer.
    pub(crate) fn denied(action: &str, resource: &str, keys: &[String]) -> Self {
        let with = if keys.is_empty() { String::new() } else { format!(" with leading keys {keys:?}") };
        let resource = format!("arn:aws:dynamodb:us-east-1:000000000000:table/{resource}{with}");
        let message = not_authorized("dynamodb", action, &resource);
        Self::error(400, "com.amazon.coral.service#AccessDeniedException", Some(&message))
    }

    /// A fault of the engine itself, which the SDK retries.
    pub(crate) fn broken(message: &str) -> Self {
        Self::error(500, "com.amazonaws.dynamodb.v20120810#InternalServerError", Some(message))
    }
}

/// IAM's words for a call that no statement allows.
pub(crate) fn not_authorized(service: &str, action: &str, resource: &str) -> String {
    format!(
        "User: arn:aws:sts::000000000000:assumed-role/hedgerow/local is not authorized to perform: {service}:{action} \
         on resource: {resource} because no identity-based policy allows the {service}:{action} action"
    )
}

/// A request's id as DynamoDB writes it: 52 capitals and digits, here the process's start and a count.
pub(crate) fn request_id() -> String {
    static STARTED: OnceLock<u64> = OnceLock::new();
    static COUNT: AtomicU64 = AtomicU64::new(1);
    let started = STARTED.get_or_init(|| {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        since.as_nanos() as u64
    });
    format!("{started:016X}{:036X}", COUNT.fetch_add(1, Ordering::Relaxed))
}

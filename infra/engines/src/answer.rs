//! What an engine answers, before it is HTTP.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;

/// What the AWS JSON 1.0 services send, errors included.
pub(crate) const CONTENT_TYPE: &str = "application/x-amz-json-1.0";

/// An engine's answer: a status and a JSON body, errors included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The JSON body.
    pub body: Bytes,
}

impl Answer {
    /// An error in AWS's JSON: `kind` is the qualified type, such as `com.amazon.coral.service#AccessDeniedException`.
    pub(crate) fn error(status: u16, kind: &str, message: Option<&str>) -> Self {
        let body = match message {
            Some(message) => serde_json::json!({ "__type": kind, "message": message }),
            None => serde_json::json!({ "__type": kind }),
        };
        Self { status, body: Bytes::from(body.to_string()) }
    }

    /// An operation that the service doesn't have. AWS sends no message with it.
    pub(crate) fn unknown_operation() -> Self {
        Self::error(400, "com.amazon.coral.service#UnknownOperationException", None)
    }

    /// What IAM says when no statement allows the call. AWS doesn't name the keys; whoever reads this is a developer.
    pub(crate) fn denied(action: &str, resource: &str, keys: &[String]) -> Self {
        let with = if keys.is_empty() { String::new() } else { format!(" with leading keys {keys:?}") };
        let message = format!(
            "User: arn:aws:sts::000000000000:assumed-role/hedgerow/local is not authorized to perform: \
             dynamodb:{action} on resource: arn:aws:dynamodb:us-east-1:000000000000:table/{resource}{with} because no \
             identity-based policy allows the dynamodb:{action} action"
        );
        Self::error(400, "com.amazon.coral.service#AccessDeniedException", Some(&message))
    }

    /// A fault of the engine itself, which the SDK retries.
    pub(crate) fn broken(message: &str) -> Self {
        Self::error(500, "com.amazonaws.dynamodb.v20120810#InternalServerError", Some(message))
    }
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

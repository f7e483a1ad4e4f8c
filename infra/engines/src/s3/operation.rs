//! The operations of S3.

use super::request::Request;
use super::{PREFIX, Refusal, S3};
use crate::answer::{Answer, not_authorized};
use crate::fault::Fault;

/// An operation of S3 that the embedded engine knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    CreateMultipartUpload,
    UploadPart,
    CompleteMultipartUpload,
    AbortMultipartUpload,
    GetObject,
    DeleteObject,
    ListObjectsV2,
}

impl Operation {
    /// The operation that a target names, if there is one: methods and what stands in the query tell them apart.
    pub(crate) fn of(target: &str) -> Option<Self> {
        let (method, uri) = target.strip_prefix(PREFIX)?.split_once(' ')?;
        let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
        let has = |name: &str| query.split('&').any(|pair| pair.split('=').next() == Some(name));
        let of_object = path.strip_prefix('/')?.split_once('/').is_some_and(|(_, key)| !key.is_empty());
        match method {
            "POST" if of_object && has("uploads") => Some(Self::CreateMultipartUpload),
            "POST" if of_object && has("uploadId") => Some(Self::CompleteMultipartUpload),
            "PUT" if of_object && has("uploadId") && has("partNumber") => Some(Self::UploadPart),
            "DELETE" if of_object && has("uploadId") => Some(Self::AbortMultipartUpload),
            "DELETE" if of_object => Some(Self::DeleteObject),
            "GET" if of_object => Some(Self::GetObject),
            "GET" if has("list-type") => Some(Self::ListObjectsV2),
            _ => None,
        }
    }

    pub(super) fn of_request(request: &Request<'_>) -> Option<Self> {
        let has = |name: &str| request.query.contains_key(name);
        let names = ["uploads", "uploadId", "partNumber", "list-type"].into_iter().filter(|name| has(name));
        let query: Vec<&str> = names.collect();
        let key = if request.key.is_empty() { "" } else { "/key" };
        Self::of(&format!("{PREFIX}{} /bucket{key}?{}", request.method, query.join("&")))
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::CreateMultipartUpload => "CreateMultipartUpload",
            Self::UploadPart => "UploadPart",
            Self::CompleteMultipartUpload => "CompleteMultipartUpload",
            Self::AbortMultipartUpload => "AbortMultipartUpload",
            Self::GetObject => "GetObject",
            Self::DeleteObject => "DeleteObject",
            Self::ListObjectsV2 => "ListObjectsV2",
        }
    }

    /// IAM's name of what it does, without `s3:`.
    pub(crate) fn action(self) -> &'static str {
        match self {
            Self::CreateMultipartUpload | Self::UploadPart | Self::CompleteMultipartUpload => "PutObject",
            Self::AbortMultipartUpload => "AbortMultipartUpload",
            Self::GetObject => "GetObject",
            Self::DeleteObject => "DeleteObject",
            Self::ListObjectsV2 => "ListBucket",
        }
    }

    pub(super) fn run(self, s3: &S3, request: &Request<'_>) -> Result<Answer, Refusal> {
        match self {
            Self::CreateMultipartUpload => s3.begin(request),
            Self::UploadPart => s3.put_part(request),
            Self::CompleteMultipartUpload => s3.complete(request),
            Self::AbortMultipartUpload => s3.abort(request),
            Self::GetObject => s3.get(request),
            Self::DeleteObject => s3.delete(request),
            Self::ListObjectsV2 => s3.list(request),
        }
    }
}

/// What a target is answered that names no operation here.
pub(crate) fn unknown() -> Answer {
    Refusal::unknown_operation().answer()
}

/// What IAM says when no statement allows the call.
pub(crate) fn denied(action: &str, path: Option<&str>) -> Answer {
    let resource = format!("arn:aws:s3:::{}", path.unwrap_or("*"));
    Refusal::access(not_authorized("s3", action, &resource)).answer()
}

/// What a fault is answered with in place of the call.
pub(crate) fn faulty(fault: Fault) -> Option<Answer> {
    match fault {
        Fault::Lost | Fault::Slow(_) => None,
        Fault::Throughput | Fault::Throttling => Some(Refusal::slow_down("Please reduce your request rate.").answer()),
        Fault::Internal | Fault::Partial | Fault::TransactionConflict => {
            Some(Refusal::internal("We encountered an internal error. Please try again.").answer())
        }
    }
}

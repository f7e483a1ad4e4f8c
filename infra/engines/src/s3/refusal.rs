//! What S3 refuses with.

use super::xml;
use crate::answer::Answer;

/// A call that is refused or failed.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) status: u16,
    code: &'static str,
    message: String,
}

/// The errors that are spoken of here, with their statuses and codes.
macro_rules! refusals {
    ($($name:ident = $status:literal $code:literal;)*) => {
        impl Refusal {
            $(pub(super) fn $name(message: impl Into<String>) -> Self {
                Self { status: $status, code: $code, message: message.into() }
            })*
        }
    };
}

refusals! {
    argument = 400 "InvalidArgument";
    request = 400 "InvalidRequest";
    digest = 400 "BadDigest";
    malformed_xml = 400 "MalformedXML";
    part = 400 "InvalidPart";
    part_order = 400 "InvalidPartOrder";
    part_size = 400 "EntityTooSmall";
    key_length = 400 "KeyTooLongError";
    access = 403 "AccessDenied";
    signature = 403 "SignatureDoesNotMatch";
    key = 404 "NoSuchKey";
    bucket = 404 "NoSuchBucket";
    upload = 404 "NoSuchUpload";
    method = 405 "MethodNotAllowed";
    internal = 500 "InternalError";
    not_implemented = 501 "NotImplemented";
    slow_down = 503 "SlowDown";
}

impl Refusal {
    pub(super) fn unknown_operation() -> Self {
        Self::not_implemented("The embedded S3 has no such operation.")
    }

    pub(super) fn answer(&self) -> Answer {
        let body = xml::document("Error", &[("Code", self.code), ("Message", &self.message)]);
        Answer::rest_xml(self.status, body)
    }
}

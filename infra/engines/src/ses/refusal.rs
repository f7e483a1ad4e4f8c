//! What SES refuses with.

use serde_json::json;

use crate::answer::Answer;

/// A call that is refused or failed.
#[derive(Debug)]
pub(super) struct Refusal {
    status: u16,
    kind: &'static str,
    message: String,
}

/// The errors that are spoken of here, with their statuses and types.
macro_rules! refusals {
    ($($name:ident = $status:literal $kind:literal;)*) => {
        impl Refusal {
            $(pub(super) fn $name(message: impl Into<String>) -> Self {
                Self { status: $status, kind: $kind, message: message.into() }
            })*
        }
    };
}

refusals! {
    bad = 400 "BadRequestException";
    access = 403 "AccessDeniedException";
    unknown_operation = 404 "UnknownOperationException";
    throttled = 429 "TooManyRequestsException";
    internal = 500 "InternalServiceErrorException";
}

impl Refusal {
    pub(super) fn answer(&self) -> Answer {
        Answer::rest_json(self.status, &json!({ "message": self.message })).with_error_type(self.kind)
    }
}

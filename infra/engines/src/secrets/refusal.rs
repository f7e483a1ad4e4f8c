//! What Secrets Manager refuses with.

use serde_json::json;

use crate::answer::Answer;

/// A call that is refused or failed.
#[derive(Debug)]
pub(super) struct Refusal {
    kind: &'static str,
    message: String,
}

/// The errors that are spoken of here, with their types.
macro_rules! refusals {
    ($($name:ident = $kind:literal;)*) => {
        impl Refusal {
            $(pub(super) fn $name(message: impl Into<String>) -> Self {
                Self { kind: $kind, message: message.into() }
            })*
        }
    };
}

refusals! {
    missing = "ResourceNotFoundException";
    exists = "ResourceExistsException";
    parameter = "InvalidParameterException";
    request = "InvalidRequestException";
    validation = "ValidationException";
    token = "InvalidNextTokenException";
    malformed = "SerializationException";
    unknown_operation = "UnknownOperationException";
    access = "AccessDeniedException";
    throttled = "ThrottlingException";
    internal = "InternalServiceError";
}

impl Refusal {
    /// A member whose length or range isn't allowed, as AWS words it.
    pub(super) fn constraint(member: &str, constraint: &str) -> Self {
        Self::validation(format!(
            "1 validation error detected: Value at '{member}' failed to satisfy constraint: {constraint}"
        ))
    }

    pub(super) fn no_secret() -> Self {
        Self::missing("Secrets Manager can't find the specified secret.")
    }

    pub(super) fn answer(&self) -> Answer {
        let status = if self.kind == "InternalServiceError" { 500 } else { 400 };
        Answer::json_1_1(status, &json!({ "__type": self.kind, "Message": self.message }))
    }
}

impl From<rusqlite::Error> for Refusal {
    fn from(e: rusqlite::Error) -> Self {
        Self::internal(e.to_string())
    }
}

impl From<serde_json::Error> for Refusal {
    fn from(e: serde_json::Error) -> Self {
        Self::malformed(e.to_string())
    }
}

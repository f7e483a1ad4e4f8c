//! The operations of SES.

use serde::Deserialize;
use serde_json::Value;

use super::{PREFIX, Refusal, Ses};
use crate::answer::{Answer, not_authorized};
use crate::fault::Fault;

/// An operation of SES that the embedded engine knows. Its name is its IAM action too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    SendEmail,
}

impl Operation {
    /// The operation that a target names, if there is one.
    pub(crate) fn of(target: &str) -> Option<Self> {
        match target.strip_prefix(PREFIX)? {
            "POST /v2/email/outbound-emails" => Some(Self::SendEmail),
            _ => None,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::SendEmail => "SendEmail",
        }
    }

    pub(super) fn run(self, ses: &Ses, body: &[u8]) -> Result<Value, Refusal> {
        match self {
            Self::SendEmail => ses.send(body),
        }
    }
}

/// Whom the mail of a call is from, if it says so: what IAM's `ses:FromAddress` is held against.
pub(crate) fn sender(body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Sender {
        from_email_address: Option<String>,
    }
    serde_json::from_slice::<Sender>(body).ok()?.from_email_address
}

/// What a target is answered that names no operation here.
pub(crate) fn unknown() -> Answer {
    Refusal::unknown_operation("The embedded SES has no such operation.").answer()
}

/// What IAM says when no statement allows the call.
pub(crate) fn denied(action: &str, from: Option<&str>) -> Answer {
    let resource = format!("arn:aws:ses:us-east-1:000000000000:identity/{}", from.unwrap_or("*"));
    Refusal::access(not_authorized("ses", action, &resource)).answer()
}

/// What a fault is answered with in place of the call.
pub(crate) fn faulty(fault: Fault) -> Option<Answer> {
    match fault {
        Fault::Lost | Fault::Slow(_) => None,
        Fault::Throughput | Fault::Throttling => Some(Refusal::throttled("Maximum sending rate exceeded.").answer()),
        Fault::Internal | Fault::Partial | Fault::TransactionConflict => {
            Some(Refusal::internal("An error occurred on the server side.").answer())
        }
    }
}

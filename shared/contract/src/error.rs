//! Failures as callers see them: one table of codes and statuses, and an error that keeps its cause to itself.

use std::error::Error as Cause;
use std::fmt;

use serde::Serialize;
use serde_json::{Value, json};

use crate::{Problem, Problems};

macro_rules! codes {
    ($($variant:ident $status:literal $name:literal $message:literal)+) => {
        /// A code of the contract. Its status is 4xx or 5xx by construction.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code { $(#[doc = $message] $variant),+ }

        impl Code {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name in the body's `error`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// The HTTP status.
            #[must_use]
            pub const fn status(self) -> u16 {
                match self { $(Self::$variant => $status),+ }
            }

            const fn message(self) -> &'static str {
                match self { $(Self::$variant => $message),+ }
            }
        }
    };
}

codes! {
    MalformedRequest 400 "malformed_request" "The request could not be read."
    Unauthenticated 401 "unauthenticated" "A valid credential is required."
    InvalidCredentials 401 "invalid_credentials" "The e-mail address or the password is wrong."
    TotpRequired 401 "totp_required" "This account has a second factor: send its code as `totp`."
    Forbidden 403 "forbidden" "This credential may not do that."
    WrongKeyType 403 "wrong_key_type" "This needs an API key of the type `management`."
    IpNotAllowed 403 "ip_not_allowed" "This address may not use this credential."
    OriginNotAllowed 403 "origin_not_allowed" "A page of this origin may not do that."
    SubscriptionInactive 403 "subscription_inactive" "This client has no subscription in force. What is there can be read; an owner or an admin subscribes anew."
    RouteNotFound 404 "route_not_found" "There is nothing at this path."
    SessionNotFound 404 "session_not_found" "There is no such session."
    MemberNotFound 404 "member_not_found" "There is no such member."
    InvitationNotFound 404 "invitation_not_found" "There is no such invitation."
    ApiKeyNotFound 404 "api_key_not_found" "There is no such API key."
    FieldGroupNotFound 404 "field_group_not_found" "There is no such field group."
    GlobalFieldNotFound 404 "global_field_not_found" "There is no such global field."
    TenantFieldNotFound 404 "tenant_field_not_found" "There is no such tenant field."
    TenantNotFound 404 "tenant_not_found" "There is no such tenant."
    ValuesNotFound 404 "values_not_found" "This entity has no values here."
    WebhookNotFound 404 "webhook_not_found" "There is no such webhook."
    DeliveryNotFound 404 "delivery_not_found" "There is no such delivery."
    JobNotFound 404 "job_not_found" "There is no such job."
    MethodNotAllowed 405 "method_not_allowed" "This path does not take this method."
    RequestTimeout 408 "request_timeout" "The request did not arrive in time. Please send it again."
    VersionConflict 409 "version_conflict" "The resource has changed since it was read."
    KeyTaken 409 "key_taken" "Another one has this `key`, and a key never changes. Choose another, or delete the one that has it."
    LastOwner 409 "last_owner" "A client keeps at least one owner. Make another member an owner first."
    BillingNotConfigured 409 "billing_not_configured" "This deployment takes no payments. Ask whoever runs it for another plan."
    EmailTaken 409 "email_taken" "There is an account with this e-mail address."
    IdempotencyInProgress 409 "idempotency_in_progress" "A request with this idempotency key is still being answered."
    PayloadTooLarge 413 "payload_too_large" "The body has more than 1,048,576 bytes (1 MiB)."
    UnsupportedMediaType 415 "unsupported_media_type" "The body must be sent as application/json."
    ValidationFailed 422 "validation_failed" "The request has invalid fields."
    IpLockout 422 "ip_lockout" "This list would shut out the address that you ask from. Add it to `entries`, or leave `applyToAdmin` off."
    FieldLimitReached 422 "field_limit_reached" "This tenant has as many fields in this group as it may have. Delete one that is not used to make another."
    LimitReached 422 "limit_reached" "There are as many of these as there may be. Delete one that is not used to make another."
    IdempotencyKeyReused 422 "idempotency_key_reused" "This idempotency key was used with another request."
    RateLimitExceeded 429 "rate_limit_exceeded" "There were more requests than are allowed. Please try again after the time in the header Retry-After."
    HeadersTooLarge 431 "headers_too_large" "The request line and the headers are too large."
    Internal 500 "internal" "Something went wrong on our side."
    Unavailable 503 "unavailable" "The service is busy. Please try again."
}

/// What went wrong: a code, a sentence and details for the caller, and a cause for the log alone.
pub struct Error(Box<Inner>);

struct Inner {
    code: Code,
    message: Option<String>,
    details: Option<Value>,
    problems: Problems,
    header: Option<(&'static str, String)>,
    cause: Option<Box<dyn Cause + Send + Sync>>,
}

impl Error {
    /// A failure of the caller's, with the code's own sentence.
    #[must_use]
    pub fn new(code: Code) -> Self {
        let (message, details, header, cause) = (None, None, None, None);
        Self(Box::new(Inner { code, message, details, problems: Problems::default(), header, cause }))
    }

    /// The same with another sentence. It must hold nothing that the caller did not send or may not know.
    #[must_use]
    pub fn saying(code: Code, message: impl Into<String>) -> Self {
        let mut error = Self::new(code);
        error.0.message = Some(message.into());
        error
    }

    /// `version_conflict`, with the sentence and the details of the contract. No version of the client's is `*`, any.
    #[must_use]
    pub fn version_conflict(client: Option<u64>, current: u64) -> Self {
        let sent = client.map_or_else(|| "*".to_owned(), |client| client.to_string());
        let message = format!("Version mismatch: client sent {sent}, current is {current}.");
        let mut error = Self::saying(Code::VersionConflict, message);
        error.0.details = Some(json!({ "currentVersion": current, "clientVersion": client }));
        error
    }

    /// `method_not_allowed`; `allow` is the value of the header of that name (RFC 9110 §10.2.1).
    #[must_use]
    pub fn method_not_allowed(allow: String) -> Self {
        let mut error = Self::new(Code::MethodNotAllowed);
        error.0.header = Some(("allow", allow));
        error
    }

    /// `unsupported_media_type` for a body in a content coding; the header says that none is taken (RFC 9110 §12.5.3).
    #[must_use]
    pub fn unsupported_coding() -> Self {
        let message = "The body must be sent without a `Content-Encoding`.";
        let mut error = Self::saying(Code::UnsupportedMediaType, message);
        error.0.header = Some(("accept-encoding", "identity".to_owned()));
        error
    }

    /// `unauthenticated` for the token of a mail's link, whatever is wrong with it.
    #[must_use]
    pub fn dead_link() -> Self {
        let message =
            "This link is not valid: it was used, has run out, or a later one has taken its place. Ask for another.";
        Self::saying(Code::Unauthenticated, message)
    }

    /// A fault of ours; the cause goes to the log.
    pub fn internal(cause: impl Into<Box<dyn Cause + Send + Sync>>) -> Self {
        Self::caused(Code::Internal, cause.into())
    }

    /// Something that we depend on refuses or is silent; the cause goes to the log.
    pub fn unavailable(cause: impl Into<Box<dyn Cause + Send + Sync>>) -> Self {
        Self::caused(Code::Unavailable, cause.into())
    }

    fn caused(code: Code, cause: Box<dyn Cause + Send + Sync>) -> Self {
        let mut error = Self::new(code);
        error.0.cause = Some(cause);
        error
    }

    /// Two failures of one request as one: whatever is not about fields goes first, fields add up.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        match (self.code(), other.code()) {
            (Code::ValidationFailed, Code::ValidationFailed) => {
                self.0.problems.extend(other.0.problems);
                self
            }
            (Code::ValidationFailed, _) => other,
            _ => self,
        }
    }

    /// The failure with failures of other fields besides.
    #[must_use]
    pub fn and_elsewhere(mut self, others: Problems) -> Self {
        self.0.problems.extend_elsewhere(others);
        self
    }

    /// The code.
    #[must_use]
    pub const fn code(&self) -> Code {
        self.0.code
    }

    /// A header that the answer has besides: its name in lower case, and its value.
    #[must_use]
    pub fn header(&self) -> Option<(&'static str, &str)> {
        self.0.header.as_ref().map(|(name, value)| (*name, value.as_str()))
    }

    /// What the log may say and the caller may not.
    #[must_use]
    pub fn cause(&self) -> Option<&(dyn Cause + Send + Sync)> {
        self.0.cause.as_deref()
    }

    /// The body of the answer, as the contract has it.
    #[must_use]
    pub fn body<'a>(&'a self, request_id: &'a str) -> ErrorBody<'a> {
        let fields = self.0.problems.as_slice();
        let details = match (fields, &self.0.details) {
            ([], None) => None,
            ([], Some(details)) => Some(Details::Other(details)),
            (fields, _) => Some(Details::Fields { fields }),
        };
        let message = self.0.message.as_deref().unwrap_or(self.code().message());
        ErrorBody { error: self.code().name(), message, details, request_id }
    }
}

/// The body of every failure.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ErrorBody<'a> {
    error: &'static str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<Details<'a>>,
    request_id: &'a str,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Details<'a> {
    Fields { fields: &'a [Problem] },
    Other(&'a Value),
}

impl From<Code> for Error {
    fn from(code: Code) -> Self {
        Self::new(code)
    }
}

impl From<Problems> for Error {
    fn from(problems: Problems) -> Self {
        let mut error = Self::new(Code::ValidationFailed);
        error.0.problems = problems;
        error
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.code().name())?;
        if let Some(cause) = self.cause() {
            write!(f, ": {cause}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code().name())
    }
}

impl Cause for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_is_a_failure_and_every_name_its_own() {
        let mut names: Vec<_> = Code::ALL.iter().map(|code| code.name()).collect();
        assert!(Code::ALL.iter().all(|code| (400..600).contains(&code.status())));
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Code::ALL.len());
    }

    #[test]
    fn the_cause_stays_inside() {
        let error = Error::internal("table hedgerow-main is on fire");
        assert!(!json!(error.body("req_1")).to_string().contains("fire"));
        assert!(format!("{error:?}").contains("fire"));
    }

    #[test]
    fn fields_add_up_and_malformed_comes_first() {
        let a = || Error::from(Problems::one("a", "required", "Is required."));
        let b = || Error::from(Problems::one("b", "required", "Is required."));
        assert_eq!(json!(a().and(b()).body("r"))["details"]["fields"].as_array().map(Vec::len), Some(2));
        assert_eq!(a().and(Error::new(Code::MalformedRequest)).code(), Code::MalformedRequest);
    }
}

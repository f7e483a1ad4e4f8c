//! The dispatcher's lines in the log.

use contract::Error;

/// The function's name.
pub(crate) const OPERATION: &str = "dispatcher";

pub(crate) fn warn(what: &'static str, error: &Error) {
    tracing::warn!(operation = OPERATION, ?error, "{what}");
}

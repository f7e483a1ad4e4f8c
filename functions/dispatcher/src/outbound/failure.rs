//! Why a request got no answer.

use std::error::Error as StdError;
use std::fmt;
use std::io;

use contract::webhook::AttemptError;

use super::chain;

/// A kind for the endpoint's owner and a cause for the log.
#[derive(Debug, Clone)]
pub(super) struct Failure {
    pub(super) kind: AttemptError,
    pub(super) cause: String,
    /// Whether a connection that stood ended before an answer came.
    pub(super) broken_off: bool,
}

impl Failure {
    pub(super) fn new(kind: AttemptError, cause: impl Into<String>) -> Self {
        Self { kind, cause: cause.into(), broken_off: false }
    }

    pub(super) fn blocked(cause: impl Into<String>) -> Self {
        Self::new(AttemptError::Blocked, cause)
    }

    pub(super) fn late() -> Self {
        Self::new(AttemptError::Timeout, "the deadline has passed")
    }

    /// The failure behind an error of hyper's client.
    pub(super) fn of(error: &(dyn StdError + 'static)) -> Self {
        // An I/O error does not name what it wraps as its source.
        let held = |error: &io::Error| error.get_ref().and_then(|held| held.downcast_ref::<Self>()).cloned();
        let ours = |error: &(dyn StdError + 'static)| {
            error.downcast_ref::<Self>().cloned().or_else(|| error.downcast_ref().and_then(held))
        };
        if let Some(failure) = chain(error).find_map(ours) {
            return failure;
        }
        let cause = chain(error).map(ToString::to_string).collect::<Vec<_>>().join(": ");
        Self { kind: kind_of(error), cause, broken_off: is_broken_off(error) }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.cause)
    }
}

impl StdError for Failure {}

fn kind_of(error: &(dyn StdError + 'static)) -> AttemptError {
    // In TLS 1.3 a receiver may refuse the handshake after our side of it is done.
    let alert = |error: &io::Error| error.get_ref().is_some_and(|inner| inner.is::<rustls::Error>());
    if chain(error).any(|error| error.downcast_ref().is_some_and(alert)) {
        return AttemptError::Tls;
    }
    // What arrived is not HTTP, or too much of it. Everything else is a connection that broke off.
    let parse = |error: &hyper::Error| error.is_parse();
    if chain(error).any(|error| error.downcast_ref().is_some_and(parse)) {
        return AttemptError::Http;
    }
    AttemptError::Connect
}

fn is_broken_off(error: &(dyn StdError + 'static)) -> bool {
    let ended = |error: &hyper::Error| error.is_incomplete_message() || error.is_canceled() || error.is_closed();
    let reset = |error: &io::Error| {
        use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
        matches!(error.kind(), BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof)
    };
    chain(error).any(|error| error.downcast_ref().is_some_and(ended) || error.downcast_ref().is_some_and(reset))
}

//! What routes do beyond what their types say.

use contract::route::Meta;
use contract::routes::{LOG_IN, LOG_OUT, SIGN_UP};

/// Statuses of failures that come from what a route does, not from its arguments.
pub(super) fn failures(meta: &Meta) -> &'static [u16] {
    match meta {
        // `invalid_credentials`
        meta if *meta == LOG_IN => &[401],
        // `email_taken`
        meta if *meta == SIGN_UP => &[409],
        _ => &[],
    }
}

/// What its `Set-Cookie` does.
pub(super) fn cookie(meta: &Meta) -> Option<&'static str> {
    match meta {
        meta if *meta == LOG_IN || *meta == SIGN_UP => Some("Begins the session."),
        meta if *meta == LOG_OUT => Some("Ends the session."),
        _ => None,
    }
}

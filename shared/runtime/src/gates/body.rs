//! The body: no larger than the route takes, and in no coding.

use contract::{Code, Error};

use crate::request::RequestContext;

/// Refuses what is too large, and any coding: there is none that would be read.
pub(super) fn refuse_unreadable(context: &RequestContext) -> Result<(), Error> {
    if context.incoming.body.len() > context.route.max_body {
        return Err(Code::PayloadTooLarge.into());
    }
    if context.incoming.has_coding() {
        return Err(Error::unsupported_coding());
    }
    Ok(())
}

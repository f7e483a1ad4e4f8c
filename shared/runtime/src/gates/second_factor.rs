//! Whether a client requires a second factor that the member has not set up.

use contract::{Code, Error};

use super::Asked;
use crate::request::RequestContext;
use crate::request::caller::Caller;

/// Whoever has no second factor where the client requires one reaches only what it takes to set one up.
pub(super) fn require(context: &mut RequestContext) -> Asked<'_> {
    Box::pin(async move {
        let Caller::Session(session) = &context.caller else { return Ok(None) };
        if session.user.second_factor || context.route.is_of_ones_account() {
            return Ok(None);
        }
        let standing = context.app.store()?.standing(session.scope.client()).await?;
        if standing.is_some_and(|standing| standing.requires_totp) {
            let message = "This client requires a second factor. Set one up with `POST /api/auth/totp`.";
            return Err(Error::saying(Code::Forbidden, message));
        }
        Ok(None)
    })
}

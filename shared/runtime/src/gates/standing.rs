//! Whether the caller's client is there and open, has a subscription for what is asked, and requires a second factor.

use contract::{Code, Error};

use super::Asked;
use crate::request::RequestContext;
use crate::request::caller::Caller;
use crate::spec::route::{GoesOn, Route};

/// Looks up where the caller's client stands, for the gates that go by it.
pub(super) fn look_up(context: &mut RequestContext) -> Asked<'_> {
    Box::pin(async move {
        if let Some(scope) = context.caller.scope() {
            let standing = context.app.store()?.standing(scope.client()).await?;
            context.standing = Some(standing.ok_or(Code::Unauthenticated)?);
        }
        Ok(None)
    })
}

/// Refuses a closed client's credentials, as if they were revoked, but for its owners' sessions.
pub(super) fn refuse_ended(context: &RequestContext) -> Result<(), Error> {
    let Some(standing) = &context.standing else { return Ok(()) };
    let ended = match &context.caller {
        Caller::Session(session) => !session.is_owner() && standing.has_ended(session.id.made_at()),
        _ => standing.is_closed,
    };
    if ended { Err(Code::Unauthenticated.into()) } else { Ok(()) }
}

/// Refuses what a closed client's owners may not do, what needs a second factor, and, without a subscription in force,
/// what changes something, and embed tokens altogether (contract: `subscription_inactive`).
pub(super) fn admit(context: &RequestContext) -> Result<(), Error> {
    let (caller, route) = (&context.caller, context.route);
    let Some(standing) = &context.standing else { return Ok(()) };
    if route.is_of_ones_account() {
        return Ok(());
    }
    // On what is of one's own account, the way to set one up.
    if standing.requires_second_factor && matches!(caller, Caller::Session(session) if !session.user.second_factor) {
        let message = "This client requires a second factor. Set one up with `POST /api/auth/totp`.";
        return Err(Error::saying(Code::Forbidden, message));
    }
    if standing.is_closed && route.goes_on != GoesOn::Closed {
        let message = "This client is closed. An owner can restore it: `POST /api/v1/client/restore`.";
        return Err(Error::saying(Code::Forbidden, message));
    }
    if !standing.is_subscribed && needs_subscription(caller, route) {
        return Err(Code::SubscriptionInactive.into());
    }
    Ok(())
}

fn needs_subscription(caller: &Caller, route: &Route) -> bool {
    matches!(caller, Caller::Token(_)) || (route.changes() && route.goes_on == GoesOn::Open)
}

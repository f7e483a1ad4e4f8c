//! The rate limits of the deployment and of whoever asks, for what sets them and what tells how they stand.

use contract::Error;
use contract::rate_limit::{LimitName, RateLimits};
use store::rate_limits::Limit;

use super::FromRequest;
use crate::gates::rate_limit::of_caller;
use crate::request::RequestContext;
use crate::request::caller::Caller;

/// What the deployment says of rate limits.
impl FromRequest for RateLimits {
    fn take(context: &RequestContext) -> Result<Self, Error> {
        Ok(context.app.rate_limits.clone())
    }
}

/// The rate limits of whoever asks, by the credential.
pub struct OwnLimits(pub Vec<Limit>);

impl FromRequest for OwnLimits {
    fn take(context: &RequestContext) -> Result<Self, Error> {
        let tokens = match &context.caller {
            Caller::Key(key) => {
                Some(Limit::of_key(LimitName::Token, context.app.rate_limits.of(LimitName::Token), key.id))
            }
            Caller::Anonymous | Caller::Session(_) | Caller::Token(_) => None,
        };
        Ok(Self(of_caller(context).into_iter().chain(tokens).collect()))
    }
}

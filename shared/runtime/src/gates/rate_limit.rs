//! Rate limits (contract): of an address, where nobody shows who asks; of a key, a session, a tenant's embed tokens; and of
//! what some routes count besides. Whoever has used one up is refused before anything is read for them.

use contract::permission::KeyType;
use contract::rate_limit::LimitName;
use contract::resource::RequestsPerSecond;
use contract::{Code, Error};
use store::rate_limits::{Limit, Tally};

use super::Asked;
use crate::extract::Part as _;
use crate::metric::Metrics;
use crate::request::RequestContext;
use crate::request::caller::Caller;
use crate::request::sent::Sent;
use crate::respond::rate_limit;
use crate::spec::access::Access;
use crate::spec::route::Counts;

/// Counts requests that show no credential, or are to a route that looks at none, under their address; and what the
/// route counts besides.
pub(super) fn count_address(context: &mut RequestContext) -> Asked<'_> {
    Box::pin(async move {
        let public = context.route.access == Access::Public;
        if public || Sent::is_nothing(&context.incoming) {
            count(context, of_address(context, LimitName::Address)).await?;
        }
        if public {
            count_besides(context).await?;
        }
        Ok(None)
    })
}

/// Counts requests under their key, session or tenant; and what the route counts besides.
pub(super) fn count_caller(context: &mut RequestContext) -> Asked<'_> {
    Box::pin(async move {
        let Some(limit) = of_caller(context) else { return Ok(None) };
        if context.route.counts == Counts::Nothing {
            return Ok(None);
        }
        let counted = count(context, limit).await;
        if let (Err(_), Some(hash), Some(tally)) = (&counted, context.credential, &context.tally)
            && tally.is_refused
        {
            context.app.store()?.note_refusal(hash, tally, context.standing.as_ref());
        }
        counted?;
        count_besides(context).await?;
        Ok(None)
    })
}

/// Refuses a credential that was refused just now, unread.
pub(super) fn refuse_again(context: &mut RequestContext) -> Result<(), Error> {
    let Some(hash) = context.credential.filter(|_| context.route.counts != Counts::Nothing) else { return Ok(()) };
    let Some(refusal) = context.app.store()?.known_refusal(&hash) else { return Ok(()) };
    // A page may read that it was refused, and when to come again.
    context.standing = refusal.standing;
    show(context, refusal.tally)
}

/// Counts a request whose credential was none under its address. What it is told then: the refusal, or that there were
/// too many.
pub(super) async fn count_refused(context: &mut RequestContext, refusal: Error) -> Error {
    let nobody = matches!(context.caller, Caller::Anonymous) || refusal.code() == Code::Unauthenticated;
    if context.tally.is_some() || !nobody || refusal.code().status() >= 500 {
        return refusal;
    }
    count(context, of_address(context, LimitName::Address)).await.err().unwrap_or(refusal)
}

async fn count_besides(context: &mut RequestContext) -> Result<(), Error> {
    let Counts::Besides(name) = context.route.counts else { return Ok(()) };
    let limit = match &context.caller {
        Caller::Key(key) => Limit::of_key(name, context.app.rate_limits.of(name), key.id),
        _ => of_address(context, name),
    };
    count(context, limit).await
}

fn of_address(context: &RequestContext, name: LimitName) -> Limit {
    Limit::of_address(name, context.app.rate_limits.of(name), context.incoming.info.address)
}

/// The limit of whoever asks.
pub(crate) fn of_caller(context: &RequestContext) -> Option<Limit> {
    let limits = &context.app.rate_limits;
    match &context.caller {
        Caller::Anonymous => None,
        Caller::Key(key) => {
            let name = match key.key_type {
                KeyType::Management => LimitName::Management,
                KeyType::Delivery | KeyType::Preview => LimitName::Delivery,
            };
            let settings = context.standing.as_ref().map(|standing| &standing.settings.rate_limits);
            let of_client = settings.and_then(|set| match name {
                LimitName::Management => set.management_per_second,
                _ => set.delivery_per_second,
            });
            let rate = limits.of_key(name, key.requests_per_second(), of_client.map(RequestsPerSecond::number));
            Some(Limit::of_key(name, rate, key.id))
        }
        Caller::Session(session) => Some(Limit::of_session(limits.of(LimitName::Session), session)),
        Caller::Token(token) => Some(Limit::of_tenant(limits.of(LimitName::Embed), &token.scope)),
    }
}

/// Counts one. Where the counters can't be reached, what has a limit besides is refused, since that guards passwords and
/// tokens; all else goes on under a limit of this instance's own.
async fn count(context: &mut RequestContext, limit: Limit) -> Result<(), Error> {
    let store = context.app.store()?.clone();
    let tally = match store.count(&limit).await {
        Ok(tally) => tally,
        Err(error) if matches!(context.route.counts, Counts::Besides(_)) => return Err(error),
        Err(_) => {
            let metrics = Metrics::take(&context.app)?;
            metrics.count(context.route.id, "CountedByInstance", 1, context.app.clock().now());
            store.count_here(&limit).await
        }
    };
    show(context, tally)
}

/// Puts what is left on the answer: of several limits, of the one that has the least.
fn show(context: &mut RequestContext, tally: Tally) -> Result<(), Error> {
    let now = context.app.clock().now();
    let is_refused = tally.is_refused;
    if is_refused {
        // Where a credential was none, another gate had refused it before.
        context.refused_by = Some("rate_limit");
        rate_limit::retry_after(&mut context.headers, &tally, now);
    }
    if is_refused || context.tally.as_ref().is_none_or(|shown| tally.remaining < shown.remaining) {
        rate_limit::show(&mut context.headers, &tally, now);
        context.tally = Some(tally);
    }
    if is_refused { Err(Code::RateLimitExceeded.into()) } else { Ok(()) }
}

//! Which pages may read an answer: those of the origins that the caller's client lists (contract: CORS).

use http::HeaderValue;
use http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, HeaderMap, VARY};

use crate::request::RequestContext;
use crate::spec::route::pages_may_call;

/// What they may read of it beside the body (Fetch §3.3.2).
const EXPOSED: &str = "ETag, Idempotency-Replayed, RateLimit, RateLimit-Limit, RateLimit-Policy, RateLimit-Remaining, \
    RateLimit-Reset, Retry-After, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, X-Request-Id";

/// Names the page's origin if it may read the answer. A credential of the page's own is sent in a header, never as a
/// cookie: hence nothing allows those.
pub(super) fn expose(context: &RequestContext, headers: &mut HeaderMap) {
    if !pages_may_call(context.route.path) {
        return;
    }
    headers.append(VARY, HeaderValue::from_static("Origin"));
    let (Some(standing), Ok(Some(origin))) = (&context.standing, context.incoming.page()) else { return };
    if !standing.settings.cors.origins.as_slice().contains(&origin) {
        return;
    }
    if let Ok(origin) = HeaderValue::from_str(origin.as_str()) {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED));
    }
}

//! What a browser asks before it has a page of another origin send a request (Fetch §3.2.2). It says whose page it is, and
//! has no credential: the answer comes from the index of all origins that clients list.

use contract::{Error, Origin};
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_MAX_AGE,
    HeaderMap, HeaderValue, VARY,
};
use store::settings::OriginIndex;

/// What pages may send.
const HEADERS: &str = "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, X-API-Key, X-Request-Id";

/// How long a browser goes by the answer: 10 minutes. An origin that is listed no more reads nothing all the same.
const MAX_AGE: &str = "600";

/// The headers that allow a page of this origin the methods of a path; of what is no origin, or listed by nobody, none do.
pub(crate) async fn allow(origins: &OriginIndex, origin: Option<&Origin>, methods: &str) -> Result<HeaderMap, Error> {
    let mut headers = HeaderMap::from_iter([(VARY, HeaderValue::from_static("Origin"))]);
    let Some(origin) = origin else { return Ok(headers) };
    if origins.lists(origin).await? {
        let text = |text: &str| HeaderValue::from_str(text).map_err(Error::internal);
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, text(origin.as_str())?);
        headers.insert(ACCESS_CONTROL_ALLOW_METHODS, text(methods)?);
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(HEADERS));
        headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static(MAX_AGE));
    }
    Ok(headers)
}

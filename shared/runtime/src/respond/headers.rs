//! The headers that every answer carries (contract: Conventions).

use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderMap, HeaderName, HeaderValue, REFERRER_POLICY,
    STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS, X_XSS_PROTECTION,
};

use crate::spec::route::HeaderPolicy;

const SECURITY: [(HeaderName, &str); 7] = [
    (STRICT_TRANSPORT_SECURITY, "max-age=63072000; includeSubDomains; preload"),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (X_FRAME_OPTIONS, "DENY"),
    (REFERRER_POLICY, "strict-origin-when-cross-origin"),
    (HeaderName::from_static("permissions-policy"), "camera=(), microphone=(), geolocation=(), payment=(), usb=()"),
    (X_XSS_PROTECTION, "0"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// Puts them on.
pub(crate) fn secure(headers: &mut HeaderMap, policy: HeaderPolicy) {
    let of_route = [(CACHE_CONTROL, policy.cache_control), (CONTENT_SECURITY_POLICY, policy.content_security_policy)];
    headers.reserve(SECURITY.len() + of_route.len());
    for (name, value) in SECURITY.into_iter().chain(of_route) {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

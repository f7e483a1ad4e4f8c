//! The headers that every answer carries (contract: Conventions).

use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderMap, HeaderName, HeaderValue, REFERRER_POLICY,
    STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS, X_XSS_PROTECTION,
};

const SECURITY: [(HeaderName, &str); 9] = [
    (STRICT_TRANSPORT_SECURITY, "max-age=63072000; includeSubDomains; preload"),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (X_FRAME_OPTIONS, "DENY"),
    (REFERRER_POLICY, "strict-origin-when-cross-origin"),
    (HeaderName::from_static("permissions-policy"), "camera=(), microphone=(), geolocation=(), payment=(), usb=()"),
    (X_XSS_PROTECTION, "0"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    (CACHE_CONTROL, "no-store"),
];

/// Puts them on.
pub fn secure(headers: &mut HeaderMap) {
    headers.reserve(SECURITY.len());
    for (name, value) in SECURITY {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

//! The headers that tell what is left of a rate limit, of three generations: each behind a function of its own.

use contract::Time;
use http::header::{HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use store::rate_limits::Tally;

/// All of them.
pub const NAMES: [&str; 8] = [
    "x-ratelimit-limit",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
    "ratelimit-limit",
    "ratelimit-remaining",
    "ratelimit-reset",
    "ratelimit-policy",
    "ratelimit",
];

/// Puts them on, of all generations.
pub(crate) fn show(headers: &mut HeaderMap, tally: &Tally, now: Time) {
    by_convention(headers, tally);
    by_older_drafts(headers, tally, now);
    by_current_draft(headers, tally, now);
}

/// After how many whole seconds it is worth trying again; at least one (RFC 9110 §10.2.3).
pub(crate) fn retry_after(headers: &mut HeaderMap, tally: &Tally, now: Time) {
    headers.insert(RETRY_AFTER, HeaderValue::from(seconds_left(tally, now).max(1)));
}

/// As many APIs have had them: the reset in seconds of the epoch.
fn by_convention(headers: &mut HeaderMap, tally: &Tally) {
    put(headers, "x-ratelimit-limit", &tally.rate.count());
    put(headers, "x-ratelimit-remaining", &tally.remaining);
    put(headers, "x-ratelimit-reset", &ceiling(tally.reset_at.millis()));
}

/// draft-ietf-httpapi-ratelimit-headers up to 07: the reset in seconds from now.
fn by_older_drafts(headers: &mut HeaderMap, tally: &Tally, now: Time) {
    put(headers, "ratelimit-limit", &tally.rate.count());
    put(headers, "ratelimit-remaining", &tally.remaining);
    put(headers, "ratelimit-reset", &seconds_left(tally, now));
}

/// The same from 08 on: structured fields, a policy and how it stands.
fn by_current_draft(headers: &mut HeaderMap, tally: &Tally, now: Time) {
    let name = tally.name.shown();
    let policy = format!("\"{name}\";q={};w={}", tally.rate.count(), tally.rate.seconds());
    put(headers, "ratelimit-policy", &policy);
    let standing = format!("\"{name}\";r={};t={}", tally.remaining, seconds_left(tally, now));
    put(headers, "ratelimit", &standing);
}

fn put(headers: &mut HeaderMap, name: &'static str, value: &impl ToString) {
    if let Ok(value) = HeaderValue::try_from(value.to_string()) {
        headers.insert(HeaderName::from_static(name), value);
    }
}

fn seconds_left(tally: &Tally, now: Time) -> i64 {
    ceiling(tally.reset_at.millis() - now.millis()).max(0)
}

/// Whole seconds, begun ones counted.
fn ceiling(millis: i64) -> i64 {
    millis.div_euclid(1000) + i64::from(millis.rem_euclid(1000) > 0)
}

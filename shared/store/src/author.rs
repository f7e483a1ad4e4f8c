//! Who writes, when, and under which identifiers: what every item in the main table says of its last change.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::sync::atomic::{AtomicU32, Ordering};

use auth::random;
use contract::Time;
use contract::id::EventId;
use serde_json::json;
use uuid::{Builder, Uuid};

/// The time, which a test may move.
#[derive(Debug, Clone, Default)]
pub struct Clock {
    ahead_millis: Arc<AtomicI64>,
}

impl Clock {
    /// Now.
    #[must_use]
    pub fn now(&self) -> Time {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        let millis = i64::try_from(since.as_millis()).unwrap_or(i64::MAX);
        Time::from_millis(millis.saturating_add(self.ahead_millis.load(Ordering::Relaxed)))
    }

    /// Moves the clock on, for all that share it.
    pub fn advance(&self, span: std::time::Duration) {
        self.ahead_millis.fetch_add(i64::try_from(span.as_millis()).unwrap_or(i64::MAX), Ordering::Relaxed);
    }
}

/// The author of a request's writes. Identifiers come from one seed, so that a request that is carried out again
/// under its idempotency key makes the same ones, and finds what it had written before it died.
#[derive(Debug)]
pub struct Author {
    by: String,
    info: RequestInfo,
    at: Time,
    seed: [u8; 32],
    made: AtomicU32,
    keyed: bool,
    again: bool,
}

/// Where a request came from.
#[derive(Debug, Clone)]
pub struct RequestInfo {
    /// The caller's address, if it is known.
    pub address: Option<IpAddr>,
    /// The caller's `User-Agent`, cut to 200 characters.
    pub agent: String,
    /// The request's identifier.
    pub request_id: String,
}

/// What identifiers and times are made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seed {
    /// The time of the request.
    pub at: Time,
    /// Random bytes.
    pub bytes: [u8; 32],
}

impl Seed {
    /// A new request's.
    #[must_use]
    pub fn new(at: Time) -> Self {
        Self { at, bytes: random::bytes() }
    }
}

/// A new unique part, of a time.
#[must_use]
pub fn unique(at: Time) -> Uuid {
    let millis = u64::try_from(at.millis()).unwrap_or(0);
    Builder::from_unix_timestamp_millis(millis, &random::bytes()).into_uuid()
}

impl Author {
    /// The author of a request; `actor` is `usr_…`, `key_…` or `anonymous`.
    #[must_use]
    pub fn new(actor: &str, info: &RequestInfo, seed: Seed) -> Self {
        let by = json!({
            "actor": actor,
            "address": info.address,
            "agent": info.agent,
            "requestId": info.request_id,
        });
        Self {
            by: by.to_string(),
            info: info.clone(),
            at: seed.at,
            seed: seed.bytes,
            made: AtomicU32::new(0),
            keyed: false,
            again: false,
        }
    }

    /// The author of what no caller asks for: `actor` is `system`, `operator` or `stripe`, `agent` what of it writes.
    #[must_use]
    pub fn of_no_caller(actor: &str, agent: &str, now: Time) -> Self {
        let request_id = format!("req_{}", unique(now).simple());
        Self::new(actor, &RequestInfo { address: None, agent: agent.to_owned(), request_id }, Seed::new(now))
    }

    /// Of a request with an idempotency key; `again`, if a try before this one may have written.
    #[must_use]
    pub fn keyed(self, again: bool) -> Self {
        Self { keyed: true, again, ..self }
    }

    /// Whether the request can be carried out again.
    pub(crate) const fn is_keyed(&self) -> bool {
        self.keyed
    }

    /// Whether a try before this one may have written.
    pub(crate) const fn is_again(&self) -> bool {
        self.again
    }

    /// The time of the request.
    #[must_use]
    pub const fn at(&self) -> Time {
        self.at
    }

    /// Where the request came from.
    pub(crate) const fn info(&self) -> &RequestInfo {
        &self.info
    }

    /// The next unique part: time-ordered, and the same one in a repetition of the request.
    #[must_use]
    pub fn unique(&self) -> Uuid {
        let number = self.made.fetch_add(1, Ordering::Relaxed);
        let digest = auth::sha256(&[&self.seed[..], &number.to_be_bytes()].concat());
        let mut tail = [0; 10];
        tail.copy_from_slice(&digest[..10]);
        Builder::from_unix_timestamp_millis(u64::try_from(self.at.millis()).unwrap_or(0), &tail).into_uuid()
    }

    /// A new event.
    #[must_use]
    pub fn event(&self) -> EventId {
        EventId::new(self.unique())
    }

    /// A new event that a repetition of the request does not have again: of what it can't make twice, as secrets.
    #[must_use]
    pub fn event_of_this_try(&self) -> EventId {
        EventId::new(unique(self.at))
    }

    /// `{actor, address, agent, requestId}` as JSON.
    pub(crate) fn by(&self) -> &str {
        &self.by
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeated_request_makes_the_same_identifiers() {
        let info = RequestInfo { address: None, agent: String::new(), request_id: "req_1".into() };
        let seed = Seed::new(Clock::default().now());
        let make = || {
            let author = Author::new("key_1", &info, seed);
            [author.unique(), author.unique()]
        };
        assert_eq!(make(), make());
        let [first, second] = make();
        assert!(first != second && first.get_version_num() == 7);
    }
}

//! A message's share of a job, and what comes after it.

use contract::Time;
use tokio::time::Instant;

/// The time that a message has for its job.
pub(crate) struct Share {
    pub(crate) until: Instant,
    pub(crate) now: Time,
}

impl Share {
    pub(crate) fn is_over(&self) -> bool {
        Instant::now() >= self.until
    }
}

/// Where a job stands when its share of time is over.
pub(crate) enum GoneOn {
    /// It is over.
    Over,
    /// It goes on from then.
    From(Time),
}

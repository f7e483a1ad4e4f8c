//! Until when a batch may do what: whatever adds up in one invocation ends within the function's time.

use std::future::Future;
use std::time::Duration;

use contract::Error;
use tokio::time::{Instant, timeout_at};

/// What is left for an attempt's record, and for what follows from it.
pub(crate) const RECORD_RESERVE: Duration = Duration::from_secs(12);
/// What is left for telling the queue what becomes of the messages.
pub(crate) const BATCH_RESERVE: Duration = Duration::from_secs(1);

/// The deadlines of a batch.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadlines {
    /// An attempt that begins later would not end in time.
    attempt: Instant,
    end: Instant,
}

impl Deadlines {
    /// The deadlines of a batch that is given up at a time, if an attempt may take so long.
    pub(crate) fn new(until: Instant, attempt: Duration) -> Self {
        let earlier = |than: Instant, span| than.checked_sub(span).unwrap_or_else(Instant::now);
        let end = earlier(until, BATCH_RESERVE);
        Self { attempt: earlier(end, attempt + RECORD_RESERVE), end }
    }

    /// Does what comes before an attempt, as long as there is time for one.
    ///
    /// # Errors
    /// Its own; `unavailable` when there is no time.
    pub(crate) async fn before_attempt<T>(self, what: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        let late = || Err(Error::unavailable("there is no time left for an attempt"));
        // A future that is ready is ready at any time.
        if Instant::now() >= self.attempt {
            return late();
        }
        timeout_at(self.attempt, what).await.unwrap_or_else(|_| late())
    }

    /// Does something, as long as the batch has time.
    ///
    /// # Errors
    /// `unavailable` when it has none.
    pub(crate) async fn before_end<T>(self, what: impl Future<Output = T>) -> Result<T, Error> {
        timeout_at(self.end, what).await.map_err(|_| Error::unavailable("the batch has no time left"))
    }
}

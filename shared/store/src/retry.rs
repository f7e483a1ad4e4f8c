//! Changes that are computed anew whenever another one came in between.

use contract::Error;

use crate::dynamo::back_off;

/// How often a change is tried: with the pauses between, for about two seconds, in which sixteen at once all pass.
const MAX_TRIES: u32 = 24;

/// What one try of a change came to.
pub(crate) enum Step<T> {
    /// It is written, or there was nothing to write.
    Done(T),
    /// Another change came in between: the next try loads anew.
    Stale {
        /// The version that it was computed from; 0 if there was none.
        base: u64,
    },
}

/// Loads, decides and writes on condition that what was loaded has not changed, until it is written. The block gives a
/// `Result` of a [`Step`]; the whole gives a `Result` of what was done, whose errors are the block's, `version_conflict`
/// if others kept changing the resource, `unavailable` if what stands beside it kept changing.
///
/// On the heap: futures inside futures are large. A macro, since a function over an async closure has a future of which the compiler can't tell that it is `Send`.
macro_rules! update_with_retry {
    ($step:block) => {{
        let mut retries = $crate::retry::Retries::default();
        loop {
            let step: Result<$crate::retry::Step<_>, contract::Error> = Box::pin(async { $step }).await;
            if let Some(done) = retries.after(step?).await? {
                break Ok(done);
            }
        }
    }};
}
pub(crate) use update_with_retry;

/// The tries of one change.
#[derive(Default)]
pub(crate) struct Retries {
    done: u32,
    base: u64,
}

impl Retries {
    /// What was done; or nothing, after a pause, if there may be another try.
    pub(crate) async fn after<T>(&mut self, step: Step<T>) -> Result<Option<T>, Error> {
        let base = match step {
            Step::Done(done) => return Ok(Some(done)),
            Step::Stale { base } => base,
        };
        let before = std::mem::replace(&mut self.base, base);
        if self.done + 1 >= MAX_TRIES {
            return Err(match before == base {
                true => Error::unavailable("what a change depends on was changed by others each time"),
                false => Error::version_conflict(Some(before), base),
            });
        }
        back_off(self.done).await;
        self.done += 1;
        Ok(None)
    }
}

//! Changes that are computed anew whenever another one came in between.

use contract::Error;

use crate::dynamo::back_off;

/// How often a change is tried: with the pauses between, for about two seconds, in which sixteen at once all pass.
const TRIES: u32 = 24;

/// The tries of one change of a resource.
#[derive(Default)]
pub(crate) struct Retries {
    done: u32,
    /// The version that the last try was computed from.
    base: u64,
}

impl Retries {
    /// Whether there may be a try, on the version that there is now; 0 is none.
    ///
    /// # Errors
    /// `version_conflict` if others kept changing the resource, `unavailable` if what stands beside it kept changing.
    pub(crate) fn allow(&self, current: u64) -> Result<(), Error> {
        if self.done < TRIES {
            return Ok(());
        }
        if self.base == current {
            return Err(Error::unavailable("what a change depends on was changed by others each time"));
        }
        Err(Error::version_conflict(Some(self.base), current))
    }

    /// Waits before the next try, after one that was computed from this version.
    pub(crate) async fn pause(&mut self, base: u64) {
        self.base = base;
        back_off(self.done).await;
        self.done += 1;
    }
}

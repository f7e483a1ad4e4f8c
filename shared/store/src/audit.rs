//! The audit log: who did what, when, from where, by which request; a chain of lines a client and day (`docs/audit.md`).
//!
//! A line of what was committed is made from the stream, by old and new image ([`derive`]): what was committed can't go
//! unaudited. What no item tells is told by a note, an item that is written for it, in the same transaction where there is
//! one: a webhook that is gone for good, a refusal. The recorder alone writes lines ([`append`]); no function changes or
//! deletes one.

mod append;
mod derive;
mod note;
mod read;
mod recorder;
mod refusals;

pub use note::{Note, Whose};
pub use read::{AuditFilter, AuditLog, Lines};
pub use recorder::{Recorded, Recorder};
pub use refusals::Refusal;
pub(crate) use refusals::Refusals;

use std::time::Duration;

use contract::Time;

const DAY: Duration = Duration::from_secs(24 * 3600);

/// How long the lines of a day are kept after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuditRetention(Duration);

impl AuditRetention {
    /// So many days.
    #[must_use]
    pub const fn of_days(days: u64) -> Self {
        Self(Duration::from_secs(days * 24 * 3600))
    }

    /// When the lines of a time's day vanish, all at once: a day is whole or gone.
    fn ends(self, at: Time) -> Time {
        let into_the_day = at.millis().rem_euclid(i64::try_from(DAY.as_millis()).unwrap_or(i64::MAX));
        Time::from_millis(at.millis() - into_the_day).plus(DAY).plus(self.0)
    }

    /// The oldest day of which there are lines, or could be: what vanishes does so one by one, and late.
    fn oldest(self, now: Time) -> String {
        now.minus(self.0).day()
    }
}

impl Default for AuditRetention {
    fn default() -> Self {
        Self::of_days(400)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_there_until_all_of_it_ends() {
        let retention = AuditRetention::default();
        let time = |text: &str| text.parse::<Time>().expect("a time");
        for at in ["2026-01-31T00:00:00Z", "2026-01-31T23:59:59.999Z"] {
            assert_eq!(retention.ends(time(at)), time("2027-03-08T00:00:00Z"));
        }
        assert_eq!(retention.oldest(time("2027-03-07T23:59:59.999Z")), "2026-01-31");
        assert_eq!(retention.oldest(time("2027-03-08T00:00:00Z")), "2026-02-01");
    }
}

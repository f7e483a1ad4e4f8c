//! Instants as the API writes them: RFC 3339, UTC, milliseconds.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use jiff::SignedDuration;

use crate::Broken;
use crate::rfc3339::{self, EPOCH};

/// An instant with a precision of one millisecond, from the year 0 to the end of 9999: milliseconds since 1970 (UTC).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Time(i64);

impl Time {
    const FIRST: i64 = -62_167_219_200_000;
    const LAST: i64 = 253_402_300_799_999;

    /// The instant this many milliseconds after 1970 (UTC); what lies outside the calendar becomes its end.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(if millis < Self::FIRST {
            Self::FIRST
        } else if millis > Self::LAST {
            Self::LAST
        } else {
            millis
        })
    }

    /// Milliseconds since 1970 (UTC).
    #[must_use]
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since 1970 (UTC): what a TTL attribute holds.
    #[must_use]
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1_000)
    }

    /// The instant this much later.
    #[must_use]
    pub fn plus(self, span: Duration) -> Self {
        let span = i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
        Self::from_millis(self.0.saturating_add(span))
    }

    /// The instant this much earlier.
    #[must_use]
    pub fn minus(self, span: Duration) -> Self {
        let span = i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
        Self::from_millis(self.0.saturating_sub(span))
    }

    /// The day in UTC, `YYYY-MM-DD`.
    #[must_use]
    pub fn day(self) -> String {
        self.to_string().chars().take(10).collect()
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let local = EPOCH.saturating_add(SignedDuration::from_millis(self.0));
        write!(f, "{local:.3}Z")
    }
}

impl FromStr for Time {
    type Err = Broken;
    fn from_str(text: &str) -> Result<Self, Broken> {
        let bad = || Broken::new("invalid_datetime", "Must be a time like `2026-01-31T12:00:00.000Z`.");
        let nanoseconds = rfc3339::instant(text).ok_or_else(bad)?.as_nanos();
        let millis = i64::try_from(nanoseconds.div_euclid(1_000_000)).map_err(|_| bad())?;
        let out = || Broken::new("invalid_datetime", "Must lie between the years 0 and 9999, in UTC.");
        if Self::from_millis(millis).0 == millis { Ok(Self(millis)) } else { Err(out()) }
    }
}

impl serde::Serialize for Time {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

crate::parsed_from_text!(Time, { "type": "string", "format": "date-time", "pattern": crate::patterns::TIME });

#[cfg(test)]
mod tests {
    use proptest::prelude::proptest;

    use super::*;

    #[test]
    fn milliseconds_always_and_utc_always() {
        let time: Time = "2026-03-04T05:06:07+02:00".parse().expect("a time");
        assert_eq!(time.to_string(), "2026-03-04T03:06:07.000Z");
        assert_eq!(time.day(), "2026-03-04");
        for (given, kept) in [
            ("2026-03-04t05:06:07.1239z", "2026-03-04T05:06:07.123Z"),
            ("1969-12-31T23:59:59.9999Z", "1969-12-31T23:59:59.999Z"),
            ("9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"),
            ("0000-01-01T00:00:00Z", "0000-01-01T00:00:00.000Z"),
        ] {
            assert_eq!(given.parse::<Time>().map(|time| time.to_string()), Ok(kept.to_owned()));
        }
        for bad in [
            "2026-03-04",
            "2026-03-04T05:06:07Z[UTC]",
            "2026-03-04 05:06:07Z",
            "20260304T050607Z",
            "9999-12-31T23:59:59-01:00",
            "0000-01-01T00:00:00+01:00",
        ] {
            assert!(bad.parse::<Time>().is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn is_read_as_it_is_written(millis in Time::FIRST..=Time::LAST) {
            let time = Time::from_millis(millis);
            assert_eq!(time.to_string().parse(), Ok(time));
            assert_eq!(time.millis(), millis);
        }
    }
}

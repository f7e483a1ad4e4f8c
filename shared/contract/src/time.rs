//! Instants as the API writes them: RFC 3339, UTC, milliseconds.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::Broken;

/// An instant with a precision of one millisecond.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Time(Timestamp);

impl Time {
    /// The instant this many milliseconds after 1970 (UTC); what lies outside the calendar becomes its end.
    #[must_use]
    pub fn from_millis(millis: i64) -> Self {
        Self(Timestamp::from_millisecond(millis).unwrap_or(Timestamp::MAX))
    }

    /// Milliseconds since 1970 (UTC).
    #[must_use]
    pub fn millis(self) -> i64 {
        self.0.as_millisecond()
    }

    /// Whole seconds since 1970 (UTC): what a TTL attribute holds.
    #[must_use]
    pub fn seconds(self) -> i64 {
        self.0.as_second()
    }

    /// The instant this much later.
    #[must_use]
    pub fn plus(self, span: Duration) -> Self {
        let span = SignedDuration::try_from(span).unwrap_or(SignedDuration::MAX);
        Self(self.0.saturating_add(span).unwrap_or(Timestamp::MAX))
    }

    /// The day in UTC, `YYYY-MM-DD`.
    #[must_use]
    pub fn day(self) -> String {
        self.to_string().chars().take(10).collect()
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3}", self.0)
    }
}

impl FromStr for Time {
    type Err = Broken;
    fn from_str(text: &str) -> Result<Self, Broken> {
        let bad = || Broken::new("invalid_datetime", "Must be a time like `2026-01-31T12:00:00.000Z`.");
        // RFC 3339 has no annotations in brackets, which the parser would take.
        if text.len() > 40 || text.contains('[') {
            return Err(bad());
        }
        let time: Timestamp = text.parse().map_err(|_| bad())?;
        Ok(Self::from_millis(time.as_millisecond()))
    }
}

impl serde::Serialize for Time {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

crate::parsed_from_text!(Time, { "type": "string", "format": "date-time" });

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn milliseconds_always_and_utc_always() {
        let time: Time = "2026-03-04T05:06:07+02:00".parse().expect("a time");
        assert_eq!(time.to_string(), "2026-03-04T03:06:07.000Z");
        assert_eq!(time.day(), "2026-03-04");
        assert!("2026-03-04".parse::<Time>().is_err());
        assert!("2026-03-04T05:06:07Z[UTC]".parse::<Time>().is_err());
    }
}

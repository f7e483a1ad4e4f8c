//! Days and instants as RFC 3339 writes them: the one reading of times that come from outside.

use jiff::SignedDuration;
use jiff::civil::{Date, DateTime};

/// The beginning of 1970.
pub(crate) const EPOCH: DateTime = DateTime::constant(1970, 1, 1, 0, 0, 0, 0);

/// The value of `text` if it is made of ASCII digits alone.
fn digits<T: std::str::FromStr>(text: &str) -> Option<T> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

/// A real day, written `YYYY-MM-DD`.
pub(crate) fn date(text: &str) -> Option<Date> {
    let (year, rest) = text.split_at_checked(4)?;
    let (month, day) = rest.strip_prefix('-')?.split_once('-')?;
    if month.len() != 2 || day.len() != 2 {
        return None;
    }
    Date::new(digits(year)?, digits(month)?, digits(day)?).ok()
}

/// The time since 1970 of an instant, written `YYYY-MM-DDTHH:MM:SS[.fraction](Z|±HH:MM)`, `t` and `z` being as good, with
/// at most 9 digits of fraction. Not jiff's `Timestamp`, whose range ends a day before `9999-12-31T23:59:59Z`, and whose parser takes more.
pub(crate) fn instant(text: &str) -> Option<SignedDuration> {
    let (day, rest) = text.split_at_checked(10)?;
    let (clock, rest) = rest.strip_prefix(['T', 't'])?.split_at_checked(8)?;
    let mut clock = clock.split(':').map(|part| if part.len() == 2 { digits::<i8>(part) } else { None });
    let (hour, minute, second) = (clock.next()??, clock.next()??, clock.next()??);
    let (fraction, zone) = match rest.strip_prefix('.') {
        None => ("", rest),
        Some(rest) => {
            let end = rest.bytes().take_while(u8::is_ascii_digit).count();
            if !(1..=9).contains(&end) {
                return None;
            }
            rest.split_at_checked(end)?
        }
    };
    let nanosecond = digits(&format!("{fraction:0<9}"))?;
    let local = DateTime::from_parts(date(day)?, jiff::civil::Time::new(hour, minute, second, nanosecond).ok()?);
    Some(local.duration_since(EPOCH) - SignedDuration::from_secs(offset(zone)?))
}

/// The seconds that local time is ahead of UTC.
fn offset(zone: &str) -> Option<i64> {
    if matches!(zone, "Z" | "z") {
        return Some(0);
    }
    let (sign, rest) = zone.split_at_checked(1)?;
    let sign = match sign {
        "+" => 1,
        "-" => -1,
        _ => return None,
    };
    let (hours, minutes) = rest.split_once(':')?;
    if hours.len() != 2 || minutes.len() != 2 {
        return None;
    }
    let (hours, minutes) = (digits::<i64>(hours)?, digits::<i64>(minutes)?);
    (hours < 24 && minutes < 60).then_some(sign * (hours * 3_600 + minutes * 60))
}

#[cfg(test)]
mod tests {

    use proptest::prelude::*;

    use super::*;
    use crate::patterns::{TIME, matches};

    #[test]
    fn dates_are_days_that_exist() {
        for good in ["2026-02-28", "2024-02-29", "2000-02-29", "0000-01-01", "9999-12-31"] {
            assert_eq!(date(good).unwrap().to_string(), good);
        }
        for bad in [
            "",
            "2026-02-30",
            "2026-02-29",
            "1900-02-29",
            "2026-13-01",
            "2026-00-01",
            "2026-01-00",
            "2026-1-1",
            "2026-01-1",
            "20260101",
            "2026-W01-1",
            "2026-001",
            "+2026-01-01",
            "-2026-01-01",
            "+026-01-01",
            "2026-+1-01",
            "12026-01-01",
            " 2026-01-01",
            "2026-01-01 ",
            "2026-01-01T00:00:00Z",
            "2026/01/01",
            "2026-01-011",
            "２026-01-01",
            "2026-01-01\0",
        ] {
            assert_eq!(date(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn instants_are_rfc_3339() {
        for (left, right) in [
            ("2026-01-01T00:00:00Z", "2026-01-01T02:00:00+02:00"),
            ("2026-01-01T00:00:00.000000000Z", "2025-12-31T18:30:00-05:30"),
            ("2026-01-01T00:00:00.5Z", "2026-01-01T00:00:00.500+00:00"),
            ("2026-01-01t00:00:00.5z", "2026-01-01T01:00:00.5+01:00"),
            ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59-00:00"),
            ("0000-01-01T00:00:00+23:59", "0000-01-01T00:00:00.0+23:59"),
        ] {
            assert_eq!(instant(left).unwrap(), instant(right).unwrap(), "{left} {right}");
            assert!(matches(TIME, left) && matches(TIME, right), "{left} {right}");
        }
        assert_eq!(instant("1970-01-01T00:00:01.25Z"), Some(SignedDuration::from_millis(1_250)));
        assert!(instant("9999-12-31T23:59:59-23:59") > instant("9999-12-31T23:59:59Z"));
        for bad in [
            "",
            "2026-01-01",
            "2026-01-01T00:00:00",
            "2026-01-01T00:00Z",
            "2026-01-01T00Z",
            "2026-01-01 00:00:00Z",
            "2026-01-01T24:00:00Z",
            "2026-01-01T00:60:00Z",
            "2026-01-01T00:00:60Z",
            "2026-01-01T00:00:00.Z",
            "2026-01-01T00:00:00.1234567890Z",
            "2026-01-01T00:00:00,5Z",
            "2026-01-01T00:00:00+0200",
            "2026-01-01T00:00:00+02",
            "2026-01-01T00:00:00+24:00",
            "2026-01-01T00:00:00+02:60",
            "2026-01-01T00:00:00+02:00[Europe/Berlin]",
            "2026-01-01T00:00:00Z[UTC]",
            "2026-W01-1T00:00:00Z",
            "20260101T000000Z",
            "2026-02-30T00:00:00Z",
            "2026-01-01T00:00:00ZZ",
            "2026-01-01T00:00:00 Z",
            "2026-01-01T0:00:000Z",
            "2026-01-01T00:00:00−02:00",
            "2026-01-01T00:00:00+-2:00",
            "2026-01-01T+1:00:00Z",
            "2026-01-01T00:00:00Z\0",
        ] {
            assert_eq!(instant(bad), None, "{bad:?}");
            assert!(bad.contains("02-30") || !matches(TIME, bad), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn nothing_panics(text in any::<String>(), near in "[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9:.]{5,12}[Zz+é-]?[0-9:]{0,6}") {
            for text in [&text, &near] {
                let _ = (date(text), instant(text));
            }
        }

        #[test]
        fn agrees_with_jiff(seconds in -60_000_000_000_i64..250_000_000_000, nanoseconds in 0..1_000_000_000_i32) {
            let stamp = jiff::Timestamp::new(seconds, nanoseconds).unwrap();
            prop_assert_eq!(instant(&stamp.to_string()), Some(stamp.as_duration()));
        }
    }
}

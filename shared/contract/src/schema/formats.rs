//! The shapes of texts that mean something: dates, instants, addresses.

use jiff::SignedDuration;
use jiff::civil::{Date, DateTime};

const EPOCH: DateTime = DateTime::constant(1970, 1, 1, 0, 0, 0, 0);
const MAX_EMAIL: usize = 254;
const MAX_LOCAL_PART: usize = 64;
const MAX_LABEL: usize = 63;
const MAX_URL: usize = 2_048;

/// The value of `text` if it is made of ASCII digits alone.
fn digits<T: std::str::FromStr>(text: &str) -> Option<T> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

/// A real day, written `YYYY-MM-DD`.
pub(super) fn date(text: &str) -> Option<Date> {
    let (year, rest) = text.split_at_checked(4)?;
    let (month, day) = rest.strip_prefix('-')?.split_once('-')?;
    if month.len() != 2 || day.len() != 2 {
        return None;
    }
    Date::new(digits(year)?, digits(month)?, digits(day)?).ok()
}

/// The time since 1970 of an instant, written `YYYY-MM-DDTHH:MM:SS[.fraction](Z|±HH:MM)` with at most 9 digits of
/// fraction. Not jiff's `Timestamp`, whose range ends a day before `9999-12-31T23:59:59Z`, and whose parser takes more.
pub(super) fn instant(text: &str) -> Option<SignedDuration> {
    let (day, rest) = text.split_at_checked(10)?;
    let (clock, rest) = rest.strip_prefix('T')?.split_at_checked(8)?;
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
    if zone == "Z" {
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

/// Whether it looks like an address to which mail can be sent. Quoted local parts and address literals do not.
pub(super) fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else { return false };
    text.len() <= MAX_EMAIL
        && (1..=MAX_LOCAL_PART).contains(&local.len())
        && local.split('.').all(|atom| !atom.is_empty() && atom.chars().all(is_atom_character))
        && is_domain(domain)
}

/// RFC 5322's `atext`, with RFC 6531's letters of other scripts.
fn is_atom_character(character: char) -> bool {
    character.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(character)
}

fn is_domain(domain: &str) -> bool {
    let is_label = |label: &str| {
        (1..=MAX_LABEL).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|character| character.is_alphanumeric() || character == '-')
    };
    domain.split('.').all(is_label)
        // A last label of digits alone would be an IPv4 address.
        && domain.rsplit_once('.').is_some_and(|(_, last)| !last.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Whether it is an absolute http or https address with a host.
pub(super) fn is_url(text: &str) -> bool {
    if text.len() > MAX_URL || text.chars().any(|character| character.is_whitespace() || character.is_control()) {
        return false;
    }
    // The parser forgives `http:host`, `http:\\host` and `http:///host`; other readers of the value would not.
    let Some((scheme, rest)) = text.split_once("://") else { return false };
    (scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https"))
        && !rest.starts_with(['/', '\\'])
        && url::Url::parse(text).is_ok_and(|url| url.host_str().is_some_and(|host| !host.is_empty()))
}

#[cfg(test)]
mod tests {

    use proptest::prelude::*;

    use super::*;

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
            ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59-00:00"),
            ("0000-01-01T00:00:00+23:59", "0000-01-01T00:00:00.0+23:59"),
        ] {
            assert_eq!(instant(left).unwrap(), instant(right).unwrap(), "{left} {right}");
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
            "2026-01-01t00:00:00Z",
            "2026-01-01T00:00:00z",
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
        }
    }

    #[test]
    fn emails() {
        let long_label = format!("a@{}.example", "b".repeat(63));
        let long_local = format!("{}@b.example", "a".repeat(64));
        for good in [
            "a@b.example",
            "first.last+tag@sub.example.co.uk",
            "o'neil@x-y.de",
            "ü@bücher.example",
            &long_label,
            &long_local,
        ] {
            assert!(is_email(good), "{good}");
        }
        let total = format!("a@{}.example", ["b".repeat(63), "c".repeat(63), "d".repeat(63), "e".repeat(63)].join("."));
        for bad in [
            "",
            "a",
            "@b.example",
            "a@",
            "a@b",
            "a@b@c.example",
            "a b@c.example",
            "a@b .example",
            "a@b..example",
            "a@.example",
            "a@b.example.",
            "a@-b.example",
            "a@b-.example",
            "a@b_c.example",
            ".a@b.example",
            "a.@b.example",
            "a..b@c.example",
            "a@b.example\n",
            "a\0@b.example",
            "<a@b.example>",
            "\"a b\"@c.example",
            "a@[127.0.0.1]",
            "a@127.0.0.1",
            "a\u{202e}@b.example",
            &format!("{}@b.example", "a".repeat(65)),
            &format!("a@{}.example", "b".repeat(64)),
            &total,
        ] {
            assert!(!is_email(bad), "{bad:?}");
        }
    }

    #[test]
    fn urls() {
        let long = format!("https://example.org/{}", "a".repeat(2_028));
        for good in [
            "http://example.org",
            "HTTPS://Example.org:8443/a?b=c#d",
            "https://[::1]/",
            "https://bücher.example/ü",
            &long,
        ] {
            assert!(is_url(good), "{good}");
        }
        for bad in [
            "",
            "example.org",
            "//example.org",
            "/a",
            "ftp://example.org",
            "javascript:alert(1)",
            "javascript://example.org/%0aalert(1)",
            "mailto:a@b.example",
            "http:example.org",
            "http:/example.org",
            "http://",
            "http:///example.org",
            "http:\\\\example.org",
            "http://\\example.org",
            "https://?a",
            "https://#a",
            "https://:80/",
            "https://exa mple.org",
            " https://example.org",
            "https://example.org\n",
            "https://exam\tple.org",
            "https://example.org/\0",
            "https://example.org/\u{a0}",
            "https://example.org:99999",
            "https://[::1",
            "data:text/html,x",
            &format!("{long}a"),
        ] {
            assert!(!is_url(bad), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn nothing_panics(text in any::<String>(), near in "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{5,12}[Z+é-]?[0-9:]{0,6}") {
            for text in [&text, &near] {
                let _ = (date(text), instant(text), is_email(text), is_url(text));
            }
        }

        #[test]
        fn agrees_with_jiff(seconds in -60_000_000_000_i64..250_000_000_000, nanoseconds in 0..1_000_000_000_i32) {
            let stamp = jiff::Timestamp::new(seconds, nanoseconds).unwrap();
            prop_assert_eq!(instant(&stamp.to_string()), Some(stamp.as_duration()));
        }
    }
}

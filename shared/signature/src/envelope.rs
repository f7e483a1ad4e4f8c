//! What a delivery's body says.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The body of a delivery.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Envelope {
    /// What happened, as `field_value.saved`.
    pub event: String,
    /// The event's identifier: the same in every delivery of the event, however often it is repeated.
    pub event_id: String,
    /// When it happened, as `2026-01-31T12:00:00.000Z`.
    pub timestamp: String,
    /// The client whose event it is.
    pub client_id: String,
    /// The client's slug.
    pub project: String,
    /// The tenant that the event is about.
    pub tenant_id: Option<String>,
    /// The resource after the change, as the API answers it.
    pub data: serde_json::Value,
}

impl Envelope {
    /// Reads a body. It says nothing about who sent it: that takes a [`Verifier`](crate::Verifier).
    ///
    /// # Errors
    /// If it is not an envelope.
    pub fn parse(body: &[u8]) -> Result<Self, NotAnEnvelope> {
        let envelope: Self = serde_json::from_slice(body).map_err(|error| NotAnEnvelope(error.to_string()))?;
        envelope.seconds()?;
        Ok(envelope)
    }

    /// The timestamp in seconds since 1970.
    pub(crate) fn seconds(&self) -> Result<i64, NotAnEnvelope> {
        seconds(&self.timestamp).ok_or_else(|| NotAnEnvelope("`timestamp` is not a time in UTC".to_owned()))
    }
}

/// A body that is not an envelope, and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotAnEnvelope(String);

impl fmt::Display for NotAnEnvelope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "The body is not an envelope: {}.", self.0)
    }
}

impl std::error::Error for NotAnEnvelope {}

/// RFC 3339 §5.6, in UTC.
fn seconds(text: &str) -> Option<i64> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let (time, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
    let [hour, minute, second] = numbers(time, ':', [2, 2, 2])?;
    let known = (1..=12).contains(&month) && (1..=31).contains(&day) && hour < 24 && minute < 60 && second <= 60;
    if !known || fraction.is_empty() || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    // Years that begin in March, so that a leap day is a year's last.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    let days = year * 365 + leap_days + (month * 153 + 2) / 5 + day - 719_469;
    Some(days * 86_400 + hour * 3_600 + minute * 60 + second)
}

/// Numbers of so many digits each.
fn numbers(text: &str, separator: char, digits: [usize; 3]) -> Option<[i64; 3]> {
    let mut parts = text.split(separator);
    let mut numbers = [0; 3];
    for (number, digits) in numbers.iter_mut().zip(digits) {
        let part = parts.next()?;
        if part.len() != digits || !part.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        *number = part.parse().ok()?;
    }
    if parts.next().is_some() { None } else { Some(numbers) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_times() {
        for (text, wanted) in [
            ("1970-01-01T00:00:00Z", 0),
            ("1970-01-01T00:00:00.999Z", 0),
            ("1969-12-31T23:59:59Z", -1),
            ("2000-02-29T00:00:00Z", 951_782_400),
            ("2000-03-01T00:00:00Z", 951_868_800),
            ("2022-04-07T21:39:13.123Z", 1_649_367_553),
            ("2100-03-01T00:00:00Z", 4_107_542_400),
        ] {
            assert_eq!(seconds(text), Some(wanted), "{text}");
        }
        for text in [
            "",
            "2022-04-07",
            "2022-04-07T21:39:13",
            "2022-04-07T21:39:13.Z",
            "2022-04-07T21:39:13+00:00",
            "2022-13-07T21:39:13Z",
            "2022-04-07T24:39:13Z",
            "2022-4-07T21:39:13Z",
            "+022-04-07T21:39:13Z",
            "2022-04-07-01T21:39:13Z",
        ] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }

    #[test]
    fn reads_what_it_writes_and_says_what_is_wrong() {
        let text = r#"{"event":"test.ping","eventId":"evt_1","timestamp":"2026-01-31T12:00:00.000Z","clientId":"cl_1","project":"p","tenantId":null,"data":{"b":1,"c":[]}}"#;
        let envelope = Envelope::parse(text.as_bytes()).expect("an envelope");
        assert_eq!(serde_json::to_string(&envelope).expect("text"), text);
        assert_eq!(envelope.tenant_id, None);
        let more = text.replacen('{', r#"{"new":1,"#, 1);
        assert_eq!(Envelope::parse(more.as_bytes()).as_ref(), Ok(&envelope), "members to come");
        let wrong = |body: &str| Envelope::parse(body.as_bytes()).map_err(|error| error.to_string());
        assert_eq!(
            wrong("{}"),
            Err("The body is not an envelope: missing field `event` at line 1 column 2.".to_owned())
        );
        assert_eq!(
            wrong(&text.replace("12:00", "noon")),
            Err("The body is not an envelope: `timestamp` is not a time in UTC.".to_owned())
        );
    }
}

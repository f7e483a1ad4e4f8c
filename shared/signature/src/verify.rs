//! Verification, for who receives.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use subtle::{Choice, ConstantTimeEq as _};

use crate::envelope::NotAnEnvelope;
use crate::{Envelope, Format, Key, body, header, standard};

/// Verifies deliveries by one header's signature. Make one and keep it.
#[derive(Debug, Clone)]
pub struct Verifier {
    scheme: Scheme,
    keys: Vec<Key>,
    tolerance: Option<Duration>,
}

#[derive(Debug, Clone)]
enum Scheme {
    Standard,
    Body { names: [String; 2], format: Format },
}

impl Verifier {
    /// By `webhook-signature`, which signs the event's identifier, the attempt's time and the body.
    #[must_use]
    pub fn standard(key: Key) -> Self {
        Self { scheme: Scheme::Standard, keys: vec![key], tolerance: None }
    }

    /// By `X-Hedgerow-Signature`, which signs the body; during a rotation also by `X-Hedgerow-Signature-New`.
    #[must_use]
    pub fn body(key: Key) -> Self {
        Self::renamed(header::BODY_SIGNATURE, Format::Sha256Hex, key)
    }

    /// By the header that the endpoint has in place of `X-Hedgerow-Signature`, or by that name with `-New`.
    #[must_use]
    pub fn renamed(name: &str, format: Format, key: Key) -> Self {
        let names = [name.to_owned(), format!("{name}{}", header::NEW)];
        Self { scheme: Scheme::Body { names, format }, keys: vec![key], tolerance: None }
    }

    /// Takes this key's signatures, too: while a secret is rotated, the old one and the new one are good.
    #[must_use]
    pub fn or(mut self, key: Key) -> Self {
        self.keys.push(key);
        self
    }

    /// Refuses what is further than this from the present, in either direction, in whole seconds.
    ///
    /// `webhook-timestamp` is new at each attempt: five minutes are usual. The other header signs only the body, whose
    /// `timestamp` is the event's own: the last attempt comes some 15 hours after it.
    #[must_use]
    pub const fn tolerance(mut self, tolerance: Duration) -> Self {
        self.tolerance = Some(tolerance);
        self
    }

    /// The envelope, if the delivery is genuine.
    ///
    /// `headers` is anything that yields names and values: `&http::HeaderMap`, a map, an array of pairs. `body` is the
    /// request's bytes as they came.
    ///
    /// # Errors
    /// A [`Refusal`] says what is wrong.
    pub fn verify<N, V>(&self, headers: impl IntoIterator<Item = (N, V)>, body: &[u8]) -> Result<Envelope, Refusal>
    where
        N: AsRef<str>,
        V: AsRef<[u8]>,
    {
        self.verify_at(headers, body, SystemTime::now())
    }

    /// As [`Verifier::verify`], at a given time.
    ///
    /// # Errors
    /// A [`Refusal`] says what is wrong.
    pub fn verify_at<N, V>(
        &self,
        headers: impl IntoIterator<Item = (N, V)>,
        body: &[u8],
        now: SystemTime,
    ) -> Result<Envelope, Refusal>
    where
        N: AsRef<str>,
        V: AsRef<[u8]>,
    {
        // The signature comes first: what is not genuine learns nothing else, and what is too old is known to be ours.
        match &self.scheme {
            Scheme::Standard => {
                let timestamp = self.signed_by_standard(header::find(headers, header::STANDARD), body)?;
                self.in_time(timestamp, now)?;
                Ok(Envelope::parse(body)?)
            }
            Scheme::Body { names, format } => {
                let values = header::find(headers, [&names[0], &names[1]]);
                self.signed_by_body(names, *format, values, body)?;
                let envelope = Envelope::parse(body)?;
                self.in_time(envelope.seconds()?, now)?;
                Ok(envelope)
            }
        }
    }

    fn signed_by_standard(&self, values: [Option<Vec<u8>>; 3], body: &[u8]) -> Result<i64, Refusal> {
        let [id, timestamp, signature] = values;
        let id = header::text(header::ID, id, "an identifier without a full stop", header::id)?;
        let timestamp = header::text(header::TIMESTAMP, timestamp, "seconds since 1970", header::timestamp)?;
        let signatures = header::text(header::SIGNATURE, signature, "`v1,` and base64", |text| Some(text.to_owned()))?;
        let given: Vec<&str> = signatures.split(' ').filter(|signature| signature.starts_with("v1,")).collect();
        if given.is_empty() {
            return Err(Refusal::NoV1Signature);
        }
        let made: Vec<String> = self.keys.iter().map(|key| standard([key], &id, timestamp, body)).collect();
        any_equal(&made, &given)?;
        Ok(timestamp)
    }

    fn signed_by_body(
        &self,
        names: &[String; 2],
        format: Format,
        values: [Option<Vec<u8>>; 2],
        content: &[u8],
    ) -> Result<(), Refusal> {
        let expected = match format {
            Format::Hex => "64 lower-case hexadecimal digits",
            Format::Sha256Hex => "`sha256=` and 64 lower-case hexadecimal digits",
        };
        let mut given = Vec::new();
        for (name, value) in names.iter().zip(values).filter(|(_, value)| value.is_some()) {
            given.push(header::text(name, value, expected, |text| header::body_signature(text, format))?);
        }
        if given.is_empty() {
            return Err(Refusal::MissingHeader { name: names[0].clone() });
        }
        let made: Vec<String> = self.keys.iter().map(|key| body(key, format, content)).collect();
        any_equal(&made, &given)
    }

    fn in_time(&self, timestamp: i64, now: SystemTime) -> Result<(), Refusal> {
        let Some(tolerance) = self.tolerance.map(|tolerance| tolerance.as_secs()) else { return Ok(()) };
        let since_1970 = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let now = i64::try_from(since_1970).unwrap_or(i64::MAX);
        let seconds = now.abs_diff(timestamp);
        if seconds <= tolerance {
            Ok(())
        } else if timestamp < now {
            Err(Refusal::TooOld { seconds, tolerance })
        } else {
            Err(Refusal::TooNew { seconds, tolerance })
        }
    }
}

/// Compares all with all, in a time that depends on their number and lengths only.
fn any_equal(made: &[String], given: &[impl AsRef<str>]) -> Result<(), Refusal> {
    let mut equal = Choice::from(0);
    for made in made {
        for given in given {
            equal |= made.as_bytes().ct_eq(given.as_ref().as_bytes());
        }
    }
    if equal.into() { Ok(()) } else { Err(Refusal::NoMatch) }
}

/// Why a delivery is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// A header is not there.
    MissingHeader {
        /// Its name.
        name: String,
    },
    /// A header holds something else.
    MalformedHeader {
        /// Its name.
        name: String,
        /// What it should hold.
        expected: &'static str,
    },
    /// `webhook-signature` has signatures of other kinds only.
    NoV1Signature,
    /// No signature is by one of the keys.
    NoMatch,
    /// The delivery is genuine, and older than is tolerated.
    TooOld {
        /// How old it is.
        seconds: u64,
        /// How old it may be.
        tolerance: u64,
    },
    /// The delivery is genuine, and further ahead of this machine's clock than is tolerated.
    TooNew {
        /// How far ahead it is.
        seconds: u64,
        /// How far ahead it may be.
        tolerance: u64,
    },
    /// The delivery is genuine, and the body is something else.
    NotAnEnvelope(NotAnEnvelope),
}

impl From<NotAnEnvelope> for Refusal {
    fn from(error: NotAnEnvelope) -> Self {
        Self::NotAnEnvelope(error)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MissingHeader { name } => write!(f, "The header `{name}` is missing."),
            Self::MalformedHeader { name, expected } => write!(f, "The header `{name}` should hold {expected}."),
            Self::NoV1Signature => f.write_str("The header `webhook-signature` holds no `v1` signature."),
            Self::NoMatch => f.write_str("No signature matches: the secret is another, or the delivery was altered."),
            Self::TooOld { seconds, tolerance } => {
                write!(f, "The delivery is {seconds} seconds old; {tolerance} are tolerated.")
            }
            Self::TooNew { seconds, tolerance } => {
                write!(f, "The delivery is {seconds} seconds ahead of the clock; {tolerance} are tolerated.")
            }
            Self::NotAnEnvelope(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Refusal {}

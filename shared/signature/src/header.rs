//! The names of the headers, and what they hold.

use crate::{Format, Refusal};

/// The event's identifier, the same at every attempt.
pub const ID: &str = "webhook-id";
/// The attempt's time, in seconds since 1970.
pub const TIMESTAMP: &str = "webhook-timestamp";
/// What [`standard`](crate::standard) makes.
pub const SIGNATURE: &str = "webhook-signature";
/// What [`body`](crate::body()) makes; an endpoint may have another name for it.
pub const BODY_SIGNATURE: &str = "X-Hedgerow-Signature";
/// What the name of the body's signature ends with if it is by the new secret, while the old one is still good.
pub const NEW: &str = "-New";

pub(crate) const STANDARD: [&str; 3] = [ID, TIMESTAMP, SIGNATURE];

/// The first value of each name. Names have no case.
pub(crate) fn find<N: AsRef<str>, V: AsRef<[u8]>, const COUNT: usize>(
    headers: impl IntoIterator<Item = (N, V)>,
    names: [&str; COUNT],
) -> [Option<Vec<u8>>; COUNT] {
    let mut found = [const { None }; COUNT];
    for (name, value) in headers {
        for (found, wanted) in found.iter_mut().zip(names) {
            if found.is_none() && wanted.eq_ignore_ascii_case(name.as_ref()) {
                *found = Some(value.as_ref().to_vec());
            }
        }
    }
    found
}

/// What a header holds, if it is there and reads as it should.
pub(crate) fn text<T>(
    name: &str,
    value: Option<Vec<u8>>,
    expected: &'static str,
    read: impl FnOnce(&str) -> Option<T>,
) -> Result<T, Refusal> {
    let value = value.ok_or_else(|| Refusal::MissingHeader { name: name.to_owned() })?;
    std::str::from_utf8(&value)
        .ok()
        .and_then(read)
        .ok_or_else(|| Refusal::MalformedHeader { name: name.to_owned(), expected })
}

/// An identifier. The full stop separates what is signed: with one in here, a part could pass for another.
pub(crate) fn id(text: &str) -> Option<String> {
    let good = !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic() && b != b'.');
    good.then(|| text.to_owned())
}

/// A time, in its one spelling: digits without leading zeros.
pub(crate) fn timestamp(text: &str) -> Option<i64> {
    let seconds: i64 = text.parse().ok()?;
    (seconds >= 0 && seconds.to_string() == text).then_some(seconds)
}

/// A signature of the body.
pub(crate) fn body_signature(text: &str, format: Format) -> Option<String> {
    let digits = match format {
        Format::Hex => text,
        Format::Sha256Hex => text.strip_prefix("sha256=")?,
    };
    let good = digits.len() == 64 && digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    good.then(|| text.to_owned())
}

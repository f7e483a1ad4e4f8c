//! Signatures as headers hold them.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::Key;

/// How a header holds a signature of the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// 64 lower-case hexadecimal digits.
    Hex,
    /// `sha256=` and 64 lower-case hexadecimal digits.
    Sha256Hex,
}

/// The value of `webhook-signature`: a signature by each key, in the order of the keys. The newest comes first.
///
/// `id` must not contain a full stop: it separates the signed parts.
///
/// ```
/// use hedgerow_signature::{Key, standard};
///
/// let key = Key::parse("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD")?;
/// let body = br#"{"email":"test@example.com","username":"test_user"}"#;
/// assert_eq!(
///     standard([&key], "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk", 1_649_367_553, body),
///     "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw="
/// );
/// # Ok::<(), hedgerow_signature::EmptyKey>(())
/// ```
#[must_use]
pub fn standard<'k>(keys: impl IntoIterator<Item = &'k Key>, id: &str, timestamp: i64, body: &[u8]) -> String {
    let timestamp = timestamp.to_string();
    let signatures: Vec<String> = keys
        .into_iter()
        .map(|key| format!("v1,{}", STANDARD.encode(key.sign(&content(id, &timestamp, body)))))
        .collect();
    signatures.join(" ")
}

/// The value of `X-Hedgerow-Signature`, or of the header that replaces it: a signature of the body alone.
///
/// ```
/// use hedgerow_signature::{Format, Key, body};
///
/// let key = Key::parse("It's a Secret to Everybody")?;
/// assert_eq!(
///     body(&key, Format::Sha256Hex, b"Hello, World!"),
///     "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
/// );
/// # Ok::<(), hedgerow_signature::EmptyKey>(())
/// ```
#[must_use]
pub fn body(key: &Key, format: Format, body: &[u8]) -> String {
    let digits = hex(&key.sign(&[body]));
    match format {
        Format::Hex => digits,
        Format::Sha256Hex => format!("sha256={digits}"),
    }
}

/// What `webhook-signature` signs.
pub(crate) fn content<'a>(id: &'a str, timestamp: &'a str, body: &'a [u8]) -> [&'a [u8]; 5] {
    [id.as_bytes(), b".", timestamp.as_bytes(), b".", body]
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut digits, byte| {
        let _ = write!(digits, "{byte:02x}");
        digits
    })
}

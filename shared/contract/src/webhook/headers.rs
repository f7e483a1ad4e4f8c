//! Headers that a caller chooses for its deliveries: never one that steers the connection or is ours.

use std::collections::BTreeMap;

use deserr::{Deserr, IntoValue, Map as _, Value, ValuePointerRef};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Broken, Problems};

const MOST: usize = 20;
const MOST_BYTES: usize = 4 * 1024;

/// What frames the message or the connection (RFC 9110 §7.6.1, RFC 9112), what tells a receiver where a request comes
/// from, and what every delivery has already.
const RESERVED: &[&str] = &[
    "accept-encoding",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "date",
    "expect",
    "forwarded",
    "host",
    "http2-settings",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "via",
    "x-hedgerow-event",
    "x-real-ip",
    "x-request-id",
];
const RESERVED_PREFIXES: &[&str] = &["proxy-", "webhook-", "x-forwarded-", "x-hedgerow-signature"];

/// [`is_token`] as a pattern.
const NAME_PATTERN: &str = "^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$";
/// [`check_value`] as a pattern.
const VALUE_PATTERN: &str = "^([!-~]([\\t -~]*[!-~])?)?$";

/// RFC 9110 §5.6.2: a token.
fn is_token(name: &str) -> bool {
    let known = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    !name.is_empty() && name.len() <= 100 && name.bytes().all(known)
}

fn is_reserved(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    RESERVED.contains(&name.as_str()) || RESERVED_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

fn check_name(name: &str) -> Result<(), Broken> {
    if !is_token(name) {
        return Err(Broken::new("invalid_header", "Must be the name of a header: at most 100 letters, digits or `-`."));
    }
    if is_reserved(name) {
        return Err(Broken::new("reserved_header", format!("The header `{name}` can't be chosen.")));
    }
    Ok(())
}

fn check_value(value: &str) -> Result<(), Broken> {
    // RFC 9110 §5.5, ASCII alone: CR, LF and NUL would end the header.
    if !value.bytes().all(|b| b == b' ' || b == b'\t' || b.is_ascii_graphic()) {
        return Err(Broken::new("invalid_header", "Must be of printable ASCII characters on one line."));
    }
    if value.trim() != value {
        return Err(Broken::new("invalid_header", "Must not begin or end with a space."));
    }
    Ok(())
}

/// Headers that every delivery of a webhook has: at most 20, of 4 KiB together.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline, extend(
    "maxProperties" = 20,
    "propertyNames" = { "pattern": NAME_PATTERN },
    "additionalProperties" = { "type": "string", "pattern": VALUE_PATTERN },
))]
pub struct Headers(BTreeMap<String, String>);

/// By hand: deserr's own reading of maps leaves out members of a wrong type, and says nothing of them.
impl Deserr<Problems> for Headers {
    fn deserialize_from_value<V: IntoValue>(value: Value<V>, location: ValuePointerRef<'_>) -> Result<Self, Problems> {
        let Value::Map(members) = value else {
            let refused = <BTreeMap<String, String> as Deserr<Problems>>::deserialize_from_value(value, location);
            return refused.map(Self);
        };
        let (mut problems, mut headers) = (Problems::default(), BTreeMap::new());
        for (name, value) in members.into_iter() {
            let text = String::deserialize_from_value(value.into_value(), location.push_key(&name));
            match text {
                Ok(text) => {
                    headers.insert(name, text);
                }
                Err(wrong) => problems.extend(wrong),
            }
        }
        match Self::checked(headers) {
            Ok(headers) => problems.or(headers),
            Err(others) => {
                problems.extend(others);
                Err(problems)
            }
        }
    }
}

impl Headers {
    fn checked(headers: BTreeMap<String, String>) -> Result<Self, Problems> {
        let mut problems = Problems::default();
        if headers.len() > MOST {
            problems.add("headers", "too_many", format!("Must have at most {MOST} members."));
            return problems.or(Self::default());
        }
        let mut seen: Vec<String> = Vec::with_capacity(headers.len());
        for (name, value) in &headers {
            let path = || crate::problem::join("headers", name);
            for broken in [check_name(name), check_value(value)].into_iter().filter_map(Result::err) {
                problems.add(path(), broken.code, broken.message);
            }
            let folded = name.to_ascii_lowercase();
            if seen.contains(&folded) {
                problems.add(path(), "duplicate", "Is there twice: header names have no case.");
            }
            seen.push(folded);
        }
        let bytes: usize = headers.iter().map(|(name, value)| name.len() + value.len()).sum();
        if bytes > MOST_BYTES {
            problems.add("headers", "too_long", "Must have at most 4 KiB in all.");
        }
        problems.or(Self(headers))
    }

    /// Names and values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The names, whose values may be credentials, as what others than the endpoint's owner are told.
    #[must_use]
    pub fn without_values(&self) -> Self {
        Self(self.0.keys().map(|name| (name.clone(), "…".to_owned())).collect())
    }
}

/// The name and form of the body's signature, in place of `X-Hedgerow-Signature`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Deserr, JsonSchema)]
#[deserr(error = Problems, deny_unknown_fields)]
#[serde(deny_unknown_fields)]
pub struct SignatureHeader {
    /// The header, such as `X-Kopra-Signature`.
    pub name: SignatureHeaderName,
    /// How it holds the signature.
    pub format: SignatureFormat,
}

/// How a header holds the body's signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Deserr, JsonSchema)]
#[deserr(error = Problems)]
pub enum SignatureFormat {
    /// Hexadecimal digits.
    #[serde(rename = "hex")]
    #[deserr(rename = "hex")]
    Hex,
    /// `sha256=` and hexadecimal digits.
    #[serde(rename = "sha256=hex")]
    #[deserr(rename = "sha256=hex")]
    Sha256Hex,
}

crate::text_type! {
    /// The name of a header that holds a signature.
    SignatureHeaderName {
        check: check_name,
        schema: { "type": "string", "pattern": NAME_PATTERN }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(pairs: &[(&str, &str)]) -> Result<Headers, Problems> {
        Headers::checked(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn values_are_texts() {
        let read = |value| deserr::deserialize::<Headers, serde_json::Value, Problems>(value);
        let refused = read(serde_json::json!({ "X-A": 1, "X-B": "b", "Host": "x", "X-C": null })).unwrap_err();
        let paths: Vec<_> = refused.as_slice().iter().map(|problem| problem.path.as_str()).collect();
        assert_eq!(paths, ["X-A", "X-C", "headers.Host"]);
        assert!(read(serde_json::json!([])).is_err() && read(serde_json::json!(null)).is_err());
        assert!(read(serde_json::json!({})).is_ok_and(|headers| headers == Headers::default()));
    }

    #[test]
    fn headers_that_steer_or_are_ours_are_refused() {
        assert!(checked(&[("Authorization", "Bearer x"), ("X-Team", "a b")]).is_ok());
        for name in [
            "Host",
            "host",
            "Connection",
            "Transfer-Encoding",
            "TE",
            "Upgrade",
            "Proxy-Authorization",
            "Keep-Alive",
            "Content-Length",
            "Content-Type",
            "webhook-id",
            "Webhook-Signature",
            "X-Hedgerow-Event",
            "x-hedgerow-signature-new",
            "X-Request-Id",
            "User-Agent",
            "",
            "a b",
            "a:b",
            "ä",
            "a\r\nb",
        ] {
            assert!(checked(&[(name, "x")]).is_err(), "{name:?}");
            assert!(name.parse::<SignatureHeaderName>().is_err(), "{name:?}");
        }
        for value in ["a\r\nb", "a\nb", "a\0b", " a", "a ", "é", "\u{7f}"] {
            assert!(checked(&[("X-A", value)]).is_err(), "{value:?}");
        }
        assert!(checked(&[("X-A", "1"), ("x-a", "2")]).is_err());
        let many: Vec<String> = (0..21).map(|i| format!("X-{i}")).collect();
        assert!(checked(&many.iter().map(|name| (name.as_str(), "1")).collect::<Vec<_>>()).is_err());
        assert!(checked(&[("X-A", &"a".repeat(4097))]).is_err());
        assert!(checked(&[("X-A", &"a".repeat(4000))]).is_ok());
    }
}

//! Headers that a caller chooses for its deliveries: never one that steers the connection or is ours.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use deserr::{Deserr, IntoValue, Map as _, Value, ValuePointerRef};
use schemars::JsonSchema;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use crate::patterns::any_case;
use crate::{Broken, Problems};

const MAX: usize = 20;
const MOST_BYTES: usize = 4 * 1024;

/// What frames the message or the connection (RFC 9110 §7.6.1, RFC 9112), what tells a receiver where a request comes
/// from, and what every delivery has already.
const RESERVED: &[&str] = &[
    "accept-encoding",
    "connection",
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
const RESERVED_PREFIXES: &[&str] = &["content-", "proxy-", "webhook-", "x-forwarded-", "x-hedgerow-signature"];

/// [`check_name`] as a pattern.
fn name_pattern() -> String {
    let ends = RESERVED.iter().map(|name| format!("{}$", any_case(name)));
    let reserved: Vec<String> = ends.chain(RESERVED_PREFIXES.iter().map(|prefix| any_case(prefix))).collect();
    format!("^(?!{})[!#$%&'*+.^_`|~0-9A-Za-z-]{{1,100}}$", reserved.join("|"))
}
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

/// The value of a header, which may be a credential. Prints as `…`.
#[derive(Clone, PartialEq, Eq)]
pub struct HeaderValue(String);

impl HeaderValue {
    /// The text, to be sent or sealed.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for HeaderValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

impl FromStr for HeaderValue {
    type Err = Broken;
    fn from_str(text: &str) -> Result<Self, Broken> {
        check_value(text).map(|()| Self(text.to_owned()))
    }
}

crate::parsed_from_text!(HeaderValue, { "type": "string", "pattern": VALUE_PATTERN, "maxLength": MOST_BYTES });

/// The headers of a webhook as they are shown: by name, each with `null` for its value, which is a secret.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "BTreeMap<String, IgnoredAny>", into = "BTreeMap<String, ()>")]
pub struct HeaderNames(BTreeSet<String>);

impl HeaderNames {
    /// The names.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

impl From<BTreeMap<String, IgnoredAny>> for HeaderNames {
    fn from(shown: BTreeMap<String, IgnoredAny>) -> Self {
        Self(shown.into_keys().collect())
    }
}

impl From<HeaderNames> for BTreeMap<String, ()> {
    fn from(names: HeaderNames) -> Self {
        names.0.into_iter().map(|name| (name, ())).collect()
    }
}

/// A type that is described as an object of headers whose values are like this.
macro_rules! described {
    ($($name:ident: $value:tt),+) => { $(
        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({
                    "description": "By name, without regard to case; at most 4 KiB in all.",
                    "type": "object",
                    "maxProperties": MAX,
                    "propertyNames": { "pattern": name_pattern() },
                    "additionalProperties": $value,
                })
            }
        }
    )+ };
}

described! {
    HeaderNames: { "type": "null" },
    Headers: { "type": "string", "pattern": VALUE_PATTERN },
    HeadersChange: { "type": ["string", "null"], "pattern": VALUE_PATTERN }
}

/// Headers that every delivery of a webhook has: at most 20, of 4 KiB together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Headers(BTreeMap<String, HeaderValue>);

/// Headers in place of those that a webhook has: a value that is `null` stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HeadersChange(BTreeMap<String, Option<HeaderValue>>);

impl Deserr<Problems> for Headers {
    fn deserialize_from_value<V: IntoValue>(value: Value<V>, location: ValuePointerRef<'_>) -> Result<Self, Problems> {
        let (headers, mut problems) = members(value, location);
        let headers = Self(headers);
        headers.check_bytes(&mut problems);
        problems.or(headers)
    }
}

impl Deserr<Problems> for HeadersChange {
    fn deserialize_from_value<V: IntoValue>(value: Value<V>, location: ValuePointerRef<'_>) -> Result<Self, Problems> {
        let (headers, problems) = members(value, location);
        problems.or(Self(headers))
    }
}

/// The right members of an object, with names that headers may have, and what is wrong with the others; none, if it is
/// `null`. By hand: deserr's own reading of maps leaves out members of a wrong type, and says nothing of them.
fn members<T: Deserr<Problems>, V: IntoValue>(
    value: Value<V>,
    location: ValuePointerRef<'_>,
) -> (BTreeMap<String, T>, Problems) {
    let (mut problems, mut headers) = (Problems::default(), BTreeMap::new());
    let members = match value {
        Value::Null => return (headers, problems),
        Value::Map(members) => members,
        other => {
            let read = BTreeMap::<String, T>::deserialize_from_value(other, location);
            return (headers, read.err().unwrap_or_default());
        }
    };
    if members.len() > MAX {
        problems.add("headers", "too_many", format!("Must have at most {MAX} members."));
    }
    for (name, value) in members.into_iter() {
        if let Err(broken) = check_name(&name) {
            problems.add(path(&name), broken.code, broken.message);
        }
        match T::deserialize_from_value(value.into_value(), location.push_key(&name)) {
            Ok(value) => {
                headers.insert(name, value);
            }
            Err(wrong) => problems.extend(wrong),
        }
    }
    let mut seen = BTreeSet::new();
    for name in headers.keys() {
        if !seen.insert(name.to_ascii_lowercase()) {
            problems.add(path(name), "duplicate", "Is there twice: header names have no case.");
        }
    }
    (headers, problems)
}

fn path(name: &str) -> String {
    crate::problem::join("headers", name)
}

impl Headers {
    fn check_bytes(&self, problems: &mut Problems) {
        let bytes: usize = self.0.iter().map(|(name, value)| name.len() + value.0.len()).sum();
        if bytes > MOST_BYTES {
            problems.add("headers", "too_long", "Must have at most 4 KiB in all.");
        }
    }

    /// Headers that were stored.
    pub fn from_stored(headers: impl IntoIterator<Item = (String, HeaderValue)>) -> Self {
        Self(headers.into_iter().collect())
    }

    /// Names and values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &HeaderValue)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// The names alone.
    #[must_use]
    pub fn names(&self) -> HeaderNames {
        HeaderNames(self.0.keys().cloned().collect())
    }

    /// The value of a header, whose name has no case.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&HeaderValue> {
        self.0.iter().find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

impl HeadersChange {
    /// The headers after the change, of a webhook that has these `before`.
    ///
    /// # Errors
    /// `null` for a header that it does not have; more than 4 KiB in all.
    pub fn apply(&self, before: &Headers) -> Result<Headers, Problems> {
        let (mut problems, mut headers) = (Problems::default(), BTreeMap::new());
        for (name, value) in &self.0 {
            match value.as_ref().or_else(|| before.get(name)) {
                Some(value) => {
                    headers.insert(name.clone(), value.clone());
                }
                None => {
                    let message = "`null` keeps a value, and there is none under this name: send the value.";
                    problems.add(path(name), "required", message);
                }
            }
        }
        let headers = Headers(headers);
        headers.check_bytes(&mut problems);
        problems.or(headers)
    }

    /// What is right in the member `headers` of a body, to be held against more than its form; nothing, if there is none.
    #[must_use]
    pub fn right_in(headers: Option<&serde_json::Value>) -> Option<Self> {
        let (headers, _) = members(headers?.clone().into_value(), ValuePointerRef::Origin);
        Some(Self(headers))
    }

    /// The names that there will be.
    #[must_use]
    pub fn names(&self) -> HeaderNames {
        HeaderNames(self.0.keys().cloned().collect())
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
        read: |name| check_name(name).map(|()| name.to_owned()),
        schema: { "type": "string", "pattern": name_pattern() }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::patterns::matches;

    fn read<T: Deserr<Problems>>(value: serde_json::Value) -> Result<T, Problems> {
        deserr::deserialize::<T, serde_json::Value, Problems>(value)
    }

    fn checked(pairs: &[(&str, &str)]) -> Result<Headers, Problems> {
        read(pairs.iter().map(|(name, value)| ((*name).to_owned(), serde_json::Value::from(*value))).collect())
    }

    fn paths<T: fmt::Debug>(refused: Result<T, Problems>) -> Vec<String> {
        refused.unwrap_err().as_slice().iter().map(|problem| problem.path.clone()).collect()
    }

    #[test]
    fn values_are_texts() {
        let members = json!({ "X-A": 1, "X-B": "b", "Host": "x", "X-C": null, "X-D": "ü" });
        assert_eq!(paths(read::<Headers>(members.clone())), ["headers.Host", "X-A", "X-C", "X-D"]);
        assert_eq!(paths(read::<HeadersChange>(members)), ["headers.Host", "X-A", "X-D"]);
        assert!(read::<Headers>(json!([])).is_err() && read::<HeadersChange>(json!("x")).is_err());
        for none in [json!({}), json!(null)] {
            assert_eq!(read::<Headers>(none), Ok(Headers::default()));
        }
    }

    #[test]
    fn null_keeps_a_value_whatever_the_case_of_its_name() {
        let before: Headers = read(json!({ "X-A": "1", "X-B": "2", "X-C": "3" })).unwrap();
        let apply = |change| read::<HeadersChange>(change).and_then(|change| change.apply(&before));
        let after = apply(json!({ "x-a": null, "X-B": "new", "X-D": "" })).unwrap();
        let seen: Vec<_> = after.iter().map(|(name, value)| (name, value.reveal())).collect();
        assert_eq!(seen, [("X-B", "new"), ("X-D", ""), ("x-a", "1")]);
        assert_eq!(paths(apply(json!({ "X-A": null, "X-D": null, "X-E": null }))), ["headers.X-D", "headers.X-E"]);
        assert_eq!(apply(json!(null)), Ok(Headers::default()));
        let large: Headers = read(json!({ "X-A": "a".repeat(2000) })).unwrap();
        let both: HeadersChange = read(json!({ "X-A": null, "X-B": "b".repeat(2091) })).unwrap();
        assert_eq!(paths(both.apply(&large)), ["headers"]);
    }

    #[test]
    fn a_value_is_neither_shown_nor_printed() {
        let headers: Headers = read(json!({ "Authorization": "Bearer hush" })).unwrap();
        let change: HeadersChange = read(json!({ "Authorization": "Bearer hush" })).unwrap();
        assert_eq!(serde_json::to_value(headers.names()).unwrap(), json!({ "Authorization": null }));
        assert_eq!(serde_json::from_value::<HeaderNames>(json!({ "Authorization": null })).unwrap(), headers.names());
        for printed in [format!("{headers:?}"), format!("{change:#?}"), format!("{:?}", headers.names())] {
            assert!(printed.contains("Authorization") && !printed.contains("hush"), "{printed}");
        }
    }

    #[test]
    fn headers_that_steer_or_are_ours_are_refused() {
        assert!(checked(&[("Authorization", "Bearer x"), ("X-Team", "a b")]).is_ok());
        assert!(["Authorization", "X-Team", "Dated", "X-Host"].iter().all(|name| matches(&name_pattern(), name)));
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
            "content-encoding",
            "Content-Disposition",
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
            assert!(!matches(&name_pattern(), name), "{name:?}");
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

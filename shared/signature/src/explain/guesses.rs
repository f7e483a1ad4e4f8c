//! What the secret and the body may have been.

use base64::Engine as _;
use serde_json::Value;

use super::Finding;
use crate::key::{BASE64, PREFIX, URL_SAFE};
use crate::{Envelope, Key};

/// A value, and how it differs from the one that was given.
#[derive(Debug, Clone)]
pub(super) struct Guess<T> {
    pub(super) changes: Vec<Finding>,
    pub(super) value: T,
}

impl<T> Guess<T> {
    pub(super) const fn new(changes: Vec<Finding>, value: T) -> Self {
        Self { changes, value }
    }
}

/// Keys that the sender may have had, beginning with the secret's own.
pub(super) fn keys(secret: &str) -> Vec<Guess<Key>> {
    let trimmed = secret.trim();
    let bare = trimmed.trim_matches(['"', '\'', '`', '“', '”']).trim();
    let mut forms = vec![Guess::new(Vec::new(), secret)];
    if trimmed != secret {
        forms.push(Guess::new(vec![Finding::SecretWhitespace], trimmed));
    }
    if bare != trimmed {
        forms.push(Guess::new(vec![Finding::SecretQuoted], bare));
    }
    let mut keys = Vec::new();
    for form in forms {
        let text = form.value;
        let mut add = |change: Option<Finding>, key| {
            if let Ok(key) = key {
                keys.push(Guess::new(form.changes.iter().cloned().chain(change).collect(), key));
            }
        };
        add(None, Key::parse(text));
        match text.strip_prefix(PREFIX) {
            Some(rest) => {
                add(Some(Finding::SecretPrefixed), Key::from_bytes(rest.as_bytes()));
                match (BASE64.decode(rest), URL_SAFE.decode(rest)) {
                    (Ok(_), _) => add(Some(Finding::SecretIsText), Key::from_bytes(text.as_bytes())),
                    (_, Ok(bytes)) => add(Some(Finding::SecretUrlSafe), Key::from_bytes(&bytes)),
                    _ => {}
                }
            }
            None => {
                if let Ok(bytes) = BASE64.decode(text).or_else(|_| URL_SAFE.decode(text)) {
                    add(Some(Finding::SecretLacksPrefix), Key::from_bytes(&bytes));
                }
            }
        }
    }
    keys
}

/// Bodies that the sender may have signed, beginning with the one that came.
pub(super) fn bodies(body: &[u8]) -> Vec<Guess<Vec<u8>>> {
    let mut bodies = vec![Guess::new(Vec::new(), body.to_vec())];
    let mut add = |change, value: Vec<u8>| {
        if bodies.iter().all(|known: &Guess<Vec<u8>>| known.value != value) {
            bodies.push(Guess::new(vec![change], value));
        }
    };
    add(Finding::BodyLineEnd, body.strip_suffix(b"\n").unwrap_or(body).to_vec());
    add(Finding::BodyLineEnd, body.strip_suffix(b"\r\n").unwrap_or(body).to_vec());
    add(Finding::BodyMark, body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(body).to_vec());
    if let Ok(bytes) = BASE64.decode(body.trim_ascii_end()) {
        add(Finding::BodyBase64, bytes);
    }
    if let Ok(text) = serde_json::from_slice::<String>(body) {
        add(Finding::BodyQuoted, text.into_bytes());
    }
    if let Some(rewritten) = respaced(body) {
        add(Finding::BodyRespaced, rewritten);
    }
    if let Ok(envelope) = Envelope::parse(body) {
        add(Finding::BodyReordered, serde_json::to_vec(&envelope).unwrap_or_default());
    }
    if let Ok(value) = serde_json::from_slice::<Value>(body) {
        add(Finding::BodyReordered, serde_json::to_vec(&value).unwrap_or_default());
        add(Finding::BodyCompacted, serde_json::to_vec_pretty(&value).unwrap_or_default());
    }
    bodies
}

/// A hint that this body is not what was signed, though what was signed cannot be told from it.
pub(super) fn rewritten(body: &[u8]) -> Option<Finding> {
    if body.is_empty() {
        return Some(Finding::BodyEmpty);
    }
    match respaced(body) {
        None => Some(Finding::BodyNotJson),
        Some(written) => (written != body || !written.starts_with(br#"{"event":"#)).then_some(Finding::BodyRewritten),
    }
}

/// The same JSON as the sender writes it: without white space, with no more escapes than needed, in the same order.
fn respaced(body: &[u8]) -> Option<Vec<u8>> {
    // Its numbers and its order are kept, which a parsed value does not.
    let text = std::str::from_utf8(body).ok()?;
    serde_json::from_str::<serde::de::IgnoredAny>(text).ok()?;
    let mut written = Vec::with_capacity(body.len());
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let length = if next == '"' { string_length(rest)? } else { next.len_utf8() };
        let (token, after) = rest.split_at_checked(length)?;
        if next == '"' {
            let string: String = serde_json::from_str(token).ok()?;
            serde_json::to_writer(&mut written, &string).ok()?;
        } else if !next.is_ascii_whitespace() {
            written.extend_from_slice(token.as_bytes());
        }
        rest = after;
    }
    Some(written)
}

/// The length of the string literal that a text begins with.
fn string_length(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            b'"' if !escaped => return Some(at + 1),
            b'\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_json_as_the_sender_does() {
        let written = |text: &str| respaced(text.as_bytes()).map(|bytes| String::from_utf8(bytes).expect("text"));
        assert_eq!(
            written("{ \"b\" : [1.50, -0 , true],\r\n\t\"a\\\"\\\\\": \"\\u00e9\\/\\ud83d\\ude00\\n\\u0001\" }\n")
                .as_deref(),
            Some(r#"{"b":[1.50,-0,true],"a\"\\":"é/😀\n\u0001"}"#)
        );
        assert_eq!(written("{"), None);
        assert_eq!(written("\"\\ud83d\""), None);
    }
}

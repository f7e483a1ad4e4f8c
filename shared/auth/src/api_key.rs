//! API keys: a prefix by type, 33 base62 characters of 24 random bytes, 6 base62 digits of a CRC-32.

use std::fmt;

use contract::permission::KeyType;

use crate::{random, sha256_hex};

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const BODY: usize = 33;
const CHECK: usize = 6;

/// An API key as its holder sends it. Prints as `…`.
pub struct ApiKeySecret(String);

/// The SHA-256 of an API key in hexadecimal digits: all that is stored of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct KeyHash(String);

impl KeyHash {
    /// The digits, as they were stored.
    #[must_use]
    pub const fn from_stored(digits: String) -> Self {
        Self(digits)
    }

    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

const fn prefix(key_type: KeyType) -> &'static str {
    match key_type {
        KeyType::Management => "hr_live_",
        KeyType::Delivery => "hr_read_",
        KeyType::Preview => "hr_prev_",
    }
}

/// What keys begin with.
pub(crate) const PREFIXES: [&str; 3] =
    [prefix(KeyType::Management), prefix(KeyType::Delivery), prefix(KeyType::Preview)];

impl ApiKeySecret {
    /// A new key.
    #[must_use]
    pub fn generate(key_type: KeyType) -> Self {
        let mut text = prefix(key_type).to_owned();
        text.push_str(&base62(&random::bytes::<24>(), BODY));
        let check = base62(&crc32fast::hash(text.as_bytes()).to_be_bytes(), CHECK);
        text.push_str(&check);
        Self(text)
    }

    /// The key in a text, if it has the form and the checksum of one: a mistyped key costs no look-up.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let body = PREFIXES.iter().find_map(|prefix| text.strip_prefix(prefix))?;
        if body.len() != BODY + CHECK || !body.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return None;
        }
        let (before, check) = text.split_at(text.len() - CHECK);
        (base62(&crc32fast::hash(before.as_bytes()).to_be_bytes(), CHECK) == check).then(|| Self(text.to_owned()))
    }

    /// What the key is stored and found under.
    #[must_use]
    pub fn hash(&self) -> KeyHash {
        KeyHash(sha256_hex(self.0.as_bytes()))
    }

    /// The first 12 characters, which tell keys apart in a list.
    #[must_use]
    pub fn prefix(&self) -> String {
        self.0.chars().take(12).collect()
    }

    /// The whole key, to be shown once.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ApiKeySecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// A big-endian number in base 62, padded with zeros to `width` digits, which must be enough for it.
fn base62(number: &[u8], width: usize) -> String {
    let mut number = number.to_vec();
    let mut digits = vec![b'0'; width];
    for digit in digits.iter_mut().rev() {
        let mut rest = 0_u32;
        for byte in &mut number {
            let value = rest * 256 + u32::from(*byte);
            *byte = u8::try_from(value / 62).unwrap_or(u8::MAX);
            rest = value % 62;
        }
        *digit = BASE62.get(rest as usize).copied().unwrap_or(b'0');
    }
    String::from_utf8(digits).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Whatever is read is word for word a key that was made: 33 digits of 24 bytes, and the check of all before.
        #[test]
        fn what_is_read_has_the_form_and_the_check_of_a_key(
            text in prop_oneof![any::<String>(), "hr_(live|read|prev|test)_[0-9A-Za-z]{37,41}"], repaired in any::<bool>()
        ) {
            let text = match text.len().checked_sub(CHECK).and_then(|end| text.get(..end)) {
                Some(before) if repaired => {
                    format!("{before}{}", base62(&crc32fast::hash(before.as_bytes()).to_be_bytes(), CHECK))
                }
                _ => text,
            };
            let body = PREFIXES.iter().find_map(|prefix| text.strip_prefix(prefix)).unwrap_or_default();
            let form = body.len() == BODY + CHECK && body.bytes().all(|b| b.is_ascii_alphanumeric());
            let checked = form && {
                let (before, check) = text.split_at(text.len() - CHECK);
                check == base62(&crc32fast::hash(before.as_bytes()).to_be_bytes(), CHECK)
            };
            let read = ApiKeySecret::parse(&text);
            prop_assert_eq!(read.is_some(), checked);
            prop_assert!(read.is_none_or(|key| key.reveal() == text));
        }
    }

    #[test]
    fn numbers_in_base_62() {
        assert_eq!(base62(&[0], 3), "000");
        assert_eq!(base62(&[61], 2), "0z");
        assert_eq!(base62(&62_u32.to_be_bytes(), 2), "10");
        assert_eq!(base62(&u32::MAX.to_be_bytes(), CHECK), "4gfFC3");
        assert_eq!(base62(&[0xff; 24], BODY).len(), BODY);
    }

    #[test]
    fn a_key_is_what_it_was_made_as_and_prints_as_nothing() {
        let key = ApiKeySecret::generate(KeyType::Management);
        assert_eq!(key.reveal().len(), 8 + 33 + 6);
        assert_eq!(ApiKeySecret::parse(key.reveal()).map(|k| k.hash()), Some(key.hash()));
        assert_eq!(format!("{key:?}"), "…");
        assert!(key.prefix().starts_with("hr_live_") && key.prefix().len() == 12);
    }

    #[test]
    fn one_wrong_character_is_noticed() {
        let key = ApiKeySecret::generate(KeyType::Delivery).reveal().to_owned();
        for at in 0..key.len() {
            let mut other = key.clone().into_bytes();
            other[at] = if other[at] == b'a' { b'b' } else { b'a' };
            assert!(ApiKeySecret::parse(std::str::from_utf8(&other).expect("text")).is_none(), "{at}");
        }
        for bad in ["", "hr_live_", "hr_live_é", &format!("{key}0")] {
            assert!(ApiKeySecret::parse(bad).is_none());
        }
    }
}

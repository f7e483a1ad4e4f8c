//! Recovery codes: what lets a user in whose authenticator app is lost, each of them once.

use std::fmt;

use base32::Alphabet::Crockford;
use contract::id::UserId;

use crate::{random, sha256_hex};

/// Ten bytes are a whole number of digits in base 32: a code has one text.
const BYTES: usize = 10;
/// How many digits stand together.
const PART: usize = 4;

/// A recovery code: 80 random bits, stored only as a hash. Prints as `…`.
#[derive(Clone, PartialEq, Eq)]
pub struct RecoveryCode([u8; BYTES]);

impl RecoveryCode {
    /// A new code.
    #[must_use]
    pub fn generate() -> Self {
        Self(random::bytes())
    }

    /// The code in a text, however its letters, blanks and hyphens are written.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits: String = text.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
        if digits.len() != BYTES * 8 / 5 {
            return None;
        }
        Some(Self(base32::decode(Crockford, &digits)?.try_into().ok()?))
    }

    /// The text that is shown once, in parts of four.
    #[must_use]
    pub fn reveal(&self) -> String {
        let digits = base32::encode(Crockford, &self.0).to_lowercase();
        let parts: Vec<&[u8]> = digits.as_bytes().chunks(PART).collect();
        String::from_utf8(parts.join(&b'-')).unwrap_or_default()
    }

    /// What is stored of it. Of high entropy, so that a fast hash does; of its user, so that no two users' are compared
    /// at once.
    #[must_use]
    pub fn hash(&self, user: UserId) -> String {
        sha256_hex(&[b"hedgerow recovery code ", user.to_string().as_bytes(), b" ", &self.0].concat())
    }
}

impl fmt::Debug for RecoveryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn user(number: u8) -> UserId {
        format!("usr_{number:032x}").parse().expect("an identifier")
    }

    #[test]
    fn a_code_is_read_however_it_is_typed() {
        let code = RecoveryCode([0, 0x44, 0x32, 0x14, 0xc7, 0x42, 0x54, 0xb6, 0x35, 0xcf]);
        let text = code.reveal();
        assert_eq!((text.as_str(), format!("{code:?}").as_str()), ("0123-4567-89ab-cdef", "…"));
        for typed in [
            "0123-4567-89ab-cdef",
            "0123456789ABCDEF",
            "o123 4567 89aB cdef ",
            "Oi23-4567-89ab-cdef",
            "0L234567-89abcdef",
        ] {
            assert_eq!(RecoveryCode::parse(typed), Some(code.clone()), "{typed}");
        }
        for bad in ["", "0123-4567-89ab-cde", "0123-4567-89ab-cdef0", "0123-4567-89ab-cdeu", "0123–4567–89ab–cdef"]
        {
            assert_eq!(RecoveryCode::parse(bad), None, "{bad}");
        }
        assert_ne!(code.hash(user(1)), code.hash(user(2)));
        assert_ne!(RecoveryCode::generate().hash(user(1)), RecoveryCode::generate().hash(user(1)));
    }

    proptest! {
        #[test]
        fn what_is_read_is_what_it_says(text in prop_oneof![any::<String>(), "[0-9a-zA-Z]{16}", "[0-9a-hjkmnp-tv-z]{16}"]) {
            if let Some(code) = RecoveryCode::parse(&text) {
                let spelt = text.to_lowercase().replace([' ', '-'], "").replace('o', "0").replace(['i', 'l'], "1");
                prop_assert_eq!(code.reveal().replace('-', ""), spelt);
            }
        }

        #[test]
        fn every_code_comes_back(bytes in any::<[u8; BYTES]>()) {
            let code = RecoveryCode(bytes);
            prop_assert_eq!(RecoveryCode::parse(&code.reveal()), Some(code));
        }
    }
}

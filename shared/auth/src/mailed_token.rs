//! Tokens that go out in the links of mails: whoever has one has read the mailbox.

use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::{random, sha256_hex};

/// How long the link to a new password is good for (contract: Routes, Auth).
pub const RESET_LIFETIME: Duration = Duration::from_secs(30 * 60);

/// How long an invitation is good for.
pub const INVITATION_LIFETIME: Duration = Duration::from_secs(72 * 3600);

/// The token of a link: 32 random bytes in base64url, stored only as a hash. Prints as `…`.
#[derive(Clone)]
pub struct MailedToken([u8; 32]);

impl MailedToken {
    /// A new token.
    #[must_use]
    pub fn generate() -> Self {
        Self(random::bytes())
    }

    /// The token of a link that is to be known beforehand, as those of the sample events are.
    #[must_use]
    pub const fn known(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The token in a text, if it has the form of one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Some(Self(URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?))
    }

    /// What it is stored and found under: its SHA-256 in hexadecimal digits.
    #[must_use]
    pub fn hash(&self) -> String {
        sha256_hex(&self.0)
    }

    /// The token's text, for the link.
    #[must_use]
    pub fn reveal(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }
}

impl fmt::Debug for MailedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_token_has_one_text_and_prints_as_nothing() {
        let token = MailedToken::generate();
        let text = token.reveal();
        assert_eq!(text.len(), 43);
        assert_eq!(MailedToken::parse(&text).map(|read| read.hash()), Some(token.hash()));
        assert_ne!(MailedToken::generate().hash(), token.hash());
        assert_eq!(format!("{token:?}"), "…");
        // The last of its characters stands for four bits alone: other spellings of them are no token.
        let others = ('0'..='9').chain('a'..='z').chain('A'..='Z').chain(['-', '_']);
        let spelt = others.filter(|last| MailedToken::parse(&format!("{}{last}", &text[..42])).is_some());
        assert_eq!(spelt.count(), 16);
        for bad in [String::new(), format!("{text}="), format!("{text}A"), text[1..].to_owned(), format!(" {text}")] {
            assert!(MailedToken::parse(&bad).is_none(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn what_is_read_has_that_text(text in prop_oneof![any::<String>(), "[A-Za-z0-9_-]{43}"]) {
            if let Some(token) = MailedToken::parse(&text) {
                prop_assert_eq!(token.reveal(), text);
            }
        }
    }
}

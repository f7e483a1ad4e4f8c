//! The keys that sign embed tokens: the current one, and the one before it for as long as its tokens live.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use contract::Time;
use jsonwebtoken::{DecodingKey, EncodingKey};

use crate::VaultError;

/// A key's text has at least this many characters: of 62 kinds, they hold 256 bits (RFC 7518 §3.2 asks for as many as
/// the hash has).
const LEAST: usize = 43;

/// How long a token lives at the most (contract: Credentials).
pub const LONGEST_LIFE: Duration = Duration::from_secs(3_600);
/// What clocks may differ by.
pub const SKEW: Duration = Duration::from_secs(30);

/// How long a process uses keys without asking again. For as long, tokens are still signed by the key before, which
/// every process knows.
pub const SETTLING: Duration = Duration::from_secs(300);

/// A key that signs embed tokens. Prints as `…`.
#[derive(Clone)]
pub struct TokenKey {
    kid: String,
    since: Time,
    secret: DecodingKey,
}

impl TokenKey {
    /// The key of this name that is there since then, from a secret's text.
    ///
    /// # Errors
    /// If the text has less than 43 characters, or the name is none.
    pub fn parse(kid: &str, since: Time, text: &str) -> Result<Self, VaultError> {
        if !is_kid(kid) {
            return Err(VaultError("a token key's version has another form than Secrets Manager's"));
        }
        if text.len() < LEAST {
            return Err(VaultError("a token key is too short"));
        }
        Ok(Self { kid: kid.to_owned(), since, secret: DecodingKey::from_secret(text.as_bytes()) })
    }

    /// A new key's text.
    #[must_use]
    pub fn generate() -> String {
        URL_SAFE_NO_PAD.encode(crate::random::bytes::<48>())
    }

    /// Its name.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    pub(crate) const fn verifies(&self) -> &DecodingKey {
        &self.secret
    }

    pub(crate) fn signs(&self) -> Option<EncodingKey> {
        self.secret.try_get_as_bytes().ok().map(EncodingKey::from_secret)
    }
}

impl std::fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("…")
    }
}

/// The name of a version of a secret, which names its key.
pub(crate) fn is_kid(text: &str) -> bool {
    (32..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

/// The keys of a deployment.
#[derive(Debug, Clone)]
pub struct TokenKeys {
    current: TokenKey,
    previous: Option<TokenKey>,
}

impl TokenKeys {
    /// The key that was made last, and the one before it.
    #[must_use]
    pub const fn new(current: TokenKey, previous: Option<TokenKey>) -> Self {
        Self { current, previous }
    }

    /// The key that signs now.
    #[must_use]
    pub fn signing(&self, now: Time) -> &TokenKey {
        match &self.previous {
            Some(previous) if now < self.current.since.plus(SETTLING) => previous,
            _ => &self.current,
        }
    }

    /// The key of this name, if tokens that it signed may still live.
    #[must_use]
    pub fn verifying(&self, kid: &str, now: Time) -> Option<&TokenKey> {
        let signed_until = self.current.since.plus(SETTLING);
        let previous = self.previous.as_ref().filter(|_| now < signed_until.plus(LONGEST_LIFE).plus(SKEW));
        [Some(&self.current), previous].into_iter().flatten().find(|key| key.kid == kid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(n: u32, since: i64) -> TokenKey {
        TokenKey::parse(&format!("{n:032}"), Time::from_millis(since * 1000), &"x".repeat(LEAST)).unwrap()
    }

    #[test]
    fn the_key_before_signs_until_the_new_one_is_known_and_verifies_until_its_tokens_are_dead() {
        let keys = TokenKeys::new(key(2, 10_000), Some(key(1, 0)));
        let at = |seconds: i64| Time::from_millis(seconds * 1000);
        let (one, two) = (key(1, 0).kid, key(2, 0).kid);
        assert_eq!(keys.signing(at(10_299)).kid(), one);
        assert_eq!(keys.signing(at(10_300)).kid(), two);
        assert!(keys.verifying(&two, at(10_000)).is_some());
        assert!(keys.verifying(&one, at(10_300 + 3_600 + 29)).is_some());
        assert!(keys.verifying(&one, at(10_300 + 3_600 + 30)).is_none());
        assert!(keys.verifying(&key(3, 0).kid, at(10_000)).is_none());
        // The first key signs at once.
        assert_eq!(TokenKeys::new(key(1, 0), None).signing(at(0)).kid(), one);
    }

    #[test]
    fn a_key_is_long_enough_and_prints_as_nothing() {
        let kid = "0".repeat(32);
        assert!(TokenKey::parse(&kid, Time::from_millis(0), &TokenKey::generate()).is_ok());
        assert!(TokenKey::parse(&kid, Time::from_millis(0), &"x".repeat(42)).is_err());
        for bad in ["", "1", &"0".repeat(65), &"é".repeat(32), &format!("{kid}#")] {
            assert!(TokenKey::parse(bad, Time::from_millis(0), &"x".repeat(64)).is_err(), "{bad}");
        }
        assert_eq!(format!("{:?}", key(1, 0)), "…");
    }
}

//! Passwords: Argon2id with 19 MiB, two passes, one lane (the first of OWASP's recommended settings).

use std::fmt;
use std::str::FromStr;

use argon2::password_hash::{PasswordHasher, PasswordVerifier, phc};
use argon2::{Algorithm, Argon2, Params, Version};
use contract::Broken;

use crate::random;

const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// A password: 8 to 256 Unicode scalar values. Prints as `…`.
#[derive(Clone)]
pub struct Password(String);

impl FromStr for Password {
    type Err = Broken;
    fn from_str(text: &str) -> Result<Self, Broken> {
        match text.chars().count() {
            0..8 => Err(Broken::new("too_short", "Must have at least 8 characters.")),
            257.. => Err(Broken::new("too_long", "Must have at most 256 characters.")),
            _ if text.contains('\0') => Err(Broken::new("nul", "Must not hold a NUL character.")),
            _ => Ok(Self(text.to_owned())),
        }
    }
}

contract::parsed_from_text!(Password, {
    "type": "string", "format": "password", "minLength": 8, "maxLength": 256, "writeOnly": true
});

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// What someone says is their password: any text, since what was never a password is only a wrong one. Prints as `…`.
#[derive(Clone)]
pub struct PasswordAttempt(String);

impl FromStr for PasswordAttempt {
    type Err = Broken;
    fn from_str(text: &str) -> Result<Self, Broken> {
        Ok(Self(text.to_owned()))
    }
}

contract::parsed_from_text!(PasswordAttempt, { "type": "string", "format": "password", "writeOnly": true });

impl fmt::Debug for PasswordAttempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// A hash in the PHC string format. Prints as `…`.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// Hashes a password with a new salt. About 20 ms of CPU and 19 MiB: not to be called on an async thread.
    #[must_use]
    pub fn of(password: &Password) -> Self {
        let salt: [u8; 16] = random::bytes();
        let hash = hasher().and_then(|argon2| argon2.hash_password_with_salt(password.0.as_bytes(), &salt).ok());
        Self(hash.map(|hash: phc::PasswordHash| hash.to_string()).unwrap_or_default())
    }

    /// The hash of no password, so that an unknown address takes as long as a known one.
    #[must_use]
    pub fn of_nobody() -> Self {
        Self(format!("$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p={LANES}$AAAAAAAAAAAAAAAAAAAAAA${}", "A".repeat(43)))
    }

    /// What [`PasswordHash::stored`] gave.
    #[must_use]
    pub const fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// The text to store.
    #[must_use]
    pub fn stored(&self) -> &str {
        &self.0
    }

    /// Whether it is this password's. As slow as [`PasswordHash::of`].
    #[must_use]
    pub fn matches(&self, password: &PasswordAttempt) -> bool {
        let Ok(hash) = phc::PasswordHash::new(&self.0) else { return false };
        hasher().is_some_and(|argon2| argon2.verify_password(password.0.as_bytes(), &hash).is_ok())
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

fn hasher() -> Option<Argon2<'static>> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).ok()?;
    Some(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_knows_its_password_and_names_its_settings() {
        let password: Password = "correct horse".parse().expect("a password");
        let hash = PasswordHash::of(&password);
        assert!(hash.stored().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", hash.stored());
        assert!(hash.matches(&"correct horse".parse().expect("a text")));
        assert!(!hash.matches(&"correct horsf".parse().expect("a text")));
        assert!(!hash.matches(&"".parse().expect("a text")));
        assert!(PasswordHash::of(&password) != hash, "salted");
        assert_eq!(format!("{password:?}{hash:?}"), "……");
    }

    #[test]
    fn nobody_has_a_well_formed_hash_without_a_password() {
        let hash = PasswordHash::of_nobody();
        assert!(phc::PasswordHash::new(hash.stored()).is_ok());
        assert!(!hash.matches(&"whatever".parse().expect("a text")));
    }

    #[test]
    fn lengths_are_bounded() {
        assert!("short".parse::<Password>().is_err());
        assert!("x".repeat(257).parse::<Password>().is_err());
    }
}

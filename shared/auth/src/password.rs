//! Passwords: Argon2id with 19 MiB, two passes, one lane (the first of OWASP's recommended settings).

use std::fmt;
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};

use argon2::password_hash::phc;
use argon2::{Algorithm, Argon2, Block, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use contract::Broken;
use contract::prose::nfc;
use subtle::ConstantTimeEq as _;

use crate::random;

const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// The memory that a hash is made in. The process has it once: many logins at once take turns, and what an allocator
/// would keep of them stays these 19 MiB.
static MEMORY: Mutex<Vec<Block>> = Mutex::new(Vec::new());

/// A password in NFC, otherwise as it was typed: 8 to 256 Unicode scalar values. Prints as `…`.
#[derive(Clone)]
pub struct Password(String);

impl FromStr for Password {
    type Err = Broken;
    fn from_str(text: &str) -> Result<Self, Broken> {
        let text = nfc(text);
        match text.chars().count() {
            0..8 => Err(Broken::new("too_short", "Must have at least 8 characters.")),
            257.. => Err(Broken::new("too_long", "Must have at most 256 characters.")),
            _ if text.contains('\0') => Err(Broken::new("nul", "Must not hold a NUL character.")),
            _ => Ok(Self(text.into_owned())),
        }
    }
}

contract::parsed_from_text!(Password, {
    "type": "string", "format": "password", "minLength": 8, "maxLength": 256, "pattern": r"^[^\u0000]*$", "writeOnly": true
});

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// What someone says is their password, in NFC: any text, since what was never a password is only a wrong one. Prints
/// as `…`.
#[derive(Clone)]
pub struct PasswordAttempt(String);

impl FromStr for PasswordAttempt {
    type Err = Broken;
    fn from_str(text: &str) -> Result<Self, Broken> {
        Ok(Self(nfc(text).into_owned()))
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
    /// Hashes a password with a new salt. About 20 ms of CPU, one at a time: not to be called on an async thread.
    /// Nothing if there is no memory for it.
    #[must_use]
    pub fn of(password: &Password) -> Option<Self> {
        let salt: [u8; 16] = random::bytes();
        let digest = digest(&password.0, &salt, settings()?)?;
        let (salt, digest) = (STANDARD_NO_PAD.encode(salt), STANDARD_NO_PAD.encode(digest));
        Some(Self(format!("$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p={LANES}${salt}${digest}")))
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
        let (Some(salt), Some(kept), Ok(settings)) = (hash.salt, hash.hash, Params::try_from(&hash)) else {
            return false;
        };
        let found = digest(&password.0, &salt, settings);
        found.is_some_and(|found| found.ct_eq(kept.as_bytes()).into())
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

fn settings() -> Option<Params> {
    Params::new(MEMORY_KIB, PASSES, LANES, None).ok()
}

fn digest(password: &str, salt: &[u8], settings: Params) -> Option<[u8; 32]> {
    let mut memory = MEMORY.lock().unwrap_or_else(PoisonError::into_inner);
    memory.resize(settings.block_count(), Block::new());
    let mut digest = [0; 32];
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, settings);
    argon2.hash_password_into_with_memory(password.as_bytes(), salt, &mut digest, memory.as_mut_slice()).ok()?;
    Some(digest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_knows_its_password_and_names_its_settings() {
        let password: Password = "correct horse".parse().expect("a password");
        let hash = PasswordHash::of(&password).expect("a hash");
        assert!(hash.stored().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", hash.stored());
        assert!(hash.matches(&"correct horse".parse().expect("a text")));
        assert!(!hash.matches(&"correct horsf".parse().expect("a text")));
        assert!(!hash.matches(&"".parse().expect("a text")));
        // Made by the reference implementation, for the salt `somesaltsomesalt`.
        let theirs =
            "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$k9ohroejZy1PN5E1SbHNPug6vB8eQAahb5SOAp6iGF4";
        assert!(PasswordHash::from_stored(theirs.to_owned()).matches(&"correct horse".parse().expect("a text")));
        assert!(PasswordHash::of(&password) != Some(hash.clone()), "salted");
        assert_eq!(format!("{password:?}{hash:?}"), "……");
    }

    #[test]
    fn nobody_has_a_well_formed_hash_without_a_password() {
        let hash = PasswordHash::of_nobody();
        assert!(phc::PasswordHash::new(hash.stored()).is_ok());
        assert!(!hash.matches(&"whatever".parse().expect("a text")));
    }

    #[test]
    fn composed_and_decomposed_are_one() {
        let hash = PasswordHash::of(&"passwört".parse().expect("a password")).expect("a hash");
        assert!(hash.matches(&"passwo\u{308}rt".parse().expect("a text")));
        assert!(!hash.matches(&" passwört".parse().expect("a text")), "blanks count");
        let decomposed = PasswordHash::of(&"passwo\u{308}rt".parse().expect("a password")).expect("a hash");
        assert!(decomposed.matches(&"passwört".parse().expect("a text")));
        assert!("passwo\u{308}r".parse::<Password>().is_err(), "7 characters");
        assert!("o\u{308}".repeat(256).parse::<Password>().is_ok(), "256 characters");
    }

    #[test]
    fn lengths_are_bounded() {
        assert!("short".parse::<Password>().is_err());
        assert!("x".repeat(257).parse::<Password>().is_err());
    }
}

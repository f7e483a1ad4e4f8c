//! Passwords: Argon2id with 19 MiB, two passes, one lane (the first of OWASP's recommended settings).

use std::fmt;
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};

use argon2::password_hash::phc;
use argon2::{Algorithm, Argon2, Block, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use contract::names::Email;
use contract::prose::nfc;
use contract::{Broken, Problems};
use subtle::ConstantTimeEq as _;

use crate::random;

const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// A shorter name is in many words.
const MIN_NAME: usize = 3;
/// Guesses that a password takes at the least, as a power of ten: what zxcvbn scores as 2 of 4, "safe from an attack that
/// is slowed down".
const MIN_GUESSES_LOG10: f64 = 6.0;

/// The memory that a hash is made in. The process has it once: many logins at once take turns, and what an allocator
/// would keep of them stays these 19 MiB.
static MEMORY: Mutex<Vec<Block>> = Mutex::new(Vec::new());

/// Characters from which it is estimated how easily a password is guessed: what is added makes that no easier, and the
/// estimate of substitutions such as `4` for `a` takes exponentially longer.
const MAX_ESTIMATED: usize = 40;

/// A password in NFC, otherwise as it was typed and never cut: 12 to 128 Unicode scalar values. Prints as `…`.
#[derive(Clone)]
pub struct Password(String);

impl FromStr for Password {
    type Err = Broken;
    fn from_str(text: &str) -> Result<Self, Broken> {
        let text = nfc(text);
        match text.chars().count() {
            0..12 => Err(Broken::new("too_short", "Must have at least 12 characters.")),
            129.. => Err(Broken::new("too_long", "Must have at most 128 characters.")),
            _ if text.contains('\0') => Err(Broken::new("nul", "Must not hold a NUL character.")),
            _ => Ok(Self(text.into_owned())),
        }
    }
}

impl Password {
    /// Refuses a password that is common, or that whoever knows the user would try first: of the address's local part
    /// or a client's name (OWASP Authentication Cheat Sheet, "Implement Proper Password Strength Controls").
    ///
    /// # Errors
    /// `too_easy`, at `path`.
    pub fn check(&self, path: &str, email: &Email, names: &[&str]) -> Result<(), Problems> {
        let local = email.as_str().split('@').next().unwrap_or_default();
        let folded = fold(&self.0);
        let known = || [local].into_iter().chain(names.iter().copied());
        let holds = |name: &str| fold(name).chars().count() >= MIN_NAME && folded.contains(&fold(name));
        if let Some(name) = known().find(|name| holds(name)) {
            let message = format!("Must not hold `{name}`, which is easily guessed.");
            return Err(Problems::one(path, "too_easy", message));
        }
        let inputs: Vec<&str> = known().collect();
        let start: String = self.0.chars().take(MAX_ESTIMATED).collect();
        if zxcvbn::zxcvbn(&start, &inputs).guesses_log10() < MIN_GUESSES_LOG10 {
            return Err(Problems::one(
                path,
                "too_easy",
                "Is easily guessed. Take several words that do not go together.",
            ));
        }
        Ok(())
    }
}

/// Only letters and digits, without case: how one recognises a name.
fn fold(text: &str) -> String {
    text.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

contract::parsed_from_text!(Password, {
    "type": "string", "format": "password", "minLength": 12, "maxLength": 128, "pattern": r"^[^\u0000]*$", "writeOnly": true
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
        Some(Self(format!("{}{salt}${digest}", prefix())))
    }

    /// The hash of no password, so that an unknown address takes as long as a known one.
    #[must_use]
    pub fn of_nobody() -> Self {
        Self(format!("{}AAAAAAAAAAAAAAAAAAAAAA${}", prefix(), "A".repeat(43)))
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

    /// Whether it is this password's, and then its hash by the settings of now, if it was made by lower ones.
    #[must_use]
    pub fn verify(&self, password: &PasswordAttempt) -> (bool, Option<Self>) {
        if !self.matches(password) {
            return (false, None);
        }
        let is_of_now = self.0.starts_with(&prefix());
        (true, if is_of_now { None } else { Self::of(&Password(password.0.clone())) })
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

/// What hashes by the settings of now begin with.
fn prefix() -> String {
    format!("$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p={LANES}$")
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
        let hash = PasswordHash::of(&"passwörter sind".parse().expect("a password")).expect("a hash");
        assert!(hash.matches(&"passwo\u{308}rter sind".parse().expect("a text")));
        assert!(!hash.matches(&" passwörter sind".parse().expect("a text")), "blanks count");
        let decomposed = PasswordHash::of(&"passwo\u{308}rter sind".parse().expect("a password")).expect("a hash");
        assert!(decomposed.matches(&"passwörter sind".parse().expect("a text")));
        assert!("passwo\u{308}rters".parse::<Password>().is_err(), "11 characters");
        assert!("o\u{308}".repeat(128).parse::<Password>().is_ok(), "128 characters");
    }

    #[test]
    fn what_is_easily_guessed_is_refused() {
        let email: Email = "grace.hopper@example.com".parse().expect("an address");
        let check = |password: &str| {
            password.parse::<Password>().expect("a password").check("password", &email, &["Acme Analytics", "é"])
        };
        for good in [
            "correct horse",
            "four oak tables and a lamp",
            "tr0ub4dor&3-and-more",
            "пароль из трёх слов",
            "x7$Kq9!mZ2@w",
        ] {
            assert!(check(good).is_ok(), "{good}");
        }
        for easy in [
            "password1234",
            "qwertyuiop12",
            "aaaaaaaaaaaa",
            "123456789012",
            "iloveyou1234",
            "Acme Analytics 2026",
            "acmeanalytics-x7$Kq9!",
            "gracehopper-x7$Kq9!mZ2",
            "GRACE.HOPPER-x7$Kq9!mZ2",
        ] {
            let problems = check(easy).expect_err(easy);
            assert_eq!((problems.as_slice()[0].path.as_str(), problems.as_slice()[0].code), ("password", "too_easy"));
        }
    }

    #[test]
    fn a_hash_of_lower_settings_is_made_anew() {
        let old = PasswordHash::from_stored(
            "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$1Kr8u7h8CtMtrGDlLV+tSA".to_owned(),
        );
        let attempt: PasswordAttempt = "correct horse".parse().expect("a text");
        assert!(matches!(old.verify(&attempt), (false, None)));
        let hash = PasswordHash::of(&"correct horse".parse().expect("a password")).expect("a hash");
        assert!(matches!(hash.verify(&attempt), (true, None)));
        let weak = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(8, 1, 1, None).expect("settings"));
        let mut digest = [0; 32];
        weak.hash_password_into(b"correct horse", b"somesaltsomesalt", &mut digest).expect("a digest");
        let salt = STANDARD_NO_PAD.encode(b"somesaltsomesalt");
        let weak = format!("$argon2id$v=19$m=8,t=1,p=1${salt}${}", STANDARD_NO_PAD.encode(digest));
        let (right, anew) = PasswordHash::from_stored(weak).verify(&attempt);
        let anew = anew.expect("a new hash");
        assert!(right && anew.stored().starts_with(&prefix()) && anew.matches(&attempt));
    }

    #[test]
    fn lengths_are_bounded() {
        assert!("short".parse::<Password>().is_err());
        assert!("x".repeat(129).parse::<Password>().is_err());
    }
}

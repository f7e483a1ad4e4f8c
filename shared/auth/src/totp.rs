//! Codes of an authenticator app: RFC 6238 with SHA-1, six digits and steps of 30 seconds, which is what apps take.

use std::fmt;
use std::str::FromStr;

use contract::names::Email;
use contract::{Broken, Time};
use totp_rs::{Builder, Totp};

use crate::{Secret, random};

/// Whose codes they are, as an app shows it.
const ISSUER: &str = "Hedgerow";

/// A secret that an app and the server share: 160 bits (RFC 4226 §4). Prints as `…`.
#[derive(Debug, Clone)]
pub struct TotpSecret(Secret<[u8; 20]>);

impl TotpSecret {
    /// A new secret.
    #[must_use]
    pub fn generate() -> Self {
        Self(Secret::new(random::bytes()))
    }

    /// The secret in a text, in base 32.
    #[must_use]
    pub fn from_base32(text: &str) -> Option<Self> {
        let bytes = totp_rs::Secret::try_from_base32(text).ok()?;
        Some(Self(Secret::new(bytes.as_bytes().try_into().ok()?)))
    }

    /// The text to type into an app, and to store under a seal.
    #[must_use]
    pub fn to_base32(&self) -> String {
        totp_rs::Secret::from(*self.0.expose()).to_base32()
    }

    /// The same for an app to scan: `otpauth://totp/…`. None for an account whose name can't stand there.
    #[must_use]
    pub fn uri(&self, account: &Email) -> Option<String> {
        self.totp(account.as_str())?.to_url().ok()
    }

    /// The step of a code, if it is of one that is not over or not begun for longer than 30 seconds (RFC 6238 §5.2), and
    /// later than `after`: a code is good once.
    #[must_use]
    pub fn step_of(&self, code: &TotpCode, now: Time, after: Option<u64>) -> Option<u64> {
        let seconds = u64::try_from(now.seconds()).ok()?;
        let step = self.totp("")?.check(&code.0, seconds)?;
        after.is_none_or(|after| step > after).then_some(step)
    }

    fn totp(&self, account: &str) -> Option<Totp> {
        // Skew and algorithm are the crate's defaults; they are said since they are ours, too.
        let builder = Builder::new().with_algorithm(totp_rs::Algorithm::SHA1).with_digits(6).with_step_duration(30);
        let builder = builder.with_skew(1).with_issuer(Some(ISSUER)).with_account_name(account);
        builder.with_secret(*self.0.expose()).build().ok()
    }
}

/// A code: six digits, among which an app may show blanks. Prints as `…`.
#[derive(Clone, PartialEq, Eq)]
pub struct TotpCode(String);

impl FromStr for TotpCode {
    type Err = Broken;
    fn from_str(text: &str) -> Result<Self, Broken> {
        let digits: String = text.chars().filter(|c| *c != ' ').collect();
        if digits.len() == 6 && digits.bytes().all(|b| b.is_ascii_digit()) {
            return Ok(Self(digits));
        }
        Err(Broken::new("invalid_code", "Must be the six digits that the authenticator app shows."))
    }
}

contract::parsed_from_text!(TotpCode, { "type": "string", "pattern": "^ *([0-9] *){6}$", "writeOnly": true });

impl fmt::Debug for TotpCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: i64) -> Time {
        Time::from_millis(seconds * 1000)
    }

    fn code(text: &str) -> TotpCode {
        text.parse().expect("a code")
    }

    /// RFC 6238, appendix B: the last six of its eight digits.
    #[test]
    fn codes_are_those_of_the_rfc() {
        let secret = TotpSecret(Secret::new(*b"12345678901234567890"));
        for (seconds, digits) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            let step = u64::try_from(seconds / 30).expect("a step");
            let begins = i64::try_from(step * 30).expect("a time");
            for (now, good) in [(-31, false), (-30, true), (0, true), (29, true), (59, true), (60, false)] {
                let found = secret.step_of(&code(digits), at(begins + now), None);
                assert_eq!(found, good.then_some(step), "{digits} at {now}");
            }
            assert_eq!(secret.step_of(&code(digits), at(seconds), Some(step - 1)), Some(step));
            assert_eq!(secret.step_of(&code(digits), at(seconds), Some(step)), None, "once");
        }
        assert_eq!(TotpSecret::generate().step_of(&code("000000"), at(-1), None), None);
    }

    #[test]
    fn a_secret_goes_there_and_back_and_into_an_app() {
        let secret = TotpSecret::generate();
        let text = secret.to_base32();
        assert_eq!(text.len(), 32);
        assert_eq!(TotpSecret::from_base32(&text).map(|read| read.to_base32()), Some(text.clone()));
        assert_eq!(format!("{secret:?} {:?}", code("123456")), "… …".replace("… …", "TotpSecret(…) …"));
        let email: Email = "ada+1@example.com".parse().expect("an address");
        let uri = secret.uri(&email).expect("a URI");
        assert_eq!(uri, format!("otpauth://totp/Hedgerow:ada%2B1%40example.com?secret={text}&issuer=Hedgerow"));
        for bad in ["", "A", &text[1..], "1".repeat(32).as_str()] {
            assert!(TotpSecret::from_base32(bad).is_none(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn a_code_is_six_digits_and_blanks(text in prop_oneof![any::<String>(), "[0-9 ]{5,9}", "[0-9]{5,7}", r"\PC{6}"]) {
            let digits = text.replace(' ', "");
            let is_one = digits.chars().count() == 6 && digits.chars().all(|c| c.is_ascii_digit());
            let read = text.parse::<TotpCode>();
            prop_assert_eq!(read.clone().ok().map(|code| code.0), is_one.then_some(digits));
            // Whatever the time is, it is no one's but the secret's.
            if let Ok(code) = read {
                let step = TotpSecret::generate().step_of(&code, at(1_772_600_000), None);
                prop_assert!(step.is_none_or(|step| (59_086_665..=59_086_667).contains(&step)));
            }
        }
    }
}

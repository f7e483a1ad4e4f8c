//! What somebody sends as a second factor.

use std::fmt;
use std::str::FromStr;

use contract::Broken;

use crate::{RecoveryCode, TotpCode};

/// What somebody says is a code of their authenticator app, or a recovery code: any text, since what never was one is only
/// a wrong one. Prints as `…`.
#[derive(Clone)]
pub struct SecondFactorAttempt(String);

/// What it has the form of.
pub enum SecondFactorForm {
    /// A code of an authenticator app.
    Totp(TotpCode),
    /// A recovery code.
    Recovery(RecoveryCode),
}

impl SecondFactorAttempt {
    /// What it has the form of, if of anything.
    #[must_use]
    pub fn form(&self) -> Option<SecondFactorForm> {
        if let Ok(code) = self.0.parse() {
            return Some(SecondFactorForm::Totp(code));
        }
        RecoveryCode::parse(&self.0).map(SecondFactorForm::Recovery)
    }
}

impl FromStr for SecondFactorAttempt {
    type Err = Broken;
    fn from_str(text: &str) -> Result<Self, Broken> {
        Ok(Self(text.to_owned()))
    }
}

contract::parsed_from_text!(SecondFactorAttempt, { "type": "string", "format": "password", "writeOnly": true });

impl fmt::Debug for SecondFactorAttempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

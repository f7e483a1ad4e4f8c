//! What was sent as a second factor, held against the one that is kept.

use auth::{Keyring, SecondFactorAttempt, SecondFactorForm, TotpSecret};
use contract::id::UserId;
use contract::{Code, Error, Time};

use crate::change::Change;
use crate::dynamo::{Item, get_number, get_text, must, number, text};
use crate::keys;

/// Recovery codes of a user.
pub(crate) const RECOVERY_CODES: usize = 10;

/// What a secret is sealed for.
pub(crate) fn seal_context(user: UserId) -> String {
    format!("{user} second factor")
}

pub(crate) fn open(user: UserId, sealed: &str, ring: &Keyring) -> Result<TotpSecret, Error> {
    let secret = ring.open(&seal_context(user), sealed).map_err(Error::internal)?;
    TotpSecret::from_base32(&secret)
        .ok_or_else(|| Error::internal(format!("the stored TOTP secret of {user} is not base 32")))
}

/// Where the hash of the `n`th recovery code stands, until it is used.
pub(crate) fn code_name(n: usize) -> String {
    format!("code_{n}")
}

/// Whether somebody who has shown everything else has shown the second factor, too.
pub(crate) enum Shown {
    /// There is none.
    NotNeeded,
    /// It is right, and good this once: by this change.
    Right(Box<Change>),
    /// Nothing was sent.
    Missing,
    Wrong,
}

/// Holds what was sent against a user's second factor.
pub(crate) fn shown(
    user: UserId,
    kept: Option<&Item>,
    attempt: Option<&SecondFactorAttempt>,
    ring: &Keyring,
    now: Time,
) -> Result<Shown, Error> {
    let Some((kept, sealed)) = kept.and_then(|kept| Some((kept, get_text(kept, "secret")?))) else {
        return Ok(Shown::NotNeeded);
    };
    let Some(attempt) = attempt else { return Ok(Shown::Missing) };
    let change = Change::update(keys::second_factor(user)).unstamped();
    let used = match attempt.form() {
        Some(SecondFactorForm::Totp(code)) => {
            let last = must(get_number(kept, "lastStep"), "lastStep")?;
            open(user, sealed, ring)?.step_of(&code, now, Some(last)).map(|step| {
                let change = change.set("lastStep", number(step)).when("#secret = :secret AND #lastStep < :step");
                change.with(":secret", text(sealed)).with(":step", number(step))
            })
        }
        Some(SecondFactorForm::Recovery(code)) => {
            let hash = code.hash(user);
            let same = |name: &String| get_text(kept, name).is_some_and(|kept| auth::is_same(kept, &hash));
            let found = (0..RECOVERY_CODES).map(code_name).find(same);
            found.map(|name| change.remove(&name).when(&format!("#{name} = :hash")).with(":hash", text(hash.as_str())))
        }
        None => None,
    };
    Ok(used.map_or(Shown::Wrong, |change| Shown::Right(Box::new(change.or(Code::InvalidCredentials)))))
}

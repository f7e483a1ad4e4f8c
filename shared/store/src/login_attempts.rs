//! Wrong passwords are counted by address, whether or not there is an account: ten of them lock it for half an hour.
//! Who guesses is not told, and sessions that there are go on. A right password counts only by condition that the
//! address was not locked meanwhile, so that many guesses at once, over any number of instances, are worth no more.

use std::time::Duration;

use contract::audit::Action;
use contract::id::UserId;
use contract::names::Email;
use contract::{Code, Error, Time};

use crate::Store;
use crate::audit::{Refusal, Whose};
use crate::author::Author;
use crate::change::{Change, Written};
use crate::dynamo::{get_number, get_text, number, text};
use crate::keys::{self, Key};

/// Wrong passwords in a row that lock an address.
const MAX_FAILURES: u64 = 10;
/// How long it is locked; failures further apart than this are not in a row.
const LOCKED_FOR: Duration = Duration::from_secs(30 * 60);

/// Why somebody is not let in.
pub struct LoginError {
    /// What to answer.
    pub error: Error,
    /// What is locked by this very attempt, if anything is.
    pub locked: Option<Locked>,
}

/// An address that lets nobody in for a while.
pub struct Locked {
    /// The address.
    pub email: Email,
    /// Until when.
    pub until: Time,
}

impl From<Error> for LoginError {
    fn from(error: Error) -> Self {
        Self { error, locked: None }
    }
}

impl From<Code> for LoginError {
    fn from(code: Code) -> Self {
        Error::from(code).into()
    }
}

/// What an address is found under.
pub(crate) fn email_hash(email: &Email) -> String {
    auth::sha256_hex(email.folded().as_bytes())
}

/// Where they are counted.
pub(crate) fn key(email: &Email) -> Key {
    keys::login_attempts(&email_hash(email))
}

/// Whether nobody is let in. To be asked once the password is compared, so that of many guesses at once those that failed
/// before count; and whether it was right or not, which must not show in how long an answer takes.
pub(crate) async fn is_locked(store: &Store, email: &Email, now: Time) -> Result<bool, Error> {
    let [attempts] = store.batch_get([&key(email)]).await?;
    let Some(attempts) = attempts else { return Ok(false) };
    Ok(get_number(&attempts, "failures").unwrap_or(0) >= MAX_FAILURES
        && get_text(&attempts, "lastAt").is_some_and(|last| last > over(now).to_string().as_str()))
}

/// What failed up to then counts no more.
fn over(now: Time) -> Time {
    now.minus(LOCKED_FOR)
}

/// That a password was right: nothing is counted any more. Refused as a wrong one while the address is locked.
pub(crate) fn succeeded(email: &Email, now: Time) -> Change {
    Change::delete(key(email))
        .when("(attribute_not_exists(#pk) OR #failures < :most OR #lastAt <= :over)")
        .with(":most", number(MAX_FAILURES))
        .with(":over", text(over(now).to_string()))
        .or(Code::InvalidCredentials)
}

/// That nothing is counted any more, locked or not.
pub(crate) fn forgotten(email: &Email) -> Change {
    Change::delete(key(email))
}

/// Counts a wrong password, and what to say of it. The audit log tells of it too: of `user`, if the address is somebody's.
pub(crate) async fn refusal(store: &Store, email: &Email, user: Option<UserId>, author: &Author) -> LoginError {
    let now = author.at();
    let refusal = Refusal {
        whose: user.map_or(Whose::Deployment, Whose::User),
        actor: author.actor(),
        action: Action::LoginFailed,
        resource: user.map_or_else(|| "auth/login".to_owned(), |user| format!("members/{user}")),
        reason: Code::InvalidCredentials.name(),
        from: author.info().clone(),
    };
    let noted = Box::pin(store.refused(&refusal)).await;
    match failed(store, email, now).await.and_then(|locks| noted.map(|()| locks)) {
        Ok(locks) => {
            let locked = locks.then(|| Locked { email: email.clone(), until: now.plus(LOCKED_FOR) });
            LoginError { error: Code::InvalidCredentials.into(), locked }
        }
        Err(error) => error.into(),
    }
}

/// Counts a wrong password; whether this one locks the address.
async fn failed(store: &Store, email: &Email, now: Time) -> Result<bool, Error> {
    let over = over(now).to_string();
    let written =
        |change: Change| change.set("lastAt", text(now.to_string())).set("ttl", number(now.plus(LOCKED_FOR).seconds()));
    let one_more = written(Change::update(key(email)).add("failures", 1))
        .when("(attribute_not_exists(#pk) OR (#failures < :most AND #lastAt > :over))")
        .with(":most", number(MAX_FAILURES))
        .with(":over", text(over.clone()));
    // Of several that find an old count, one begins the new one.
    for _ in 0..2 {
        match store.update_and_see(&one_more).await? {
            Ok(item) => return Ok(get_number(&item, "failures") == Some(MAX_FAILURES)),
            Err(found) if found.as_ref().and_then(|item| get_text(item, "lastAt")) > Some(over.as_str()) => break,
            Err(_) => {}
        }
        let first = written(Change::put(key(email)).set("failures", number(1)));
        let first = first.when("#lastAt <= :over").with(":over", text(over.clone()));
        if let Written::Done = store.conditional_write(first).await? {
            break;
        }
    }
    Ok(false)
}

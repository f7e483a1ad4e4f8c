//! What an account's mailbox is told when wrong passwords, or wrong codes, lock it.

use contract::Error;
use runtime::{Mail, Mailer};
use store::login_attempts::{Locked, LoginError};

/// What came of it; if that locked the account, its mailbox is told.
pub(crate) async fn told_if_locked<T>(mailer: &Mailer, done: Result<T, LoginError>) -> Result<T, Error> {
    match done {
        Ok(done) => Ok(done),
        Err(LoginError { error, locked }) => {
            if let Some(Locked { email: to, until }) = locked {
                mailer.send(&Mail::Locked { to, until }).await?;
            }
            Err(error)
        }
    }
}

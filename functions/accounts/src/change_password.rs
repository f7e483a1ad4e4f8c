//! `POST /api/auth/password`

use auth::{Password, PasswordAttempt};
use contract::{Error, Problems};
use deserr::Deserr;
use runtime::{Body, LoggedIn, Mail, Mailer, NoContent, Now, RequestInfo};
use schemars::JsonSchema;
use store::passwords::OwnPassword;

/// A password in place of another.
#[derive(Deserr, JsonSchema)]
#[deserr(error = Problems, rename_all = camelCase, deny_unknown_fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ChangePassword {
    current_password: PasswordAttempt,
    new_password: Password,
}

impl Body for ChangePassword {}

pub(crate) async fn change_password(
    session: LoggedIn,
    own: OwnPassword,
    mailer: Mailer,
    now: Now,
    from: RequestInfo,
    body: ChangePassword,
) -> Result<NoContent, Error> {
    let changed = own.change(&session.0, body.current_password, body.new_password).await;
    mailer.tell_locked(changed).await?;
    let to = session.0.user.email;
    mailer.tell(&Mail::PasswordChanged { to, at: now.0, address: from.address }).await;
    Ok(NoContent)
}

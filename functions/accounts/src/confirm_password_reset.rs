//! `POST /api/auth/password-reset/confirm`

use auth::{MailedToken, Password};
use contract::{Error, Problems};
use deserr::Deserr;
use runtime::{Body, Mail, Mailer, NoContent, Now, RequestInfo};
use schemars::JsonSchema;
use store::passwords::PasswordReset;

/// A new password, by whoever reads the mailbox.
#[derive(Deserr, JsonSchema)]
#[deserr(error = Problems, rename_all = camelCase, deny_unknown_fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ConfirmPasswordReset {
    /// What the mail's link carries.
    token: String,
    password: Password,
}

impl Body for ConfirmPasswordReset {}

pub(crate) async fn confirm_password_reset(
    reset: PasswordReset,
    mailer: Mailer,
    now: Now,
    from: RequestInfo,
    body: ConfirmPasswordReset,
) -> Result<NoContent, Error> {
    // What has not the form of a token is none.
    let token = MailedToken::parse(&body.token).ok_or_else(Error::dead_link)?;
    let to = reset.confirm(&token, body.password).await?;
    mailer.tell(&Mail::PasswordChanged { to, at: now.0, address: from.address }).await;
    Ok(NoContent)
}

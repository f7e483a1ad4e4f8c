//! `POST /api/auth/password-reset`

use auth::MailedToken;
use contract::names::Email;
use contract::resource::Empty;
use contract::{Error, Problems};
use deserr::Deserr;
use runtime::{Accepted, Body, Mail, Mailer};
use schemars::JsonSchema;

/// Whoever has forgotten a password.
#[derive(Deserr, JsonSchema)]
#[deserr(error = Problems, rename_all = camelCase, deny_unknown_fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RequestPasswordReset {
    email: Email,
}

impl Body for RequestPasswordReset {}

/// Whether there is such an account is looked up by the mail's worker: neither the answer nor its time tells.
pub(crate) async fn request_password_reset(
    mailer: Mailer,
    body: RequestPasswordReset,
) -> Result<Accepted<Empty>, Error> {
    mailer.send(&Mail::PasswordReset { to: body.email, token: MailedToken::generate() }).await?;
    Ok(Accepted(Empty {}))
}

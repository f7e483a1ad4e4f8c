//! `POST /api/auth/invitations/accept`

use auth::{MailedToken, Password, SecondFactorAttempt};
use contract::resource::SessionInfo;
use contract::{Error, Problems};
use deserr::Deserr;
use runtime::{Body, Found, Mailer, Vault, WithCookie};
use schemars::JsonSchema;
use store::acceptance::Acceptance;

/// Whoever has read the mail of an invitation.
#[derive(Deserr, JsonSchema)]
#[deserr(error = Problems, rename_all = camelCase, deny_unknown_fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct AcceptInvitation {
    /// What the mail's link carries.
    token: String,
    /// For an address that has no account yet, or one whose owner has never used a link that was mailed there.
    #[deserr(default)]
    password: Option<Password>,
    /// The code of an authenticator app, or a recovery code, of an account with a second factor.
    #[deserr(default)]
    totp: Option<SecondFactorAttempt>,
}

impl Body for AcceptInvitation {}

pub(crate) async fn accept_invitation(
    acceptance: Acceptance,
    vault: Vault,
    mailer: Mailer,
    body: AcceptInvitation,
) -> Result<WithCookie<Found<SessionInfo>>, Error> {
    // What has not the form of a token is none.
    let token = MailedToken::parse(&body.token).ok_or_else(Error::dead_link)?;
    let accepted = acceptance.accept(&token, body.password, body.totp.as_ref(), &*vault.ring().await?).await;
    let (info, token) = mailer.tell_locked(accepted).await?;
    Ok(WithCookie(Found(info), token.set_cookie()))
}

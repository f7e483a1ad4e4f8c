//! `POST /api/auth/login`

use auth::{PasswordAttempt, SecondFactorAttempt};
use contract::id::ClientId;
use contract::names::Email;
use contract::resource::SessionInfo;
use contract::{Error, Problems};
use deserr::Deserr;
use runtime::{Body, Found, Mail, Mailer, Now, RequestInfo, Vault, WithCookie};
use schemars::JsonSchema;
use store::accounts::Login;

/// Who wants to enter.
#[derive(Deserr, JsonSchema)]
#[deserr(error = Problems, rename_all = camelCase, deny_unknown_fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct LogIn {
    email: Email,
    password: PasswordAttempt,
    /// The code of an authenticator app, or a recovery code, of an account with a second factor.
    #[deserr(default)]
    totp: Option<SecondFactorAttempt>,
    /// The client to enter; the one that was used last, if it is left out.
    #[deserr(default)]
    client_id: Option<ClientId>,
}

impl Body for LogIn {}

pub(crate) async fn log_in(
    login: Login,
    vault: Vault,
    mailer: Mailer,
    now: Now,
    from: RequestInfo,
    body: LogIn,
) -> Result<WithCookie<Found<SessionInfo>>, Error> {
    let LogIn { email, password, totp, client_id } = body;
    let entered = login.log_in(&email, password, totp.as_ref(), client_id, &*vault.ring().await?).await;
    let entered = mailer.tell_locked(entered).await?;
    if entered.is_from_elsewhere {
        let to = entered.info.user.email.clone();
        mailer.tell(&Mail::NewLogin { to, at: now.0, address: from.address, agent: from.agent }).await;
    }
    Ok(WithCookie(Found(entered.info), entered.token.set_cookie()))
}

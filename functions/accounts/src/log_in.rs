//! `POST /api/auth/login`

use auth::PasswordAttempt;
use contract::id::ClientId;
use contract::names::Email;
use contract::resource::SessionInfo;
use contract::{Error, Problems};
use deserr::Deserr;
use runtime::{Body, Found, Mail, Mailer, Now, RequestInfo, WithCookie};
use schemars::JsonSchema;
use store::accounts::Login;

/// Who wants to enter.
#[derive(Deserr, JsonSchema)]
#[deserr(error = Problems, rename_all = camelCase, deny_unknown_fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct LogIn {
    email: Email,
    password: PasswordAttempt,
    /// The client to enter; the one that was used last, if it is left out.
    #[deserr(default)]
    client_id: Option<ClientId>,
}

impl Body for LogIn {}

pub(crate) async fn log_in(
    login: Login,
    mailer: Mailer,
    now: Now,
    from: RequestInfo,
    body: LogIn,
) -> Result<WithCookie<Found<SessionInfo>>, Error> {
    match login.log_in(&body.email, body.password, body.client_id).await {
        Ok(entered) => {
            if entered.is_from_elsewhere {
                let to = entered.info.user.email.clone();
                mailer.send(&Mail::NewLogin { to, at: now.0, address: from.address, agent: from.agent }).await?;
            }
            Ok(WithCookie(Found(entered.info), entered.token.set_cookie()))
        }
        Err(refused) => {
            if let Some(until) = refused.locked_until {
                mailer.send(&Mail::Locked { to: body.email, until }).await?;
            }
            Err(refused.error)
        }
    }
}

//! `POST /api/auth/login`

use auth::PasswordAttempt;
use contract::id::ClientId;
use contract::names::Email;
use contract::resource::SessionInfo;
use contract::{Error, Problems};
use deserr::Deserr;
use runtime::{Body, Found, WithCookie};
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

pub(crate) async fn log_in(login: Login, body: LogIn) -> Result<WithCookie<Found<SessionInfo>>, Error> {
    let (info, token) = login.log_in(&body.email, body.password, body.client_id).await?;
    Ok(WithCookie(Found(info), token.set_cookie()))
}

//! `POST /api/auth/signup`

use auth::Password;
use contract::names::{Email, Name};
use contract::resource::SessionInfo;
use contract::{Error, Problems};
use deserr::Deserr;
use runtime::{Body, Created, WithCookie};
use schemars::JsonSchema;
use store::accounts::Signup;

/// A new account.
#[derive(Deserr, JsonSchema)]
#[deserr(error = Problems, rename_all = camelCase, deny_unknown_fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct SignUp {
    email: Email,
    password: Password,
    /// What the client is called.
    client_name: Name,
}

impl Body for SignUp {}

pub(crate) async fn sign_up(signup: Signup, body: SignUp) -> Result<WithCookie<Created<SessionInfo>>, Error> {
    let (info, token) = signup.sign_up(body.email, body.password, body.client_name).await?;
    Ok(WithCookie(Created(info), token.set_cookie()))
}

//! `POST /api/auth/totp`

use auth::PasswordAttempt;
use contract::resource::Resource;
use contract::{Error, Problems};
use deserr::Deserr;
use runtime::{Body, Created, LoggedIn, Mailer, Vault};
use schemars::JsonSchema;
use serde::Serialize;
use store::grant::Create;
use store::second_factors::SecondFactors;

/// The password once more, from whoever is logged in.
#[derive(Deserr, JsonSchema)]
#[deserr(error = Problems, rename_all = camelCase, deny_unknown_fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct PasswordAgain {
    pub(crate) password: PasswordAttempt,
}

impl Body for PasswordAgain {}

/// A second factor that is being set up, which is shown this once.
#[derive(Serialize, JsonSchema)]
pub(crate) struct NewTotp {
    /// To be typed into an authenticator app: 160 bits in base 32.
    secret: String,
    /// The same to be scanned as a QR code: `otpauth://totp/…`.
    uri: String,
}

impl Resource for NewTotp {
    const SECRETS: &'static [&'static str] = &["secret", "uri"];
    fn version(&self) -> Option<u64> {
        None
    }
}

pub(crate) async fn start_totp(
    session: LoggedIn,
    factors: SecondFactors<Create>,
    vault: Vault,
    mailer: Mailer,
    body: PasswordAgain,
) -> Result<Created<NewTotp>, Error> {
    let started = factors.start(&session.0, body.password, &*vault.ring().await?).await;
    let secret = mailer.tell_locked(started).await?;
    let uri = secret.uri(&session.0.user.email).ok_or_else(|| Error::internal("an address can't stand in a URI"))?;
    Ok(Created(NewTotp { secret: secret.to_base32(), uri }))
}

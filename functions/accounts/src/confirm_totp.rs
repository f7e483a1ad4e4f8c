//! `POST /api/auth/totp/confirm`

use auth::{RecoveryCode, TotpCode};
use contract::resource::Resource;
use contract::{Error, Problems};
use deserr::Deserr;
use runtime::{Body, Found, LoggedIn, Mail, Mailer, Now, RequestInfo, Vault, WithCookie};
use schemars::JsonSchema;
use serde::Serialize;
use store::grant::Update;
use store::second_factors::SecondFactors;

/// The first code of a new second factor.
#[derive(Deserr, JsonSchema)]
#[deserr(error = Problems, rename_all = camelCase, deny_unknown_fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ConfirmTotp {
    /// What the authenticator app shows.
    code: TotpCode,
}

impl Body for ConfirmTotp {}

/// What lets a user in whose authenticator app is lost, which is shown this once.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RecoveryCodes {
    /// Each is good for one login, in place of a code.
    recovery_codes: Vec<String>,
}

impl Resource for RecoveryCodes {
    const SECRETS: &'static [&'static str] = &["recoveryCodes"];
    fn version(&self) -> Option<u64> {
        None
    }
}

pub(crate) async fn confirm_totp(
    session: LoggedIn,
    factors: SecondFactors<Update>,
    vault: Vault,
    mailer: Mailer,
    now: Now,
    from: RequestInfo,
    body: ConfirmTotp,
) -> Result<WithCookie<Found<RecoveryCodes>>, Error> {
    let turned_on = factors.confirm(&session.0, &body.code, &*vault.ring().await?).await?;
    mailer.tell(&Mail::SecondFactorOn { to: session.0.user.email, at: now.0, address: from.address }).await;
    let recovery_codes = turned_on.recovery_codes.iter().map(RecoveryCode::reveal).collect();
    Ok(WithCookie(Found(RecoveryCodes { recovery_codes }), turned_on.token.set_cookie()))
}

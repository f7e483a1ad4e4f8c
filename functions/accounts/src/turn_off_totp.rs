//! `DELETE /api/auth/totp`

use contract::Error;
use runtime::{LoggedIn, Mail, Mailer, NoContent, Now, RequestInfo};
use store::grant::Delete;
use store::second_factors::SecondFactors;

use crate::start_totp::PasswordAgain;

pub(crate) async fn turn_off_totp(
    session: LoggedIn,
    factors: SecondFactors<Delete>,
    mailer: Mailer,
    now: Now,
    from: RequestInfo,
    body: PasswordAgain,
) -> Result<NoContent, Error> {
    let turned_off = factors.turn_off(&session.0, body.password).await;
    if mailer.tell_locked(turned_off).await? {
        let to = session.0.user.email;
        mailer.tell(&Mail::SecondFactorOff { to, at: now.0, address: from.address }).await;
    }
    Ok(NoContent)
}

//! `POST /api/auth/logout`

use contract::Error;
use runtime::{LoggedIn, NoContent, WithCookie};
use store::grant::Delete;
use store::sessions::Sessions;

pub(crate) async fn log_out(session: LoggedIn, sessions: Sessions<Delete>) -> Result<WithCookie<NoContent>, Error> {
    sessions.end(&session.0).await?;
    Ok(WithCookie(NoContent, auth::session::clear_cookie()))
}

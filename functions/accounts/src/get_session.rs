//! `GET /api/auth/session`

use contract::Error;
use contract::resource::SessionInfo;
use runtime::{Found, LoggedIn};
use store::grant::Get;
use store::sessions::Sessions;

pub(crate) async fn get_session(session: LoggedIn, sessions: Sessions<Get>) -> Result<Found<SessionInfo>, Error> {
    Ok(Found(sessions.info(&session.0).await?))
}

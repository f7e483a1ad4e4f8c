//! `DELETE /api/auth/sessions`

use contract::Error;
use runtime::{LoggedIn, NoContent};
use store::grant::Update;
use store::sessions::UserSessions;

pub(crate) async fn end_other_sessions(session: LoggedIn, sessions: UserSessions<Update>) -> Result<NoContent, Error> {
    sessions.end_others(&session.0).await?;
    Ok(NoContent)
}

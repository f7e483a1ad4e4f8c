//! `DELETE /api/auth/sessions/{id}`

use contract::Error;
use contract::id::SessionId;
use runtime::{LoggedIn, NoContent};
use store::grant::Delete;
use store::sessions::UserSessions;

pub(crate) async fn end_session(
    session: LoggedIn,
    sessions: UserSessions<Delete>,
    id: SessionId,
) -> Result<NoContent, Error> {
    sessions.end(&session.0, id).await?;
    Ok(NoContent)
}

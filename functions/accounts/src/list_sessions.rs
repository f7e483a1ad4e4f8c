//! `GET /api/auth/sessions`

use contract::Error;
use contract::resource::Session;
use runtime::{Listed, LoggedIn};
use store::grant::List;
use store::page::Page;
use store::sessions::UserSessions;

pub(crate) async fn list_sessions(session: LoggedIn, sessions: UserSessions<List>) -> Result<Listed<Session>, Error> {
    Ok(Listed(Page { items: sessions.list(&session.0).await?, next_cursor: None }))
}

//! `DELETE /api/v1/members/{id}`

use contract::id::UserId;
use contract::{Error, Precondition};
use runtime::{LoggedIn, NoContent};
use store::grant::Delete;
use store::members::Members;

pub(crate) async fn remove(
    session: LoggedIn,
    members: Members<Delete>,
    id: UserId,
    precondition: Option<Precondition>,
) -> Result<NoContent, Error> {
    members.remove(&session.0, id, precondition).await?;
    Ok(NoContent)
}

//! `DELETE /api/v1/client`

use auth::PasswordAttempt;
use contract::webhook::Job;
use contract::{Error, Precondition, Problems};
use deserr::Deserr;
use runtime::{Accepted, Body, LoggedIn, Mailer};
use schemars::JsonSchema;
use store::clients::Clients;
use store::grant::Delete;

/// The password of the owner who closes the client.
#[derive(Deserr, JsonSchema)]
#[deserr(error = Problems, rename_all = camelCase, deny_unknown_fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct CloseClient {
    password: PasswordAttempt,
}

impl Body for CloseClient {}

pub(crate) async fn close(
    session: LoggedIn,
    clients: Clients<Delete>,
    mailer: Mailer,
    precondition: Option<Precondition>,
    body: CloseClient,
) -> Result<Accepted<Job>, Error> {
    let closed = clients.close(&session.0, body.password, precondition).await;
    let (_, job) = mailer.tell_locked(closed).await?;
    Ok(Accepted(job))
}

//! `DELETE /api/v1/client`

use auth::PasswordAttempt;
use contract::job::Job;
use contract::names::Email;
use contract::resource::Client;
use contract::{Error, Precondition, Problems};
use deserr::Deserr;
use runtime::{Accepted, Body, LoggedIn, Mail, Mailer};
use schemars::JsonSchema;
use store::clients::{Clients, RETENTION};
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
    let (client, job) = mailer.tell_locked(closed).await?;
    let client_id = client.id;
    if let Err(error) = tell_owners(&clients, &mailer, client, session.0.user.email).await {
        // It is closed all the same.
        tracing::error!(
            operation = crate::DELETE.route.id,
            client = client_id.to_string(),
            ?error,
            "a client was closed, and its owners could not be told by mail: tell them by other means"
        );
    }
    Ok(Accepted(job))
}

async fn tell_owners(clients: &Clients<Delete>, mailer: &Mailer, client: Client, by: Email) -> Result<(), Error> {
    let Some(erased_at) = client.closed_at.map(|at| at.plus(RETENTION)) else { return Ok(()) };
    for to in clients.owners().await? {
        let (client_name, closed_by) = (client.name.clone(), by.clone());
        mailer.tell(&Mail::ClientClosed { to, client_name, closed_by, erased_at }).await;
    }
    Ok(())
}

//! `POST /api/v1/client/restore`

use contract::resource::Client;
use contract::{Error, Precondition};
use runtime::Found;
use store::clients::Clients;
use store::grant::Restore;

pub(crate) async fn restore(
    clients: Clients<Restore>,
    precondition: Option<Precondition>,
) -> Result<Found<Client>, Error> {
    Ok(Found(clients.restore(precondition).await?))
}

//! `GET /api/v1/client`

use contract::Error;
use contract::resource::Client;
use runtime::Found;
use store::clients::Clients;
use store::grant::Get;

pub(crate) async fn get(clients: Clients<Get>) -> Result<Found<Client>, Error> {
    Ok(Found(clients.get().await?))
}

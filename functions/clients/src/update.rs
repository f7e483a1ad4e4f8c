//! `PATCH /api/v1/client`

use contract::names::Name;
use contract::resource::Client;
use contract::{Error, Precondition, Problems};
use deserr::Deserr;
use runtime::{Body, Found, NotNull};
use schemars::JsonSchema;
use store::clients::Clients;
use store::grant::Update;

/// A change of the client; members left out stay.
#[derive(Deserr, JsonSchema, Default)]
#[deserr(error = Problems, rename_all = camelCase, deny_unknown_fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct UpdateClient {
    #[deserr(default)]
    name: NotNull<Name>,
    /// Whether its members need a second factor.
    #[deserr(default)]
    require_totp: NotNull<bool>,
}

impl Body for UpdateClient {}

pub(crate) async fn update(
    clients: Clients<Update>,
    precondition: Option<Precondition>,
    body: UpdateClient,
) -> Result<Found<Client>, Error> {
    let change = |client: &mut Client| {
        if let Some(name) = &body.name.0 {
            client.name = name.clone();
        }
        if let Some(require_totp) = body.require_totp.0 {
            client.require_totp = require_totp;
        }
    };
    Ok(Found(clients.update(precondition, change).await?))
}

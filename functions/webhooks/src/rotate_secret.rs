//! `POST /api/v1/webhooks/{id}/rotate-secret`

use contract::id::WebhookId;
use contract::{Error, GraceSeconds, Precondition, Problems};
use deserr::Deserr;
use runtime::{Body, Found, Vault};
use schemars::JsonSchema;
use store::grant::Update;
use store::webhooks::Webhooks;

use crate::shown::WebhookWithSecret;

/// The replacement of a secret.
#[derive(Deserr, JsonSchema)]
#[deserr(error = Problems, rename_all = camelCase, deny_unknown_fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RotateSecret {
    /// How long the secret before it goes on signing as well.
    grace_seconds: GraceSeconds,
}

impl Body for RotateSecret {}

pub(crate) async fn rotate_secret(
    webhooks: Webhooks<Update>,
    vault: Vault,
    id: WebhookId,
    precondition: Option<Precondition>,
    body: RotateSecret,
) -> Result<Found<WebhookWithSecret>, Error> {
    let ring = vault.ring().await?;
    let shown = webhooks.rotate_secret(id, precondition, body.grace_seconds, &ring).await?;
    Ok(Found(WebhookWithSecret::new(shown)))
}

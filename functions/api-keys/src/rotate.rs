//! `POST /api/v1/api-keys/{id}/rotate`

use contract::id::KeyId;
use contract::{Error, GraceSeconds, Precondition, Problems};
use deserr::Deserr;
use runtime::{Body, Created};
use schemars::JsonSchema;
use store::api_keys::ApiKeys;
use store::grant::Rotate;

use crate::shown::ApiKeyWithSecret;

/// The replacement of a key.
#[derive(Deserr, JsonSchema)]
#[deserr(error = Problems, rename_all = camelCase, deny_unknown_fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RotateApiKey {
    /// How long the key before it goes on working; 0 ends it at once.
    grace_seconds: GraceSeconds,
}

impl Body for RotateApiKey {}

pub(crate) async fn rotate(
    keys: ApiKeys<Rotate>,
    id: KeyId,
    precondition: Option<Precondition>,
    body: RotateApiKey,
) -> Result<Created<ApiKeyWithSecret>, Error> {
    let (api_key, secret) = keys.rotate(id, precondition, body.grace_seconds).await?;
    Ok(Created(ApiKeyWithSecret::new(api_key, secret.as_ref())))
}

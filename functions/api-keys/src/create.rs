//! `POST /api/v1/api-keys`

use contract::names::{AllowedIps, Name};
use contract::permission::{KeyType, Permissions};
use contract::resource::RateLimit;
use contract::{Error, Problems, Time};
use deserr::Deserr;
use runtime::{Body, Created, New, Now, PartialBody};
use schemars::JsonSchema;
use store::api_keys::{ApiKeys, NewApiKey};
use store::grant::Create;

use crate::rules;
use crate::shown::ApiKeyWithSecret;

/// A new API key.
#[derive(Deserr, JsonSchema)]
#[deserr(error = Problems, rename_all = camelCase, deny_unknown_fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("anyOf" = [
    { "properties": { "type": { "const": "management" } } },
    { "properties": { "permissions": { "type": "null" } } },
]))]
pub(crate) struct CreateApiKey {
    name: Name,
    #[deserr(rename = "type")]
    #[serde(rename = "type")]
    key_type: KeyType,
    /// All, if they are left out. Only a management key has any.
    #[deserr(default)]
    permissions: Option<Permissions>,
    /// Never, if it is left out.
    #[deserr(default)]
    expires_at: Option<Time>,
    #[deserr(default)]
    rate_limit: Option<RateLimit>,
    /// Every address, if they are left out.
    #[deserr(default)]
    allowed_ips: Option<AllowedIps>,
}

impl Body for CreateApiKey {}

pub(crate) async fn create(
    keys: ApiKeys<Create>,
    now: Now,
    body: PartialBody<CreateApiKey>,
    _: New,
) -> Result<Created<ApiKeyWithSecret>, Error> {
    let mut problems = Problems::default();
    rules::for_type(body.member("type"), body.member("permissions").as_ref(), &mut problems);
    rules::future(body.member("expiresAt"), now.0, &mut problems);
    let body = body.and(problems)?;
    let new = NewApiKey {
        name: body.name.clone(),
        key_type: body.key_type,
        permissions: body.permissions.clone().or_else(|| rules::unnamed(body.key_type)),
        expires_at: body.expires_at,
        rate_limit: body.rate_limit,
        allowed_ips: body.allowed_ips.clone(),
    };
    let (api_key, secret) = keys.create(new).await?;
    Ok(Created(ApiKeyWithSecret::new(api_key, secret.as_ref())))
}

//! `PATCH /api/v1/api-keys/{id}`

use contract::id::KeyId;
use contract::names::{IpBlock, Name};
use contract::permission::Permission;
use contract::resource::{ApiKey, RateLimit};
use contract::{Error, Problems, Time};
use deserr::Deserr;
use runtime::{Body, Found, IfMatch, Now, Patch};
use schemars::JsonSchema;
use store::api_keys::ApiKeys;
use store::grant::Write;

use crate::rules;

/// A change of an API key; members left out stay.
#[derive(Deserr, JsonSchema)]
#[deserr(error = Problems, rename_all = camelCase, deny_unknown_fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[derive(Default)]
pub(crate) struct UpdateApiKey {
    #[deserr(default)]
    name: Option<Name>,
    #[deserr(default)]
    active: Option<bool>,
    #[deserr(default)]
    permissions: Option<Vec<Permission>>,
    #[deserr(default)]
    expires_at: Patch<Time>,
    #[deserr(default)]
    rate_limit: Patch<RateLimit>,
    #[deserr(default)]
    allowed_ips: Option<Vec<IpBlock>>,
}

impl Body for UpdateApiKey {}

pub(crate) async fn update(
    keys: ApiKeys<Write>,
    id: KeyId,
    if_match: IfMatch,
    now: Now,
    body: UpdateApiKey,
) -> Result<Found<ApiKey>, Error> {
    let change = |key: &mut ApiKey| {
        let mut problems = Problems::default();
        if let Some(name) = &body.name {
            key.name = name.clone();
        }
        if let Some(active) = body.active {
            key.active = active;
        }
        if let Some(named) = &body.permissions {
            key.permissions = rules::permissions(key.key_type, Some(named.clone()), &mut problems);
        }
        if let Patch::Set(end) = body.expires_at {
            rules::future(Some(end), now.0, &mut problems);
        }
        body.expires_at.apply(&mut key.expires_at);
        body.rate_limit.apply(&mut key.rate_limit);
        if let Some(allowed) = &body.allowed_ips {
            key.allowed_ips = rules::addresses(allowed.clone(), &mut problems);
        }
        Ok(problems.or(())?)
    };
    Ok(Found(keys.update(id, if_match.0, change).await?))
}

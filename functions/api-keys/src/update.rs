//! `PATCH /api/v1/api-keys/{id}`

use contract::id::KeyId;
use contract::names::{AllowedIps, Name};
use contract::permission::Permissions;
use contract::resource::{ApiKey, RateLimit};
use contract::{Error, Precondition, Problems, Time};
use deserr::Deserr;
use runtime::{Body, Found, NotNull, Now, PartialBody, Patch};
use schemars::JsonSchema;
use store::api_keys::ApiKeys;
use store::grant::Update;

use crate::rules;

/// A change of an API key; members left out stay.
#[derive(Deserr, JsonSchema)]
#[deserr(error = Problems, rename_all = camelCase, deny_unknown_fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[derive(Default)]
pub(crate) struct UpdateApiKey {
    #[deserr(default)]
    name: NotNull<Name>,
    #[deserr(default)]
    active: NotNull<bool>,
    /// All that a key of its type can have, if they are `null`.
    #[deserr(default)]
    permissions: Patch<Permissions>,
    #[deserr(default)]
    expires_at: Patch<Time>,
    #[deserr(default)]
    rate_limit: Patch<RateLimit>,
    /// Every address, if they are `null`.
    #[deserr(default)]
    allowed_ips: Patch<AllowedIps>,
}

impl Body for UpdateApiKey {}

pub(crate) async fn update(
    keys: ApiKeys<Update>,
    id: KeyId,
    precondition: Option<Precondition>,
    now: Now,
    body: PartialBody<UpdateApiKey>,
) -> Result<Found<ApiKey>, Error> {
    let change = |key: &mut ApiKey| {
        let mut problems = Problems::default();
        if let Some(Patch::Set(named)) = body.member::<Patch<Permissions>>("permissions") {
            rules::for_type(Some(key.key_type), Some(&named), &mut problems);
        }
        rules::future(body.member("expiresAt").filter(|end| Some(*end) != key.expires_at), now.0, &mut problems);
        let body = body.and(problems)?;
        if let Some(name) = &body.name.0 {
            key.name = name.clone();
        }
        if let Some(active) = body.active.0 {
            key.active = active;
        }
        match &body.permissions {
            Patch::Keep => {}
            Patch::Clear => key.permissions = rules::unnamed(key.key_type),
            Patch::Set(named) => key.permissions = Some(named.clone()),
        }
        body.expires_at.apply(&mut key.expires_at);
        body.rate_limit.apply(&mut key.rate_limit);
        body.allowed_ips.apply(&mut key.allowed_ips);
        Ok(())
    };
    body.told(keys.update(id, precondition, change).await).map(Found)
}

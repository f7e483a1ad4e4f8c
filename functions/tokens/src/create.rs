//! `POST /api/auth/token`

use std::collections::HashSet;
use std::time::Duration;

use auth::embed_token::MOST_ORIGINS;
use contract::names::{EntityId, GroupKey, GroupRef, TenantId};
use contract::permission::{TokenPermission, TokenPermissions};
use contract::resource::Resource;
use contract::{Broken, Error, Origin, Problems, Time, Whole};
use deserr::Deserr;
use runtime::token_issuer::NewToken;
use runtime::{Body, ByKey, Caller, Created, TokenIssuer};
use schemars::JsonSchema;
use serde::Serialize;
use store::field_groups::FieldGroups;
use store::grant::Get;

/// A new embed token.
#[derive(Deserr, JsonSchema)]
#[deserr(error = Problems, rename_all = camelCase, deny_unknown_fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct CreateEmbedToken {
    /// The one tenant that it reaches, which need not have been used before.
    tenant_id: TenantId,
    /// The one field group; all, if it is left out.
    #[deserr(default)]
    field_group_key: Option<GroupKey>,
    /// The one entity whose values it reaches; all, if it is left out.
    #[deserr(default)]
    entity_id: Option<EntityId>,
    /// The fields that the tenant may have in a group, where that is less than it may have anyway. With it the token may
    /// write fields.
    #[deserr(default)]
    field_limit: Option<FieldLimit>,
    /// `values:read` and `values:write`, if they are left out; `fields:write` joins them where there is a `fieldLimit`.
    #[deserr(default)]
    permissions: Option<TokenPermissions>,
    /// How long it lives: 15 minutes, if it is left out.
    #[deserr(default)]
    ttl_seconds: Option<TtlSeconds>,
    /// The pages that may use it; any, if they are left out.
    #[deserr(default)]
    origins: Option<Origins>,
}

impl Body for CreateEmbedToken {}

/// 0 to 10,000 fields.
#[derive(Clone, Copy, Deserr, JsonSchema)]
#[schemars(inline, extend("minimum" = 0, "maximum" = 10_000))]
#[deserr(error = Problems, try_from(Whole) = Self::checked -> Broken)]
struct FieldLimit(u32);

impl FieldLimit {
    fn checked(number: Whole) -> Result<Self, Broken> {
        number.within(0..=10_000).map(Self)
    }
}

/// A minute to an hour.
#[derive(Clone, Copy, Deserr, JsonSchema)]
#[schemars(inline, extend("minimum" = 60, "maximum" = 3_600))]
#[deserr(error = Problems, try_from(Whole) = Self::checked -> Broken)]
struct TtlSeconds(u32);

impl TtlSeconds {
    const USUAL: Self = Self(900);

    fn checked(number: Whole) -> Result<Self, Broken> {
        number.within(60..=3_600).map(Self)
    }
}

/// 1 to 10 origins, each once.
#[derive(Deserr, JsonSchema)]
#[schemars(inline, extend("minItems" = 1, "maxItems" = MOST_ORIGINS, "uniqueItems" = true))]
#[deserr(error = Problems, try_from(Vec<Origin>) = Self::checked -> Broken)]
struct Origins(Vec<Origin>);

impl Origins {
    fn checked(origins: Vec<Origin>) -> Result<Self, Broken> {
        if origins.is_empty() {
            return Err(Broken::new("too_few", "Must have at least 1 element."));
        }
        if origins.len() > MOST_ORIGINS {
            return Err(Broken::new("too_many", format!("Must have at most {MOST_ORIGINS} elements.")));
        }
        if origins.iter().collect::<HashSet<_>>().len() < origins.len() {
            return Err(Broken::new("duplicate", "Must have each element once."));
        }
        Ok(Self(origins))
    }
}

/// An embed token, shown this once.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EmbedToken {
    /// For the header `Authorization: Bearer …`.
    token: String,
    /// When it is over.
    expires_at: Time,
}

impl Resource for EmbedToken {
    const SECRETS: &'static [&'static str] = &["token"];
    fn version(&self) -> Option<u64> {
        None
    }
}

impl CreateEmbedToken {
    fn permissions(&self) -> Result<TokenPermissions, Error> {
        let usual = || vec![TokenPermission::ValuesRead, TokenPermission::ValuesWrite];
        let mut permissions = self.permissions.as_ref().map_or_else(usual, |named| named.as_slice().to_vec());
        if self.field_limit.is_some() && !permissions.contains(&TokenPermission::FieldsWrite) {
            permissions.push(TokenPermission::FieldsWrite);
        }
        TokenPermissions::of(permissions).map_err(|broken| Error::internal(broken.message))
    }
}

pub(crate) async fn create(
    key: ByKey,
    groups: FieldGroups<Get>,
    issuer: TokenIssuer,
    body: CreateEmbedToken,
) -> Result<Created<EmbedToken>, Error> {
    let permissions = body.permissions()?;
    let caller = Caller::Key(key.0.clone());
    for permission in permissions.as_slice() {
        // Nobody hands out what is not theirs.
        caller.require(&[permission.of_key()])?;
    }
    let group = match body.field_group_key {
        Some(key) => {
            let group = groups.get(&GroupRef::Key(key)).await?;
            Some((group.id, group.key))
        }
        None => None,
    };
    let new = NewToken {
        client: key.0.scope.client(),
        key: key.0.id,
        tenant: body.tenant_id,
        group,
        entity: body.entity_id,
        permissions,
        field_limit: body.field_limit.map(|limit| limit.0),
        origins: body.origins.map(|origins| origins.0),
        life: Duration::from_secs(body.ttl_seconds.unwrap_or(TtlSeconds::USUAL).0.into()),
    };
    let (token, expires_at) = issuer.issue(new).await?;
    Ok(Created(EmbedToken { token, expires_at }))
}

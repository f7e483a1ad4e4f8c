//! What makes embed tokens.

use std::time::Duration;

use auth::EmbedClaims;
use auth::embed_token::Audience;
use contract::id::{ClientId, GroupId, KeyId, TokenId};
use contract::names::{EntityId, GroupKey, TenantId};
use contract::permission::TokenPermissions;
use contract::{Error, Origin, Time};

use crate::config::BadSetting;
use crate::extract::{FromRequest, Part};
use crate::request::RequestContext;
use crate::spec::operation::OperationSpec;
use crate::start::Start;
use crate::token_vault::TokenVault;

/// Makes the embed token of a request.
pub struct TokenIssuer {
    vault: TokenVault,
    origin: Origin,
    now: Time,
    id: TokenId,
}

/// What a token is for.
pub struct NewToken {
    /// Whose data it reaches.
    pub client: ClientId,
    /// The API key that makes it.
    pub key: KeyId,
    /// The one tenant.
    pub tenant: TenantId,
    /// The one field group, if it is bound to one.
    pub group: Option<(GroupId, GroupKey)>,
    /// The one entity, if it is bound to one.
    pub entity: Option<EntityId>,
    /// What it may do.
    pub permissions: TokenPermissions,
    /// The fields that the tenant may have in a group.
    pub field_limit: Option<u32>,
    /// The pages that may use it.
    pub origins: Option<Vec<Origin>>,
    /// How long it lives.
    pub life: Duration,
}

impl TokenIssuer {
    /// The token, and when it is over.
    ///
    /// # Errors
    /// `unavailable`, `internal`.
    pub async fn issue(&self, new: NewToken) -> Result<(String, Time), Error> {
        let key = self.vault.signing(self.now).await?;
        let iat = u64::try_from(self.now.seconds()).map_err(Error::internal)?;
        let exp = iat + new.life.as_secs();
        let (field_group_id, field_group_key) = new.group.unzip();
        let claims = EmbedClaims {
            iss: self.origin.clone(),
            aud: Audience::Embed,
            client_id: new.client,
            key_id: new.key,
            tenant_id: new.tenant,
            field_group_id,
            field_group_key,
            entity_id: new.entity,
            permissions: new.permissions,
            field_limit: new.field_limit,
            origins: new.origins,
            iat,
            nbf: iat,
            exp,
            jti: self.id,
        };
        let token = claims.sign(&key).map_err(Error::internal)?;
        let millis = i64::try_from(exp.saturating_mul(1000)).unwrap_or(i64::MAX);
        Ok((token, Time::from_millis(millis)))
    }
}

impl FromRequest for TokenIssuer {
    fn take(context: &RequestContext) -> Result<Self, Error> {
        let author = context.author();
        let vault = context.app.token_vault()?.clone();
        Ok(Self { vault, origin: context.app.origin()?.clone(), now: author.at(), id: TokenId::new(author.unique()) })
    }
    fn prepare(start: &mut Start<'_>) -> Result<(), BadSetting> {
        start.config.origin()?;
        <TokenVault as Part>::prepare(start)
    }
    fn describe(operation: &mut OperationSpec) {
        <TokenVault as Part>::permissions(&mut operation.permissions);
    }
}

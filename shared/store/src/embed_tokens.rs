//! Embed tokens, held against what is stored: the tenant's card, which may have revoked them, and the API key that made
//! them, with which they die.

use std::time::Duration;

use auth::{EmbedClaims, SealKey};
use contract::id::{ClientId, GroupId, KeyId, TokenId};
use contract::names::{EntityId, GroupKey, GroupRef};
use contract::permission::{Permissions, TokenPermission};
use contract::resource::ApiKey;
use contract::{Error, Origin, Time};

use crate::cache::{Cache, Heavy};
use crate::change::{Change, Written};
use crate::document::from_doc;
use crate::dynamo::{get_number, get_text, must, number};
use crate::grant::{Grant, granted, grants};
use crate::keys;
use crate::scope::{ClientScope, TenantScope};
use crate::{OpContext, Store};

/// How long the key that made a token is believed without asking again: what is deleted or off is so everywhere after
/// this.
const CACHE_TTL: Duration = Duration::from_secs(5);

/// What the gate needs to know of the API key that made a token, and of its client.
#[derive(Clone)]
pub(crate) struct Maker {
    seal: SealKey,
    active: bool,
    expires_at: Option<Time>,
    permissions: Option<Permissions>,
}

impl Heavy for (Time, Maker) {
    fn weight(&self) -> usize {
        size_of::<Self>() + self.1.permissions.as_ref().map_or(0, |list| size_of_val(list.as_slice()))
    }
}

/// Makers of tokens, each with the time when it was read.
pub(crate) type MakerCache = Cache<(ClientId, KeyId), (Time, Maker)>;

/// A verified embed token.
#[derive(Debug, Clone)]
pub struct TokenCredential {
    /// The token.
    pub id: TokenId,
    /// The API key that made it.
    pub key: KeyId,
    /// Whose data it reaches.
    pub scope: TenantScope,
    group: Option<(GroupId, GroupKey)>,
    entity: Option<EntityId>,
    permissions: Vec<TokenPermission>,
    origins: Option<Vec<Origin>>,
}

impl TokenCredential {
    /// Whether it may do this: it was given the permission, and the key that made it still has what that takes.
    #[must_use]
    pub fn may(&self, permission: TokenPermission) -> bool {
        self.permissions.contains(&permission)
    }

    /// Whether pages of this origin may use it.
    #[must_use]
    pub fn allows_origin(&self, origin: &Origin) -> bool {
        self.origins.as_ref().is_none_or(|origins| origins.contains(origin))
    }

    /// Whether it names the pages that may use it.
    #[must_use]
    pub const fn names_origins(&self) -> bool {
        self.origins.is_some()
    }

    /// A group as it may be read: by its identifier, where the token is bound to one, since its key may be another's by
    /// now. None, if it is another one.
    #[must_use]
    pub fn group(&self, named: &GroupRef) -> Option<GroupRef> {
        let Some((id, key)) = &self.group else { return Some(named.clone()) };
        let same = match named {
            GroupRef::Id(named) => named == id,
            GroupRef::Key(named) => named == key,
        };
        same.then_some(GroupRef::Id(*id))
    }

    /// The one entity that it is bound to.
    #[must_use]
    pub const fn entity(&self) -> Option<&EntityId> {
        self.entity.as_ref()
    }
}

impl Store {
    /// What verifying an embed token needs.
    pub const TOKEN_GRANTS: &'static [Grant] = &grants![Main BatchGetItem [ApiKeys, Client, TenantFields]];

    /// The credential of a token whose signature is right, unless it was revoked or the key that made it is no more.
    ///
    /// # Errors
    /// `unavailable`, `internal`.
    pub async fn verify_token(&self, claims: EmbedClaims) -> Result<Option<TokenCredential>, Error> {
        let (now, of) = (self.clock().now(), (claims.client_id, claims.key_id));
        let known = self.0.makers.get(&of).filter(|(read, _)| now < read.plus(CACHE_TTL) && *read <= now);
        let tenant_key = keys::tenant_of_token(claims.client_id, &claims.tenant_id);
        let (client_key, api_key) = (keys::client(of.0), keys::api_key_of_token(of.0, of.1));
        let settings_key = keys::settings(of.0);
        let mut wanted = vec![&tenant_key];
        if known.is_none() {
            wanted.extend([&client_key, &settings_key, &api_key]);
        }
        let mut found = self.batch_get_all(&wanted).await?;
        let maker = match (known, found.remove(&client_key), found.remove(&api_key)) {
            (Some((_, maker)), ..) => maker,
            (None, Some(client), Some(key)) => {
                let ApiKey { active, expires_at, permissions, .. } = from_doc(&key)?;
                let seal = must(get_text(&client, "seal").and_then(SealKey::from_stored), "seal")?;
                self.note_standing(of.0, &client, found.get(&settings_key), now)?;
                let maker = Maker { seal, active, expires_at, permissions };
                self.0.makers.insert(of, (now, maker.clone()));
                maker
            }
            (None, ..) => return Ok(None),
        };
        let not_before = match found.get(&tenant_key) {
            Some(card) => get_number::<i64>(card, "tokensNotBefore"),
            // A tenant that has not been used, or was erased just now.
            None => {
                let scope = ClientScope::verified(of.0, maker.seal.clone()).tenant(claims.tenant_id.clone());
                Box::pin(self.erased_note(&scope)).await?.tokens_not_before
            }
        };
        let revoked = not_before.is_some_and(|not_before| claims.jti.made_at().millis() <= not_before);
        if revoked || !maker.active || maker.expires_at.is_some_and(|end| end <= now) {
            return Ok(None);
        }
        Ok(Some(maker.credential(claims)))
    }
}

impl Maker {
    fn credential(self, claims: EmbedClaims) -> TokenCredential {
        let may = |permission: &TokenPermission| {
            self.permissions.as_ref().is_some_and(|list| list.as_slice().contains(&permission.of_key()))
        };
        let permissions = claims.permissions.as_slice().iter().copied().filter(may).collect();
        let scope = ClientScope::verified(claims.client_id, self.seal).tenant(claims.tenant_id);
        TokenCredential {
            id: claims.jti,
            key: claims.key_id,
            scope: scope.with_field_limit(claims.field_limit.map(u64::from)),
            group: claims.field_group_id.zip(claims.field_group_key),
            entity: claims.entity_id,
            permissions,
            origins: claims.origins,
        }
    }
}

/// The embed tokens of a tenant, which are stored nowhere.
pub struct EmbedTokens {
    op: OpContext,
    scope: TenantScope,
}

granted! {
    EmbedTokens {
        Main UpdateItem [TenantFields];
        Main PutItem [Tenants];
    }
}

impl EmbedTokens {
    /// Those of one tenant of the request's client.
    #[must_use]
    pub fn open(op: &OpContext, scope: TenantScope) -> Self {
        Self { op: op.clone(), scope }
    }

    /// Revokes all that were made until now. The tenant's card says so, which is read with every request, or is begun
    /// here: a token may be older than its tenant.
    ///
    /// # Errors
    /// None of the contract's.
    pub async fn revoke(&self) -> Result<(), Error> {
        let author = &self.op.author;
        let (event, at) = (author.event(), number(self.op.first_carried_out().millis()));
        // A later revocation holds.
        let earlier = "(attribute_not_exists(#tokensNotBefore) OR #tokensNotBefore < :at)";
        let revoked = || {
            let change = Change::update(keys::tenant(&self.scope)).set("tokensNotBefore", at.clone());
            change.stamped(author, event).when(earlier).with(":at", at.clone())
        };
        if let Written::Refused(None) = self.op.store.conditional_write(revoked().when_present()).await? {
            // The row leads to a card that no list of tenants has.
            let row = Change::put(keys::unused_tenant_row(&self.scope)).stamped(author, event);
            return self.op.store.commit(vec![revoked(), row], event).await.map(|_| ());
        }
        Ok(())
    }
}

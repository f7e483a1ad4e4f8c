//! API keys as credentials, verified against the store.

use std::net::IpAddr;
use std::time::Duration;

use auth::{ApiKeySecret, KeyHash, SealKey};
use contract::id::{ClientId, KeyId};
use contract::names::AllowedIps;
use contract::permission::{KeyType, Permission, Permissions};
use contract::resource::{ApiKey, RateLimit};
use contract::{Error, Time};
use serde::{Deserialize, Serialize};

use crate::Store;
use crate::cache::{Cache, Heavy};
use crate::document::from_doc;
use crate::dynamo::must;
use crate::grant::{Grant, grants};
use crate::keys::{self, Kind};
use crate::scope::ClientScope;

/// How long a key's card is believed without asking again: what is switched off is off everywhere after this.
const CACHE_TTL: Duration = Duration::from_secs(5);

/// What the gate needs to know of an API key.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct KeyCard {
    id: KeyId,
    client: ClientId,
    seal: String,
    key_type: KeyType,
    permissions: Option<Permissions>,
    active: bool,
    expires_at: Option<Time>,
    rate_limit: Option<RateLimit>,
    allowed_ips: Option<AllowedIps>,
    /// The secret's own number and end; other secrets of the key have cards of their own.
    secret_number: u64,
    secret_expires_at: Option<Time>,
}

impl KeyCard {
    /// The card of one of a key's secrets, by its number and end.
    pub(crate) fn new(key: &ApiKey, secret: (u64, Option<Time>), scope: &ClientScope) -> Self {
        Self {
            id: key.id,
            client: scope.client(),
            seal: scope.seal().stored(),
            key_type: key.key_type,
            permissions: key.permissions.clone(),
            active: key.active,
            expires_at: key.expires_at,
            rate_limit: key.rate_limit,
            allowed_ips: key.allowed_ips.clone(),
            secret_number: secret.0,
            secret_expires_at: secret.1,
        }
    }

    fn works(&self, now: Time) -> bool {
        self.active && [self.expires_at, self.secret_expires_at].into_iter().flatten().all(|end| now < end)
    }
}

impl Heavy for (Time, KeyCard) {
    fn weight(&self) -> usize {
        let card = &self.1;
        let permissions = card.permissions.as_ref().map_or(0, |list| size_of_val(list.as_slice()));
        let allowed_ips = card.allowed_ips.as_ref().map_or(0, |list| size_of_val(list.as_slice()));
        size_of::<Self>() + card.seal.len() + permissions + allowed_ips
    }
}

/// Cards by hash, each with the time when it was read.
pub(crate) type KeyCache = Cache<KeyHash, (Time, KeyCard)>;

/// A verified API key.
#[derive(Debug, Clone)]
pub struct KeyCredential {
    /// The key.
    pub id: KeyId,
    /// Whose data it reaches.
    pub scope: ClientScope,
    /// What it is for.
    pub key_type: KeyType,
    permissions: Option<Permissions>,
    rate_limit: Option<RateLimit>,
    allowed_ips: Option<AllowedIps>,
    /// Which of the key's secrets was sent.
    pub(crate) secret_number: u64,
}

impl KeyCredential {
    /// Whether the key may be used from this address; an unknown address is none of those that a list names.
    #[must_use]
    pub fn allows_address(&self, address: Option<IpAddr>) -> bool {
        let holds = |allowed: &AllowedIps, address| allowed.as_slice().iter().any(|block| block.holds(address));
        self.allowed_ips.as_ref().is_none_or(|allowed| address.is_some_and(|address| holds(allowed, address)))
    }

    /// The requests a second of the key's own limit, if it has one.
    #[must_use]
    pub fn requests_per_second(&self) -> Option<u32> {
        self.rate_limit.map(|limit| limit.requests_per_second.number())
    }

    /// Whether the key may do this.
    #[must_use]
    pub fn may(&self, permission: Permission) -> bool {
        self.permissions.as_ref().is_some_and(|list| list.as_slice().contains(&permission))
    }
}

impl Store {
    /// What verifying an API key needs.
    pub const KEY_GRANTS: &'static [Grant] = &grants![Main GetItem [Key]];

    /// Makes the first connection, by reading an item of this kind that is nobody's.
    ///
    /// # Errors
    /// `unavailable`, `internal`.
    pub async fn warm_up(&self, kind: Kind) -> Result<(), Error> {
        self.get(&keys::nobodys(kind)).await.map(|_| ())
    }

    /// The credential of an API key, if it is one, is active and has not expired.
    ///
    /// # Errors
    /// `unavailable`, `internal`.
    pub async fn verify_key(&self, secret: &ApiKeySecret) -> Result<Option<KeyCredential>, Error> {
        let (hash, now) = (secret.hash(), self.clock().now());
        let known = self.0.keys.get(&hash).filter(|(read, _)| now < read.plus(CACHE_TTL) && *read <= now);
        let card = match known {
            Some((_, card)) => card,
            None => {
                let Some(item) = self.get(&keys::key_card(&hash)).await? else {
                    self.forget_key(&hash);
                    return Ok(None);
                };
                let card: KeyCard = from_doc(&item)?;
                self.0.keys.insert(hash, (now, card.clone()));
                card
            }
        };
        if !card.works(now) {
            return Ok(None);
        }
        let seal = must(SealKey::from_stored(&card.seal), "seal")?;
        Ok(Some(KeyCredential {
            id: card.id,
            scope: ClientScope::verified(card.client, seal),
            key_type: card.key_type,
            permissions: card.permissions,
            rate_limit: card.rate_limit,
            allowed_ips: card.allowed_ips,
            secret_number: card.secret_number,
        }))
    }

    pub(crate) fn forget_key(&self, hash: &KeyHash) {
        self.0.keys.remove(hash);
    }
}

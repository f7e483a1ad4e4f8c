//! An API key as it is stored: what is shown of it, and the secrets that it works with.

use auth::{ApiKeySecret, KeyHash};
use contract::id::EventId;
use contract::resource::{ApiKey, PreviousKey};
use contract::{Error, GraceSeconds, Time};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::document::{Versioned, from_doc};
use crate::dynamo::Item;
use crate::key_uses::Uses;
use crate::keys::{self, Key};

/// An API key as it is stored.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct StoredKey {
    /// Without what is known of its uses.
    #[serde(flatten)]
    pub(super) key: ApiKey,
    pub(super) secret: StoredSecret,
    /// What the last rotation replaced. It may have run out since.
    pub(super) replaced: Option<StoredSecret>,
}

/// A secret of an API key.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct StoredSecret {
    pub(super) hash: KeyHash,
    /// How many the key had before.
    pub(super) number: u64,
    /// When it stops working, whatever becomes of the key.
    pub(super) expires_at: Option<Time>,
    prefix: String,
    /// The request that made it.
    request: EventId,
}

impl StoredSecret {
    fn lives(&self, now: Time) -> bool {
        self.expires_at.is_none_or(|end| now < end)
    }
}

impl Versioned for StoredKey {
    fn set_version(&mut self, version: u64, at: Time) {
        self.key.version = version;
        self.key.updated_at = at;
    }
}

impl StoredKey {
    pub(super) fn new(mut key: ApiKey, secret: &ApiKeySecret, request: EventId) -> Self {
        key.prefix = secret.prefix();
        let stored =
            StoredSecret { hash: secret.hash(), number: 0, expires_at: None, prefix: secret.prefix(), request };
        Self { key, secret: stored, replaced: None }
    }

    /// The secrets that work, newest first.
    pub(super) fn living(&self, now: Time) -> impl Iterator<Item = &StoredSecret> {
        [Some(&self.secret), self.replaced.as_ref()].into_iter().flatten().filter(move |secret| secret.lives(now))
    }

    /// All secrets whose cards there may be.
    pub(super) fn secrets(&self) -> impl Iterator<Item = &StoredSecret> {
        [Some(&self.secret), self.replaced.as_ref()].into_iter().flatten()
    }

    /// Where the cards of a stored key's secrets lie.
    pub(crate) fn cards_of(item: &Item) -> Result<Vec<Key>, Error> {
        let stored: Self = from_doc(item)?;
        Ok(stored.secrets().map(|secret| keys::key_card(&secret.hash)).collect())
    }

    /// What may be said of a stored key: nothing of its secrets but how the newest one begins.
    pub(crate) fn described(item: &Item) -> Result<Map<String, Value>, Error> {
        let stored: Self = from_doc(item)?;
        serde_json::to_value(stored.key).and_then(serde_json::from_value).map_err(Error::internal)
    }

    /// Puts another secret in place of the one that a request has made, which was lost with its answer. The hash of that,
    /// if it has not been rotated away.
    pub(super) fn replace_lost(&mut self, secret: &ApiKeySecret, request: EventId) -> Option<KeyHash> {
        let lost = match &mut self.replaced {
            _ if self.secret.request == request => &mut self.secret,
            Some(replaced) if replaced.request == request => replaced,
            _ => return None,
        };
        lost.prefix = secret.prefix();
        let hash = std::mem::replace(&mut lost.hash, secret.hash());
        self.key.prefix.clone_from(&self.secret.prefix);
        Some(hash)
    }

    /// Puts a new secret in place of the newest one, which goes on working for its grace. One that was in its grace
    /// ends: of a key there are two at the most.
    pub(super) fn rotate(&mut self, secret: &ApiKeySecret, request: EventId, grace: GraceSeconds, at: Time) {
        let next = Self::new(self.key.clone(), secret, request);
        let mut old = std::mem::replace(&mut self.secret, next.secret);
        self.secret.number = old.number + 1;
        self.key.prefix = next.key.prefix;
        let end = at.plus(grace.span());
        old.expires_at = Some(end);
        self.replaced = (at < end).then_some(old);
    }

    /// What is shown of it.
    pub(super) fn shown(self, uses: &Uses, now: Time) -> ApiKey {
        let (last_used_at, last_used_address) = uses.of(self.secret.number);
        let previous = self.replaced.filter(|old| old.lives(now)).and_then(|old| {
            let (last_used_at, last_used_address) = uses.of(old.number);
            Some(PreviousKey { prefix: old.prefix, expires_at: old.expires_at?, last_used_at, last_used_address })
        });
        ApiKey { last_used_at, last_used_address, previous, ..self.key }
    }
}

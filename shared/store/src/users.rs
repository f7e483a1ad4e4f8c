//! A user's card: who it is, and of which clients it is a member. Every request of a session reads it, so that a changed
//! role or a removal counts at once.

use std::collections::BTreeMap;

use auth::SealKey;
use contract::id::{ClientId, UserId};
use contract::names::Email;
use contract::permission::Role;
use contract::resource::User;
use contract::{Error, Time};
use serde::{Deserialize, Serialize};

use crate::change::Change;
use crate::document::{from_doc, to_doc};
use crate::dynamo::{Item, get_number, get_text, must, number, text};
use crate::keys;
use crate::scope::ClientScope;

/// Clients that a user may be a member of: their cards are read at each login.
pub(crate) const MAX_MEMBERSHIPS: usize = 50;

/// Who a user is, wherever.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Person {
    pub(crate) id: UserId,
    pub(crate) email: Email,
    pub(crate) created_at: Time,
}

/// What a user is in a client.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Membership {
    pub(crate) role: Role,
    /// The client's key for cursors and fingerprints.
    seal: String,
    /// The member's version: sessions end with a change of it.
    pub(crate) version: u64,
}

impl Membership {
    pub(crate) fn new(role: Role, seal: &SealKey, version: u64) -> Self {
        Self { role, seal: seal.stored(), version }
    }

    pub(crate) fn scope(&self, client: ClientId) -> Result<ClientScope, Error> {
        Ok(ClientScope::verified(client, must(SealKey::from_stored(&self.seal), "seal")?))
    }

    /// Puts it on a user's card, under the client's identifier.
    pub(crate) fn on(&self, card: Change, client: ClientId) -> Result<Change, Error> {
        Ok(card.set(&client.to_string(), text(to_doc(self)?)))
    }
}

/// A user's card.
pub(crate) struct UserCard {
    pub(crate) person: Person,
    /// Sessions of another epoch have ended.
    pub(crate) epoch: u64,
    pub(crate) memberships: BTreeMap<ClientId, Membership>,
    last_client: Option<ClientId>,
}

impl UserCard {
    /// The card of someone new, without a membership yet.
    pub(crate) fn new_change(person: &Person) -> Result<Change, Error> {
        Ok(Change::put(keys::user(person.id))
            .set("doc", text(to_doc(person)?))
            .set("sessionEpoch", number(0))
            .when_absent())
    }

    /// The card that [`UserCard::new_change`] writes, with a membership.
    pub(crate) fn new(person: Person, client: ClientId, membership: Membership) -> Self {
        Self { person, epoch: 0, memberships: BTreeMap::from([(client, membership)]), last_client: None }
    }

    pub(crate) fn read(item: &Item) -> Result<Self, Error> {
        let mut memberships = BTreeMap::new();
        for name in item.keys().filter(|name| name.starts_with(ClientId::PREFIX)) {
            let client = must(name.parse().ok(), "membership")?;
            let doc = must(get_text(item, name), "membership")?;
            memberships.insert(client, serde_json::from_str(doc).map_err(Error::internal)?);
        }
        Ok(Self {
            person: from_doc(item)?,
            epoch: must(get_number(item, "sessionEpoch"), "sessionEpoch")?,
            memberships,
            last_client: get_text(item, "lastClient").and_then(|id| id.parse().ok()),
        })
    }

    /// The user in a client, if it is a member there.
    pub(crate) fn in_client(&self, client: ClientId) -> Option<(User, &Membership)> {
        let membership = self.memberships.get(&client)?;
        Some((self.person.in_role(membership.role), membership))
    }

    /// The client of a login that names none: the one that was used last.
    pub(crate) fn usual_client(&self) -> Option<ClientId> {
        let last = self.last_client.filter(|last| self.memberships.contains_key(last));
        last.or_else(|| self.memberships.keys().next().copied())
    }

    /// That a client is used, if another one was used last.
    pub(crate) fn uses(&self, client: ClientId) -> Option<Change> {
        let used = || Change::update(keys::user(self.person.id)).set("lastClient", text(client.to_string()));
        (self.last_client != Some(client)).then(|| used().when_present().unstamped())
    }
}

impl Person {
    pub(crate) fn in_role(&self, role: Role) -> User {
        User { id: self.id, email: self.email.clone(), role, created_at: self.created_at }
    }
}

//! A user's card: who it is, and of which clients it is a member. Every request of a session reads it, so that a changed
//! role or a removal counts at once.

use std::collections::BTreeMap;

use auth::SealKey;
use contract::id::{ClientId, UserId};
use contract::names::Email;
use contract::permission::Role;
use contract::resource::{Client, Member, User};
use contract::{Error, Time};
use serde::{Deserialize, Serialize};

use crate::author::RequestInfo;
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
    /// The member's version and since when it is one: sessions end with a change of either.
    pub(crate) version: u64,
    since: Time,
}

impl Membership {
    /// That of a member of this version.
    pub(crate) fn of(member: &Member, seal: &SealKey) -> Self {
        Self { role: member.role, seal: seal.stored(), version: member.version, since: member.created_at }
    }

    /// What a session has to have of it.
    pub(crate) fn stamp(&self) -> String {
        format!("{}@{}", self.version, self.since)
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
    /// From where the user has logged in before, newest last.
    known_from: Vec<String>,
    /// Whether a login needs a code, too.
    pub(crate) has_second_factor: bool,
    /// Whether whoever has the password has read the mailbox, too: a signup alone proves nothing of the address.
    pub(crate) is_proven: bool,
}

/// Places that are remembered of a user's logins.
const MAX_KNOWN: usize = 10;

impl UserCard {
    /// The card of someone new, without a membership yet.
    pub(crate) fn new_change(person: &Person, from: &RequestInfo) -> Result<Change, Error> {
        Ok(Change::put(keys::user(person.id))
            .set("doc", text(to_doc(person)?))
            .set("knownFrom", text(place(from)))
            .set("sessionEpoch", number(0))
            .when_absent())
    }

    /// The card that [`UserCard::new_change`] writes, with a membership.
    pub(crate) fn new(person: Person, client: ClientId, membership: Membership) -> Self {
        Self {
            person,
            epoch: 0,
            memberships: BTreeMap::from([(client, membership)]),
            last_client: None,
            known_from: Vec::new(),
            has_second_factor: false,
            is_proven: true,
        }
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
            has_second_factor: get_text(item, "totp").is_some(),
            is_proven: get_text(item, "proven").is_some(),
            known_from: get_text(item, "knownFrom").unwrap_or_default().split_whitespace().map(str::to_owned).collect(),
        })
    }

    /// That whoever has the password has read the mailbox.
    pub(crate) fn proven(card: Change) -> Change {
        card.set("proven", text("true"))
    }

    /// That a login needs a code from now on.
    pub(crate) fn with_second_factor(card: Change) -> Change {
        card.set("totp", text("true"))
    }

    /// That a login needs no code any more.
    pub(crate) fn without_second_factor(card: Change) -> Change {
        card.remove("totp")
    }

    /// The user in a client, if it is a member there.
    pub(crate) fn in_client(&self, client: ClientId) -> Option<(User, &Membership)> {
        let membership = self.memberships.get(&client)?;
        Some((self.person.in_role(membership.role, self.has_second_factor), membership))
    }

    /// That the user is a member of a client no more.
    pub(crate) fn leaves(&self, client: ClientId) -> Change {
        let left = Change::update(keys::user(self.person.id)).remove(&client.to_string());
        if self.last_client == Some(client) { left.remove("lastClient") } else { left }
    }

    /// The client of a login that names none, of those that the user may enter: the one that was used last, unless that is
    /// closed and another one is not.
    pub(crate) fn usual_client(&self, enterable: &[Client]) -> Option<ClientId> {
        let last = |client: &&Client| (client.closed_at.is_none(), Some(client.id) == self.last_client);
        // Of several that are alike the first one.
        enterable.iter().rev().max_by_key(last).map(|client| client.id)
    }

    /// Whether the user has logged in from there before: from this address by this agent.
    pub(crate) fn knows(&self, from: &RequestInfo) -> bool {
        self.known_from.contains(&place(from))
    }

    /// That the user has logged in to a client from there, if either is another one than before.
    pub(crate) fn logs_in(&self, client: ClientId, from: &RequestInfo) -> Option<Change> {
        if self.last_client == Some(client) && self.knows(from) {
            return None;
        }
        let mut known: Vec<String> = self.known_from.iter().filter(|known| **known != place(from)).cloned().collect();
        known.push(place(from));
        let known = known[known.len().saturating_sub(MAX_KNOWN)..].join(" ");
        let used = Change::update(keys::user(self.person.id)).set("lastClient", text(client.to_string()));
        Some(used.set("knownFrom", text(known)).when_present().unstamped())
    }
}

/// A place in few characters: it only has to be told from others of the same user.
fn place(from: &RequestInfo) -> String {
    let address = from.address.map(|address| address.to_string()).unwrap_or_default();
    auth::sha256_hex(format!("{address} {}", from.agent).as_bytes())[..16].to_owned()
}

impl Person {
    pub(crate) fn in_role(&self, role: Role, second_factor: bool) -> User {
        User { id: self.id, email: self.email.clone(), role, second_factor, created_at: self.created_at }
    }
}

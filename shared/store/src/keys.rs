//! Every key of every item. A partition key begins with a kind, then its scope; a scope comes only from a verified
//! credential (see [`crate::scope`]), or is the hash of a secret or name that its owner sent.

mod content;
mod events;
mod people;
mod subject;

pub(crate) use content::*;
pub(crate) use events::*;
pub(crate) use people::*;
pub(crate) use subject::Subject;

use std::time::Duration;

use contract::id::GroupId;

use crate::scope::{ClientScope, TenantScope};
use crate::tables::Table;

macro_rules! kinds {
    ($($(#[$meta:meta])* $name:ident $prefix:literal)+) => {
        /// The first part of a partition key; a function's role is held to the kinds that it needs.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Kind { $($(#[$meta])* $name,)+ }

        impl Kind {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// What partition keys of this kind begin with.
            #[must_use]
            pub const fn prefix(self) -> &'static str {
                match self { $(Self::$name => $prefix,)+ }
            }
        }
    };
}

kinds! {
    /// `C#cl`: a client's card.
    Client "C#"
    /// `M#cl`: a client's members.
    Members "M#"
    /// `IV#cl`: a client's open invitations.
    Invitations "IV#"
    /// `IT#hash`: an open invitation by its token, for whoever accepts it.
    InvitationTokens "IT#"
    /// `AK#cl`: a client's API keys, as the dashboard shows them.
    ApiKeys "AK#"
    /// `N#cl`: how many of each a client has.
    Counts "N#"
    /// `S#slug`: a slug's owner.
    Slug "S#"
    /// `O#origin`: the clients that let pages of an origin call.
    Origin "O#"
    /// `E#hash`: an e-mail address's owner; in the log table, its wrong passwords.
    Email "E#"
    /// `U#usr`: a user; in the log table, its sessions.
    User "U#"
    /// `PW#usr`: the hash of a user's password, for signup and login alone.
    Password "PW#"
    /// `SF#usr`: a user's second factor, for login and whoever sets it up alone.
    SecondFactor "SF#"
    /// `PR#hash`: a password's reset by its mailed token.
    PasswordReset "PR#"
    /// `K#hash`: an API key's card, for the credential gate.
    Key "K#"
    /// `KU#cl`: when a client's API keys were last used.
    KeyUses "KU#"
    /// `G#cl`: a client's field groups, by key.
    GroupKeys "G#"
    /// `GF#cl`: a client's global fields.
    GlobalFields "GF#"
    /// `D#cl#fg`: a field group and its global fields' copies.
    Definitions "D#"
    /// `F#cl#tenant`: a tenant's card and fields.
    TenantFields "F#"
    /// `T#cl`: a client's tenants.
    Tenants "T#"
    /// `V#cl#tenant`: a tenant's values.
    Values "V#"
    /// `Z#date`: what is to be purged on a day.
    Purge "Z#"
    /// `I#mac`: a request that may be repeated.
    Idempotency "I#"
    /// `W#cl`: a client's webhooks.
    Webhooks "W#"
    /// `WS#whk`: what goes on at a webhook.
    WebhookState "WS#"
    /// `EV#cl`: what was announced, word for word.
    Events "EV#"
    /// `DL#cl#whk`: a webhook's deliveries.
    Deliveries "DL#"
    /// `BE#event`: an event of the payment service's that was heard.
    BillingEvents "BE#"
    /// `J#cl`: a client's jobs.
    Jobs "J#"
    /// `L#name#of`: a rate limit.
    Limits "L#"
}

impl Kind {
    /// The kind of a partition key.
    #[must_use]
    pub fn of(pk: &str) -> Option<Self> {
        let (name, _) = pk.split_once('#')?;
        Self::ALL.iter().copied().find(|kind| kind.prefix().strip_suffix('#') == Some(name))
    }
}

/// The key of one item, and its table.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub(crate) table: Table,
    pub(crate) pk: String,
    pub(crate) sk: String,
}

impl Key {
    /// The partition key and the sort key, in one text.
    pub(crate) fn path(&self) -> String {
        format!("{} {}", self.pk, self.sk)
    }
}

/// How long what was deleted can be restored, and when it is purged: 30 days.
pub(crate) const RETENTION: Duration = Duration::from_secs(30 * 24 * 3600);

/// The sort key of the item that a partition is about.
const CARD: &str = "#";
/// What the sort keys of what is deleted begin with, where that does not lie among what lives.
const DELETED: &str = "x#";

fn main(kind: Kind, scope: impl std::fmt::Display, sk: impl Into<String>) -> Key {
    Key { table: Table::Main, pk: format!("{}{scope}", kind.prefix()), sk: sk.into() }
}

fn log(kind: Kind, scope: impl std::fmt::Display, sk: impl Into<String>) -> Key {
    Key { table: Table::Log, ..main(kind, scope, sk) }
}

fn group_scope(scope: &ClientScope, group: GroupId) -> String {
    format!("{}#{group}", scope.client())
}

fn tenant_scope(scope: &TenantScope) -> String {
    format!("{}#{}", scope.client(), scope.tenant())
}

/// A key of the main table under which nothing is.
pub(crate) fn nobodys(kind: Kind) -> Key {
    main(kind, "nobody", CARD)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A role is held to patterns such as `G#*`: none may reach into another kind.
    #[test]
    fn no_kind_begins_as_another_one() {
        for (at, kind) in Kind::ALL.iter().enumerate() {
            let name = kind.prefix().strip_suffix('#').unwrap_or_default();
            assert!(!name.is_empty() && name.bytes().all(|letter| letter.is_ascii_uppercase()), "{kind:?}");
            assert!(Kind::ALL[at + 1..].iter().all(|other| other.prefix() != kind.prefix()), "{kind:?}");
        }
    }
}

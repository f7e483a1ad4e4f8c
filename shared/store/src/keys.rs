//! Every key of every item. A partition key begins with a kind, then its scope; a scope comes only from a verified
//! credential (see [`crate::scope`]), or is the hash of a secret or name that its owner sent.

mod subject;

pub(crate) use subject::Subject;

use std::time::Duration;

use auth::KeyHash;
use contract::Time;
use contract::id::{ClientId, DeliveryId, EventId, FieldId, GroupId, InvitationId, JobId, KeyId, UserId, WebhookId};
use contract::names::{EntityId, FieldKey, GroupKey, Slug, TenantId};

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

pub(crate) fn client(client: ClientId) -> Key {
    main(Kind::Client, client, CARD)
}

/// That an account has been opened, where only the first may be.
pub(crate) fn first_account() -> Key {
    main(Kind::Counts, "deployment", "first-account")
}

/// How many of these a client has.
pub(crate) fn count(client: ClientId, of: &str) -> Key {
    main(Kind::Counts, client, of)
}

pub(crate) fn member(client: ClientId, user: UserId) -> Key {
    main(Kind::Members, client, user.to_string())
}

pub(crate) fn members_pk(scope: &ClientScope) -> String {
    format!("{}{}", Kind::Members.prefix(), scope.client())
}

pub(crate) fn invitation(client: ClientId, invitation: InvitationId) -> Key {
    main(Kind::Invitations, client, invitation.to_string())
}

pub(crate) fn invitations_pk(scope: &ClientScope) -> String {
    format!("{}{}", Kind::Invitations.prefix(), scope.client())
}

/// What an invitation's token leads to.
pub(crate) fn invitation_token(hash: &str) -> Key {
    main(Kind::InvitationTokens, hash, CARD)
}

pub(crate) fn slug(slug: &Slug) -> Key {
    main(Kind::Slug, slug, CARD)
}

pub(crate) fn email(hash: &str) -> Key {
    main(Kind::Email, hash, CARD)
}

pub(crate) fn user(user: UserId) -> Key {
    main(Kind::User, user, CARD)
}

/// The hash of a user's password.
pub(crate) fn password(user: UserId) -> Key {
    main(Kind::Password, user, CARD)
}

/// The second factor of a user.
pub(crate) fn second_factor(user: UserId) -> Key {
    main(Kind::SecondFactor, user, CARD)
}

pub(crate) fn session(user: UserId, hash: &str) -> Key {
    log(Kind::User, user, format!("{SESSIONS}{hash}"))
}
pub(crate) const SESSIONS: &str = "s#";

pub(crate) fn sessions_pk(user: UserId) -> String {
    format!("{}{user}", Kind::User.prefix())
}

/// What the token of a password's reset leads to.
pub(crate) fn password_reset(hash: &str) -> Key {
    log(Kind::PasswordReset, hash, CARD)
}

/// The one that counts of a user's.
pub(crate) fn newest_password_reset(user: UserId) -> Key {
    log(Kind::User, user, "password-reset")
}

/// Wrong passwords at an address.
pub(crate) fn login_attempts(email_hash: &str) -> Key {
    log(Kind::Email, email_hash, "login-attempts")
}

pub(crate) fn key_card(hash: &KeyHash) -> Key {
    main(Kind::Key, hash.as_str(), CARD)
}

pub(crate) fn api_key(scope: &ClientScope, key: KeyId) -> Key {
    main(Kind::ApiKeys, scope.client(), key.to_string())
}

/// The same by what a token says whose signature is right, before it has a scope.
pub(crate) fn api_key_of_token(client: ClientId, key: KeyId) -> Key {
    main(Kind::ApiKeys, client, key.to_string())
}

/// What is left of an API key that was deleted: who did it, until the purge.
pub(crate) fn deleted_api_key(scope: &ClientScope, key: KeyId) -> Key {
    main(Kind::ApiKeys, scope.client(), format!("{DELETED}{key}"))
}

/// When an API key was last used.
pub(crate) fn key_uses(client: ClientId, key: KeyId) -> Key {
    log(Kind::KeyUses, client, key.to_string())
}

pub(crate) fn key_uses_pk(scope: &ClientScope) -> String {
    format!("{}{}", Kind::KeyUses.prefix(), scope.client())
}

pub(crate) fn api_keys_pk(scope: &ClientScope) -> String {
    format!("{}{}", Kind::ApiKeys.prefix(), scope.client())
}

pub(crate) fn group(scope: &ClientScope, group: GroupId) -> Key {
    main(Kind::Definitions, group_scope(scope, group), CARD)
}

pub(crate) fn group_key(scope: &ClientScope, key: &GroupKey) -> Key {
    main(Kind::GroupKeys, scope.client(), format!("{GROUP_KEYS}{key}"))
}
pub(crate) const GROUP_KEYS: &str = "k#";

pub(crate) fn group_keys_pk(scope: &ClientScope) -> String {
    format!("{}{}", Kind::GroupKeys.prefix(), scope.client())
}

/// Which group was the last to be deleted under a key.
pub(crate) fn deleted_group_key(scope: &ClientScope, key: &GroupKey) -> Key {
    main(Kind::GroupKeys, scope.client(), format!("d#{key}"))
}

/// That a group is deleted: without it nobody would find the group in the end.
pub(crate) fn deleted_group(scope: &ClientScope, group: GroupId) -> Key {
    main(Kind::GroupKeys, scope.client(), format!("{DELETED}{group}"))
}

pub(crate) fn global_field(scope: &ClientScope, field: FieldId) -> Key {
    main(Kind::GlobalFields, scope.client(), field.to_string())
}

/// A global field that is deleted.
pub(crate) fn deleted_global_field(scope: &ClientScope, field: FieldId) -> Key {
    main(Kind::GlobalFields, scope.client(), format!("{DELETED}{field}"))
}

pub(crate) fn global_fields_pk(scope: &ClientScope) -> String {
    format!("{}{}", Kind::GlobalFields.prefix(), scope.client())
}

/// A global field's copy in a group: its sort key reserves the field key there.
pub(crate) fn global_copy(scope: &ClientScope, group: GroupId, key: &FieldKey) -> Key {
    main(Kind::Definitions, group_scope(scope, group), format!("{COPIES}{key}"))
}
pub(crate) const COPIES: &str = "k#";

pub(crate) fn tenant(scope: &TenantScope) -> Key {
    main(Kind::TenantFields, tenant_scope(scope), CARD)
}

/// The same by what a token says whose signature is right, before it has a scope.
pub(crate) fn tenant_of_token(client: ClientId, tenant: &TenantId) -> Key {
    main(Kind::TenantFields, format!("{client}#{tenant}"), CARD)
}

pub(crate) fn tenant_row(scope: &TenantScope) -> Key {
    main(Kind::Tenants, scope.client(), scope.tenant().as_str())
}

/// That there is a card of a tenant which has not been used.
pub(crate) fn unused_tenant_row(scope: &TenantScope) -> Key {
    main(Kind::Tenants, scope.client(), format!("{DELETED}{}", scope.tenant()))
}

/// The tenant of a row, used or not.
pub(crate) fn tenant_of_row(sk: &str) -> Option<TenantId> {
    sk.strip_prefix(DELETED).unwrap_or(sk).parse().ok()
}

/// What there is of a tenant's fields in a group: its sort key is right before theirs.
pub(crate) fn tenant_group(scope: &TenantScope, group: GroupId) -> Key {
    main(Kind::TenantFields, tenant_scope(scope), group.to_string())
}

pub(crate) fn tenant_field(scope: &TenantScope, group: GroupId, field: FieldId) -> Key {
    main(Kind::TenantFields, tenant_scope(scope), format!("{group}#{field}"))
}

/// A tenant's field that is deleted. Elsewhere than those that live, so that it is never read with them.
pub(crate) fn deleted_tenant_field(scope: &TenantScope, group: GroupId, field: FieldId) -> Key {
    main(Kind::TenantFields, tenant_scope(scope), format!("{DELETED}{group}#{field}"))
}

/// That a key is in use among a tenant's fields in a group.
pub(crate) fn tenant_field_key(scope: &TenantScope, group: GroupId, key: &FieldKey) -> Key {
    main(Kind::TenantFields, tenant_scope(scope), format!("k#{group}#{key}"))
}

/// An entity's values. Those of a group lie beside each other, by entity: a list is a range of them.
pub(crate) fn values(scope: &TenantScope, group: GroupId, entity: &EntityId) -> Key {
    main(Kind::Values, tenant_scope(scope), format!("{}{entity}", values_prefix(group)))
}

pub(crate) fn values_prefix(group: GroupId) -> String {
    format!("{group}#")
}

/// The entity whose values lie under a sort key of a group's.
pub(crate) fn entity_of(sk: &str, group: GroupId) -> Option<EntityId> {
    sk.strip_prefix(&values_prefix(group))?.parse().ok()
}

pub(crate) fn values_pk(scope: &TenantScope) -> String {
    format!("{}{}", Kind::Values.prefix(), tenant_scope(scope))
}

/// What is left of an entity's values that are deleted: no list comes by.
pub(crate) fn deleted_values(scope: &TenantScope, group: GroupId, entity: &EntityId) -> Key {
    main(Kind::Values, tenant_scope(scope), format!("{DELETED}{group}#{entity}"))
}

/// Clients that are closed, in the order in which they are to be erased.
pub(crate) fn closed_clients_pk() -> String {
    format!("{}clients", Kind::Purge.prefix())
}

/// That a client, closed then, is to be erased; `client` and `job` in it say which, and what tells how far that has come.
pub(crate) fn closed_client(closed: Time, client: ClientId) -> Key {
    main(Kind::Purge, "clients", format!("{}#{client}", closed.plus(RETENTION)))
}

/// That what is left of a resource, deleted then, is to be purged; `root` in it is the [`Key::path`] of what is left.
pub(crate) fn purge(deleted: Time, live: &Key) -> Key {
    // A card's sort key says nothing; its partition does.
    let whole = if live.sk == CARD { &live.pk } else { &live.sk };
    purge_on(deleted, whole.rsplit('#').next().unwrap_or(whole))
}

/// The same of an entity's values, which no identifier names.
pub(crate) fn values_purge(deleted: Time, scope: &TenantScope, group: GroupId, entity: &EntityId) -> Key {
    purge_on(deleted, format!("{}#{group}#{entity}", tenant_scope(scope)))
}

fn purge_on(deleted: Time, sk: impl Into<String>) -> Key {
    main(Kind::Purge, deleted.plus(RETENTION).day(), sk)
}

/// The same of an item that stands there deleted.
pub(crate) fn purge_of(deleted: Time, pk: &str, sk: &str) -> Option<Key> {
    let (_, scope) = pk.split_once('#')?;
    let what = match Kind::of(pk)? {
        Kind::Values => format!("{scope}#{}", sk.strip_prefix(DELETED)?),
        _ => (if sk == CARD { pk } else { sk }).rsplit('#').next()?.to_owned(),
    };
    Some(purge_on(deleted, what))
}

pub(crate) fn idempotency(mac: &str) -> Key {
    log(Kind::Idempotency, mac, CARD)
}

/// A piece of a long answer, of the try that gave it.
pub(crate) fn answer_piece(mac: &str, holder: &str, piece: usize) -> Key {
    log(Kind::Idempotency, mac, format!("{holder}#{piece:02}"))
}

pub(crate) fn webhook(client: ClientId, webhook: WebhookId) -> Key {
    main(Kind::Webhooks, client, webhook.to_string())
}

pub(crate) fn webhook_state(webhook: WebhookId) -> Key {
    log(Kind::WebhookState, webhook, CARD)
}

/// A piece of what was announced.
pub(crate) fn event(client: ClientId, event: EventId, piece: usize) -> Key {
    log(Kind::Events, client, format!("{event}#{piece:02}"))
}

pub(crate) fn deliveries_pk(client: ClientId, webhook: WebhookId) -> String {
    format!("{}{client}#{webhook}", Kind::Deliveries.prefix())
}

/// The card of a delivery, which never changes.
pub(crate) fn delivery(client: ClientId, webhook: WebhookId, delivery: DeliveryId) -> Key {
    log(Kind::Deliveries, format!("{client}#{webhook}"), delivery.to_string())
}

/// Where a delivery stands: right behind its card.
pub(crate) fn delivery_state(client: ClientId, webhook: WebhookId, delivery: DeliveryId) -> Key {
    log(Kind::Deliveries, format!("{client}#{webhook}"), format!("{delivery}{STATE}"))
}
pub(crate) const STATE: &str = "#s";

/// The text of a long answer to a delivery's `number`th attempt.
pub(crate) fn delivery_response(client: ClientId, webhook: WebhookId, delivery: DeliveryId, number: u32) -> Key {
    log(Kind::Deliveries, format!("{client}#{webhook}"), format!("r#{delivery}#{number:06}"))
}

/// That a delivery is held or has failed.
pub(crate) fn open_delivery(client: ClientId, webhook: WebhookId, delivery: DeliveryId) -> Key {
    log(Kind::Deliveries, format!("{client}#{webhook}"), format!("{OPEN}{delivery}"))
}
pub(crate) const OPEN: &str = "x#";

/// The delivery whose being held or failed lies under a sort key.
pub(crate) fn open_delivery_of(sk: &str) -> Option<DeliveryId> {
    sk.strip_prefix(OPEN)?.parse().ok()
}

/// That an event of the payment service's was heard.
pub(crate) fn billing_event(event: &str) -> Key {
    log(Kind::BillingEvents, event, CARD)
}

pub(crate) fn job(client: ClientId, job: JobId) -> Key {
    log(Kind::Jobs, client, job.to_string())
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

//! Keys of what a client defines and its tenants fill in, and of what is to be purged.

use contract::Time;
use contract::id::{ClientId, FieldId, GroupId, JobId};
use contract::names::{EntityId, FieldKey, GroupKey, TenantId};

use super::{CARD, DELETED, Key, Kind, RETENTION, group_scope, main, tenant_scope};
use crate::scope::{ClientScope, TenantScope};
use crate::tables::Table;

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

/// What is noted of a tenant that was erased: under no identifier of a tenant's, which have no such character.
pub(crate) fn erased_tenant(scope: &TenantScope) -> Key {
    let client = scope.client_scope();
    let hash = auth::hex(&client.seal().mac(&[b"erased tenant", scope.tenant().as_str().as_bytes()]));
    main(Kind::TenantFields, format!("{}#~{hash}", client.client()), CARD)
}

/// That the note is to be purged.
pub(crate) fn erased_tenant_purge(now: Time, note: &Key) -> Key {
    main(Kind::Purge, now.day(), note.pk.as_str())
}

/// Whether a partition is of such a note.
pub(crate) fn is_erased_tenant(pk: &str) -> bool {
    pk.rsplit_once('#').is_some_and(|(_, last)| last.starts_with('~'))
}

/// What is due on a day.
pub(crate) fn purge_pk(day: &str) -> String {
    format!("{}{day}", Kind::Purge.prefix())
}

/// Up to which day all is purged.
pub(crate) fn purge_mark() -> Key {
    main(Kind::Purge, "purged", CARD)
}

/// What the sort keys of a group's deleted values begin with.
pub(crate) fn deleted_values_prefix(group: GroupId) -> String {
    format!("{DELETED}{}", values_prefix(group))
}

/// What the sort keys of all that a tenant has of fields in a group begin with, but for its card of the group.
pub(crate) fn tenant_field_prefixes(group: GroupId) -> [String; 3] {
    [format!("{group}#"), format!("k#{group}#"), format!("{DELETED}{group}#")]
}

/// The sort key that something had before it was deleted.
pub(crate) fn deleted_of(sk: &str) -> Option<&str> {
    sk.strip_prefix(DELETED)
}

/// Erasures of tenants that are not done, in the order in which they were asked for.
pub(crate) fn open_erasures_pk() -> String {
    format!("{}tenants", Kind::Purge.prefix())
}

/// That an erasure is open; `client` and `job` in it say which.
pub(crate) fn open_erasure(at: Time, client: ClientId, job: JobId) -> Key {
    main(Kind::Purge, "tenants", format!("{at}#{client}#{job}"))
}

/// A partition that is one tenant's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TenantPart {
    Values,
    /// Its fields; the tenant's card, which stands before them, is not meant.
    Fields,
    /// What requests about it were answered, under an idempotency key.
    Answers,
}

impl TenantPart {
    pub(crate) const ALL: [Self; 3] = [Self::Values, Self::Fields, Self::Answers];

    pub(crate) const fn table(self) -> Table {
        match self {
            Self::Values | Self::Fields => Table::Main,
            Self::Answers => Table::Log,
        }
    }

    pub(crate) fn pk(self, client: ClientId, tenant: &TenantId) -> String {
        let kind = match self {
            Self::Values => Kind::Values,
            Self::Fields => Kind::TenantFields,
            Self::Answers => Kind::Idempotency,
        };
        format!("{}{client}#{tenant}", kind.prefix())
    }

    /// The sort key behind which it begins.
    pub(crate) const fn after(self) -> Option<&'static str> {
        match self {
            Self::Fields => Some(CARD),
            Self::Values | Self::Answers => None,
        }
    }

    /// What an item counts as; nothing, if it only stands beside one that counts.
    pub(crate) fn counts(self, sk: &str) -> &'static str {
        let deleted = sk.starts_with(DELETED);
        match self {
            Self::Values if deleted => "deletedValues",
            Self::Values => "values",
            Self::Fields if deleted => "deletedFields",
            Self::Fields if sk.starts_with(GroupId::PREFIX) && sk.contains('#') => "fields",
            Self::Answers if !sk.contains('#') => "idempotencyAnswers",
            Self::Fields | Self::Answers => "",
        }
    }
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

//! The fields of a tenant in a group, merged, and the cache of them.
//!
//! Nothing stale is ever validated against or shown: what is cached carries the schema versions that it was read under,
//! and counts only while the group's and the tenant's cards, read strongly with every request, still say so.
//!
//! When nothing is cached, definitions are read *beside* the cards, in one round trip, which is sound because they say
//! themselves how new they are: the group's stretch begins with the group's card, and the newest of the tenant's fields,
//! deleted ones included, carries the version that the tenant's card has for the group. Otherwise they are read again.
//!
//! A Query beside a transaction may see one of its items changed and another not yet. What it saw then is right for its
//! own request, since nobody has been told of the change yet, but must not be kept under the new version: so only what
//! has not changed for [`SETTLED`] is cached.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use contract::id::{ClientId, FieldId, GroupId};
use contract::names::{FieldKey, GroupKey, GroupRef, TenantId};
use contract::resource::{Field, FieldGroup, GlobalField, Scope, TenantField};
use contract::{Code, Error, Time};
use quick_cache::sync::Cache as Lru;

use crate::document::{Document, deleted_at, from_doc};
use crate::dynamo::{Item, Stretch, get_number, must};
use crate::field_groups::group_of;
use crate::keys::{self, Key};
use crate::scope::TenantScope;
use crate::tables::Table;
use crate::{Store, Work};

/// Longer than a transaction can be under way, with all of its tries.
pub(crate) const SETTLED: Duration = Duration::from_secs(30);

const CACHED_GROUPS: usize = 500;
const CACHED_MERGES: usize = 1_000;
const CACHED_KEYS: usize = 2_000;

/// The merged fields of one tenant in one group.
pub(crate) struct Fields {
    group_version: u64,
    tenant_version: u64,
    /// In order; a shadowed field among them.
    pub(crate) all: Vec<Field>,
    by_key: HashMap<FieldKey, usize>,
    /// The tenant's own, as resources.
    pub(crate) own: Vec<TenantField>,
}

struct GroupFields {
    version: u64,
    fields: Vec<GlobalField>,
}

type MergeKey = (ClientId, TenantId, GroupId);

pub(crate) struct Cache {
    groups: Lru<(ClientId, GroupId), Arc<GroupFields>>,
    merged: Lru<MergeKey, Arc<Fields>>,
    ids: Lru<(ClientId, GroupKey), GroupId>,
}

impl Default for Cache {
    fn default() -> Self {
        Self { groups: Lru::new(CACHED_GROUPS), merged: Lru::new(CACHED_MERGES), ids: Lru::new(CACHED_KEYS) }
    }
}

/// A live group with a tenant's fields in it, and whatever else was read with its cards.
pub(crate) struct Loaded {
    pub(crate) group: FieldGroup,
    pub(crate) fields: Arc<Fields>,
    /// The tenant's card, if the tenant has been used.
    pub(crate) tenant: Option<Item>,
    /// The items that were asked for, by place.
    pub(crate) others: HashMap<Key, Item>,
    /// Whether the group is deleted.
    deleted: bool,
}

impl Loaded {
    /// The tenant's epoch: what carries an older one has been erased.
    pub(crate) fn epoch(&self) -> u64 {
        self.tenant.as_ref().and_then(|card| get_number(card, "epoch")).unwrap_or(0)
    }
}

impl Fields {
    /// The field that values under this key belong to.
    pub(crate) fn by_key(&self, key: &str) -> Option<&Field> {
        let key: FieldKey = key.parse().ok()?;
        self.by_key.get(&key).and_then(|at| self.all.get(*at))
    }

    /// The fields that values can be saved for, in order.
    pub(crate) fn visible(&self) -> impl Iterator<Item = &Field> {
        self.all.iter().filter(|field| !field.shadowed)
    }
}

impl Work {
    /// The identifier of a group. What the cache says of a key is checked against the group's card by its reader, or
    /// wrong at worst for a key that was given to another group in this very moment.
    pub(crate) async fn resolve(&self, group: &GroupRef) -> Result<GroupId, Error> {
        let key = match group {
            GroupRef::Id(id) => return Ok(*id),
            GroupRef::Key(key) => key,
        };
        let row = self.store.get(&keys::group_key(&self.scope, key)).await?;
        let id = group_of(&row.ok_or(Code::FieldGroupNotFound)?)?;
        self.store.0.definitions.ids.insert((self.scope.client(), key.clone()), id);
        Ok(id)
    }

    /// The identifier of a group as it was last known: to be checked against its card.
    pub(crate) fn cached_id(&self, group: &GroupRef) -> Option<GroupId> {
        match group {
            GroupRef::Id(id) => Some(*id),
            GroupRef::Key(key) => self.store.0.definitions.ids.get(&(self.scope.client(), key.clone())),
        }
    }

    /// A group, a tenant's fields in it, and the items that `others` names for it: warm, one round trip.
    pub(crate) async fn load(
        &self,
        scope: &TenantScope,
        group: &GroupRef,
        others: impl Fn(GroupId) -> Vec<Key>,
    ) -> Result<Loaded, Error> {
        if let Some(id) = self.cached_id(group) {
            match (self.load_by_id(scope, id, &others(id)).await?, group) {
                (Some(loaded), _) if !loaded.deleted => return Ok(loaded),
                (_, GroupRef::Id(_)) => return Err(Code::FieldGroupNotFound.into()),
                // The key may have gone to another group.
                (_, GroupRef::Key(_)) => {}
            }
        }
        let id = self.resolve(group).await?;
        let loaded = self.load_by_id(scope, id, &others(id)).await?.filter(|loaded| !loaded.deleted);
        loaded.ok_or(Code::FieldGroupNotFound.into())
    }

    /// The same by identifier, of a group that may be deleted.
    pub(crate) async fn load_even_deleted(&self, scope: &TenantScope, id: GroupId) -> Result<Option<Loaded>, Error> {
        self.load_by_id(scope, id, &[]).await
    }

    async fn load_by_id(&self, scope: &TenantScope, id: GroupId, others: &[Key]) -> Result<Option<Loaded>, Error> {
        let (store, client) = (&self.store, scope.client_scope());
        let cache = &store.0.definitions;
        let merge_key: MergeKey = (scope.client(), scope.tenant().clone(), id);
        let cached = cache.merged.get(&merge_key);
        let group_fields = cache.groups.get(&(scope.client(), id));

        let (group_key, tenant_key) = (keys::group(client, id), keys::tenant(scope));
        let mut places = vec![&group_key, &tenant_key];
        places.extend(others);
        let (cards, group_read, tenant_read) = tokio::join!(
            store.batch_get_all(&places),
            async {
                if cached.is_none() && group_fields.is_none() {
                    Some(self.read_group(&group_key.pk).await)
                } else {
                    None
                }
            },
            async { if cached.is_none() { Some(self.read_tenant(scope, id).await) } else { None } },
        );
        let mut cards = cards?;
        let Some(card) = cards.remove(&group_key) else { return Ok(None) };
        let group: Document<FieldGroup> = Document::read(&card)?;
        let tenant = cards.remove(&tenant_key);
        let group_version: u64 = must(get_number(&card, "schemaVersion"), "schemaVersion")?;
        let tenant_version = tenant.as_ref().and_then(|card| get_number(card, &version_of(id))).unwrap_or(0);

        let same_tenant = cached.filter(|fields| fields.tenant_version == tenant_version);
        let fields = if let Some(fields) = same_tenant.as_ref().filter(|fields| fields.group_version == group_version) {
            fields.clone()
        } else {
            let group_fields = match group_fields.or(group_read.transpose()?.map(Arc::new)) {
                Some(fields) if fields.version == group_version => fields,
                _ => Arc::new(GroupFields { version: group_version, ..self.read_group(&group_key.pk).await? }),
            };
            let own = match (tenant_read.transpose()?, same_tenant) {
                (Some((version, own)), _) if version == tenant_version => own,
                (_, Some(fields)) => fields.own.clone(),
                _ if tenant_version == 0 => Vec::new(),
                _ => self.read_tenant(scope, id).await?.1,
            };
            let merged = Arc::new(merge(&group_fields.fields, own, group_version, tenant_version));
            let group_settled = self.settled(get_number(&card, "schemaAt"));
            let tenant_settled = self.settled(tenant.as_ref().and_then(|card| get_number(card, &time_of(id))));
            // What is not to be kept is forgotten: the next request then reads what it needs in one round trip.
            if group_settled {
                cache.groups.insert((scope.client(), id), group_fields);
            } else {
                cache.groups.remove(&(scope.client(), id));
            }
            if group_settled && tenant_settled {
                cache.merged.insert(merge_key, merged.clone());
            } else {
                cache.merged.remove(&merge_key);
            }
            merged
        };
        Ok(Some(Loaded { deleted: group.deleted_at.is_some(), group: group.value, fields, tenant, others: cards }))
    }

    /// Whether definitions that last changed then can be seen whole by now.
    fn settled(&self, changed_millis: Option<i64>) -> bool {
        changed_millis
            .is_none_or(|millis| Time::from_millis(millis).plus(self.store.0.settling) <= self.store.clock().now())
    }

    /// The group's copies of global fields, under the version of the card that stands before them.
    async fn read_group(&self, pk: &str) -> Result<GroupFields, Error> {
        let whole = Stretch { table: Table::Main, pk, prefix: "", after: None, limit: None };
        let (items, _) = self.store.query(&whole).await?;
        let mut fields = Vec::with_capacity(items.len());
        let mut version = 0;
        for item in &items {
            match get_number(item, "schemaVersion") {
                Some(found) => version = found,
                None => fields.push(from_doc(item)?),
            }
        }
        Ok(GroupFields { version, fields })
    }

    /// The tenant's live fields in the group, and the newest schema version that any of them, or a deleted one, has.
    async fn read_tenant(&self, scope: &TenantScope, id: GroupId) -> Result<(u64, Vec<TenantField>), Error> {
        let (pk, prefix) = (keys::tenant(scope).pk, keys::tenant_fields_prefix(id));
        let stretch = Stretch { table: Table::Main, pk: &pk, prefix: &prefix, after: None, limit: None };
        let (items, _) = self.store.query(&stretch).await?;
        let mut newest = 0;
        let mut own = Vec::with_capacity(items.len());
        for item in &items {
            newest = newest.max(must(get_number(item, "sv"), "sv")?);
            if deleted_at(item).is_none() {
                own.push(from_doc(item)?);
            }
        }
        Ok((newest, own))
    }
}

impl Store {
    /// Forgets what it knows of schemas and keys, as a new instance would.
    pub fn forget(&self) {
        self.0.definitions.groups.clear();
        self.0.definitions.merged.clear();
        self.0.definitions.ids.clear();
        self.0.keys.clear();
    }
}

/// Where a field stands among others: by the order that its schema asks for, those that ask for none last; then the
/// client's first; then by age.
pub(crate) type Place = (i64, Scope, FieldId);

pub(crate) fn place(field: &Field) -> Place {
    (field.schema.order().unwrap_or(i64::MAX), field.scope, field.id)
}

/// The attribute of a tenant's card that counts the changes of its fields in a group.
pub(crate) fn version_of(group: GroupId) -> String {
    format!("v_{group}")
}

/// The attribute of a tenant's card that says when its fields in a group last changed, in milliseconds since 1970.
pub(crate) fn time_of(group: GroupId) -> String {
    format!("a_{group}")
}

/// The attribute of a tenant's card that counts its live fields in a group.
pub(crate) fn count_of(group: GroupId) -> String {
    format!("n_{group}")
}

fn merge(global: &[GlobalField], own: Vec<TenantField>, group_version: u64, tenant_version: u64) -> Fields {
    let taken = |key: &FieldKey| global.iter().any(|field| field.key == *key);
    let globals = global.iter().map(|field| Field {
        id: field.id,
        key: field.key.clone(),
        label: field.label.clone(),
        schema: field.schema.clone(),
        scope: Scope::Global,
        shadowed: false,
        version: field.version,
        created_at: field.created_at,
        updated_at: field.updated_at,
    });
    let tenants = own.iter().map(|field| Field {
        id: field.id,
        key: field.key.clone(),
        label: field.label.clone(),
        schema: field.schema.clone(),
        scope: Scope::Tenant,
        shadowed: taken(&field.key),
        version: field.version,
        created_at: field.created_at,
        updated_at: field.updated_at,
    });
    let mut all: Vec<Field> = globals.chain(tenants).collect();
    all.sort_by_key(place);
    let by_key = all.iter().enumerate().filter(|(_, f)| !f.shadowed).map(|(at, f)| (f.key.clone(), at)).collect();
    Fields { group_version, tenant_version, all, by_key, own }
}

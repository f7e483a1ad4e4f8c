//! The fields of a tenant in a group, merged, and the cache of them.
//!
//! Nothing stale is ever validated against or shown: what is cached carries the schema versions that it was read under,
//! and counts only while the group's and the tenant's cards, read strongly with every request, still say so.
//!
//! When nothing is cached, definitions are read *beside* the cards, in one round trip, which is sound because they say
//! themselves how new they are: the group's range begins with the group's card, the tenant's with the tenant's card of
//! the group. Otherwise they are read again. What is deleted lies elsewhere and is never read.
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

use crate::apart;
use crate::cache::{Cache as Weighed, Heavy};
use crate::document::{Document, from_doc};
use crate::dynamo::{Item, KeyRange, get_number, get_text, must};
use crate::field_groups::group_of;
use crate::keys::{self, Key};
use crate::limits::Held;
use crate::scope::TenantScope;
use crate::tables::Table;
use crate::tenants::is_erasing;
use crate::{OpContext, Store};

/// Longer than a transaction can be under way, with all of its tries.
pub(crate) const SETTLED: Duration = Duration::from_secs(30);

/// Definitions of so many bytes are read in some tenths of a millisecond; a thread of their own costs one.
const LONG: usize = 32 * 1024;

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

/// What a field takes beside its schema: label, key, identifiers, times.
const FIELD_BYTES: usize = 400;

impl Heavy for GroupFields {
    fn weight(&self) -> usize {
        let of = |field: &GlobalField| FIELD_BYTES + 16 * field.field_group_ids.len() + field.schema.weight();
        self.fields.iter().map(of).sum()
    }
}

impl Heavy for Fields {
    fn weight(&self) -> usize {
        // A tenant's own stand there twice; schemas are shared.
        self.all.iter().map(|field| 2 * FIELD_BYTES + field.schema.weight()).sum()
    }
}

impl Heavy for GroupId {
    fn weight(&self) -> usize {
        0
    }
}

type MergeKey = (ClientId, TenantId, GroupId);

pub(crate) struct Cache {
    groups: Weighed<(ClientId, GroupId), Arc<GroupFields>>,
    merged: Weighed<MergeKey, Arc<Fields>>,
    ids: Weighed<(ClientId, GroupKey), GroupId>,
}

impl Cache {
    /// With at most so many bytes in all.
    pub(crate) fn new(bytes: usize) -> Self {
        let (groups, ids) = (bytes * 3 / 8, bytes / 16);
        Self { groups: Weighed::new(groups), merged: Weighed::new(bytes - groups - ids), ids: Weighed::new(ids) }
    }
}

/// A live group with a tenant's fields in it, and whatever else was read with its cards.
pub(crate) struct Loaded {
    pub(crate) group: FieldGroup,
    pub(crate) fields: Arc<Fields>,
    /// The tenant's card, if the tenant has been used.
    pub(crate) tenant: Option<Item>,
    /// The tenant's card of the group, if it has had fields of its own there.
    pub(crate) tenant_group: Option<Item>,
    /// What the group holds of the client's own fields.
    pub(crate) global: Held,
    /// The items that were asked for, by position.
    pub(crate) others: HashMap<Key, Item>,
    /// Whether the group is deleted.
    deleted: bool,
}

impl Loaded {
    /// The tenant's epoch: what carries an older one has been erased.
    pub(crate) fn epoch(&self) -> u64 {
        self.tenant.as_ref().and_then(|card| get_number(card, "epoch")).unwrap_or(0)
    }

    /// Refuses whatever would be written while the tenant is being erased.
    pub(crate) fn check_open(&self) -> Result<(), Error> {
        if self.tenant.as_ref().is_some_and(is_erasing) { Err(Code::TenantNotFound.into()) } else { Ok(()) }
    }

    /// How often the tenant's fields in the group have changed.
    pub(crate) fn tenant_version(&self) -> u64 {
        schema_version(self.tenant_group.as_ref())
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

impl OpContext {
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
        let tenant_group_key = keys::tenant_group(scope, id);
        let mut keys = vec![&group_key, &tenant_key, &tenant_group_key];
        keys.extend(others);
        let (cards, group_read, tenant_read) = tokio::join!(
            store.batch_get_all(&keys),
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
        // What a revocation of tokens has begun is no tenant yet; what is being erased is one that has nothing.
        let tenant = cards.remove(&tenant_key).filter(|card| card.contains_key("doc") || is_erasing(card));
        let erasing = tenant.as_ref().is_some_and(is_erasing);
        let tenant_group = cards.remove(&tenant_group_key).filter(|_| !erasing);
        let group_version: u64 = must(get_number(&card, "schemaVersion"), "schemaVersion")?;
        let tenant_version = schema_version(tenant_group.as_ref());

        if erasing {
            let group_fields = match group_fields.or(group_read.transpose()?.map(Arc::new)) {
                Some(fields) if fields.version == group_version => fields,
                _ => Arc::new(self.read_group(&group_key.pk).await?),
            };
            let fields = Arc::new(merge(&group_fields.fields, Vec::new(), group_version, 0));
            let (deleted, global) = (group.deleted_at.is_some(), Held::of(Some(&card)));
            return Ok(Some(Loaded {
                deleted,
                group: group.value,
                fields,
                tenant,
                tenant_group,
                global,
                others: cards,
            }));
        }
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
            let tenant_settled = self.settled(tenant_group.as_ref().and_then(|card| get_number(card, "schemaAt")));
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
        let (deleted, global) = (group.deleted_at.is_some(), Held::of(Some(&card)));
        Ok(Some(Loaded { deleted, group: group.value, fields, tenant, tenant_group, global, others: cards }))
    }

    /// Whether definitions that last changed then can be seen whole by now.
    fn settled(&self, changed_millis: Option<i64>) -> bool {
        changed_millis
            .is_none_or(|millis| Time::from_millis(millis).plus(self.store.0.settling) <= self.store.clock().now())
    }

    /// The group's copies of global fields, under the version of the card that stands before them.
    async fn read_group(&self, pk: &str) -> Result<GroupFields, Error> {
        let whole = KeyRange { table: Table::Main, pk, prefix: "", after: None, limit: None };
        let items = self.store.query(&whole).await?;
        self.read_out(items, |items| {
            let mut fields = Vec::with_capacity(items.len());
            let mut version = 0;
            for item in items {
                match get_number(item, "schemaVersion") {
                    Some(found) => version = found,
                    None => fields.push(from_doc(item)?),
                }
            }
            Ok(GroupFields { version, fields })
        })
        .await
    }

    /// The tenant's fields in the group, under the version of the card that stands before them.
    async fn read_tenant(&self, scope: &TenantScope, id: GroupId) -> Result<(u64, Vec<TenantField>), Error> {
        let card = keys::tenant_group(scope, id);
        let range = KeyRange { table: Table::Main, pk: &card.pk, prefix: &card.sk, after: None, limit: None };
        let items = self.store.query(&range).await?;
        self.read_out(items, move |items| {
            let (card, fields) = match items.split_first() {
                Some((first, fields)) if get_text(first, "sk") == Some(&card.sk) => (Some(first), fields),
                _ => (None, items),
            };
            Ok((schema_version(card), fields.iter().map(from_doc).collect::<Result<_, _>>()?))
        })
        .await
    }

    /// Reads definitions out of their items: many of them apart, where nobody else waits for it.
    async fn read_out<T: Send + 'static>(
        &self,
        items: Vec<Item>,
        read: impl FnOnce(&[Item]) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let bytes: usize = items.iter().filter_map(|item| get_text(item, "doc")).map(str::len).sum();
        if bytes < LONG {
            return read(&items);
        }
        apart::for_client(self.scope.client(), move || read(&items)).await?
    }
}

fn schema_version(card: Option<&Item>) -> u64 {
    card.and_then(|card| get_number(card, "schemaVersion")).unwrap_or(0)
}

impl Store {
    /// Forgets what it knows of schemas and keys, as a new instance would.
    pub fn forget(&self) {
        self.0.definitions.groups.clear();
        self.0.definitions.merged.clear();
        self.0.definitions.ids.clear();
        self.0.keys.clear();
        self.0.makers.clear();
    }
}

/// Where a field stands among others: by the order that its schema asks for, those that ask for none last; then the
/// client's first; then by age.
pub(crate) type Position = (i64, Scope, FieldId);

pub(crate) fn position(field: &Field) -> Position {
    (field.schema.order().unwrap_or(i64::MAX), field.scope, field.id)
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
    all.sort_by_key(position);
    let by_key = all.iter().enumerate().filter(|(_, f)| !f.shadowed).map(|(at, f)| (f.key.clone(), at)).collect();
    Fields { group_version, tenant_version, all, by_key, own }
}

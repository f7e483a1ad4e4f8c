//! Values of entities. Those that live lie under their group and entity, so that a list of them is one Query; what is
//! left of deleted ones lies elsewhere and goes on counting versions.

mod apply;
mod deletion;
mod list;
mod save;

use std::collections::HashMap;
use std::marker::PhantomData;

use contract::id::{EventId, GroupId};
use contract::names::{EntityId, GroupRef, TenantId};
use contract::resource::{EntityValues, FieldGroup, Publishing, Status};
use contract::{Code, Error, Time};
use serde_json::{Map, Value};

use crate::OpContext;
use crate::applied::Applied;
use crate::change::Change;
use crate::definitions::Loaded;
use crate::document::{deleted_at, event_of, from_doc};
use crate::dynamo::{Item, get_number, must, must_parse, number, text};
use crate::grant::{Delete, Get, List, Restore, Write, granted};
use crate::keys::{self, Key};
use crate::retry::{Step, update_with_retry};
use crate::scope::TenantScope;
use crate::tenant_fields::DEFINITION_READS;

pub use save::{MAX_BYTES, Save, Sent};

/// One tenant's values.
pub struct Values<A> {
    op: OpContext,
    scope: TenantScope,
    access: PhantomData<A>,
}

granted! {
    Values<Get> {
        ..DEFINITION_READS;
        Main BatchGetItem [Values];
    }
    Values<List> {
        ..DEFINITION_READS;
        Main Query [Values];
    }
    // An update is of a version that begins beside what is left of deleted values (`find`), here and below.
    Values<Write> {
        ..DEFINITION_READS;
        Main BatchGetItem [Values];
        Main PutItem [Values, Tenants];
        Main UpdateItem [Values, TenantFields, Counts];
        Main DeleteItem [Values, Purge];
        Main BatchGetItem [Client];
    }
    Values<Delete> {
        ..DEFINITION_READS;
        Main BatchGetItem [Values];
        Main PutItem [Values, Purge];
        Main UpdateItem [Values];
        Main DeleteItem [Values, Purge];
    }
    Values<Restore> {
        ..DEFINITION_READS;
        Main BatchGetItem [Values];
        Main PutItem [Values];
        Main UpdateItem [Values];
        Main DeleteItem [Values, Purge];
    }
}

/// By field identifier.
pub(crate) type Document = HashMap<String, Value>;

/// What is stored of an entity.
#[derive(Clone)]
pub(crate) struct Stored {
    pub(crate) document: Document,
    version: u64,
    epoch: u64,
    updated_at: Time,
    pub(crate) created_at: Time,
    pub(crate) deleted_at: Option<Time>,
    event: Option<EventId>,
    applied: Applied,
}

impl Stored {
    pub(crate) fn read(item: &Item) -> Result<Self, Error> {
        Ok(Self {
            document: from_doc(item)?,
            version: must(get_number(item, "version"), "version")?,
            epoch: must(get_number(item, "epoch"), "epoch")?,
            updated_at: must_parse(item, "at")?,
            created_at: must_parse(item, "createdAt")?,
            deleted_at: deleted_at(item),
            event: event_of(item),
            applied: Applied::of(item),
        })
    }

    /// The values themselves; none of what was deleted.
    pub(crate) fn live_document(self) -> Document {
        if self.deleted_at.is_some() { Document::new() } else { self.document }
    }

    /// Whether they are a tenant's of this epoch: what is older has been erased.
    const fn is_of(&self, epoch: u64) -> bool {
        self.epoch >= epoch
    }

    /// Whether there are values for a tenant of this epoch.
    const fn is_live(&self, epoch: u64) -> bool {
        self.is_of(epoch) && self.deleted_at.is_none()
    }

    /// Whether this very change has been committed before, by a try whose answer was lost; whatever came after it.
    fn is_by(&self, event: EventId) -> bool {
        self.event == Some(event) || self.applied.contains(event)
    }

    /// The whole item under its key, with its document as it is written.
    fn put(&self, key: Key, doc: String) -> Change {
        let change = Change::put(key)
            .set("doc", text(doc))
            .set("version", number(self.version))
            .set("epoch", number(self.epoch))
            .set("createdAt", text(self.created_at.to_string()));
        let change = self.applied.on(change);
        match self.deleted_at {
            Some(at) => change.set("deletedAt", text(at.to_string())),
            None => change,
        }
    }
}

impl<A> Values<A> {
    /// The values of one tenant of the request's client.
    #[must_use]
    pub fn open(op: &OpContext, scope: TenantScope) -> Self {
        Self { op: op.clone(), scope, access: PhantomData }
    }
}

impl Values<Get> {
    /// One entity's values.
    ///
    /// # Errors
    /// `field_group_not_found`, `values_not_found`.
    pub async fn get(&self, group: &GroupRef, entity: &EntityId) -> Result<EntityValues, Error> {
        let key = |group: GroupId| vec![keys::values(&self.scope, group, entity)];
        let loaded = self.op.load(&self.scope, group, key).await?;
        let stored = loaded.others.values().next().map(Stored::read).transpose()?;
        let stored = stored.filter(|stored| stored.is_of(loaded.epoch())).ok_or(Code::ValuesNotFound)?;
        Ok(self.answer(&loaded, entity, &stored))
    }
}

impl<A> Values<A> {
    fn answer(&self, loaded: &Loaded, entity: &EntityId, stored: &Stored) -> EntityValues {
        shown(loaded, self.scope.tenant(), entity, stored)
    }

    /// What there is of an entity, for a change of it: its values, or what is left of them once they are deleted.
    ///
    /// A first save asks for nothing but that no values are there. One that read before another's save and deletion, or
    /// halfway through a deletion, thus begins at version 1 beside what is left: whoever comes to change either joins the
    /// two first, at the versions of both together, so that no version is ever taken for one that was before it.
    async fn find(&self, group: &GroupRef, entity: &EntityId) -> Result<(Loaded, Option<Stored>), Error> {
        let key = |group| keys::values(&self.scope, group, entity);
        let key_of_left = |group| keys::deleted_values(&self.scope, group, entity);
        update_with_retry!({
            let keys = |group| vec![key(group), key_of_left(group)];
            let loaded = self.op.load(&self.scope, group, keys).await?;
            loaded.check_open()?;
            let id = loaded.group.id;
            let read = |key: Key| loaded.others.get(&key).map(Stored::read).transpose();
            let (live, left) = match (read(key(id))?, read(key_of_left(id))?) {
                (Some(live), Some(left)) => (live, left),
                (live, left) => return Ok(Step::Done((loaded, live.or(left)))),
            };
            let joined = Change::update(key(id)).set("version", number(live.version + left.version));
            let joined = left.applied.followed_by(&live.applied).on(joined);
            let mut changes = vec![joined.when_version(live.version).unstamped()];
            changes.extend(self.end_of_deletion(id, entity, &left)?);
            self.op.store.commit(changes, self.op.author.event()).await?;
            Ok(Step::Stale { base: live.version })
        })
    }

    /// The changes that put values in the place of what was found.
    fn replacing(
        &self,
        group: GroupId,
        entity: &EntityId,
        found: Option<&Stored>,
        next: &Stored,
        doc: String,
    ) -> Result<Vec<Change>, Error> {
        let put = next.put(keys::values(&self.scope, group, entity), doc);
        let Some(found) = found else { return Ok(vec![put.when_absent()]) };
        if found.deleted_at.is_none() {
            return Ok(vec![put.when_version(found.version)]);
        }
        let mut changes = vec![put.when_absent()];
        changes.extend(self.end_of_deletion(group, entity, found)?);
        Ok(changes)
    }

    /// The changes that take away what is left of deleted values, and the note that it is to be purged.
    fn end_of_deletion(&self, group: GroupId, entity: &EntityId, left: &Stored) -> Result<[Change; 2], Error> {
        let deleted_at = must(left.deleted_at, "deletedAt")?;
        let key = keys::deleted_values(&self.scope, group, entity);
        let note = keys::values_purge(deleted_at, &self.scope, group, entity);
        Ok([Change::delete(key).when_version(left.version), Change::delete(note)])
    }
}

/// What is stored, by the keys of the fields that there are.
pub(crate) fn shown(loaded: &Loaded, tenant: &TenantId, entity: &EntityId, stored: &Stored) -> EntityValues {
    let mut values = Map::new();
    let mut missing = Vec::new();
    for field in loaded.fields.visible() {
        let value = stored.document.get(&field.id.to_string());
        if field.schema.lacks(value) {
            missing.push(field.key.clone());
        }
        if let Some(value) = value {
            values.insert(field.key.to_string(), value.clone());
        }
    }
    EntityValues {
        tenant_id: tenant.clone(),
        field_group_id: loaded.group.id,
        entity_id: entity.clone(),
        values,
        missing,
        status: status(&loaded.group),
        version: stored.version,
        updated_at: stored.updated_at,
    }
}

fn status(group: &FieldGroup) -> Status {
    match group.publishing {
        Publishing::Immediate => Status::Published,
        Publishing::Manual => Status::Draft,
    }
}

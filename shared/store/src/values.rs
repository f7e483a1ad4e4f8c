//! Values of entities.

mod apply;

use std::collections::HashMap;
use std::marker::PhantomData;

use contract::id::{EventId, GroupId};
use contract::names::{EntityId, GroupRef, TenantId};
use contract::resource::{EntityValues, FieldGroup, Publishing, Status};
use contract::{Code, Error, Precondition, Problems, Time};
use serde_json::{Map, Value};

use crate::Work;
use crate::applied::Applied;
use crate::change::{Change, Outcome};
use crate::definitions::Loaded;
use crate::document::{check, check_deleted, deleted_at, event_of, from_doc, to_doc};
use crate::dynamo::{Item, get_number, get_text, must, number, text};
use crate::grant::{Delete, Get, List, Restore, Write, granted};
use crate::keys::{self, Kind};
use crate::page::{Listing, MAX_PAGE_BYTES, Page, PageRequest};
use crate::retry::Retries;
use crate::scope::TenantScope;
use crate::tables::Table;
use crate::tenant_fields::DEFINITION_READS;
use crate::tenants;

/// The values of one entity in one group, as JSON by field identifier, are at most this many bytes.
pub const MAX_BYTES: usize = 256 * 1024;

/// One tenant's values.
pub struct Values<A> {
    work: Work,
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
        Main BatchGetItem [Values];
        Main Query [Values];
    }
    Values<Write> {
        ..DEFINITION_READS;
        Main BatchGetItem [Values];
        Main PutItem [Values, Tenants];
        Main UpdateItem [TenantFields];
        Main DeleteItem [Purge];
    }
    Values<Delete> {
        ..DEFINITION_READS;
        Main BatchGetItem [Values];
        Main UpdateItem [Values];
        Main PutItem [Purge];
        Main DeleteItem [Values];
    }
    Values<Restore> {
        ..DEFINITION_READS;
        Main BatchGetItem [Values];
        Main UpdateItem [Values];
        Main PutItem [Values];
        Main DeleteItem [Purge];
    }
}

/// How what is sent joins what is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Save {
    /// Fields that are not named stay as they are; only what is named is checked.
    Merge,
    /// Fields that are not named lose their value; the whole is checked.
    Replace,
}

/// What is to be saved.
pub struct Sent<'a> {
    /// By field key; `null` clears.
    pub values: &'a Map<String, Value>,
    /// What is known to be wrong already: it is told with all else.
    pub wrong: Problems,
}

impl<'a> From<&'a Map<String, Value>> for Sent<'a> {
    fn from(values: &'a Map<String, Value>) -> Self {
        Self { values, wrong: Problems::default() }
    }
}

/// By field identifier.
pub(crate) type Document = HashMap<String, Value>;

/// What is stored of an entity.
pub(crate) struct Stored {
    pub(crate) document: Document,
    version: u64,
    updated_at: Time,
    created_at: Time,
    pub(crate) deleted_at: Option<Time>,
}

impl Stored {
    /// What an item says to a tenant of this epoch; what is older has been erased.
    pub(crate) fn read(item: &Item, epoch: u64) -> Result<Option<Self>, Error> {
        if must(get_number::<u64>(item, "epoch"), "epoch")? < epoch {
            return Ok(None);
        }
        let time = |name| must(get_text(item, name).and_then(|text| text.parse().ok()), name);
        Ok(Some(Self {
            document: from_doc(item)?,
            version: version_of(item)?,
            updated_at: time("at")?,
            created_at: time("createdAt")?,
            deleted_at: deleted_at(item),
        }))
    }

    /// The values themselves; none of what was deleted.
    pub(crate) fn live_document(self) -> Document {
        if self.deleted_at.is_some() { Document::new() } else { self.document }
    }

    fn live(item: &Item, epoch: u64) -> Result<Option<Self>, Error> {
        Ok(Self::read(item, epoch)?.filter(|stored| stored.deleted_at.is_none()))
    }
}

/// Whether this very change has been committed before, by a try whose answer was lost; whatever came after it.
fn is_by(item: &Item, event: EventId) -> bool {
    event_of(item) == Some(event) || Applied::of(item).contains(event)
}

fn version_of(item: &Item) -> Result<u64, Error> {
    must(get_number(item, "version"), "version")
}

impl<A> Values<A> {
    /// The values of one tenant of the request's client.
    #[must_use]
    pub fn open(work: &Work, scope: TenantScope) -> Self {
        Self { work: work.clone(), scope, access: PhantomData }
    }
}

impl Values<Get> {
    /// One entity's values.
    ///
    /// # Errors
    /// `field_group_not_found`, `values_not_found`.
    pub async fn get(&self, group: &GroupRef, entity: &EntityId) -> Result<EntityValues, Error> {
        let (loaded, item) = self.load(group, entity).await?;
        let stored = item.map(|item| Stored::live(&item, loaded.epoch())).transpose()?.flatten();
        Ok(self.answer(&loaded, entity, &stored.ok_or(Code::ValuesNotFound)?))
    }
}

impl Values<List> {
    /// The entities that have values in the group, oldest first. A page may end early, by its size.
    ///
    /// # Errors
    /// `field_group_not_found`, `malformed_request` for a cursor of another list.
    pub async fn list(&self, group: &GroupRef, page: &PageRequest) -> Result<Page<EntityValues>, Error> {
        // The group's identifier as it was last known: beside the cards that tell whether it still holds, its places.
        let known = self.work.cached_id(group);
        let early = async {
            match known {
                Some(id) => Some(self.places(id, page).await),
                None => None,
            }
        };
        let (loaded, early) = tokio::join!(self.work.load(&self.scope, group, |_| Vec::new()), early);
        let loaded = loaded?;
        let id = loaded.group.id;
        let found = match early.filter(|_| known == Some(id)) {
            Some(found) => found?,
            None => self.places(id, page).await?,
        };
        let keys: Vec<_> = found.items.iter().map(|(_, entity)| keys::values(&self.scope, id, entity)).collect();
        let mut rows = self.work.store.batch_get_all(&keys.iter().collect::<Vec<_>>()).await?;

        let mut items = Vec::with_capacity(keys.len());
        let mut bytes = 0;
        let mut last: Option<&str> = None;
        for ((sk, entity), key) in found.items.iter().zip(&keys) {
            let Some(row) = rows.remove(key) else { continue };
            let Some(stored) = Stored::live(&row, loaded.epoch())? else { continue };
            bytes += get_text(&row, "doc").map_or(0, str::len);
            if let Some(last) = last.filter(|_| bytes > MAX_PAGE_BYTES) {
                let next_cursor = Some(self.work.scope.seal().seal(&self.bound(&id.to_string()), last));
                return Ok(Page { items, next_cursor });
            }
            items.push(self.answer(&loaded, entity, &stored));
            last = Some(sk);
        }
        Ok(Page { items, next_cursor: found.next_cursor })
    }

    /// A page of the group's entities, each with its place in order.
    async fn places(&self, id: GroupId, page: &PageRequest) -> Result<Page<(String, EntityId)>, Error> {
        let pk = format!("{}{}#{}", Kind::Values.prefix(), self.scope.client(), self.scope.tenant());
        let (prefix, id) = (keys::entity_order_prefix(id), id.to_string());
        let listing = Listing {
            table: Table::Main,
            pk: &pk,
            prefix: &prefix,
            bound: &self.bound(&id),
            seal: self.work.scope.seal(),
        };
        let place = |item: &Item| {
            let entity: EntityId = must(get_text(item, "entity").and_then(|text| text.parse().ok()), "entity")?;
            Ok(Some((must(get_text(item, "sk"), "sk")?.to_owned(), entity)))
        };
        self.work.store.page(&listing, page, place).await
    }

    /// What a cursor of the list is bound to.
    fn bound<'a>(&'a self, group: &'a str) -> [&'a str; 3] {
        ["list-entities", self.scope.tenant().as_str(), group]
    }
}

impl<A> Values<A> {
    async fn load(&self, group: &GroupRef, entity: &EntityId) -> Result<(Loaded, Option<Item>), Error> {
        let place = |group: GroupId| vec![keys::values(&self.scope, group, entity)];
        let mut loaded = self.work.load(&self.scope, group, place).await?;
        let item = loaded.others.remove(&keys::values(&self.scope, loaded.group.id, entity));
        Ok((loaded, item))
    }

    fn answer(&self, loaded: &Loaded, entity: &EntityId, stored: &Stored) -> EntityValues {
        shown(loaded, self.scope.tenant(), entity, stored)
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

impl Values<Write> {
    /// Saves values by field key; `null` clears.
    ///
    /// # Errors
    /// `field_group_not_found`; `validation_failed` with every field that is wrong; `version_conflict`;
    /// `payload_too_large` over [`MAX_BYTES`].
    pub async fn save(
        &self,
        group: &GroupRef,
        entity: &EntityId,
        sent: impl Into<Sent<'_>>,
        how: Save,
        precondition: Option<Precondition>,
    ) -> Result<EntityValues, Error> {
        let sent = sent.into();
        let author = &self.work.author;
        let event = author.event();
        let mut retries = Retries::default();
        loop {
            let (loaded, item) = self.load(group, entity).await?;
            if let Some(item) = item.as_ref().filter(|item| is_by(item, event)) {
                let stored = Stored::read(item, loaded.epoch())?.ok_or(Code::ValuesNotFound)?;
                return Ok(self.answer(&loaded, entity, &stored));
            }
            let version = item.as_ref().map(version_of).transpose()?.unwrap_or(0);
            let stored = item.as_ref().map(|item| Stored::live(item, loaded.epoch())).transpose()?.flatten();
            retries.allow(version)?;
            check(precondition, stored.as_ref().map(|stored| stored.version))?;
            let before = stored.as_ref().map(|stored| &stored.document);
            let document = apply::apply(self.scope.client(), &loaded.fields, before, &sent, how).await?;
            if let Some(same) = stored.as_ref().filter(|stored| stored.document == document) {
                return Ok(self.answer(&loaded, entity, same));
            }
            let next = Stored {
                document,
                version: version + 1,
                updated_at: author.at(),
                created_at: stored.as_ref().map_or(author.at(), |stored| stored.created_at),
                deleted_at: None,
            };
            let put = self.put(&loaded, entity, &next, item.is_some().then_some(version))?;
            let applied = item.as_ref().map(Applied::of).unwrap_or_default().and(author, event);
            let mut changes = vec![applied.on(put)];
            if stored.is_none() {
                changes.extend(self.first_save(&loaded, entity, item.as_ref(), next.created_at)?);
            }
            let changes = changes.into_iter().map(|change| change.stamped(author, event)).collect();
            if let Outcome::Done = self.work.store.commit(changes, event).await? {
                return Ok(self.answer(&loaded, entity, &next));
            }
            retries.pause(version).await;
        }
    }
}

impl Values<Delete> {
    /// Deletes an entity's values, until they are restored. What is left goes on counting versions.
    ///
    /// # Errors
    /// `field_group_not_found`, `values_not_found`, `version_conflict`.
    pub async fn delete(
        &self,
        group: &GroupRef,
        entity: &EntityId,
        precondition: Option<Precondition>,
    ) -> Result<(), Error> {
        let at = self.work.author.at();
        let done = self.change(group, entity, |loaded, stored| {
            if stored.deleted_at.is_some() {
                return Err(Code::ValuesNotFound.into());
            }
            check(precondition, Some(stored.version))?;
            let key = keys::values(&self.scope, loaded.group.id, entity);
            let root = text(format!("{} {}", key.pk, key.sk));
            Ok(Some(vec![
                Change::update(key).set("deletedAt", text(at.to_string())),
                Change::delete(keys::entity_order(&self.scope, loaded.group.id, stored.created_at, entity)),
                Change::put(keys::purge(at, self.purge_id(loaded, entity))).set("root", root),
            ]))
        });
        done.await.map(|_| ())
    }
}

impl Values<Restore> {
    /// Restores deleted values that nothing has been saved over; what is not deleted is answered as it is.
    ///
    /// # Errors
    /// `field_group_not_found`, `values_not_found`.
    pub async fn restore(
        &self,
        group: &GroupRef,
        entity: &EntityId,
        precondition: Option<Precondition>,
    ) -> Result<EntityValues, Error> {
        self.change(group, entity, |loaded, stored| {
            let Some(deleted_at) = stored.deleted_at else {
                return check(precondition, Some(stored.version)).map(|()| None);
            };
            check_deleted(precondition, stored.version)?;
            if deleted_at.plus(keys::RETENTION) < self.work.author.at() {
                return Err(Code::ValuesNotFound.into());
            }
            Ok(Some(vec![
                Change::update(keys::values(&self.scope, loaded.group.id, entity)).remove("deletedAt"),
                self.place_in_order(loaded, entity, stored.created_at),
                Change::delete(keys::purge(deleted_at, self.purge_id(loaded, entity))),
            ]))
        })
        .await
    }
}

impl<A> Values<A> {
    /// Changes what is stored, deleted or not, by what `plan` makes of it; nothing planned, nothing changed.
    async fn change(
        &self,
        group: &GroupRef,
        entity: &EntityId,
        plan: impl Fn(&Loaded, &Stored) -> Result<Option<Vec<Change>>, Error>,
    ) -> Result<EntityValues, Error> {
        let author = &self.work.author;
        let event = author.event();
        let mut retries = Retries::default();
        loop {
            let (loaded, item) = self.load(group, entity).await?;
            let item = item.ok_or(Code::ValuesNotFound)?;
            let mut stored = Stored::read(&item, loaded.epoch())?.ok_or(Code::ValuesNotFound)?;
            if is_by(&item, event) {
                return Ok(self.answer(&loaded, entity, &stored));
            }
            retries.allow(stored.version)?;
            let Some(changes) = plan(&loaded, &stored)? else { return Ok(self.answer(&loaded, entity, &stored)) };
            let mut own = Some(stored.version);
            let stamp = |change: Change| match own.take() {
                Some(version) => {
                    let change = Applied::of(&item).and(author, event).on(change);
                    change.set("version", number(version + 1)).when_version(version).stamped(author, event)
                }
                None => change.stamped(author, event),
            };
            let changes = changes.into_iter().map(stamp).collect();
            if let Outcome::Done = self.work.store.commit(changes, event).await? {
                stored.version += 1;
                stored.updated_at = author.at();
                return Ok(self.answer(&loaded, entity, &stored));
            }
            retries.pause(stored.version).await;
        }
    }

    /// The whole item, on condition that it still is at the version that it was computed from.
    fn put(&self, loaded: &Loaded, entity: &EntityId, next: &Stored, from: Option<u64>) -> Result<Change, Error> {
        let doc = to_doc(&next.document)?;
        if doc.len() > MAX_BYTES {
            let message = "The values of an entity in a field group may have at most 256 KiB.";
            return Err(Error::saying(Code::PayloadTooLarge, message));
        }
        let change = Change::put(keys::values(&self.scope, loaded.group.id, entity))
            .set("doc", text(doc))
            .set("version", number(next.version))
            .set("epoch", number(loaded.epoch()))
            .set("createdAt", text(next.created_at.to_string()));
        Ok(match from {
            Some(version) => change.when_version(version),
            None => change.when_absent(),
        })
    }

    /// What goes with the first save of an entity, or the first after a deletion: its place in the list, the end of
    /// what was to be purged, and the tenant, if this is its first use.
    fn first_save(
        &self,
        loaded: &Loaded,
        entity: &EntityId,
        tombstone: Option<&Item>,
        at: Time,
    ) -> Result<Vec<Change>, Error> {
        let mut changes = vec![self.place_in_order(loaded, entity, at)];
        if let Some(deleted) = tombstone.and_then(deleted_at) {
            changes.push(Change::delete(keys::purge(deleted, self.purge_id(loaded, entity))));
        }
        if loaded.tenant.is_none() {
            changes.extend(tenants::first_use(&self.scope, at, loaded, Change::update(keys::tenant(&self.scope)))?);
        }
        Ok(changes)
    }

    fn place_in_order(&self, loaded: &Loaded, entity: &EntityId, at: Time) -> Change {
        let key = keys::entity_order(&self.scope, loaded.group.id, at, entity);
        Change::put(key).set("entity", text(entity.as_str()))
    }

    fn purge_id(&self, loaded: &Loaded, entity: &EntityId) -> String {
        format!("{}#{}#{}#{entity}", self.scope.client(), self.scope.tenant(), loaded.group.id)
    }
}

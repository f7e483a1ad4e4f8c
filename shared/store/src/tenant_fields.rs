//! Fields that a tenant defines in a group, and the list of them merged with the client's.

use std::marker::PhantomData;

use contract::id::FieldId;
use contract::names::{FieldKey, GroupRef, Name};
use contract::resource::{Field, TenantField};
use contract::schema::FieldSchema;
use contract::{Code, Error};

use crate::Work;
use crate::change::{Change, Outcome};
use crate::definitions::{Loaded, Place, count_of, place, time_of, version_of};
use crate::document::{Document, check_version, holding, to_doc};
use crate::dynamo::{back_off, get_number, number, text};
use crate::global_fields::same_type;
use crate::grant::{Create, Delete, Get, Grant, List, Restore, Update, granted, grants};
use crate::keys::{self, Key};
use crate::page::{MAX_PAGE_BYTES, Page, PageRequest};
use crate::scope::TenantScope;
use crate::tenants;

/// Fields that a tenant may define in a group, unless its plan says otherwise.
pub const FIELD_LIMIT: u64 = 100;

/// How often a change is computed anew because another came in between.
const TRIES: u32 = 8;

/// One tenant's fields.
pub struct TenantFields<A> {
    work: Work,
    scope: TenantScope,
    access: PhantomData<A>,
}

/// What reads a group by its key, and a tenant's fields in it.
pub(crate) const DEFINITION_READS: [Grant; 3] = grants![
    Main GetItem [GroupKeys];
    Main BatchGetItem [Definitions, TenantFields];
    Main Query [Definitions, TenantFields];
];

granted! {
    TenantFields<Get> { ..DEFINITION_READS; }
    TenantFields<List> { ..DEFINITION_READS; }
    TenantFields<Create> {
        ..DEFINITION_READS;
        Main PutItem [TenantFields, Tenants];
        Main UpdateItem [TenantFields];
    }
    TenantFields<Update> {
        ..DEFINITION_READS;
        Main UpdateItem [TenantFields];
    }
    TenantFields<Delete> {
        ..DEFINITION_READS;
        Main UpdateItem [TenantFields];
        Main PutItem [Purge];
        Main DeleteItem [TenantFields];
    }
    TenantFields<Restore> {
        ..DEFINITION_READS;
        Main UpdateItem [TenantFields];
        Main PutItem [TenantFields];
        Main DeleteItem [Purge];
    }
}

/// What a new tenant field is made of.
pub struct NewTenantField {
    /// Unique among the fields that the tenant sees in the group.
    pub key: FieldKey,
    /// What people call it.
    pub label: Name,
    /// What values it takes.
    pub schema: FieldSchema,
}

impl<A> TenantFields<A> {
    /// The fields of one tenant of the request's client.
    #[must_use]
    pub fn open(work: &Work, scope: TenantScope) -> Self {
        Self { work: work.clone(), scope, access: PhantomData }
    }

    async fn load(&self, group: &GroupRef) -> Result<Loaded, Error> {
        self.work.load(&self.scope, group, |_| Vec::new()).await
    }
}

impl TenantFields<Get> {
    /// One of the tenant's own fields.
    ///
    /// # Errors
    /// `field_group_not_found`, `tenant_field_not_found`.
    pub async fn get(&self, group: &GroupRef, id: FieldId) -> Result<TenantField, Error> {
        let loaded = self.load(group).await?;
        let found = loaded.fields.own.iter().find(|field| field.id == id);
        found.cloned().ok_or(Code::TenantFieldNotFound.into())
    }
}

impl TenantFields<List> {
    /// Global and tenant fields, merged, in order.
    ///
    /// # Errors
    /// `field_group_not_found`, `malformed_request` for a cursor of another list.
    pub async fn list(&self, group: &GroupRef, page: &PageRequest) -> Result<Page<Field>, Error> {
        let loaded = self.load(group).await?;
        let bound = ["list-fields", self.scope.tenant().as_str(), &loaded.group.id.to_string()];
        let seal = self.scope.client_scope().seal();
        let after = match &page.cursor {
            None => None,
            Some(cursor) => {
                let opened = seal.open(&bound, cursor).and_then(|place| serde_json::from_str::<Place>(&place).ok());
                let refused =
                    || Error::saying(Code::MalformedRequest, "The query parameter `cursor` is not one of this list's.");
                Some(opened.ok_or_else(refused)?)
            }
        };
        let all = &loaded.fields.all;
        // By place, not by identifier: the field that the page before ended at may be gone.
        let start = after.map_or(0, |after| all.partition_point(|field| place(field) <= after));
        let mut items: Vec<Field> = Vec::new();
        let mut bytes = 0;
        for field in all.iter().skip(start).take(page.limit) {
            bytes += to_doc(&field.schema)?.len();
            if bytes > MAX_PAGE_BYTES && !items.is_empty() {
                break;
            }
            items.push(field.clone());
        }
        let more = start + items.len() < all.len();
        let last = items.last().filter(|_| more).map(|last| serde_json::to_string(&place(last))).transpose();
        let next_cursor = last.map_err(Error::internal)?.map(|place| seal.seal(&bound, &place));
        Ok(Page { items, next_cursor })
    }
}

impl TenantFields<Create> {
    /// Defines a field.
    ///
    /// # Errors
    /// `field_group_not_found`, `key_taken`, `field_limit_reached`.
    pub async fn create(&self, group: &GroupRef, new: NewTenantField) -> Result<TenantField, Error> {
        let author = &self.work.author;
        let event = author.event();
        let id = FieldId::new(author.unique());
        for round in 0..TRIES {
            let loaded = self.load(group).await?;
            let group_id = loaded.group.id;
            if let Some(own) = loaded.fields.own.iter().find(|field| field.id == id) {
                return Ok(own.clone());
            }
            if loaded.fields.by_key(new.key.as_str()).is_some() {
                return Err(Code::KeyTaken.into());
            }
            let count = loaded.tenant.as_ref().and_then(|card| get_number(card, &count_of(group_id))).unwrap_or(0_u64);
            if count >= FIELD_LIMIT {
                return Err(Code::FieldLimitReached.into());
            }
            let field = TenantField {
                id,
                tenant_id: self.scope.tenant().clone(),
                field_group_id: group_id,
                key: new.key.clone(),
                label: new.label.clone(),
                schema: new.schema.clone(),
                version: 1,
                created_at: author.at(),
                updated_at: author.at(),
            };
            let (card, version) = self.next_version(&loaded, 1);
            let key = keys::tenant_field(&self.scope, group_id, id);
            let mut changes = vec![
                holding(Change::put(key), &field, 1)?.set("sv", number(version)).when_absent(),
                self.key_row(&field),
            ];
            changes.extend(tenants::first_use(&self.scope, author.at(), &loaded, card)?);
            let changes = changes.into_iter().map(|change| change.stamped(author, event)).collect();
            if let Outcome::Done = self.work.store.commit(changes, event).await? {
                return Ok(field);
            }
            back_off(round).await;
        }
        Err(Error::unavailable("a tenant's fields changed each time that one was to be added"))
    }
}

impl TenantFields<Update> {
    /// Changes a field; its type stays.
    ///
    /// # Errors
    /// `field_group_not_found`, `tenant_field_not_found`, `version_conflict`, `validation_failed` for a change of type.
    pub async fn update(
        &self,
        group: &GroupRef,
        id: FieldId,
        if_match: Option<u64>,
        label: Option<&Name>,
        schema: Option<&FieldSchema>,
    ) -> Result<TenantField, Error> {
        let plan = |loaded: &Loaded, key: &Key, current: &Document<TenantField>, mut next: TenantField| {
            if let Some(label) = label {
                next.label = label.clone();
            }
            if let Some(schema) = schema {
                same_type(&current.value.schema, schema)?;
                next.schema = schema.clone();
            }
            let (card, version) = self.next_version(loaded, 0);
            let own = holding(Change::update(key.clone()), &next, current.version + 1)?.set("sv", number(version));
            Ok((next, vec![own, card]))
        };
        self.change(group, id, if_match, false, plan).await
    }
}

impl TenantFields<Delete> {
    /// Deletes a field. Its values stay with it.
    ///
    /// # Errors
    /// `field_group_not_found`, `tenant_field_not_found`, `version_conflict`.
    pub async fn delete(&self, group: &GroupRef, id: FieldId, if_match: Option<u64>) -> Result<(), Error> {
        let plan = |loaded: &Loaded, key: &Key, current: &Document<TenantField>, next: TenantField| {
            let at = self.work.author.at();
            let (card, version) = self.next_version(loaded, -1);
            let own = holding(Change::update(key.clone()), &next, current.version + 1)?.set("sv", number(version));
            let changes = vec![
                own.set("deletedAt", text(at.to_string())),
                card,
                Change::delete(keys::tenant_field_key(&self.scope, next.field_group_id, &next.key)),
                Change::put(keys::purge(at, id)).set("root", text(format!("{} {}", key.pk, key.sk))),
            ];
            Ok((next, changes))
        };
        self.change(group, id, if_match, false, plan).await.map(|_| ())
    }
}

impl TenantFields<Restore> {
    /// Restores a deleted field with its values.
    ///
    /// # Errors
    /// `field_group_not_found`, `tenant_field_not_found`, `key_taken`, `field_limit_reached`.
    pub async fn restore(&self, group: &GroupRef, id: FieldId, if_match: Option<u64>) -> Result<TenantField, Error> {
        let plan = |loaded: &Loaded, key: &Key, current: &Document<TenantField>, next: TenantField| {
            let deleted_at = current.deleted_at.ok_or(Code::Internal)?;
            let (card, version) = self.next_version(loaded, 1);
            let own = holding(Change::update(key.clone()), &next, current.version + 1)?.set("sv", number(version));
            let changes =
                vec![own.remove("deletedAt"), card, self.key_row(&next), Change::delete(keys::purge(deleted_at, id))];
            Ok((next, changes))
        };
        self.change(group, id, if_match, true, plan).await
    }
}

impl<A> TenantFields<A> {
    /// Changes a field and, in the same transaction, the schema version that readers compare.
    async fn change(
        &self,
        group: &GroupRef,
        id: FieldId,
        if_match: Option<u64>,
        restore: bool,
        plan: impl Fn(&Loaded, &Key, &Document<TenantField>, TenantField) -> Result<(TenantField, Vec<Change>), Error>,
    ) -> Result<TenantField, Error> {
        let event = self.work.author.event();
        for round in 0..TRIES {
            let place = |group| vec![keys::tenant_field(&self.scope, group, id)];
            let loaded = self.work.load(&self.scope, group, place).await?;
            let key = keys::tenant_field(&self.scope, loaded.group.id, id);
            let current = loaded.others.get(&key).map(Document::<TenantField>::read).transpose()?;
            let current = current.ok_or(Code::TenantFieldNotFound)?;
            if restore && current.deleted_at.is_none() && !current.is_by(event) {
                return check_version(if_match, current.version).map(|()| current.value);
            }
            let count = loaded.tenant.as_ref().and_then(|card| get_number(card, &count_of(loaded.group.id)));
            if restore && count.unwrap_or(0_u64) >= FIELD_LIMIT {
                return Err(Code::FieldLimitReached.into());
            }
            let step = |next| plan(&loaded, &key, &current, next);
            if let Some(done) =
                self.work.revise_once(&current, if_match, Code::TenantFieldNotFound, restore, event, step).await?
            {
                return Ok(done);
            }
            back_off(round).await;
        }
        Err(Error::unavailable("a tenant's fields changed each time that one was to be changed"))
    }

    /// The change of the tenant's card that tells readers that its fields in the group have changed, and the schema
    /// version after it. Its condition serialises such changes, so that versions and the count are exact.
    fn next_version(&self, loaded: &Loaded, added: i64) -> (Change, u64) {
        let name = version_of(loaded.group.id);
        let now: Option<u64> = loaded.tenant.as_ref().and_then(|card| get_number(card, &name));
        let next = now.unwrap_or(0) + 1;
        let at = number(self.work.store.clock().now().millis());
        let change = Change::update(keys::tenant(&self.scope)).set(&name, number(next));
        let change = change.set(&time_of(loaded.group.id), at);
        let change = if added == 0 { change } else { change.add(&count_of(loaded.group.id), added) };
        let change = match now {
            Some(now) => change.when(&format!("#{name} = :now")).with(":now", number(now)),
            None => change.when(&format!("attribute_not_exists(#{name})")),
        };
        (if loaded.tenant.is_some() { change.unstamped() } else { change }, next)
    }

    fn key_row(&self, field: &TenantField) -> Change {
        let key = keys::tenant_field_key(&self.scope, field.field_group_id, &field.key);
        Change::put(key).set("field", text(field.id.to_string())).when_absent().or(Code::KeyTaken)
    }
}

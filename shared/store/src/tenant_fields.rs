//! Fields that a tenant defines in a group, and the list of them merged with the client's.

use std::marker::PhantomData;

use contract::id::{EventId, FieldId, GroupId};
use contract::names::{FieldKey, GroupRef, Name};
use contract::resource::{Field, TenantField};
use contract::schema::{FieldSchema, FieldType};
use contract::{Code, Error, Precondition, Problems};

use crate::OpContext;
use crate::change::{Change, Outcome};
use crate::definitions::{Loaded, Position, position};
use crate::document::{Document, DocumentKeys, Plan, check, holding, to_doc};
use crate::dynamo::{number, text};
use crate::field_schema::{same_type, schema_bytes};
use crate::grant::{Create, Delete, Get, Grant, List, Restore, Update, granted, grants};
use crate::keys;
use crate::limits::{self, Held};
use crate::page::{MAX_PAGE_BYTES, Page, PageRequest};
use crate::retry::{Step, update_with_retry};
use crate::scope::TenantScope;
use crate::tenants;

/// One tenant's fields.
pub struct TenantFields<A> {
    op: OpContext,
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
        Main UpdateItem [TenantFields, Counts];
        Main BatchGetItem [Client];
    }
    TenantFields<Update> {
        ..DEFINITION_READS;
        Main UpdateItem [TenantFields];
    }
    TenantFields<Delete> {
        ..DEFINITION_READS;
        Main PutItem [TenantFields, Purge];
        Main UpdateItem [TenantFields];
        Main DeleteItem [TenantFields];
    }
    TenantFields<Restore> {
        ..DEFINITION_READS;
        Main PutItem [TenantFields];
        Main UpdateItem [TenantFields];
        Main DeleteItem [TenantFields, Purge];
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

/// What a change of a tenant field changes.
#[derive(Default)]
pub struct TenantFieldChange {
    /// What people call it.
    pub label: Option<Name>,
    /// What values it takes; the type stays.
    pub schema: Option<FieldSchema>,
    /// The type that is named with it: that it is another is told of a schema that is wrong, too.
    pub field_type: Option<FieldType>,
    /// What is known to be wrong with the change already: it is told with all else.
    pub wrong: Problems,
}

impl<A> TenantFields<A> {
    /// The fields of one tenant of the request's client.
    #[must_use]
    pub fn open(op: &OpContext, scope: TenantScope) -> Self {
        Self { op: op.clone(), scope, access: PhantomData }
    }

    async fn load(&self, group: &GroupRef) -> Result<Loaded, Error> {
        self.op.load(&self.scope, group, |_| Vec::new()).await
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
                let opened =
                    seal.open(&bound, cursor).and_then(|position| serde_json::from_str::<Position>(&position).ok());
                let refused =
                    || Error::saying(Code::MalformedRequest, "The query parameter `cursor` is not one of this list's.");
                Some(opened.ok_or_else(refused)?)
            }
        };
        let all = &loaded.fields.all;
        // By position, not by identifier: the field that the page before ended at may be gone.
        let start = after.map_or(0, |after| all.partition_point(|field| position(field) <= after));
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
        let last = items.last().filter(|_| more).map(|last| serde_json::to_string(&position(last))).transpose();
        let next_cursor = last.map_err(Error::internal)?.map(|position| seal.seal(&bound, &position));
        Ok(Page { items, next_cursor })
    }
}

impl TenantFields<Create> {
    /// Defines a field.
    ///
    /// # Errors
    /// `field_group_not_found`, `key_taken`, `field_limit_reached`, `limit_reached`.
    pub async fn create(&self, group: &GroupRef, new: NewTenantField) -> Result<TenantField, Error> {
        let author = &self.op.author;
        let event = author.event();
        let id = FieldId::new(author.unique());
        update_with_retry!({
            let loaded = self.load(group).await?;
            loaded.check_open()?;
            let group_id = loaded.group.id;
            if let Some(own) = loaded.fields.own.iter().find(|field| field.id == id) {
                return Ok(Step::Done(own.clone()));
            }
            if let Some(made) = self.op.made_before(&self.document_keys(group_id, id)).await? {
                return Ok(Step::Done(made));
            }
            if loaded.fields.by_key(new.key.as_str()).is_some() {
                return Err(Code::KeyTaken.into());
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
            let key = keys::tenant_field(&self.scope, group_id, id);
            let mut changes = vec![holding(Change::put(key), &field, 1)?.when_absent(), self.key_row(&field)];
            changes.extend(self.cards(&loaded, 1, schema_bytes(&field.schema)?)?);
            if loaded.tenant.is_none() {
                let note = self.op.store.erased_note(&self.scope).await?;
                let card = Change::update(keys::tenant(&self.scope)).add("fields", 1);
                changes.extend(tenants::first_use(&self.op, &self.scope, author.at(), note, card).await?);
            }
            let changes = changes.into_iter().map(|change| change.stamped(author, event)).collect();
            if let Outcome::Done = self.op.store.commit(changes, event).await? {
                return Ok(Step::Done(field));
            }
            Ok(Step::Stale { base: 0 })
        })
    }
}

impl TenantFields<Update> {
    /// Changes a field; its type stays.
    ///
    /// # Errors
    /// `field_group_not_found`, `tenant_field_not_found`, `version_conflict`, `limit_reached`, `validation_failed` for a
    /// change of type.
    pub async fn update(
        &self,
        group: &GroupRef,
        id: FieldId,
        precondition: Option<Precondition>,
        change: &TenantFieldChange,
    ) -> Result<TenantField, Error> {
        let plan = |loaded: &Loaded, current: &Document<TenantField>, mut next: TenantField| {
            let same = to_doc(&next)?;
            let mut wrong = change.wrong.clone();
            if let Some(label) = &change.label {
                next.label = label.clone();
            }
            let named = change.schema.as_ref().map(FieldSchema::field_type).or(change.field_type);
            same_type(&current.value.schema, named, &mut wrong);
            if let Some(schema) = &change.schema {
                next.schema = schema.clone();
            }
            wrong.or(())?;
            if to_doc(&next)? == same {
                return Ok(None);
            }
            let key = keys::tenant_field(&self.scope, loaded.group.id, id);
            let mut changes = vec![holding(Change::update(key), &next, current.version + 1)?];
            let grown = schema_bytes(&next.schema)? - schema_bytes(&current.value.schema)?;
            changes.extend(self.cards(loaded, 0, grown)?);
            Ok(Some((next, changes)))
        };
        self.change(group, id, precondition, None, plan).await
    }
}

impl TenantFields<Delete> {
    /// Deletes a field. Its values stay with it.
    ///
    /// # Errors
    /// `field_group_not_found`, `tenant_field_not_found`, `version_conflict`.
    pub async fn delete(&self, group: &GroupRef, id: FieldId, precondition: Option<Precondition>) -> Result<(), Error> {
        let plan = |loaded: &Loaded, current: &Document<TenantField>, next: TenantField| {
            let keys = self.document_keys(loaded.group.id, id);
            let mut changes = keys.deletion(current, &next, self.op.author.at())?;
            changes.push(Change::delete(keys::tenant_field_key(&self.scope, next.field_group_id, &next.key)));
            changes.extend(self.cards(loaded, -1, -schema_bytes(&next.schema)?)?);
            Ok(Some((next, changes)))
        };
        self.change(group, id, precondition, None, plan).await.map(|_| ())
    }
}

impl TenantFields<Restore> {
    /// Restores a deleted field with its values.
    ///
    /// # Errors
    /// `field_group_not_found`, `tenant_field_not_found`, `key_taken`, `field_limit_reached`, `limit_reached`.
    pub async fn restore(
        &self,
        group: &GroupRef,
        id: FieldId,
        precondition: Option<Precondition>,
    ) -> Result<TenantField, Error> {
        let author = &self.op.author;
        let event = author.event();
        let plan = |loaded: &Loaded, current: &Document<TenantField>, next: TenantField| {
            let keys = self.document_keys(loaded.group.id, id);
            let mut changes = keys.restoration(current, &next, &current.applied.and(author, event))?;
            changes.push(self.key_row(&next));
            changes.extend(self.cards(loaded, 1, schema_bytes(&next.schema)?)?);
            Ok(Some((next, changes)))
        };
        self.change(group, id, precondition, Some(event), plan).await
    }
}

impl<A> TenantFields<A> {
    /// Changes a field, or restores it by an event, and, in the same transaction, the card that readers compare.
    async fn change(
        &self,
        group: &GroupRef,
        id: FieldId,
        precondition: Option<Precondition>,
        restored: Option<EventId>,
        plan: impl Fn(&Loaded, &Document<TenantField>, TenantField) -> Result<Plan<TenantField>, Error>,
    ) -> Result<TenantField, Error> {
        let (restore, event) = (restored.is_some(), restored.unwrap_or_else(|| self.op.author.event()));
        update_with_retry!({
            let others = |group| self.document_keys(group, id).keys().cloned().collect();
            let loaded = self.op.load(&self.scope, group, others).await?;
            loaded.check_open()?;
            let keys = self.document_keys(loaded.group.id, id);
            let found = keys.keys().find_map(|key| loaded.others.get(key));
            let current = found.map(Document::<TenantField>::read).transpose()?.ok_or(Code::TenantFieldNotFound)?;
            if restore && current.deleted_at.is_none() && !current.is_by(event) {
                return check(precondition, Some(current.version)).map(|()| Step::Done(current.value));
            }
            let step = |next| plan(&loaded, &current, next);
            if let Some(done) =
                self.op.revise_once(&current, precondition, Code::TenantFieldNotFound, restore, event, step).await?
            {
                return Ok(Step::Done(done));
            }
            Ok(Step::Stale { base: current.version })
        })
    }

    /// What tells readers that the tenant's fields in the group have changed, by so many and so many bytes of their
    /// schemas. The condition on the group's card serialises such changes, so that its numbers are exact.
    fn cards(&self, loaded: &Loaded, fields: i64, bytes: i64) -> Result<Vec<Change>, Error> {
        let held = Held::of(loaded.tenant_group.as_ref());
        let most = self.scope.field_limit().unwrap_or(u64::MAX).min(limits::TENANT_FIELDS_IN_GROUP);
        if fields > 0 && held.fields >= most {
            return Err(Code::FieldLimitReached.into());
        }
        let next = Held {
            fields: held.fields.saturating_add_signed(fields),
            schema_bytes: held.schema_bytes.saturating_add_signed(bytes),
        };
        if bytes > 0 && next.schema_bytes + loaded.global.schema_bytes > limits::SCHEMA_BYTES {
            return Err(limits::schemas_too_large());
        }
        let version = loaded.tenant_version();
        let card = Change::update(keys::tenant_group(&self.scope, loaded.group.id))
            .set("schemaVersion", number(version + 1))
            .set("schemaAt", number(self.op.store.clock().now().millis()))
            .set("fields", number(next.fields))
            .set("schemaBytes", number(next.schema_bytes));
        let card = match version {
            0 => card.when_absent(),
            now => card.when("#schemaVersion = :now").with(":now", number(now)),
        };
        let mut changes = vec![card];
        if fields != 0 && loaded.tenant.is_some() {
            changes.push(self.tenant_card(fields));
        }
        Ok(changes)
    }

    /// The tenant's own card counts its fields in all groups.
    fn tenant_card(&self, fields: i64) -> Change {
        let card = Change::update(keys::tenant(&self.scope)).add("fields", fields).unstamped();
        if fields < 0 {
            return card;
        }
        let most = limits::TENANT_FIELDS;
        let reached = limits::reached("A tenant", most, "fields of its own");
        let card = card.when("(attribute_not_exists(#fields) OR #fields < :most)").with(":most", number(most));
        card.or(reached)
    }

    fn document_keys(&self, group: GroupId, id: FieldId) -> DocumentKeys {
        let scope = &self.scope;
        DocumentKeys::two(keys::tenant_field(scope, group, id), keys::deleted_tenant_field(scope, group, id))
    }

    fn key_row(&self, field: &TenantField) -> Change {
        let key = keys::tenant_field_key(&self.scope, field.field_group_id, &field.key);
        Change::put(key).set("field", text(field.id.to_string())).when_absent().or(Code::KeyTaken)
    }
}

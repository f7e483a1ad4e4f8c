//! Global fields: a master that announces, and a copy in each of its groups whose place reserves the key there.

use std::marker::PhantomData;

use contract::id::{FieldId, GroupId};
use contract::names::{FieldKey, Name};
use contract::resource::GlobalField;
use contract::schema::FieldSchema;
use contract::{Code, Error, Problems};

use crate::Work;
use crate::change::{Change, Outcome};
use crate::document::{Document, holding, to_doc};
use crate::dynamo::{number, text};
use crate::grant::{Create, Delete, Get, List, Restore, Update, granted};
use crate::keys;
use crate::page::{Listing, Page, PageRequest};
use crate::tables::Table;

/// Groups that a global field can be in.
pub const MAX_GROUPS: usize = 40;
/// Groups that one change can touch: a transaction has 100 items, and each group takes two.
const MAX_TOUCHED: usize = 48;

/// The client's global fields.
pub struct GlobalFields<A> {
    work: Work,
    access: PhantomData<A>,
}

granted! {
    GlobalFields<Get> { Main GetItem [GlobalFields]; }
    GlobalFields<List> { Main Query [GlobalFields]; }
    GlobalFields<Create> {
        Main PutItem [GlobalFields, Definitions];
        Main UpdateItem [Definitions];
    }
    GlobalFields<Update> {
        Main GetItem [GlobalFields];
        Main UpdateItem [GlobalFields, Definitions];
        Main PutItem [Definitions];
        Main DeleteItem [Definitions];
    }
    GlobalFields<Delete> {
        Main GetItem [GlobalFields];
        Main UpdateItem [GlobalFields, Definitions];
        Main PutItem [Purge];
        Main DeleteItem [Definitions];
    }
    GlobalFields<Restore> {
        Main GetItem [GlobalFields];
        Main UpdateItem [GlobalFields, Definitions];
        Main PutItem [Definitions];
        Main DeleteItem [Purge];
    }
}

/// What a new global field is made of.
pub struct NewGlobalField {
    /// Unique in each of the groups.
    pub key: FieldKey,
    /// What people call it.
    pub label: Name,
    /// What values it takes.
    pub schema: FieldSchema,
    /// The groups, each once, at most [`MAX_GROUPS`].
    pub groups: Vec<GroupId>,
}

/// What a change of a global field changes.
pub struct GlobalFieldChange {
    /// What people call it.
    pub label: Option<Name>,
    /// What values it takes; the type stays.
    pub schema: Option<FieldSchema>,
    /// The groups, each once, at most [`MAX_GROUPS`].
    pub groups: Option<Vec<GroupId>>,
}

impl<A> GlobalFields<A> {
    /// The global fields of the request's client.
    #[must_use]
    pub fn open(work: &Work) -> Self {
        Self { work: work.clone(), access: PhantomData }
    }
}

impl GlobalFields<Get> {
    /// One global field.
    ///
    /// # Errors
    /// `global_field_not_found`.
    pub async fn get(&self, id: FieldId) -> Result<GlobalField, Error> {
        let key = keys::global_field(&self.work.scope, id);
        let found: Option<Document<GlobalField>> = self.work.store.document(&key).await?;
        let live = found.filter(|found| found.deleted_at.is_none());
        Ok(live.ok_or(Code::GlobalFieldNotFound)?.value)
    }
}

impl GlobalFields<List> {
    /// The global fields, oldest first; of one group, if one is named.
    ///
    /// # Errors
    /// `malformed_request` for a cursor of another list.
    pub async fn list(&self, group: Option<GroupId>, page: &PageRequest) -> Result<Page<GlobalField>, Error> {
        let pk = keys::global_fields_pk(&self.work.scope);
        let filter = group.map(|group| group.to_string()).unwrap_or_default();
        let listing = Listing {
            table: Table::Main,
            pk: &pk,
            prefix: FieldId::PREFIX,
            bound: &["list-global-fields", &filter],
            seal: self.work.scope.seal(),
        };
        let read = |item: &_| {
            let found = Document::<GlobalField>::read(item)?;
            let wanted = group.is_none_or(|group| found.value.field_group_ids.contains(&group));
            Ok((found.deleted_at.is_none() && wanted).then_some(found.value))
        };
        self.work.store.page(&listing, page, read).await
    }
}

impl GlobalFields<Create> {
    /// Creates a global field in its groups.
    ///
    /// # Errors
    /// `key_taken`; `validation_failed` for groups that are not there.
    pub async fn create(&self, new: NewGlobalField) -> Result<GlobalField, Error> {
        let Work { store, scope, author } = &self.work;
        let event = author.event();
        let field = GlobalField {
            id: FieldId::new(author.unique()),
            key: new.key,
            label: new.label,
            schema: new.schema,
            field_group_ids: new.groups,
            version: 1,
            created_at: author.at(),
            updated_at: author.at(),
        };
        let mut changes = vec![holding(Change::put(keys::global_field(scope, field.id)), &field, 1)?.when_absent()];
        changes.extend(self.attach(&field, &field.field_group_ids)?);
        let changes = changes.into_iter().map(|change| change.stamped(author, event)).collect();
        match store.commit(changes, event).await? {
            Outcome::Done => Ok(field),
            Outcome::Stale => Err(Code::Internal.into()),
        }
    }
}

impl GlobalFields<Update> {
    /// Changes a global field in all of its groups.
    ///
    /// # Errors
    /// `global_field_not_found`, `version_conflict`, `key_taken` in a group that it joins, `validation_failed` for a
    /// change of type and for groups that are not there.
    pub async fn update(
        &self,
        id: FieldId,
        if_match: Option<u64>,
        change: &GlobalFieldChange,
    ) -> Result<GlobalField, Error> {
        let key = keys::global_field(&self.work.scope, id);
        let plan = |current: &Document<GlobalField>, mut next: GlobalField| {
            if let Some(label) = &change.label {
                next.label = label.clone();
            }
            if let Some(schema) = &change.schema {
                same_type(&current.value.schema, schema)?;
                next.schema = schema.clone();
            }
            if let Some(groups) = &change.groups {
                next.field_group_ids.clone_from(groups);
            }
            let before = &current.value.field_group_ids;
            let (stay, join): (Vec<GroupId>, Vec<GroupId>) =
                next.field_group_ids.iter().partition(|id| before.contains(id));
            let leave: Vec<GroupId> = before.iter().filter(|id| !next.field_group_ids.contains(id)).copied().collect();
            if stay.len() + join.len() + leave.len() > MAX_TOUCHED {
                let message =
                    format!("One change may touch at most {MAX_TOUCHED} groups, those that it leaves included.");
                return Err(Problems::one("fieldGroupIds", "too_many", message).into());
            }
            let mut changes = vec![holding(Change::update(key.clone()), &next, current.version + 1)?];
            changes.extend(self.attach(&next, &join)?);
            for group in stay {
                let copy = keys::global_copy(&self.work.scope, group, &next.key);
                changes.push(Change::put(copy).set("doc", text(to_doc(&next)?)));
                changes.push(self.bump(group));
            }
            changes.extend(self.detach(&next, &leave));
            Ok((next, changes))
        };
        self.work.revise(&key, if_match, Code::GlobalFieldNotFound, plan).await
    }
}

impl GlobalFields<Delete> {
    /// Deletes a global field in all of its groups.
    ///
    /// # Errors
    /// `global_field_not_found`, `version_conflict`.
    pub async fn delete(&self, id: FieldId, if_match: Option<u64>) -> Result<(), Error> {
        let key = keys::global_field(&self.work.scope, id);
        let beside = |field: &GlobalField| self.detach(field, &field.field_group_ids);
        self.work.delete_softly(&key, if_match, Code::GlobalFieldNotFound, beside).await
    }
}

impl GlobalFields<Restore> {
    /// Restores a deleted global field in the groups that it was in.
    ///
    /// # Errors
    /// `global_field_not_found`, `version_conflict`, `key_taken`.
    pub async fn restore(&self, id: FieldId, if_match: Option<u64>) -> Result<GlobalField, Error> {
        let key = keys::global_field(&self.work.scope, id);
        let beside = |field: &GlobalField| {
            let doc = to_doc(field).unwrap_or_default();
            let copy = |group: &GroupId| {
                let place = keys::global_copy(&self.work.scope, *group, &field.key);
                let copy = Change::put(place).set("doc", text(doc.as_str())).when_absent().or(Code::KeyTaken);
                [copy, self.bump(*group)]
            };
            field.field_group_ids.iter().flat_map(copy).collect()
        };
        self.work.restore(&key, if_match, Code::GlobalFieldNotFound, beside).await
    }
}

impl<A> GlobalFields<A> {
    fn attach(&self, field: &GlobalField, groups: &[GroupId]) -> Result<Vec<Change>, Error> {
        let doc = to_doc(field)?;
        let mut changes = Vec::with_capacity(groups.len() * 2);
        for group in groups {
            let at = field.field_group_ids.iter().position(|id| id == group).unwrap_or(0);
            let absent = Problems::one(format!("fieldGroupIds[{at}]"), "not_found", "There is no such field group.");
            let copy = Change::put(keys::global_copy(&self.work.scope, *group, &field.key));
            changes.push(copy.set("doc", text(doc.as_str())).when_absent().or(Code::KeyTaken));
            changes.push(self.bump(*group).when("attribute_not_exists(#deletedAt)").or(absent));
        }
        Ok(changes)
    }

    fn detach(&self, field: &GlobalField, groups: &[GroupId]) -> Vec<Change> {
        let leave = |group: &GroupId| {
            [Change::delete(keys::global_copy(&self.work.scope, *group, &field.key)), self.bump(*group)]
        };
        groups.iter().flat_map(leave).collect()
    }

    /// Tells all readers that the group's definitions have changed.
    fn bump(&self, group: GroupId) -> Change {
        let now = self.work.store.clock().now();
        let card = Change::update(keys::group(&self.work.scope, group)).add("schemaVersion", 1);
        card.set("schemaAt", number(now.millis())).when_present().unstamped()
    }
}

/// A field's type never changes.
pub(crate) fn same_type(before: &FieldSchema, after: &FieldSchema) -> Result<(), Error> {
    if before.field_type() == after.field_type() {
        return Ok(());
    }
    Err(Problems::one("schema.type", "immutable", "A field's type never changes.").into())
}

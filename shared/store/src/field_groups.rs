//! Field groups.

use std::marker::PhantomData;

use contract::id::GroupId;
use contract::names::{Description, GroupKey, GroupRef, Name};
use contract::resource::{FieldGroup, Publishing};
use contract::{Code, Error, Precondition};

use crate::OpContext;
use crate::change::{Change, Outcome};
use crate::document::{Document, DocumentKeys, from_doc, holding, to_doc};
use crate::dynamo::{Item, must_parse, number, text};
use crate::grant::{Create, Delete, Get, List, Restore, Update, granted};
use crate::keys;
use crate::limits::COUNTED_FIELD_GROUPS;
use crate::page::{Listing, Page, PageRequest};
use crate::tables::Table;

/// The client's field groups.
pub struct FieldGroups<A> {
    op: OpContext,
    access: PhantomData<A>,
}

granted! {
    FieldGroups<Get> { Main GetItem [GroupKeys, Definitions]; }
    FieldGroups<List> { Main Query [GroupKeys]; }
    // The read is of a request that is carried out again.
    FieldGroups<Create> {
        Main GetItem [Definitions];
        Main PutItem [GroupKeys, Definitions];
        Main UpdateItem [Counts];
    }
    FieldGroups<Update> {
        Main GetItem [GroupKeys, Definitions];
        Main PutItem [GroupKeys];
        Main UpdateItem [Definitions];
    }
    FieldGroups<Delete> {
        Main GetItem [GroupKeys, Definitions];
        Main PutItem [GroupKeys, Purge];
        Main UpdateItem [Definitions, Counts];
        Main DeleteItem [GroupKeys];
    }
    FieldGroups<Restore> {
        Main GetItem [GroupKeys, Definitions];
        Main PutItem [GroupKeys];
        Main UpdateItem [Definitions, Counts];
        Main DeleteItem [GroupKeys, Purge];
    }
}

/// What a new field group is made of.
pub struct NewFieldGroup {
    /// Unique in the client.
    pub key: GroupKey,
    /// What people call it.
    pub name: Name,
    /// What people say of it.
    pub description: Option<Description>,
    /// How its values become public.
    pub publishing: Publishing,
}

impl<A> FieldGroups<A> {
    /// The field groups of the request's client.
    #[must_use]
    pub fn open(op: &OpContext) -> Self {
        Self { op: op.clone(), access: PhantomData }
    }
}

impl FieldGroups<Get> {
    /// One field group.
    ///
    /// # Errors
    /// `field_group_not_found`.
    pub async fn get(&self, group: &GroupRef) -> Result<FieldGroup, Error> {
        let id = self.op.resolve(group).await?;
        let found: Option<Document<FieldGroup>> = self.op.store.document(&keys::group(&self.op.scope, id)).await?;
        let live = found.filter(|found| found.deleted_at.is_none());
        Ok(live.ok_or(Code::FieldGroupNotFound)?.value)
    }
}

impl FieldGroups<List> {
    /// The field groups, by key.
    ///
    /// # Errors
    /// `malformed_request` for a cursor of another list.
    pub async fn list(&self, page: &PageRequest) -> Result<Page<FieldGroup>, Error> {
        let pk = keys::group_keys_pk(&self.op.scope);
        let listing = Listing {
            table: Table::Main,
            pk: &pk,
            prefix: keys::GROUP_KEYS,
            bound: &["list-field-groups"],
            seal: self.op.scope.seal(),
        };
        self.op.store.page(&listing, page, |row| from_doc(&row).map(Some)).await
    }
}

impl FieldGroups<Create> {
    /// Creates a field group.
    ///
    /// # Errors
    /// `key_taken`, `limit_reached`.
    pub async fn create(&self, new: NewFieldGroup) -> Result<FieldGroup, Error> {
        let OpContext { store, scope, author } = &self.op;
        let event = author.event();
        let group = FieldGroup {
            id: GroupId::new(author.unique()),
            key: new.key,
            name: new.name,
            description: new.description,
            publishing: new.publishing,
            version: 1,
            created_at: author.at(),
            updated_at: author.at(),
        };
        if let Some(made) = self.op.made_before(&DocumentKeys::one(keys::group(scope, group.id))).await? {
            return Ok(made);
        }
        let card = holding(Change::put(keys::group(scope, group.id)), &group, 1)?
            .set("schemaVersion", number(1))
            .set("schemaAt", number(author.at().millis()))
            .set("fields", number(0))
            .set("schemaBytes", number(0));
        let changes =
            vec![card.when_absent(), self.new_key_row(&group)?, COUNTED_FIELD_GROUPS.one_more(&self.op.scope)];
        let changes = changes.into_iter().map(|change| change.stamped(author, event)).collect();
        match store.commit(changes, event).await? {
            Outcome::Done => Ok(group),
            Outcome::Stale => Err(Code::Internal.into()),
        }
    }
}

impl FieldGroups<Update> {
    /// Changes a field group.
    ///
    /// # Errors
    /// `field_group_not_found`, `version_conflict`.
    pub async fn update(
        &self,
        group: &GroupRef,
        precondition: Option<Precondition>,
        change: impl Fn(&mut FieldGroup),
    ) -> Result<FieldGroup, Error> {
        let key = keys::group(&self.op.scope, self.op.resolve(group).await?);
        let plan = |current: &Document<FieldGroup>, mut next: FieldGroup| {
            change(&mut next);
            // Not a put: `schemaVersion` beside the document belongs to the fields.
            let own = holding(Change::update(key.clone()), &next, current.version + 1)?;
            let row = self.key_row(&next)?;
            Ok((next, vec![own, row]))
        };
        self.op.update(&key, precondition, Code::FieldGroupNotFound, plan).await
    }
}

impl FieldGroups<Delete> {
    /// Deletes a field group, and with it its values, until it is restored.
    ///
    /// # Errors
    /// `field_group_not_found`, `version_conflict`.
    pub async fn delete(&self, group: &GroupRef, precondition: Option<Precondition>) -> Result<(), Error> {
        let id = self.op.resolve(group).await?;
        let scope = &self.op.scope;
        let beside = |group: &FieldGroup| {
            let last = Change::put(keys::deleted_group_key(scope, &group.key)).set("group", text(group.id.to_string()));
            let kept = Change::put(keys::deleted_group(scope, group.id)).set("group", text(group.id.to_string()));
            let count = COUNTED_FIELD_GROUPS.one_less(scope);
            Ok(vec![Change::delete(keys::group_key(scope, &group.key)), last, kept, count])
        };
        self.op
            .delete_softly(&DocumentKeys::one(keys::group(scope, id)), precondition, Code::FieldGroupNotFound, beside)
            .await
            .map(|_| ())
    }
}

impl FieldGroups<Restore> {
    /// Restores a deleted field group and its values; by key the last one that was deleted under it.
    ///
    /// # Errors
    /// `field_group_not_found`, `version_conflict`, `key_taken`, `limit_reached`.
    pub async fn restore(&self, group: &GroupRef, precondition: Option<Precondition>) -> Result<FieldGroup, Error> {
        let id = match (self.op.resolve(group).await, group) {
            (Err(error), GroupRef::Key(key)) if error.code() == Code::FieldGroupNotFound => {
                let row = self.op.store.get(&keys::deleted_group_key(&self.op.scope, key)).await?;
                group_of(&row.ok_or(Code::FieldGroupNotFound)?)?
            }
            (resolved, _) => resolved?,
        };
        let scope = &self.op.scope;
        let beside = |group: &FieldGroup| {
            let kept = Change::delete(keys::deleted_group(scope, group.id));
            Ok(vec![self.new_key_row(group)?, kept, COUNTED_FIELD_GROUPS.one_more(scope)])
        };
        self.op
            .restore(
                &DocumentKeys::one(keys::group(&self.op.scope, id)),
                precondition,
                Code::FieldGroupNotFound,
                beside,
            )
            .await
    }
}

impl<A> FieldGroups<A> {
    /// What a key stands for, and the group as lists show it.
    fn key_row(&self, group: &FieldGroup) -> Result<Change, Error> {
        let row = Change::put(keys::group_key(&self.op.scope, &group.key));
        Ok(row.set("group", text(group.id.to_string())).set("doc", text(to_doc(group)?)))
    }

    fn new_key_row(&self, group: &FieldGroup) -> Result<Change, Error> {
        Ok(self.key_row(group)?.when_absent().or(Code::KeyTaken))
    }
}

/// The group that a key's row points to.
pub(crate) fn group_of(row: &Item) -> Result<GroupId, Error> {
    must_parse(row, "group")
}

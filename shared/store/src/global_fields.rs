//! Global fields: a master that announces, and a copy in each of its groups whose place reserves the key there.

use std::marker::PhantomData;

use contract::id::{FieldId, GroupId};
use contract::names::{FieldKey, Name};
use contract::resource::GlobalField;
use contract::schema::{FieldSchema, FieldType};
use contract::{Code, Error, Precondition, Problems};

use crate::OpContext;
use crate::change::{Change, Outcome};
use crate::document::{Document, DocumentKeys, deleted_at, from_doc, holding, to_doc};
use crate::dynamo::{Item, number, text};
use crate::field_schema::{same_type, schema_bytes};
use crate::grant::{Create, Delete, Get, List, Restore, Update, granted};
use crate::keys;
use crate::limits::{self, COUNTED_GLOBAL_FIELDS, Held};
use crate::page::{Listing, Page, PageRequest};
use crate::tables::Table;

/// Groups that a global field can be in.
pub const MAX_GROUPS: usize = 40;
/// Groups that one change can touch: a transaction has 100 items, and each group takes two.
const MAX_TOUCHED: usize = 48;

const NO_GROUP: &str = "There is no such field group.";

/// The client's global fields.
pub struct GlobalFields<A> {
    op: OpContext,
    access: PhantomData<A>,
}

granted! {
    GlobalFields<Get> { Main GetItem [GlobalFields]; }
    GlobalFields<List> { Main Query [GlobalFields, Definitions]; }
    // The reads of groups are of what is refused: those that are absent are told with all else. That of fields is of a
    // request that is carried out again.
    GlobalFields<Create> {
        Main BatchGetItem [Client, Definitions, GlobalFields];
        Main PutItem [GlobalFields, Definitions];
        Main UpdateItem [Definitions, Counts];
    }
    GlobalFields<Update> {
        Main GetItem [GlobalFields];
        Main BatchGetItem [Definitions];
        Main UpdateItem [GlobalFields, Definitions];
        Main PutItem [Definitions];
        Main DeleteItem [Definitions];
    }
    GlobalFields<Delete> {
        Main BatchGetItem [GlobalFields];
        Main PutItem [GlobalFields, Purge];
        Main UpdateItem [Definitions, Counts];
        Main DeleteItem [GlobalFields, Definitions];
    }
    GlobalFields<Restore> {
        Main BatchGetItem [Client, GlobalFields];
        Main PutItem [GlobalFields, Definitions];
        Main UpdateItem [Definitions, Counts];
        Main DeleteItem [GlobalFields, Purge];
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
    /// The groups as they were sent, at most [`MAX_GROUPS`].
    pub groups: Vec<GroupId>,
}

/// What a change of a global field changes.
#[derive(Default)]
pub struct GlobalFieldChange {
    /// What people call it.
    pub label: Option<Name>,
    /// What values it takes; the type stays.
    pub schema: Option<FieldSchema>,
    /// The type that is named with it: that it is another is told of a schema that is wrong, too.
    pub field_type: Option<FieldType>,
    /// The groups as they were sent, at most [`MAX_GROUPS`].
    pub groups: Option<Vec<GroupId>>,
    /// Those of them that can be read, each with its place: the absent are told if the change is refused.
    pub named_groups: Vec<(usize, GroupId)>,
    /// What is known to be wrong with the change already: it is told with all else.
    pub wrong: Problems,
}

impl<A> GlobalFields<A> {
    /// The global fields of the request's client.
    #[must_use]
    pub fn open(op: &OpContext) -> Self {
        Self { op: op.clone(), access: PhantomData }
    }
}

impl GlobalFields<Get> {
    /// One global field.
    ///
    /// # Errors
    /// `global_field_not_found`.
    pub async fn get(&self, id: FieldId) -> Result<GlobalField, Error> {
        let key = keys::global_field(&self.op.scope, id);
        let found: Option<Document<GlobalField>> = self.op.store.document(&key).await?;
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
        match group {
            Some(group) => self.list_of_group(group, page).await,
            None => {
                let pk = keys::global_fields_pk(&self.op.scope);
                let listing = Listing {
                    table: Table::Main,
                    pk: &pk,
                    prefix: FieldId::PREFIX,
                    bound: &["list-global-fields", ""],
                    seal: self.op.scope.seal(),
                };
                self.op.store.page(&listing, page, |item| from_doc(&item).map(Some)).await
            }
        }
    }

    /// By the copies that lie in the group: those are few, and no others are read.
    async fn list_of_group(&self, group: GroupId, page: &PageRequest) -> Result<Page<GlobalField>, Error> {
        let (pk, filter) = (keys::group(&self.op.scope, group).pk, group.to_string());
        let listing = Listing {
            table: Table::Main,
            pk: &pk,
            prefix: keys::COPIES,
            bound: &["list-global-fields", &filter],
            seal: self.op.scope.seal(),
        };
        let after = listing.open(page)?;
        let copies = self.op.store.query(&listing.whole()).await?;
        let mut fields = copies.iter().map(from_doc).collect::<Result<Vec<GlobalField>, _>>()?;
        fields.sort_unstable_by_key(|field| field.id);
        fields.retain(|field| after.as_ref().is_none_or(|after| field.id.to_string() > *after));
        let more = fields.len() > page.limit;
        fields.truncate(page.limit);
        let last = fields.last().filter(|_| more).map(|last| listing.seal(&last.id.to_string()));
        Ok(Page { items: fields, next_cursor: last })
    }
}

impl GlobalFields<Create> {
    /// Creates a global field in its groups.
    ///
    /// # Errors
    /// `key_taken`, `limit_reached`; `validation_failed` for groups that are not there.
    pub async fn create(&self, new: NewGlobalField) -> Result<GlobalField, Error> {
        let OpContext { store, scope, author } = &self.op;
        let event = author.event();
        let field = GlobalField {
            id: FieldId::new(author.unique()),
            key: new.key,
            label: new.label,
            schema: new.schema,
            field_group_ids: set_of(&new.groups),
            version: 1,
            created_at: author.at(),
            updated_at: author.at(),
        };
        if let Some(made) = self.op.made_before(&self.keys(field.id)).await? {
            return Ok(made);
        }
        let mut changes = vec![holding(Change::put(keys::global_field(scope, field.id)), &field, 1)?.when_absent()];
        let limits = self.op.store.plan_limits(scope.client()).await?;
        changes.push(COUNTED_GLOBAL_FIELDS.within(limits.fields).one_more(scope));
        changes.extend(self.attach(&field, &field.field_group_ids, &new.groups)?);
        let changes = changes.into_iter().map(|change| change.stamped(author, event)).collect();
        match store.commit(changes, event).await? {
            Outcome::Done => Ok(field),
            Outcome::Stale => Err(Code::Internal.into()),
        }
    }

    /// Why nothing is created: what is wrong already, and the groups that are not there.
    pub async fn refuse(&self, wrong: Problems, groups: &[(usize, GroupId)]) -> Error {
        self.with_absent(wrong.into(), groups).await
    }
}

impl GlobalFields<Update> {
    /// Changes a global field in all of its groups.
    ///
    /// # Errors
    /// `global_field_not_found`, `version_conflict`, `key_taken` in a group that it joins, `limit_reached`,
    /// `validation_failed` for a change of type and for groups that are not there.
    pub async fn update(
        &self,
        id: FieldId,
        precondition: Option<Precondition>,
        change: &GlobalFieldChange,
    ) -> Result<GlobalField, Error> {
        let key = keys::global_field(&self.op.scope, id);
        let plan = |current: &Document<GlobalField>, mut next: GlobalField| {
            if let Some(label) = &change.label {
                next.label = label.clone();
            }
            let mut wrong = change.wrong.clone();
            let named = change.schema.as_ref().map(FieldSchema::field_type).or(change.field_type);
            same_type(&current.value.schema, named, &mut wrong);
            if let Some(schema) = &change.schema {
                next.schema = schema.clone();
            }
            if let Some(groups) = &change.groups {
                next.field_group_ids = set_of(groups);
            }
            let before = &current.value.field_group_ids;
            let (stay, join): (Vec<GroupId>, Vec<GroupId>) =
                next.field_group_ids.iter().partition(|id| before.contains(id));
            let leave: Vec<GroupId> = before.iter().filter(|id| !next.field_group_ids.contains(id)).copied().collect();
            if stay.len() + join.len() + leave.len() > MAX_TOUCHED {
                let message =
                    format!("One change may touch at most {MAX_TOUCHED} groups, those that it leaves included.");
                wrong.add("fieldGroupIds", "too_many", message);
            }
            wrong.or(())?;
            let mut changes = vec![holding(Change::update(key.clone()), &next, current.version + 1)?];
            changes.extend(self.attach(&next, &join, change.groups.as_deref().unwrap_or_default())?);
            let (size, before) = (schema_bytes(&next.schema)?, schema_bytes(&current.value.schema)?);
            for group in stay {
                let copy = keys::global_copy(&self.op.scope, group, &next.key);
                changes.push(Change::put(copy).set("doc", text(to_doc(&next)?)));
                changes.push(self.card(group, 0, size - before));
            }
            changes.extend(self.detach(&next, &leave, before));
            Ok((next, changes))
        };
        let done = self.op.update(&key, precondition, Code::GlobalFieldNotFound, plan).await;
        match done {
            // Groups that are absent show when the change is carried out, which this one was not.
            Err(error) if error.code() == Code::ValidationFailed => {
                Err(self.with_absent(error, &change.named_groups).await)
            }
            done => done,
        }
    }
}

impl GlobalFields<Delete> {
    /// Deletes a global field in all of its groups.
    ///
    /// # Errors
    /// `global_field_not_found`, `version_conflict`.
    pub async fn delete(&self, id: FieldId, precondition: Option<Precondition>) -> Result<(), Error> {
        let beside = |field: &GlobalField| {
            let mut changes = self.detach(field, &field.field_group_ids, schema_bytes(&field.schema)?);
            changes.push(COUNTED_GLOBAL_FIELDS.one_less(&self.op.scope));
            Ok(changes)
        };
        self.op.delete_softly(&self.keys(id), precondition, Code::GlobalFieldNotFound, beside).await.map(|_| ())
    }
}

impl GlobalFields<Restore> {
    /// Restores a deleted global field in the groups that it was in.
    ///
    /// # Errors
    /// `global_field_not_found`, `version_conflict`, `key_taken`, `limit_reached`.
    pub async fn restore(&self, id: FieldId, precondition: Option<Precondition>) -> Result<GlobalField, Error> {
        let limits = self.op.store.plan_limits(self.op.scope.client()).await?;
        let counted = COUNTED_GLOBAL_FIELDS.within(limits.fields);
        let beside = |field: &GlobalField| {
            let (doc, size) = (to_doc(field)?, schema_bytes(&field.schema)?);
            let mut changes = vec![counted.one_more(&self.op.scope)];
            for group in &field.field_group_ids {
                changes.push(self.copy(field, *group, &doc));
                changes.push(self.card(*group, 1, size));
            }
            Ok(changes)
        };
        self.op.restore(&self.keys(id), precondition, Code::GlobalFieldNotFound, beside).await
    }
}

impl<A> GlobalFields<A> {
    /// A refusal with the groups besides that are not there. A fault on the way leaves it as it is.
    async fn with_absent(&self, refusal: Error, groups: &[(usize, GroupId)]) -> Error {
        let key = |group: &GroupId| keys::group(&self.op.scope, *group);
        let all: Vec<GroupId> = groups.iter().map(|(_, group)| *group).collect();
        let keys: Vec<_> = set_of(&all).iter().map(key).collect();
        let Ok(cards) = self.op.store.batch_get_all(&keys.iter().collect::<Vec<_>>()).await else { return refusal };
        let mut absent = Problems::default();
        for (number, (at, group)) in groups.iter().enumerate() {
            let first = !all[..number].contains(group);
            if first && cards.get(&key(group)).is_none_or(|card| deleted_at(card).is_some()) {
                absent.add(format!("fieldGroupIds[{at}]"), "not_found", NO_GROUP);
            }
        }
        refusal.and_elsewhere(absent)
    }

    fn keys(&self, id: FieldId) -> DocumentKeys {
        let scope = &self.op.scope;
        DocumentKeys::two(keys::global_field(scope, id), keys::deleted_global_field(scope, id))
    }

    /// The changes by which a field joins these `groups`; one that is absent is named by its place in those `sent`.
    fn attach(&self, field: &GlobalField, groups: &[GroupId], sent: &[GroupId]) -> Result<Vec<Change>, Error> {
        let (doc, size) = (to_doc(field)?, schema_bytes(&field.schema)?);
        let mut changes = Vec::with_capacity(groups.len() * 2);
        let joined = sent.iter().enumerate().filter(|(at, id)| groups.contains(id) && !sent[..*at].contains(id));
        for (at, group) in joined {
            changes.push(self.copy(field, *group, &doc));
            let card = self.card(*group, 1, size).when("attribute_not_exists(#deletedAt)");
            changes.push(card.or_else(move |card| match card.filter(|card| deleted_at(card).is_none()) {
                Some(card) => full(card),
                None => Problems::one(format!("fieldGroupIds[{at}]"), "not_found", NO_GROUP).into(),
            }));
        }
        Ok(changes)
    }

    fn copy(&self, field: &GlobalField, group: GroupId, doc: &str) -> Change {
        let copy = Change::put(keys::global_copy(&self.op.scope, group, &field.key));
        copy.set("doc", text(doc)).when_absent().or(Code::KeyTaken)
    }

    fn detach(&self, field: &GlobalField, groups: &[GroupId], size: i64) -> Vec<Change> {
        let leave = |group: &GroupId| {
            let copy = keys::global_copy(&self.op.scope, *group, &field.key);
            [Change::delete(copy), self.card(*group, -1, -size)]
        };
        groups.iter().flat_map(leave).collect()
    }

    /// Tells all readers that the group's definitions have changed, by so many fields and bytes of their schemas.
    fn card(&self, group: GroupId, fields: i64, bytes: i64) -> Change {
        let now = self.op.store.clock().now();
        let card = Change::update(keys::group(&self.op.scope, group)).add("schemaVersion", 1);
        let mut card = card.set("schemaAt", number(now.millis())).when_present().unstamped();
        if fields != 0 {
            card = card.add("fields", fields);
        }
        if fields > 0 {
            card = card.when("#fields < :most").with(":most", number(limits::GLOBAL_FIELDS_IN_GROUP));
        }
        if bytes != 0 {
            card = card.add("schemaBytes", bytes);
        }
        if bytes > 0 {
            let room = limits::SCHEMA_BYTES.saturating_sub(bytes.unsigned_abs());
            card = card.when("#schemaBytes <= :room").with(":room", number(room));
        }
        if fields > 0 || bytes > 0 { card.or_else(|card| card.map_or(Code::Internal.into(), full)) } else { card }
    }
}

/// The groups in the one order in which they are kept, each once.
fn set_of(groups: &[GroupId]) -> Vec<GroupId> {
    let mut groups = groups.to_vec();
    groups.sort_unstable();
    groups.dedup();
    groups
}

/// Why a group takes no more.
fn full(card: &Item) -> Error {
    let most = limits::GLOBAL_FIELDS_IN_GROUP;
    if Held::of(Some(card)).fields >= most {
        return limits::reached("A field group", most, "global fields");
    }
    limits::schemas_too_large()
}

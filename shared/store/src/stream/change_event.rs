//! The change event that a record of the stream is, if it is one.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use contract::id::{ClientId, EventId, FieldId, GroupId, WebhookId};
use contract::names::{EntityId, TenantId};
use contract::webhook::EventName::{
    self, FieldGroupCreated, FieldGroupDeleted, FieldGroupUpdated, FieldValueDeleted, FieldValueSaved,
    GlobalFieldCreated, GlobalFieldDeleted, GlobalFieldUpdated, TenantFieldCreated, TenantFieldDeleted,
    TenantFieldUpdated, WebhookDisabled,
};
use contract::{Error, Time};
use serde_json::Value;

use super::member;
use crate::document::{Document, deleted_at, event_of, from_doc};
use crate::dynamo::{Item, get_number, get_text, must, must_parse};
use crate::keys::Subject;
use crate::values::Stored;
use crate::webhooks::Endpoint;

/// An item before and after a change.
pub struct Record {
    old: Option<Item>,
    new: Option<Item>,
}

/// What a record says.
pub enum ChangeEvent {
    /// What webhooks are told of.
    Announced(Box<Committed>),
    /// A webhook is on again: what was held is to be sent.
    WebhookSwitchedOn {
        /// Whose.
        client: ClientId,
        /// The webhook.
        webhook: WebhookId,
        /// The change.
        event: EventId,
        /// When.
        at: Time,
    },
    /// A client is open again: what was held meanwhile is to be sent.
    ClientRestored {
        /// The client.
        client: ClientId,
        /// The change.
        event: EventId,
        /// When.
        at: Time,
    },
    /// A change that nobody is told of.
    None,
    /// An item of a kind that is not known here, as one of a newer version.
    Unknown,
}

/// A change that is announced.
pub struct Committed {
    /// Whose.
    pub client: ClientId,
    /// The tenant, if it is a tenant's.
    pub tenant: Option<TenantId>,
    /// The event.
    pub id: EventId,
    /// What happened.
    pub event: EventName,
    /// When its request began.
    pub at: Time,
    /// When it was written.
    pub written_at: Time,
    /// The request that did it.
    pub request_id: String,
    pub(super) data: Value,
    pub(super) values: Option<ValuesChange>,
}

/// Values by field identifier: their keys are for whoever knows the fields.
pub(super) struct ValuesChange {
    pub(super) group: GroupId,
    pub(super) entity: EntityId,
    pub(super) stored: Stored,
    before: HashMap<String, Value>,
}

impl ValuesChange {
    /// Whether the value of a field is another than before. Where there was nothing before, or is nothing after, that
    /// is every field with a value.
    pub(super) fn touches(&self, field: FieldId) -> bool {
        let id = field.to_string();
        if self.stored.deleted_at.is_some() {
            return self.stored.document.contains_key(&id);
        }
        self.stored.document.get(&id) != self.before.get(&id)
    }
}

impl Record {
    /// The images of a record in an event of the stream (`dynamodb.OldImage`, `dynamodb.NewImage`).
    #[must_use]
    pub fn of_images(old: Option<&Value>, new: Option<&Value>) -> Self {
        Self { old: old.map(item), new: new.map(item) }
    }

    /// What it says.
    ///
    /// # Errors
    /// `internal` if an item that announces can't be read.
    pub fn read(&self) -> Result<ChangeEvent, Error> {
        // A removal is a purge's, or of what nobody is told of.
        let Some(new) = &self.new else { return Ok(ChangeEvent::None) };
        let (pk, sk) = (must(get_text(new, "pk"), "pk")?, must(get_text(new, "sk"), "sk")?);
        match Subject::of(pk, sk)? {
            Subject::FieldGroup(client) => {
                self.resource(new, client, None, [FieldGroupCreated, FieldGroupUpdated, FieldGroupDeleted])
            }
            Subject::GlobalField(client) => {
                self.resource(new, client, None, [GlobalFieldCreated, GlobalFieldUpdated, GlobalFieldDeleted])
            }
            Subject::TenantField(client, tenant) => {
                self.resource(new, client, Some(tenant), [TenantFieldCreated, TenantFieldUpdated, TenantFieldDeleted])
            }
            Subject::Values(client, tenant, group, entity) => self.values(new, client, tenant, group, entity),
            Subject::Webhook(client) => self.webhook(new, client),
            Subject::Client(client) => self.client(new, client),
            Subject::Other => Ok(ChangeEvent::None),
            Subject::Unknown => Ok(ChangeEvent::Unknown),
        }
    }

    /// A resource's life: created, changed or restored, deleted; nothing if only what stands beside it has changed.
    fn resource(
        &self,
        new: &Item,
        client: ClientId,
        tenant: Option<TenantId>,
        [created, updated, deleted]: [EventName; 3],
    ) -> Result<ChangeEvent, Error> {
        let version = |item: &Item| get_number::<u64>(item, "version");
        let gone = |item: &Item| deleted_at(item).is_some();
        // Some resources move when they are deleted, and back when they are restored.
        let event = match &self.old {
            Some(old) if version(old) == version(new) => return Ok(ChangeEvent::None),
            old if gone(new) && !old.as_ref().is_some_and(gone) => deleted,
            None if version(new) == Some(1) => created,
            _ => updated,
        };
        committed(new, client, tenant, event, from_doc(new)?, None)
    }

    fn values(
        &self,
        new: &Item,
        client: ClientId,
        tenant: TenantId,
        group: GroupId,
        entity: EntityId,
    ) -> Result<ChangeEvent, Error> {
        // Nobody has changed what only counts on from another version.
        if self.old.as_ref().is_some_and(|old| event_of(old) == event_of(new)) {
            return Ok(ChangeEvent::None);
        }
        let stored = Stored::read(new)?;
        let before = match &self.old {
            Some(old) => Stored::read(old)?.live_document(),
            None => HashMap::new(),
        };
        let event = if stored.deleted_at.is_some() { FieldValueDeleted } else { FieldValueSaved };
        let change = ValuesChange { group, entity, stored, before };
        committed(new, client, Some(tenant), event, Value::Null, Some(change))
    }

    fn client(&self, new: &Item, client: ClientId) -> Result<ChangeEvent, Error> {
        let was_closed = self.old.as_ref().is_some_and(|old| deleted_at(old).is_some());
        if !was_closed || deleted_at(new).is_some() {
            return Ok(ChangeEvent::None);
        }
        Ok(ChangeEvent::ClientRestored { client, event: must_parse(new, "eventId")?, at: must_parse(new, "at")? })
    }

    fn webhook(&self, new: &Item, client: ClientId) -> Result<ChangeEvent, Error> {
        let Some(old) = &self.old else { return Ok(ChangeEvent::None) };
        let active = |item| Ok::<_, Error>(Document::<Endpoint>::read(item)?.value.webhook);
        let (old, webhook) = (active(old)?, active(new)?);
        if webhook.active && !old.active {
            let (event, at) = (must_parse(new, "eventId")?, must_parse(new, "at")?);
            return Ok(ChangeEvent::WebhookSwitchedOn { client, webhook: webhook.id, event, at });
        }
        if webhook.active || !old.active || webhook.disabled.is_none() {
            return Ok(ChangeEvent::None);
        }
        let data = serde_json::to_value(webhook).map_err(Error::internal)?;
        committed(new, client, None, WebhookDisabled, data, None)
    }
}

fn committed(
    new: &Item,
    client: ClientId,
    tenant: Option<TenantId>,
    event: EventName,
    data: Value,
    values: Option<ValuesChange>,
) -> Result<ChangeEvent, Error> {
    let by: Value = serde_json::from_str(must(get_text(new, "by"), "by")?).map_err(Error::internal)?;
    Ok(ChangeEvent::Announced(Box::new(Committed {
        client,
        tenant,
        id: must_parse(new, "eventId")?,
        event,
        at: must_parse(new, "at")?,
        written_at: Time::from_millis(must(get_number(new, "writtenAt"), "writtenAt")?),
        request_id: member(&by, "requestId").unwrap_or_default().to_owned(),
        data,
        values,
    })))
}

/// An image as an item; what is read here are texts and numbers.
fn item(image: &Value) -> Item {
    let attribute = |value: &Value| {
        let text = |name: &str| member(value, name).map(str::to_owned);
        text("S").map(AttributeValue::S).or_else(|| text("N").map(AttributeValue::N))
    };
    let members = image.as_object().into_iter().flatten();
    members.filter_map(|(name, value)| Some((name.clone(), attribute(value)?))).collect()
}

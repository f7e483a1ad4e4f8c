//! A line before it has a place in a chain, and who wrote the item that it is made from.

use contract::audit::{Action, Entry};
use contract::id::{AuditId, ClientId, EventId, GroupId, KeyId};
use contract::names::TenantId;
use contract::{Error, Time};
use serde::Deserialize;
use serde_json::{Map, Value};
use uuid::Builder;

use crate::audit::note::Whose;
use crate::dynamo::{Item, get_text, must, must_parse};
use crate::keys::Key;
use crate::stream::ValuesChange;

/// A line before it has a place in a chain.
pub(in crate::audit) struct Draft {
    pub(in crate::audit) whose: Whose,
    pub(in crate::audit) entry: Entry,
    /// Values by field identifier, whose keys are to be looked up.
    pub(in crate::audit) values: Option<ValuesChange>,
    /// The item that tells this alone, and has had its time when the line is written.
    pub(in crate::audit) note: Option<Key>,
}

/// Who wrote an item last, and when.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct By {
    actor: String,
    key: Option<KeyId>,
    address: Option<String>,
    agent: String,
    request_id: String,
}

#[derive(Clone)]
pub(super) struct Stamp {
    by: By,
    pub(super) at: Time,
    event: EventId,
}

impl Stamp {
    pub(super) fn of(item: &Item) -> Result<Self, Error> {
        let by = serde_json::from_str(must(get_text(item, "by"), "by")?).map_err(Error::internal)?;
        Ok(Self { by, at: must_parse(item, "at")?, event: must_parse(item, "eventId")? })
    }

    pub(super) fn draft(&self, whose: Whose, action: Action, resource: String) -> Draft {
        let Self { by, at, event } = self.clone();
        let entry = Entry {
            // Made when it is known whose it is.
            id: AuditId::new(event.unique()),
            at,
            client_id: None,
            actor: by.actor,
            key_id: by.key,
            action: action.name().to_owned(),
            resource,
            tenant_id: None,
            field_group_id: None,
            field_group_key: None,
            entity_id: None,
            changed: None,
            before: None,
            after: None,
            reason: None,
            count: None,
            address: by.address,
            agent: by.agent,
            request_id: by.request_id,
            event_id: Some(event),
            sequence: 0,
            previous: String::new(),
            hash: String::new(),
        };
        Draft { whose, entry, values: None, note: None }
    }

    pub(super) fn of_client(&self, client: ClientId, action: Action, resource: impl Into<String>) -> Draft {
        self.draft(Whose::Client(client), action, resource.into())
    }
}

impl Draft {
    pub(super) fn before(mut self, before: Map<String, Value>) -> Self {
        self.entry.before = Some(before);
        self
    }

    pub(super) fn after(mut self, after: Map<String, Value>) -> Self {
        self.entry.after = Some(after);
        self
    }

    pub(super) fn in_tenant(mut self, tenant: TenantId, group: Option<GroupId>) -> Self {
        self.entry.tenant_id = Some(tenant);
        self.entry.field_group_id = group;
        self
    }

    /// Gives it its log, and the identifier that goes with that: the same each time that the record comes.
    pub(in crate::audit) fn in_log_of(&self, client: Option<ClientId>) -> Entry {
        let mut entry = self.entry.clone();
        entry.client_id = client;
        let whose = client.map(|client| client.to_string()).unwrap_or_default();
        let event = entry.event_id.map(|event| event.to_string()).unwrap_or_default();
        let digest = auth::sha256(format!("{event} {whose} {} {}", entry.action, entry.resource).as_bytes());
        let mut tail = [0; 10];
        tail.copy_from_slice(&digest[..10]);
        let millis = u64::try_from(entry.at.millis()).unwrap_or(0);
        entry.id = AuditId::new(Builder::from_unix_timestamp_millis(millis, &tail).into_uuid());
        entry
    }
}

//! What the audit log tells: who did what, when, from where, by which request. `docs/audit.md` says what is written, and how
//! a line is verified.

mod action;
mod filter;

pub use action::Action;
pub use filter::{ActionFilter, ActorFilter, ResourceFilter};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::Time;
use crate::id::{AuditId, ClientId, EventId, GroupId, KeyId};
use crate::names::{EntityId, GroupKey, TenantId};

/// One line of the audit log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "AuditEntry")]
pub struct Entry {
    /// `aud_…`
    pub id: AuditId,
    /// When it was done.
    pub at: Time,
    /// Whose log it is in. Not there in the log of the deployment itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<ClientId>,
    /// Who did it: `usr_…`, `key_…`, `tok_…`; `system`, `operator`, `stripe`; `anonymous`, who showed no credential that is known.
    pub actor: String,
    /// The API key that made the embed token by which it was done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_id: Option<KeyId>,
    /// What was done.
    #[schemars(with = "Action")]
    pub action: String,
    /// What it was done to: its path under `/api/v1`, as `tenants/acme/field-groups/fg_…/entities/e-1/values`.
    pub resource: String,
    /// The tenant, if it is a tenant's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant_id: Option<TenantId>,
    /// The field group, of a tenant's fields and values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field_group_id: Option<GroupId>,
    /// Its key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field_group_key: Option<GroupKey>,
    /// The entity, of values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entity_id: Option<EntityId>,
    /// The keys of the fields whose values are others than before; the identifier of a field that is gone. Never a value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed: Option<Vec<String>>,
    /// The members that changed, as they were. Never a secret, never a value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Map<String, Value>>,
    /// The same as they are since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Map<String, Value>>,
    /// Why it was refused: the code that was answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// How many refusals of one minute this line stands for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// Where it came from.
    pub address: Option<String>,
    /// By which program, as that says.
    pub agent: String,
    /// By which request.
    pub request_id: String,
    /// The event of the change, the same as its webhooks are told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_id: Option<EventId>,
    /// Which line of the client's day it is, from 1, in the order in which they were written down.
    pub sequence: u64,
    /// The `hash` of the line before; of a day's first line, what `docs/audit.md` says.
    pub previous: String,
    /// SHA-256, in hexadecimal digits, of the line without this member.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(required)]
    pub hash: String,
}

/// How many lines a client's day has, and how they end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DayEnd {
    /// The day, in UTC.
    pub day: String,
    /// How many lines it has.
    pub entries: u64,
    /// The `hash` of the last one.
    pub hash: String,
}

/// The last line of an export: what is in it. It begins as an entry does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExportEnd {
    /// `aud_…`
    pub id: AuditId,
    /// When it was exported.
    pub at: Time,
    /// Whose log it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<ClientId>,
    /// Who exported it.
    pub actor: String,
    /// `audit_log.exported`
    pub action: Action,
    /// `audit-log`
    pub resource: String,
    /// From where.
    pub address: Option<String>,
    /// By which program, as that says.
    pub agent: String,
    /// By which request.
    pub request_id: String,
    /// The days that are in it, oldest first.
    pub days: Vec<DayEnd>,
    /// SHA-256 of all that stands before this line.
    pub previous: String,
    /// SHA-256 of this line without this member.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub hash: String,
}

//! Notes: what was done and that no item tells, until the recorder has written it down.

use contract::Error;
use contract::audit::Action;
use contract::id::{ClientId, EventId, UserId};
use contract::names::TenantId;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::Store;
use crate::author::{Author, unique};
use crate::change::Change;
use crate::document::to_doc;
use crate::dynamo::text;
use crate::grant::{Grant, grants};
use crate::keys;

/// In whose log it is written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Whose {
    /// In a client's.
    Client(ClientId),
    /// In those of the clients that a user is a member of.
    User(UserId),
    /// In the deployment's own.
    Deployment,
}

impl Whose {
    fn key(self) -> String {
        match self {
            Self::Client(client) => client.to_string(),
            Self::User(user) => user.to_string(),
            Self::Deployment => auth::audit_chain::DEPLOYMENT.to_owned(),
        }
    }
}

/// What was done.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Note {
    pub(super) whose: Whose,
    pub(super) action: Action,
    pub(super) resource: String,
    pub(super) tenant_id: Option<TenantId>,
    pub(super) before: Option<Map<String, Value>>,
    pub(super) after: Option<Map<String, Value>>,
    pub(super) reason: Option<String>,
    pub(super) count: Option<u64>,
}

impl Note {
    /// What was done to a resource, by its path under `/api/v1`.
    #[must_use]
    pub fn new(whose: Whose, action: Action, resource: impl Into<String>) -> Self {
        let resource = resource.into();
        Self { whose, action, resource, tenant_id: None, before: None, after: None, reason: None, count: None }
    }

    /// The same in a client's log.
    #[must_use]
    pub fn of_client(client: ClientId, action: Action, resource: impl Into<String>) -> Self {
        Self::new(Whose::Client(client), action, resource)
    }

    /// With what the resource was. It must hold no secret.
    ///
    /// # Errors
    /// `internal` if it is no object.
    pub fn before(self, resource: &impl Serialize) -> Result<Self, Error> {
        let before = serde_json::to_value(resource).and_then(serde_json::from_value).map_err(Error::internal)?;
        Ok(Self { before: Some(before), ..self })
    }

    /// Of a tenant.
    #[must_use]
    pub fn of_tenant(self, tenant: TenantId) -> Self {
        Self { tenant_id: Some(tenant), ..self }
    }

    /// That it was refused: why, and how often.
    #[must_use]
    pub fn refused(self, reason: &str, count: u64) -> Self {
        Self { reason: Some(reason.to_owned()), count: Some(count), ..self }
    }

    /// The write of it, as a part of what the event did; to be stamped.
    pub(crate) fn change(&self, event: EventId) -> Result<Change, Error> {
        let key = keys::audit_note(&self.whose.key(), event, self.action, &self.resource);
        Ok(Change::put(key).set("doc", text(to_doc(self)?)))
    }
}

impl Store {
    /// What writing a note down needs.
    pub const NOTE_GRANTS: &'static [Grant] = &grants![Main PutItem [AuditNotes]];

    /// Notes what was done, for the recorder.
    ///
    /// # Errors
    /// `unavailable`, `internal`.
    pub async fn note(&self, author: &Author, note: &Note) -> Result<(), Error> {
        self.note_of(author, EventId::new(unique(self.clock().now())), note).await
    }

    /// The same of what was done by an event: when it is done again, it is noted once.
    pub(crate) async fn note_of(&self, author: &Author, event: EventId, note: &Note) -> Result<(), Error> {
        self.conditional_write(note.change(event)?.stamped(author, event)).await.map(|_| ())
    }
}

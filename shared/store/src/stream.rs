//! The stream of changes, read as what it announces. **The write is the event**: nothing else is written for it, so
//! what was committed can't fail to be announced.

mod change_event;

pub use change_event::{ChangeEvent, Committed, Record};

use std::collections::HashMap;
use std::sync::Arc;

use contract::id::{ClientId, GroupId};
use contract::names::{Slug, TenantId};
use contract::resource::Client;
use contract::webhook::Envelope;
use contract::{Code, Error};
use quick_cache::sync::Cache as Lru;
use serde_json::{Value, json};

use crate::author::{Author, RequestInfo, Seed};
use crate::definitions::Loaded;
use crate::deliveries::Announcement;
use crate::document::from_doc;
use crate::dynamo::{get_text, must};
use crate::grant::granted;
use crate::keys;
use crate::scope::ClientScope;
use crate::values;
use crate::{OpContext, Store};

const CACHED_CLIENTS: usize = 1_000;

/// Makes announcements of what was committed.
#[derive(Clone)]
pub struct Stream {
    store: Store,
    /// Slugs and cursor keys, which never change.
    clients: Arc<Lru<ClientId, (ClientScope, Slug)>>,
}

granted! {
    Stream {
        Main GetItem [Client];
        Main BatchGetItem [Definitions, TenantFields];
        Main Query [Definitions, TenantFields];
    }
}

/// The definitions that one batch of records needs, each read once.
#[derive(Default)]
pub struct Definitions(HashMap<(ClientId, TenantId, GroupId), Arc<Loaded>>);

impl Stream {
    /// The stream of a store.
    #[must_use]
    pub fn open(store: &Store) -> Self {
        Self { store: store.clone(), clients: Arc::new(Lru::new(CACHED_CLIENTS)) }
    }

    /// The announcement of a change.
    ///
    /// # Errors
    /// `unavailable`; `internal` if what was committed can't be read.
    pub async fn announcement(
        &self,
        committed: &Committed,
        definitions: &mut Definitions,
    ) -> Result<Announcement, Error> {
        let (scope, slug) = self.client(committed.client).await?;
        let data = match &committed.values {
            None => committed.data.clone(),
            Some(change) => {
                let tenant = must(committed.tenant.clone(), "tenant")?;
                let loaded = self.definitions(&scope, &tenant, change.group, definitions).await?;
                let shown = values::shown(&loaded, &tenant, &change.entity, &change.stored);
                let mut data = serde_json::to_value(shown).map_err(Error::internal)?;
                let changed: Vec<_> = loaded.fields.visible().filter(|field| change.touches(field.id)).collect();
                data["changed"] = json!(changed.iter().map(|field| &field.key).collect::<Vec<_>>());
                data
            }
        };
        let envelope = Envelope {
            event: committed.event,
            event_id: committed.id,
            timestamp: committed.at,
            client_id: committed.client,
            project: &slug,
            tenant_id: committed.tenant.as_ref(),
            data,
        };
        Ok(Announcement {
            client: committed.client,
            id: committed.id,
            event: committed.event,
            tenant: committed.tenant.clone(),
            at: committed.at,
            written_at: committed.written_at,
            request_id: committed.request_id.clone(),
            body: serde_json::to_string(&envelope).map_err(Error::internal)?,
        })
    }

    async fn client(&self, id: ClientId) -> Result<(ClientScope, Slug), Error> {
        if let Some(known) = self.clients.get(&id) {
            return Ok(known);
        }
        let card = must(self.store.get(&keys::client(id)).await?, "client")?;
        let client: Client = from_doc(&card)?;
        let seal = get_text(&card, "seal").and_then(auth::SealKey::from_stored);
        let known = (ClientScope::verified(id, must(seal, "seal")?), client.slug);
        self.clients.insert(id, known.clone());
        Ok(known)
    }

    async fn definitions(
        &self,
        scope: &ClientScope,
        tenant: &TenantId,
        group: GroupId,
        known: &mut Definitions,
    ) -> Result<Arc<Loaded>, Error> {
        let key = (scope.client(), tenant.clone(), group);
        if let Some(loaded) = known.0.get(&key) {
            return Ok(loaded.clone());
        }
        let info = RequestInfo { address: None, agent: String::new(), request_id: String::new() };
        let author = Author::new("system", &info, Seed::new(self.store.clock().now()));
        let op = OpContext::new(self.store.clone(), scope.clone(), Arc::new(author));
        // A group that was deleted since then still says what its values mean.
        let loaded = op.load_even_deleted(&scope.tenant(tenant.clone()), group).await?;
        let loaded = Arc::new(loaded.ok_or(Code::FieldGroupNotFound)?);
        known.0.insert(key, loaded.clone());
        Ok(loaded)
    }
}

/// A member of a JSON document, as text.
fn member<'v>(value: &'v Value, name: &str) -> Option<&'v str> {
    value.get(name)?.as_str()
}

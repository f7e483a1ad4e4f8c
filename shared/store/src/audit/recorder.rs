//! The recorder: from records of the stream to lines of the audit log.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use auth::audit_chain::DEPLOYMENT;
use contract::audit::Entry;
use contract::id::{ClientId, UserId};
use contract::{Code, Error};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use super::derive::{Draft, drafts};
use super::note::Whose;
use crate::Store;
use crate::grant::granted;
use crate::keys;
use crate::stream::{Definitions, Record, Stream};
use crate::users::UserCard;

/// Chains that are added to at once.
const AT_ONCE: usize = 8;

/// Writes the audit log.
#[derive(Clone)]
pub struct Recorder {
    store: Store,
    stream: Stream,
}

granted! {
    Recorder {
        Main GetItem [Client, User];
        Main BatchGetItem [Definitions, TenantFields];
        Main Query [Definitions, TenantFields];
        Main BatchWriteItem [AuditNotes];
        Log GetItem [AuditHeads];
        Log UpdateItem [AuditHeads];
        Log PutItem [Audit, AuditDays];
    }
}

/// What some records come to.
#[derive(Default)]
pub struct Recorded {
    /// By whose log, and day.
    chains: BTreeMap<(String, String), Vec<Entry>>,
    /// Items that had nothing else to tell.
    notes: BTreeSet<(String, String)>,
}

impl Recorder {
    /// That of a store.
    #[must_use]
    pub fn open(store: &Store) -> Self {
        Self { store: store.clone(), stream: Stream::open(store) }
    }

    /// Reads a record; what it says joins what was read before.
    ///
    /// # Errors
    /// `unavailable`; `internal` if what was committed can't be read. Then nothing has joined.
    pub async fn read(
        &self,
        record: &Record,
        definitions: &mut Definitions,
        recorded: &mut Recorded,
    ) -> Result<(), Error> {
        let drafts = drafts(record)?;
        let mut members = HashMap::new();
        let mut made = Vec::new();
        for mut draft in drafts {
            if draft.values.is_some() {
                self.name_fields(&mut draft, definitions).await?;
            }
            let clients: Vec<Option<ClientId>> = match draft.whose {
                Whose::Client(client) => vec![Some(client)],
                Whose::Deployment => vec![None],
                Whose::User(user) => self.clients_of(user, &mut members).await?.into_iter().map(Some).collect(),
            };
            made.push((draft, clients));
        }
        for (draft, clients) in made {
            for client in clients {
                let entry = draft.in_log_of(client);
                let whose = client.map_or_else(|| DEPLOYMENT.to_owned(), |client| client.to_string());
                let chain = recorded.chains.entry((whose, entry.at.day())).or_default();
                // A record that comes twice in a batch: no item can be written twice in one call.
                if chain.iter().all(|other| other.id != entry.id) {
                    chain.push(entry);
                }
            }
            recorded.notes.extend(draft.note.map(|key| (key.pk, key.sk)));
        }
        Ok(())
    }

    /// Writes down what was read. It may be done again.
    ///
    /// # Errors
    /// `unavailable`, `internal`; what is written by then stays.
    pub async fn write(&self, recorded: Recorded) -> Result<(), Error> {
        let chains = recorded.chains.into_iter();
        let append = |((whose, day), entries): ((String, String), Vec<Entry>)| async move {
            self.store.append(&whose, &day, entries).await
        };
        let appends = stream::iter(chains.map(append)).buffer_unordered(AT_ONCE);
        appends.try_collect::<()>().await?;
        let table = crate::tables::Table::Main;
        self.store.batch_delete(recorded.notes.into_iter().map(|(pk, sk)| keys::Key { table, pk, sk }).collect()).await
    }

    /// The keys of the fields whose values have changed. A field that is gone is named by its identifier, and so are all of a
    /// group that is gone.
    async fn name_fields(&self, draft: &mut Draft, definitions: &mut Definitions) -> Result<(), Error> {
        let (Some(change), Whose::Client(client)) = (draft.values.take(), draft.whose) else { return Ok(()) };
        let loaded = match self.stream.client(client).await {
            Ok((scope, _)) => {
                let tenant = draft.entry.tenant_id.clone().ok_or(Code::Internal)?;
                match self.stream.definitions(&scope, &tenant, change.group, definitions).await {
                    Ok(loaded) => Some(loaded),
                    Err(error) if error.code() == Code::FieldGroupNotFound => None,
                    Err(error) => return Err(error),
                }
            }
            // The client has been erased since.
            Err(error) if error.code() == Code::Internal => None,
            Err(error) => return Err(error),
        };
        let named = |id: &String| {
            let fields = loaded.as_ref().map(|loaded| &loaded.fields.all);
            let found = fields.and_then(|fields| fields.iter().find(|field| field.id.to_string() == *id));
            found.map_or_else(|| id.clone(), |field| field.key.to_string())
        };
        let mut changed: Vec<String> = change.touched().iter().map(named).collect();
        changed.sort_unstable();
        draft.entry.changed = Some(changed);
        draft.entry.field_group_key = loaded.map(|loaded| loaded.group.key.clone());
        Ok(())
    }

    /// The clients that a user is a member of; none, if there is no such user any more.
    async fn clients_of(
        &self,
        user: UserId,
        known: &mut HashMap<UserId, Vec<ClientId>>,
    ) -> Result<Vec<ClientId>, Error> {
        if let Some(clients) = known.get(&user) {
            return Ok(clients.clone());
        }
        let card = self.store.get(&keys::user(user)).await?;
        let clients = match card {
            Some(card) => UserCard::read(&card)?.memberships.into_keys().collect(),
            None => Vec::new(),
        };
        known.insert(user, clients);
        Ok(known[&user].clone())
    }
}

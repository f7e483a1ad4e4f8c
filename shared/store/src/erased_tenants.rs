//! What is left of tenants that are being erased, or were just now: which erasures are open, and, without the identifier,
//! which epoch comes next and which embed tokens are dead.

use contract::id::{ClientId, JobId};
use contract::names::TenantId;
use contract::{Error, Time};

use crate::Store;
use crate::change::Change;
use crate::dynamo::{KeyRange, get_number, get_text, must, must_parse, number, text};
use crate::keys;
use crate::scope::{ClientScope, TenantScope};
use crate::tables::Table;

/// Open erasures that one look finds at the most.
const OPEN: usize = 100;

/// What is kept of a tenant that was erased, for as long as a token of its could be alive.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Note {
    /// The epoch of a tenant that is made anew under the identifier.
    pub(crate) epoch: u64,
    /// Which tokens are dead, in milliseconds since 1970.
    pub(crate) tokens_not_before: Option<i64>,
}

impl Store {
    /// What is noted of a tenant that has no card.
    pub(crate) async fn erased_note(&self, scope: &TenantScope) -> Result<Note, Error> {
        let key = keys::erased_tenant(scope);
        let Some(item) = self.batch_get_all(&[&key]).await?.remove(&key) else { return Ok(Note::default()) };
        Ok(Note {
            epoch: must(get_number(&item, "epoch"), "epoch")?,
            tokens_not_before: get_number(&item, "tokensNotBefore"),
        })
    }
}

/// The scope of a tenant that a job is about.
pub(crate) async fn scope(store: &Store, client: ClientId, tenant: &TenantId) -> Result<TenantScope, Error> {
    Ok(client_scope(store, client).await?.tenant(tenant.clone()))
}

/// The scope of a client for whom nobody asks.
pub(crate) async fn client_scope(store: &Store, client: ClientId) -> Result<ClientScope, Error> {
    let card = must(store.get(&keys::client(client)).await?, "client")?;
    let seal = get_text(&card, "seal").and_then(auth::SealKey::from_stored);
    Ok(ClientScope::verified(client, must(seal, "seal")?))
}

/// Whom a certificate is about: who knows the identifier can tell, and nobody else.
pub(crate) fn subject(client: ClientId, tenant: &TenantId) -> String {
    auth::hex(&auth::sha256(format!("{client}/{tenant}").as_bytes()))
}

/// The writes that note it, and that the note is to be purged.
pub(crate) fn note(key: &keys::Key, epoch: u64, tokens_not_before: i64, now: Time) -> [Change; 2] {
    let note = Change::put(key.clone()).set("epoch", number(epoch)).set("tokensNotBefore", number(tokens_not_before));
    let purge = Change::put(keys::erased_tenant_purge(now, key)).set("root", text(key.path()));
    [note, purge]
}

/// The erasures that were asked for before then and are not done.
pub(crate) async fn open_erasures(store: &Store, before: Time) -> Result<Vec<(ClientId, JobId)>, Error> {
    let pk = keys::open_erasures_pk();
    let range = KeyRange { table: Table::Main, pk: &pk, prefix: "", after: None, limit: Some(OPEN) };
    let mut open = Vec::new();
    for item in store.query(&range).await? {
        // Times sort as texts.
        if *must(get_text(&item, "sk"), "sk")? > *before.to_string() {
            break;
        }
        open.push((must_parse(&item, "client")?, must_parse(&item, "job")?));
    }
    Ok(open)
}

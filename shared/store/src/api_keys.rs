//! API keys: a master in the client's list for the dashboard, and a card under the key's hash for the gate.

use std::marker::PhantomData;

use auth::{ApiKeySecret, KeyHash};
use contract::id::{EventId, KeyId};
use contract::names::{AllowedIps, Name};
use contract::permission::{KeyType, Permissions};
use contract::resource::{ApiKey, RateLimit};
use contract::{Code, Error, Precondition, Time};

use crate::OpContext;
use crate::change::{Change, Outcome};
use crate::credentials::KeyCard;
use crate::document::{Document, check, holding, to_doc};
use crate::dynamo::{Item, get_text, must, text};
use crate::grant::{Create, Delete, Get, List, Update, granted};
use crate::keys;
use crate::limits::COUNTED_API_KEYS;
use crate::page::{Listing, Page, PageRequest};
use crate::retry::{Step, update_with_retry};
use crate::tables::Table;

/// The client's API keys.
pub struct ApiKeys<A> {
    op: OpContext,
    access: PhantomData<A>,
}

granted! {
    ApiKeys<Get> { Main GetItem [ApiKeys]; }
    ApiKeys<List> { Main Query [ApiKeys]; }
    // The read and the deletion are of a request that is carried out again: its first secret is nobody's.
    ApiKeys<Create> {
        Main GetItem [ApiKeys];
        Main PutItem [ApiKeys, Key];
        Main UpdateItem [Counts];
        Main DeleteItem [Key];
    }
    ApiKeys<Update> {
        Main GetItem [ApiKeys];
        Main UpdateItem [ApiKeys];
        Main PutItem [Key];
    }
    ApiKeys<Delete> {
        Main GetItem [ApiKeys];
        Main UpdateItem [Counts];
        Main DeleteItem [ApiKeys, Key];
    }
}

/// What a new API key is made of.
pub struct NewApiKey {
    /// What people call it.
    pub name: Name,
    /// What it is for.
    pub key_type: KeyType,
    /// What it may do, if it is a management key.
    pub permissions: Option<Permissions>,
    /// When it stops working.
    pub expires_at: Option<Time>,
    /// Its own limit.
    pub rate_limit: Option<RateLimit>,
    /// Addresses that may use it; all, if there is no list.
    pub allowed_ips: Option<AllowedIps>,
}

impl<A> ApiKeys<A> {
    /// The API keys of the request's client.
    #[must_use]
    pub fn open(op: &OpContext) -> Self {
        Self { op: op.clone(), access: PhantomData }
    }
}

impl ApiKeys<Get> {
    /// One API key.
    ///
    /// # Errors
    /// `api_key_not_found`.
    pub async fn get(&self, id: KeyId) -> Result<ApiKey, Error> {
        let found: Option<Document<ApiKey>> = self.op.store.document(&keys::api_key(&self.op.scope, id)).await?;
        Ok(found.ok_or(Code::ApiKeyNotFound)?.value)
    }
}

impl ApiKeys<List> {
    /// The API keys, oldest first.
    ///
    /// # Errors
    /// `malformed_request` for a cursor of another list.
    pub async fn list(&self, page: &PageRequest) -> Result<Page<ApiKey>, Error> {
        let pk = keys::api_keys_pk(&self.op.scope);
        let listing = Listing {
            table: Table::Main,
            pk: &pk,
            prefix: KeyId::PREFIX,
            bound: &["list-api-keys"],
            seal: self.op.scope.seal(),
        };
        self.op.store.page(&listing, page, |item| Ok(Some(Document::read(&item)?.value))).await
    }
}

impl ApiKeys<Create> {
    /// Makes an API key. The secret exists only in the answer.
    ///
    /// # Errors
    /// `limit_reached`.
    pub async fn create(&self, new: NewApiKey) -> Result<(ApiKey, ApiKeySecret), Error> {
        let secret = ApiKeySecret::generate(new.key_type);
        Ok((self.create_known(new, &secret).await?, secret))
    }

    /// Stores an API key whose secret is known beforehand, as that of the sample events is.
    ///
    /// # Errors
    /// `limit_reached`.
    pub async fn create_known(&self, new: NewApiKey, secret: &ApiKeySecret) -> Result<ApiKey, Error> {
        let OpContext { store, scope, author } = &self.op;
        let event = author.event_of_this_try();
        let key = ApiKey {
            id: KeyId::new(author.unique()),
            name: new.name,
            key_type: new.key_type,
            prefix: secret.prefix(),
            permissions: new.permissions,
            active: true,
            expires_at: new.expires_at,
            rate_limit: new.rate_limit,
            allowed_ips: new.allowed_ips,
            version: 1,
            created_at: author.at(),
            updated_at: author.at(),
        };
        let hash = secret.hash();
        let master = holding(Change::put(keys::api_key(scope, key.id)), &key, 1)?;
        let count = COUNTED_API_KEYS.one_more(scope);
        let changes =
            vec![master.set("hash", text(hash.as_str())).when_absent(), self.card(&key, &hash)?.when_absent(), count];
        let changes = changes.into_iter().map(|change| change.stamped(author, event)).collect();
        match store.commit(changes, event).await? {
            Outcome::Done => Ok(key),
            Outcome::Stale => self.make_again(key.id, secret, event).await,
        }
    }

    /// A request that is carried out again finds its key made, under a secret that died with the first try, and maybe
    /// changed since.
    async fn make_again(&self, id: KeyId, secret: &ApiKeySecret, event: EventId) -> Result<ApiKey, Error> {
        let OpContext { store, scope, author } = &self.op;
        let item = store.get(&keys::api_key(scope, id)).await?.ok_or(Code::Internal)?;
        let (current, lost) = (Document::<ApiKey>::read(&item)?, hash_of(&item)?);
        let (mut key, hash) = (current.value, secret.hash());
        key.prefix = secret.prefix();
        if current.version > 1 {
            key.version += 1;
        }
        let master = holding(Change::put(keys::api_key(scope, id)), &key, key.version)?;
        let master = master.with(":lost", text(lost.as_str()));
        let changes = vec![
            master.set("hash", text(hash.as_str())).when_version(current.version).when("#hash = :lost"),
            self.card(&key, &hash)?.when_absent(),
            Change::delete(keys::key_card(&lost)),
        ];
        let changes = changes.into_iter().map(|change| change.stamped(author, event)).collect();
        match store.commit(changes, event).await? {
            Outcome::Done => Ok(key),
            Outcome::Stale => Err(Code::Internal.into()),
        }
    }
}

impl ApiKeys<Update> {
    /// Changes an API key; every instance goes by it within seconds.
    ///
    /// # Errors
    /// `api_key_not_found`, `version_conflict`.
    pub async fn update(
        &self,
        id: KeyId,
        precondition: Option<Precondition>,
        change: impl Fn(&mut ApiKey) -> Result<(), Error>,
    ) -> Result<ApiKey, Error> {
        let key = keys::api_key(&self.op.scope, id);
        let hash = self.hash(id).await?;
        let plan = |current: &Document<ApiKey>, mut next: ApiKey| {
            change(&mut next)?;
            let master = holding(Change::update(key.clone()), &next, current.version + 1)?;
            let card = self.card(&next, &hash)?.when_present();
            Ok((next, vec![master, card]))
        };
        let key = self.op.update(&key, precondition, Code::ApiKeyNotFound, plan).await?;
        self.op.store.forget_key(&hash);
        Ok(key)
    }
}

impl ApiKeys<Delete> {
    /// Deletes an API key for good.
    ///
    /// # Errors
    /// `api_key_not_found`, `version_conflict`.
    pub async fn delete(&self, id: KeyId, precondition: Option<Precondition>) -> Result<(), Error> {
        let OpContext { store, scope, author } = &self.op;
        let event = author.event();
        let hash = self.hash(id).await?;
        update_with_retry!({
            let current: Option<Document<ApiKey>> = store.document(&keys::api_key(scope, id)).await?;
            let current = current.ok_or(Code::ApiKeyNotFound)?;
            check(precondition, Some(current.version))?;
            let master = Change::delete(keys::api_key(scope, id)).when_version(current.version);
            let count = COUNTED_API_KEYS.one_less(scope);
            let changes = vec![master, Change::delete(keys::key_card(&hash)), count.stamped(author, event)];
            if let Outcome::Done = store.commit(changes, event).await? {
                store.forget_key(&hash);
                return Ok(Step::Done(()));
            }
            Ok(Step::Stale { base: current.version })
        })
    }
}

impl<A> ApiKeys<A> {
    async fn hash(&self, id: KeyId) -> Result<KeyHash, Error> {
        let item = self.op.store.get(&keys::api_key(&self.op.scope, id)).await?.ok_or(Code::ApiKeyNotFound)?;
        hash_of(&item)
    }

    fn card(&self, key: &ApiKey, hash: &KeyHash) -> Result<Change, Error> {
        let card = KeyCard::new(key, &self.op.scope);
        Ok(Change::put(keys::key_card(hash)).set("doc", text(to_doc(&card)?)))
    }
}

fn hash_of(item: &Item) -> Result<KeyHash, Error> {
    Ok(KeyHash::from_stored(must(get_text(item, "hash"), "hash")?.to_owned()))
}

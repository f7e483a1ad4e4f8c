//! API keys: a master in the client's list for the dashboard, and for the gate a card under the hash of each secret that
//! works: the newest one, and after a rotation the one that it replaced.

mod stored;

pub(crate) use stored::StoredKey;
use stored::StoredSecret;

use std::collections::HashMap;
use std::marker::PhantomData;

use auth::ApiKeySecret;
use contract::id::{EventId, KeyId};
use contract::names::{AllowedIps, Name};
use contract::permission::{KeyType, Permissions};
use contract::resource::{ApiKey, RateLimit};
use contract::{Code, Error, GraceSeconds, Precondition, Time};

use crate::OpContext;
use crate::change::{Change, Outcome};
use crate::credentials::KeyCard;
use crate::document::{Document, DocumentKeys, holding, to_doc};
use crate::dynamo::{Item, KeyRange, get_text, text};
use crate::grant::{Create, Delete, Get, List, Rotate, Update, granted};
use crate::key_uses::{self, Uses};
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
    ApiKeys<Get> {
        Main BatchGetItem [ApiKeys];
        Log BatchGetItem [KeyUses];
    }
    ApiKeys<List> {
        Main Query [ApiKeys];
        Log Query [KeyUses];
    }
    // The read, the check and the deletion are of a request that is carried out again: its first secret is nobody's.
    ApiKeys<Create> {
        Main GetItem [ApiKeys];
        Main ConditionCheckItem [ApiKeys];
        Main PutItem [ApiKeys, Key];
        Main UpdateItem [Counts];
        Main DeleteItem [Key];
        Log PutItem [KeyUses];
    }
    ApiKeys<Update> {
        Main BatchGetItem [ApiKeys];
        Main UpdateItem [ApiKeys];
        Main PutItem [Key];
        Log BatchGetItem [KeyUses];
    }
    ApiKeys<Rotate> {
        Main BatchGetItem [ApiKeys];
        Main UpdateItem [ApiKeys];
        Main PutItem [Key];
        Main DeleteItem [Key];
        Log BatchGetItem [KeyUses];
        Log UpdateItem [KeyUses];
    }
    ApiKeys<Delete> {
        Main BatchGetItem [ApiKeys];
        Main PutItem [ApiKeys, Purge];
        Main UpdateItem [Counts];
        Main DeleteItem [ApiKeys, Key];
        Log DeleteItem [KeyUses];
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
        let (current, uses) = self.read(id).await?;
        Ok(current.value.shown(&uses, self.op.author.at()))
    }
}

impl ApiKeys<List> {
    /// The API keys, oldest first.
    ///
    /// # Errors
    /// `malformed_request` for a cursor of another list.
    pub async fn list(&self, page: &PageRequest) -> Result<Page<ApiKey>, Error> {
        let OpContext { store, scope, author } = &self.op;
        let (pk, uses_pk) = (keys::api_keys_pk(scope), keys::key_uses_pk(scope));
        let listing = Listing {
            table: Table::Main,
            pk: &pk,
            prefix: KeyId::PREFIX,
            bound: &["list-api-keys"],
            seal: scope.seal(),
        };
        // All uses: there are no more keys than a page can have.
        let uses = KeyRange { table: Table::Log, pk: &uses_pk, prefix: KeyId::PREFIX, after: None, limit: None };
        let read = |item| Ok(Some(Document::<StoredKey>::read(&item)?.value));
        let (page, uses) = tokio::try_join!(store.page(&listing, page, read), store.query(&uses))?;
        let mut uses: HashMap<String, Item> =
            uses.into_iter().filter_map(|item| Some((get_text(&item, "sk")?.to_owned(), item))).collect();
        let mut shown = |stored: StoredKey| {
            let uses = Uses::of_item(uses.remove(&stored.key.id.to_string()));
            stored.shown(&uses, author.at())
        };
        Ok(Page { items: page.items.into_iter().map(&mut shown).collect(), next_cursor: page.next_cursor })
    }
}

impl ApiKeys<Create> {
    /// Makes an API key. The secret exists only in the answer; a request that is carried out again when the key was
    /// deleted since, or its secret rotated away, has none.
    ///
    /// # Errors
    /// `limit_reached`.
    pub async fn create(&self, new: NewApiKey) -> Result<(ApiKey, Option<ApiKeySecret>), Error> {
        let secret = ApiKeySecret::generate(new.key_type);
        let (key, works) = self.create_known(new, &secret).await?;
        Ok((key, works.then_some(secret)))
    }

    /// Stores an API key whose secret is known beforehand, as that of the sample events is; and whether the secret works.
    ///
    /// # Errors
    /// `limit_reached`.
    pub async fn create_known(&self, new: NewApiKey, secret: &ApiKeySecret) -> Result<(ApiKey, bool), Error> {
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
            last_used_at: None,
            last_used_address: None,
            previous: None,
            version: 1,
            created_at: author.at(),
            updated_at: author.at(),
        };
        let (id, request) = (key.id, author.event());
        let stored = StoredKey::new(key, secret, request);
        let mut changes = vec![self.master(Change::put(keys::api_key(scope, id)), &stored, 1)?.when_absent()];
        changes.extend(self.cards(&stored)?.into_iter().map(Change::when_absent));
        changes.extend([key_uses::none_yet(scope.client(), id), COUNTED_API_KEYS.one_more(scope)]);
        if author.is_again() {
            // Made before and deleted since: made anew, the deletion were lost.
            changes.push(Change::check(keys::deleted_api_key(scope, id)).when_absent());
        }
        let changes = changes.into_iter().map(|change| change.stamped(author, event)).collect();
        match store.commit(changes, event).await? {
            Outcome::Done => Ok((stored.key, true)),
            Outcome::Stale => match self.make_again(id, secret, (request, event)).await? {
                Some(made) => Ok(made),
                None => Ok((stored.key, false)),
            },
        }
    }

    /// A request that is carried out again finds its key made, under a secret that died with the first try, and maybe
    /// changed since; nothing, if it was deleted.
    async fn make_again(
        &self,
        id: KeyId,
        secret: &ApiKeySecret,
        (request, event): (EventId, EventId),
    ) -> Result<Option<(ApiKey, bool)>, Error> {
        let OpContext { store, scope, author } = &self.op;
        let key = keys::api_key(scope, id);
        let Some(current) = store.document::<StoredKey>(&key).await? else { return Ok(None) };
        let mut next = current.value.clone();
        let Some(lost) = next.replace_lost(secret, request) else { return Ok(Some((next.key, false))) };
        if current.version > 1 {
            next.key.version += 1;
        }
        let newest = text(current.value.secret.hash.as_str());
        let master = self.master(Change::put(key), &next, next.key.version)?;
        let master = current.applied.on(master).with(":newest", newest);
        let mut changes = vec![master.when_version(current.version).when("#hash = :newest")];
        changes.extend(self.cards(&next)?);
        changes.push(Change::delete(keys::key_card(&lost)));
        let changes = changes.into_iter().map(|change| change.stamped(author, event)).collect();
        match store.commit(changes, event).await? {
            Outcome::Done => Ok(Some((next.key, true))),
            Outcome::Stale => Err(Error::unavailable("an API key was changed while it was made again")),
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
        let OpContext { scope, author, .. } = &self.op;
        let event = author.event();
        update_with_retry!({
            let (current, uses) = self.read(id).await?;
            let plan = |mut next: StoredKey| {
                let same = to_doc(&next)?;
                change(&mut next.key)?;
                if to_doc(&next)? == same {
                    return Ok(None);
                }
                let master = self.master(Change::update(keys::api_key(scope, id)), &next, current.version + 1)?;
                let cards = self.cards(&next)?.into_iter().map(Change::when_present);
                Ok(Some((next, [master].into_iter().chain(cards).collect())))
            };
            let done = self.op.revise_once(&current, precondition, Code::ApiKeyNotFound, false, event, plan).await?;
            let Some(done) = done else { return Ok(Step::Stale { base: current.version }) };
            self.forget(&done);
            Ok(Step::Done(done.shown(&uses, author.at())))
        })
    }
}

impl ApiKeys<Rotate> {
    /// Puts a new secret in place of the newest one, which goes on working for its grace; one that was in its grace ends.
    /// A request that is carried out again when others have rotated its secret away shows none.
    ///
    /// # Errors
    /// `api_key_not_found`, `version_conflict`.
    pub async fn rotate(
        &self,
        id: KeyId,
        precondition: Option<Precondition>,
        grace: GraceSeconds,
    ) -> Result<(ApiKey, Option<ApiKeySecret>), Error> {
        let author = &self.op.author;
        // Another try of the request has another secret: what this one writes is told from that by an event of its own.
        let (request, event) = (author.event(), author.event_of_this_try());
        let mut made = None;
        update_with_retry!({
            let (current, uses) = self.read(id).await?;
            let again = current.is_by(request);
            let secret = made.get_or_insert_with(|| ApiKeySecret::generate(current.value.key.key_type));
            let mut lost = true;
            let plan = |mut next: StoredKey| {
                if again && next.replace_lost(secret, request).is_none() {
                    return Ok(None);
                }
                if !again {
                    next.rotate(secret, request, grace, self.op.first_carried_out());
                }
                lost = false;
                Ok(Some((next.clone(), self.rotation(&current, &next, request)?)))
            };
            // What the request was made for was there when it was first carried out.
            let precondition = precondition.filter(|_| !again);
            let done = self.op.revise_once(&current, precondition, Code::ApiKeyNotFound, false, event, plan).await?;
            let Some(done) = done else { return Ok(Step::Stale { base: current.version }) };
            self.forget(&current.value);
            let secret = made.take().filter(|_| !lost);
            Ok(Step::Done((done.shown(&uses, author.at()), secret)))
        })
    }

    /// The changes from one to the next.
    fn rotation(
        &self,
        current: &Document<StoredKey>,
        next: &StoredKey,
        request: EventId,
    ) -> Result<Vec<Change>, Error> {
        let OpContext { scope, author, .. } = &self.op;
        let id = next.key.id;
        let master = self.master(Change::update(keys::api_key(scope, id)), next, current.version + 1)?;
        // A creation that is carried out again changes the secret alone.
        let newest = text(current.value.secret.hash.as_str());
        let master = master.when("#hash = :newest").with(":newest", newest);
        let mut changes = vec![current.applied.and(author, request).on(master)];
        changes.extend(self.cards(next)?);
        let stays = |old: &StoredSecret| next.secrets().any(|secret| secret.hash == old.hash);
        let gone = current.value.secrets().filter(|old| !stays(old));
        changes.extend(gone.map(|secret| Change::delete(keys::key_card(&secret.hash))));
        if let Some(number) = next.secret.number.checked_sub(2) {
            changes.push(key_uses::forgotten(scope.client(), id, number));
        }
        Ok(changes)
    }
}

impl ApiKeys<Delete> {
    /// Deletes an API key for good. What is left of it until the purge says who did it.
    ///
    /// # Errors
    /// `api_key_not_found`, `version_conflict`.
    pub async fn delete(&self, id: KeyId, precondition: Option<Precondition>) -> Result<(), Error> {
        let OpContext { scope, .. } = &self.op;
        let keys = DocumentKeys::two(keys::api_key(scope, id), keys::deleted_api_key(scope, id));
        let beside = |gone: &StoredKey| {
            // All there, or a creation that was carried out again has put another secret in the place of one.
            let cards = gone.secrets().map(|secret| Change::delete(keys::key_card(&secret.hash)).when_present());
            let uses = Change::delete(keys::key_uses(scope.client(), id));
            Ok(cards.chain([uses, COUNTED_API_KEYS.one_less(scope)]).collect())
        };
        let gone = self.op.delete_softly(&keys, precondition, Code::ApiKeyNotFound, beside).await?;
        self.forget(&gone);
        Ok(())
    }
}

impl<A> ApiKeys<A> {
    async fn read(&self, id: KeyId) -> Result<(Document<StoredKey>, Uses), Error> {
        let OpContext { store, scope, .. } = &self.op;
        let keys = [&keys::api_key(scope, id), &keys::key_uses(scope.client(), id)];
        let [master, uses] = store.batch_get(keys).await?;
        Ok((Document::read(&master.ok_or(Code::ApiKeyNotFound)?)?, Uses::of_item(uses)))
    }

    fn master(&self, change: Change, stored: &StoredKey, version: u64) -> Result<Change, Error> {
        Ok(holding(change, stored, version)?.set("hash", text(stored.secret.hash.as_str())))
    }

    /// The cards of the secrets that work, newest first.
    fn cards(&self, stored: &StoredKey) -> Result<Vec<Change>, Error> {
        let card = |secret: &StoredSecret| {
            let card = KeyCard::new(&stored.key, (secret.number, secret.expires_at), &self.op.scope);
            Ok(Change::put(keys::key_card(&secret.hash)).set("doc", text(to_doc(&card)?)))
        };
        stored.living(self.op.author.at()).map(card).collect()
    }

    fn forget(&self, stored: &StoredKey) {
        stored.secrets().for_each(|secret| self.op.store.forget_key(&secret.hash));
    }
}

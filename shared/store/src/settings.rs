//! What a client sets for itself: a document of its own beside the client's card, read with it. Until it is changed first,
//! nothing is stored. The origins that may call are indexed, for preflights, which have no credential.

use std::marker::PhantomData;
use std::time::Duration;

use contract::id::ClientId;
use contract::settings::Settings;
use contract::{Error, Origin, Precondition, Time};

use crate::cache::{Cache, Heavy};
use crate::change::{Change, Outcome};
use crate::document::{check, event_of, from_doc, holding};
use crate::dynamo::{Item, KeyRange};
use crate::grant::{Get, Update, granted};
use crate::keys;
use crate::retry::{Step, update_with_retry};
use crate::tables::Table;
use crate::{OpContext, Store};

/// The settings of the request's client.
pub struct ClientSettings<A> {
    op: OpContext,
    access: PhantomData<A>,
}

granted! {
    OriginIndex { Main Query [Origin]; }
    ClientSettings<Get> { Main GetItem [Client]; }
    ClientSettings<Update> {
        Main GetItem [Client];
        Main UpdateItem [Client];
        Main PutItem [Origin];
        Main DeleteItem [Origin];
    }
}

/// How long it is believed without asking again whether an origin is listed.
const CACHE_TTL: Duration = Duration::from_secs(5);

/// Whether anybody lists an origin, each with the time when that was read.
pub(crate) type OriginCache = Cache<Origin, (Time, bool)>;

impl Heavy for (Time, bool) {
    fn weight(&self) -> usize {
        // An origin's text at its longest; it is the key.
        270
    }
}

/// The index of the origins that clients list, for whoever is not known yet.
pub struct OriginIndex {
    store: Store,
}

/// The settings that an item holds; those of a client that has set nothing, if there is none.
pub(crate) fn of_item(item: Option<&Item>) -> Result<Settings, Error> {
    item.map_or_else(|| Ok(Settings::default()), from_doc)
}

impl OriginIndex {
    /// The index of a store.
    #[must_use]
    pub fn open(store: &Store) -> Self {
        Self { store: store.clone() }
    }

    /// Whether a client lists the origin.
    ///
    /// # Errors
    /// `unavailable`, `internal`.
    pub async fn lists(&self, origin: &Origin) -> Result<bool, Error> {
        let (now, origins) = (self.store.clock().now(), &self.store.0.origins);
        let known = origins.get(origin).filter(|(read, _)| now < read.plus(CACHE_TTL) && *read <= now);
        if let Some((_, is_listed)) = known {
            return Ok(is_listed);
        }
        let pk = keys::origin_pk(origin);
        let any = KeyRange { table: Table::Main, pk: &pk, prefix: "", after: None, limit: Some(1) };
        let is_listed = !self.store.query(&any).await?.is_empty();
        origins.insert(origin.clone(), (now, is_listed));
        Ok(is_listed)
    }
}

impl<A> ClientSettings<A> {
    /// The settings of the request's client.
    #[must_use]
    pub fn open(op: &OpContext) -> Self {
        Self { op: op.clone(), access: PhantomData }
    }

    fn client(&self) -> ClientId {
        self.op.scope.client()
    }
}

impl ClientSettings<Get> {
    /// The settings.
    ///
    /// # Errors
    /// None of the contract's.
    pub async fn get(&self) -> Result<Settings, Error> {
        of_item(self.op.store.get(&keys::settings(self.client())).await?.as_ref())
    }
}

impl ClientSettings<Update> {
    /// Changes the settings, and the index of origins with them; every instance goes by them within seconds.
    ///
    /// # Errors
    /// `version_conflict`; what the change's are.
    pub async fn update(
        &self,
        preconditions: [Option<Precondition>; 2],
        change: impl Fn(&mut Settings) -> Result<(), Error>,
    ) -> Result<Settings, Error> {
        let OpContext { store, author, .. } = &self.op;
        let (event, key) = (author.event(), keys::settings(self.client()));
        let changed: Result<Settings, Error> = update_with_retry!({
            let item = store.get(&key).await?;
            let current = of_item(item.as_ref())?;
            if item.as_ref().and_then(event_of) == Some(event) {
                return Ok(Step::Done(current));
            }
            for precondition in preconditions {
                check(precondition, Some(current.version))?;
            }
            let mut next = current.clone();
            change(&mut next)?;
            if next == current {
                return Ok(Step::Done(current));
            }
            next.version += 1;
            let own = holding(Change::update(key.clone()), &next, next.version)?;
            let own = if item.is_some() { own.when_version(current.version) } else { own.when_absent() };
            let changes = [own].into_iter().chain(self.index(&current, &next));
            let changes = changes.map(|change| change.stamped(author, event)).collect();
            Ok(match store.commit(changes, event).await? {
                Outcome::Done => Step::Done(next),
                Outcome::Stale => Step::Stale { base: current.version },
            })
        });
        store.forget_standing(self.client());
        changed
    }

    /// What becomes of the index of origins.
    fn index(&self, current: &Settings, next: &Settings) -> Vec<Change> {
        let (current, next) = (current.cors.origins.as_slice(), next.cors.origins.as_slice());
        let of = |origin: &Origin| keys::origin(origin, self.client());
        let gone = current.iter().filter(|origin| !next.contains(origin)).map(|origin| Change::delete(of(origin)));
        let new = next.iter().filter(|origin| !current.contains(origin)).map(|origin| Change::put(of(origin)));
        gone.chain(new).collect()
    }
}

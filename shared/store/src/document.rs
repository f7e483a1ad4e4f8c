//! Resources with versions, as documents: read, changed by condition, deleted softly and restored.

use contract::id::EventId;
use contract::{Code, Error, Precondition, Time};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::applied::Applied;
use crate::change::{Change, Outcome};
use crate::dynamo::{Item, get_number, get_text, must, number, text};
use crate::keys::{self, Key, RETENTION};
use crate::retry::{Step, update_with_retry};
use crate::{OpContext, Store};

/// A resource as it is stored.
pub(crate) struct Document<T> {
    pub(crate) value: T,
    pub(crate) version: u64,
    pub(crate) deleted_at: Option<Time>,
    pub(crate) applied: Applied,
    event: Option<EventId>,
}

/// What a document's resource tells of itself.
pub(crate) trait Versioned: Serialize + DeserializeOwned + Clone {
    fn set_version(&mut self, version: u64, at: Time);
}

macro_rules! versioned {
    ($($name:ty),+) => { $(impl Versioned for $name {
        fn set_version(&mut self, version: u64, at: Time) {
            self.version = version;
            self.updated_at = at;
        }
    })+ };
}

versioned!(
    contract::resource::Client,
    contract::resource::FieldGroup,
    contract::resource::GlobalField,
    contract::resource::TenantField,
    contract::resource::Member
);

pub(crate) fn to_doc<T: Serialize>(value: &T) -> Result<String, Error> {
    serde_json::to_string(value).map_err(Error::internal)
}

pub(crate) fn from_doc<T: DeserializeOwned>(item: &Item) -> Result<T, Error> {
    serde_json::from_str(must(get_text(item, "doc"), "doc")?).map_err(Error::internal)
}

pub(crate) fn event_of(item: &Item) -> Option<EventId> {
    get_text(item, "eventId")?.parse().ok()
}

pub(crate) fn deleted_at(item: &Item) -> Option<Time> {
    get_text(item, "deletedAt")?.parse().ok()
}

impl<T: DeserializeOwned> Document<T> {
    pub(crate) fn read(item: &Item) -> Result<Self, Error> {
        Ok(Self {
            value: from_doc(item)?,
            version: must(get_number(item, "version"), "version")?,
            deleted_at: deleted_at(item),
            applied: Applied::of(item),
            event: event_of(item),
        })
    }
}

impl<T> Document<T> {
    /// Whether this very change has been committed before, by a try whose answer was lost; whatever came after it.
    pub(crate) fn is_by(&self, event: EventId) -> bool {
        self.event == Some(event) || self.applied.contains(event)
    }
}

/// Puts a resource and its version on a change.
pub(crate) fn holding<T: Serialize>(change: Change, value: &T, version: u64) -> Result<Change, Error> {
    Ok(change.set("doc", text(to_doc(value)?)).set("version", number(version)))
}

/// Holds a precondition, if there is one, against the version that there is, if anything is.
pub(crate) fn check(precondition: Option<Precondition>, current: Option<u64>) -> Result<(), Error> {
    precondition.map_or(Ok(()), |precondition| precondition.check(current))
}

/// The same of what is to be restored: it is absent, but may be named by the version that it was deleted with.
pub(crate) fn check_deleted(precondition: Option<Precondition>, version: u64) -> Result<(), Error> {
    check(precondition, matches!(precondition, Some(Precondition::Version(_))).then_some(version))
}

/// The key of a resource's item while it lives, and of what is left of it once it is deleted: the same, or another one
/// where live items are read with others.
pub(crate) struct DocumentKeys {
    live: Key,
    deleted: Option<Key>,
}

impl DocumentKeys {
    /// Of a resource that stays where it is.
    pub(crate) fn one(key: Key) -> Self {
        Self { live: key, deleted: None }
    }

    pub(crate) fn two(live: Key, deleted: Key) -> Self {
        Self { live, deleted: Some(deleted) }
    }

    /// The changes that delete a resource; `next` is it at the version after that.
    pub(crate) fn deletion<T: Serialize>(
        &self,
        current: &Document<T>,
        next: &T,
        at: Time,
    ) -> Result<Vec<Change>, Error> {
        let marked = |change| {
            let change = current.applied.on(holding(change, next, current.version + 1)?);
            Ok::<_, Error>(change.set("deletedAt", text(at.to_string())))
        };
        let mut changes = match &self.deleted {
            None => vec![marked(Change::update(self.live.clone()))?],
            Some(deleted) => {
                vec![Change::delete(self.live.clone()), marked(Change::put(deleted.clone()))?.when_absent()]
            }
        };
        let key = self.deleted.as_ref().unwrap_or(&self.live);
        changes.push(Change::put(keys::purge(at, &self.live)).set("root", text(key.path())));
        Ok(changes)
    }

    /// The changes that restore what is deleted; `next` is it at the version after that.
    pub(crate) fn restoration<T: Serialize>(
        &self,
        current: &Document<T>,
        next: &T,
        applied: &Applied,
    ) -> Result<Vec<Change>, Error> {
        let deleted_at = current.deleted_at.ok_or(Code::Internal)?;
        let whole = |change| holding(change, next, current.version + 1).map(|change| applied.on(change));
        let mut changes = match &self.deleted {
            None => vec![whole(Change::update(self.live.clone()))?.remove("deletedAt")],
            Some(deleted) => {
                vec![Change::delete(deleted.clone()), whole(Change::put(self.live.clone()))?.when_absent()]
            }
        };
        changes.push(Change::delete(keys::purge(deleted_at, &self.live)));
        Ok(changes)
    }

    /// The keys under which the resource may be found.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &Key> {
        [Some(&self.live), self.deleted.as_ref()].into_iter().flatten()
    }
}

impl Store {
    pub(crate) async fn document<T: DeserializeOwned>(&self, key: &Key) -> Result<Option<Document<T>>, Error> {
        self.get(key).await?.as_ref().map(Document::read).transpose()
    }

    async fn document_at<T: DeserializeOwned>(&self, keys: &DocumentKeys) -> Result<Option<Document<T>>, Error> {
        if keys.deleted.is_none() {
            return self.document(&keys.live).await;
        }
        let found = self.batch_get_all(&keys.keys().collect::<Vec<_>>()).await?;
        keys.keys().find_map(|key| found.get(key)).map(Document::read).transpose()
    }
}

/// What a change makes of a resource: the next one, and its writes, the resource's own first; nothing, if it stays as
/// it is.
pub(crate) type Plan<T> = Option<(T, Vec<Change>)>;

impl OpContext {
    /// What a request that is carried out again had made, whatever became of it since: made anew, a deletion were lost.
    pub(crate) async fn made_before<T: DeserializeOwned>(&self, keys: &DocumentKeys) -> Result<Option<T>, Error> {
        if !self.author.is_again() {
            return Ok(None);
        }
        Ok(self.store.document_at(keys).await?.map(|made| made.value))
    }

    /// When a request is carried out that has not been before: now, though it may have come hours ago, and have failed.
    pub(crate) fn first_carried_out(&self) -> Time {
        if self.author.is_again() { self.store.clock().now() } else { self.author.at() }
    }

    /// Deletes softly, with what `beside` adds; the deletion is a change of version. What is deleted.
    pub(crate) async fn delete_softly<T: Versioned>(
        &self,
        keys: &DocumentKeys,
        precondition: Option<Precondition>,
        absent: Code,
        beside: impl Fn(&T) -> Result<Vec<Change>, Error>,
    ) -> Result<T, Error> {
        let plan = |current: &Document<T>, next: T| {
            let mut changes = keys.deletion(current, &next, self.author.at())?;
            changes.extend(beside(&next)?);
            Ok(Some((next, changes)))
        };
        self.revise(keys, precondition, absent, plan).await
    }

    /// Restores what was deleted at most [`RETENTION`] ago; what is not deleted is answered as it is.
    pub(crate) async fn restore<T: Versioned>(
        &self,
        keys: &DocumentKeys,
        precondition: Option<Precondition>,
        absent: Code,
        beside: impl Fn(&T) -> Result<Vec<Change>, Error>,
    ) -> Result<T, Error> {
        let event = self.author.event();
        update_with_retry!({
            let current = self.store.document_at::<T>(keys).await?.ok_or(absent)?;
            if current.is_by(event) {
                return Ok(Step::Done(current.value));
            }
            if current.deleted_at.is_none() {
                return check(precondition, Some(current.version)).map(|()| Step::Done(current.value));
            }
            let plan = |next: T| {
                let applied = current.applied.and(&self.author, event);
                let mut changes = keys.restoration(&current, &next, &applied)?;
                changes.extend(beside(&next)?);
                Ok(Some((next, changes)))
            };
            if let Some(done) = self.revise_once(&current, precondition, absent, true, event, plan).await? {
                return Ok(Step::Done(done));
            }
            Ok(Step::Stale { base: current.version })
        })
    }

    /// Changes a document as [`OpContext::revise`] does, but not by a change that leaves it as it is (contract: Conventions).
    pub(crate) async fn update<T: Versioned>(
        &self,
        key: &Key,
        precondition: Option<Precondition>,
        absent: Code,
        plan: impl Fn(&Document<T>, T) -> Result<(T, Vec<Change>), Error>,
    ) -> Result<T, Error> {
        let plan = |current: &Document<T>, next: T| {
            let same = to_doc(&next)?;
            let (next, changes) = plan(current, next)?;
            Ok((to_doc(&next)? != same).then_some((next, changes)))
        };
        self.revise(&DocumentKeys::one(key.clone()), precondition, absent, plan).await
    }

    /// Changes a document by condition on its version, computed anew when another change came in between. The first of
    /// the planned changes is the document's own; its condition and everyone's stamp are put on here.
    async fn revise<T: Versioned>(
        &self,
        keys: &DocumentKeys,
        precondition: Option<Precondition>,
        absent: Code,
        plan: impl Fn(&Document<T>, T) -> Result<Plan<T>, Error>,
    ) -> Result<T, Error> {
        let event = self.author.event();
        update_with_retry!({
            let current = self.store.document_at::<T>(keys).await?.ok_or(absent)?;
            let step = |next| plan(&current, next);
            if let Some(done) = self.revise_once(&current, precondition, absent, false, event, step).await? {
                return Ok(Step::Done(done));
            }
            Ok(Step::Stale { base: current.version })
        })
    }

    /// One try of [`OpContext::revise`]: nothing if another change came in between.
    pub(crate) async fn revise_once<T: Versioned>(
        &self,
        current: &Document<T>,
        precondition: Option<Precondition>,
        absent: Code,
        deleted: bool,
        event: EventId,
        plan: impl FnOnce(T) -> Result<Plan<T>, Error>,
    ) -> Result<Option<T>, Error> {
        if current.is_by(event) {
            return Ok(Some(current.value.clone()));
        }
        // Deleted for too long is gone, whether or not the purge has come by.
        let gone = current.deleted_at.is_some_and(|at| at.plus(RETENTION) < self.author.at());
        if current.deleted_at.is_some() != deleted || gone {
            return Err(absent.into());
        }
        if deleted {
            check_deleted(precondition, current.version)?;
        } else {
            check(precondition, Some(current.version))?;
        }
        let mut next = current.value.clone();
        next.set_version(current.version + 1, self.author.at());
        let Some((next, changes)) = plan(next)? else { return Ok(Some(current.value.clone())) };
        let mut own = Some(current.version);
        let stamp = |change: Change| {
            let change = change.stamped(&self.author, event);
            match own.take() {
                Some(version) => change.when_version(version),
                None => change,
            }
        };
        let changes = changes.into_iter().map(stamp).collect();
        match self.store.commit(changes, event).await? {
            Outcome::Done => Ok(Some(next)),
            Outcome::Stale => Ok(None),
        }
    }
}

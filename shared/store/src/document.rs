//! Resources with versions, as documents: read, changed by condition, deleted softly and restored.

use std::time::Duration;

use contract::id::EventId;
use contract::{Code, Error, Time};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::change::{Change, Outcome};
use crate::dynamo::{Item, back_off, get_number, get_text, must, number, text};
use crate::keys::{self, Key};
use crate::{Store, Work};

/// How long what was deleted can be restored: 30 days.
pub(crate) const KEPT: Duration = Duration::from_secs(30 * 24 * 3600);

/// How often a change is computed anew because another came in between.
const TRIES: u32 = 8;

/// A resource as it is stored.
pub(crate) struct Document<T> {
    pub(crate) value: T,
    pub(crate) version: u64,
    pub(crate) deleted_at: Option<Time>,
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
    contract::resource::FieldGroup,
    contract::resource::GlobalField,
    contract::resource::TenantField,
    contract::resource::ApiKey
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
            event: event_of(item),
        })
    }
}

impl<T> Document<T> {
    /// Whether this very change has been committed before, by a try whose answer was lost.
    pub(crate) fn is_by(&self, event: EventId) -> bool {
        self.event == Some(event)
    }
}

/// Puts a resource and its version on a change.
pub(crate) fn holding<T: Serialize>(change: Change, value: &T, version: u64) -> Result<Change, Error> {
    Ok(change.set("doc", text(to_doc(value)?)).set("version", number(version)))
}

/// A version that the caller asked for, against the one that there is.
pub(crate) fn check_version(if_match: Option<u64>, current: u64) -> Result<(), Error> {
    match if_match {
        Some(sent) if sent != current => Err(Error::version_conflict(sent, current)),
        _ => Ok(()),
    }
}

impl Store {
    pub(crate) async fn document<T: DeserializeOwned>(&self, key: &Key) -> Result<Option<Document<T>>, Error> {
        self.get(key).await?.as_ref().map(Document::read).transpose()
    }
}

impl Work {
    /// Deletes softly, by the document's own item and what `beside` adds; the deletion is a change of version.
    pub(crate) async fn delete_softly<T: Versioned>(
        &self,
        key: &Key,
        if_match: Option<u64>,
        absent: Code,
        beside: impl Fn(&T) -> Vec<Change>,
    ) -> Result<(), Error> {
        let id = key_id(key);
        let plan = |current: &Document<T>, next: T| {
            let at = self.author.at();
            let root = text(format!("{} {}", key.pk, key.sk));
            let mut changes = vec![
                holding(Change::update(key.clone()), &next, current.version + 1)?
                    .set("deletedAt", text(at.to_string())),
                Change::put(keys::purge(at, &id)).set("root", root),
            ];
            changes.extend(beside(&next));
            Ok((next, changes))
        };
        self.revise(key, if_match, absent, plan).await.map(|_| ())
    }

    /// Restores what was deleted at most [`KEPT`] ago; what is not deleted is answered as it is.
    pub(crate) async fn restore<T: Versioned>(
        &self,
        key: &Key,
        if_match: Option<u64>,
        absent: Code,
        beside: impl Fn(&T) -> Vec<Change>,
    ) -> Result<T, Error> {
        let (id, event) = (key_id(key), self.author.event());
        for round in 0..TRIES {
            let current = self.store.document::<T>(key).await?.ok_or(absent)?;
            if current.is_by(event) {
                return Ok(current.value);
            }
            let Some(deleted_at) = current.deleted_at else {
                return check_version(if_match, current.version).map(|()| current.value);
            };
            let plan = |next: T| {
                let mut changes = vec![
                    holding(Change::update(key.clone()), &next, current.version + 1)?.remove("deletedAt"),
                    Change::delete(keys::purge(deleted_at, &id)),
                ];
                changes.extend(beside(&next));
                Ok((next, changes))
            };
            if let Some(done) = self.revise_once(&current, if_match, absent, true, event, plan).await? {
                return Ok(done);
            }
            back_off(round).await;
        }
        Err(Error::unavailable("a document changed each time it was to be restored"))
    }

    /// Changes a document by condition on its version, computed anew when another change came in between. The first of
    /// the planned changes is the document's own; its condition and everyone's stamp are put on here.
    pub(crate) async fn revise<T: Versioned>(
        &self,
        key: &Key,
        if_match: Option<u64>,
        absent: Code,
        plan: impl Fn(&Document<T>, T) -> Result<(T, Vec<Change>), Error>,
    ) -> Result<T, Error> {
        let event = self.author.event();
        for round in 0..TRIES {
            let current = self.store.document::<T>(key).await?.ok_or(absent)?;
            let step = |next| plan(&current, next);
            if let Some(done) = self.revise_once(&current, if_match, absent, false, event, step).await? {
                return Ok(done);
            }
            back_off(round).await;
        }
        Err(Error::unavailable("a document changed each time it was to be changed"))
    }

    /// One try of [`Work::revise`]: nothing if another change came in between.
    pub(crate) async fn revise_once<T: Versioned>(
        &self,
        current: &Document<T>,
        if_match: Option<u64>,
        absent: Code,
        deleted: bool,
        event: EventId,
        plan: impl FnOnce(T) -> Result<(T, Vec<Change>), Error>,
    ) -> Result<Option<T>, Error> {
        if current.is_by(event) {
            return Ok(Some(current.value.clone()));
        }
        // Deleted for too long is gone, whether or not the purge has come by.
        let gone = current.deleted_at.is_some_and(|at| at.plus(KEPT) < self.author.at());
        if current.deleted_at.is_some() != deleted || gone {
            return Err(absent.into());
        }
        check_version(if_match, current.version)?;
        let mut next = current.value.clone();
        next.set_version(current.version + 1, self.author.at());
        let (next, changes) = plan(next)?;
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

fn key_id(key: &Key) -> String {
    // A card's sort key says nothing; its partition does.
    let whole = if key.sk == "#" { &key.pk } else { &key.sk };
    whole.rsplit('#').next().unwrap_or(whole).to_owned()
}

//! Saves.

use std::collections::{HashMap, HashSet};

use contract::names::{EntityId, GroupRef};
use contract::resource::EntityValues;
use contract::{Code, Error, Precondition, Problems};
use serde_json::{Map, Value};

use super::{Document, Stored, Values, apply};
use crate::change::{Change, Outcome};
use crate::definitions::Fields;
use crate::document::{check, to_doc};
use crate::grant::Write;
use crate::keys;
use crate::retry::{Step, update_with_retry};
use crate::tenants;

/// The values of one entity in one group, as JSON by field identifier, are at most this many bytes.
pub const MAX_BYTES: usize = 256 * 1024;
/// With the values that are kept for deleted and shadowed fields. An item of DynamoDB has at most 400 KiB.
const MAX_BYTES_WITH_HIDDEN: usize = 384 * 1024;

/// How what is sent joins what is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Save {
    /// Fields that are not named stay as they are; only what is named is checked.
    Merge,
    /// Fields that are not named lose their value; the whole is checked.
    Replace,
}

/// What is to be saved.
pub struct Sent<'a> {
    /// By field key; `null` clears.
    pub values: &'a Map<String, Value>,
    /// What is known to be wrong already: it is told with all else.
    pub wrong: Problems,
}

impl<'a> From<&'a Map<String, Value>> for Sent<'a> {
    fn from(values: &'a Map<String, Value>) -> Self {
        Self { values, wrong: Problems::default() }
    }
}

impl Values<Write> {
    /// Saves values by field key; `null` clears.
    ///
    /// # Errors
    /// `field_group_not_found`; `validation_failed` with every field that is wrong; `version_conflict`;
    /// `payload_too_large` over [`MAX_BYTES`].
    pub async fn save(
        &self,
        group: &GroupRef,
        entity: &EntityId,
        sent: impl Into<Sent<'_>>,
        how: Save,
        precondition: Option<Precondition>,
    ) -> Result<EntityValues, Error> {
        let sent = sent.into();
        let author = &self.op.author;
        let event = author.event();
        update_with_retry!({
            let (loaded, found) = self.find(group, entity).await?;
            let version = found.as_ref().map_or(0, |found| found.version);
            if let Some(done) = found.as_ref().filter(|found| found.is_of(loaded.epoch()) && found.is_by(event)) {
                return Ok(Step::Done(self.answer(&loaded, entity, done)));
            }
            let current = found.as_ref().filter(|found| found.is_live(loaded.epoch()));
            check(precondition, current.map(|current| current.version))?;
            let before = current.map(|current| &current.document);
            let document = apply::apply(self.scope.client(), &loaded.fields, before, &sent, how).await?;
            if let Some(same) = current.filter(|current| current.document == document) {
                return Ok(Step::Done(self.answer(&loaded, entity, same)));
            }
            let doc = to_doc(&document)?;
            fits(&loaded.fields, &document, doc.len())?;
            let first = match &loaded.tenant {
                None => Some(Box::pin(self.op.store.erased_note(&self.scope)).await?),
                Some(_) => None,
            };
            let next = Stored {
                document,
                version: version + 1,
                epoch: first.map_or(loaded.epoch(), |note| note.epoch),
                updated_at: author.at(),
                created_at: current.map_or(author.at(), |current| current.created_at),
                deleted_at: None,
                event: Some(event),
                applied: found.as_ref().map(|found| found.applied.clone()).unwrap_or_default().and(author, event),
            };
            let mut changes = self.replacing(loaded.group.id, entity, found.as_ref(), &next, doc)?;
            if let Some(note) = first {
                let card = Change::update(keys::tenant(&self.scope));
                changes.extend(Box::pin(tenants::first_use(&self.op, &self.scope, author.at(), note, card)).await?);
            }
            let changes = changes.into_iter().map(|change| change.stamped(author, event)).collect();
            if let Outcome::Done = self.op.store.commit(changes, event).await? {
                return Ok(Step::Done(self.answer(&loaded, entity, &next)));
            }
            Ok(Step::Stale { base: version })
        })
    }
}

/// Holds the values to their size: those that are seen, and, by what one item can hold, the `whole` of them, in bytes.
fn fits(fields: &Fields, document: &Document, whole: usize) -> Result<(), Error> {
    if whole <= MAX_BYTES {
        return Ok(());
    }
    let ids: HashSet<String> = fields.visible().map(|field| field.id.to_string()).collect();
    let seen: HashMap<_, _> = document.iter().filter(|(id, _)| ids.contains(*id)).collect();
    if to_doc(&seen)?.len() > MAX_BYTES {
        let message = "The values of an entity in a field group may have at most 256 KiB.";
        return Err(Error::saying(Code::PayloadTooLarge, message));
    }
    if whole > MAX_BYTES_WITH_HIDDEN {
        let message = "The values of an entity may have at most 384 KiB together with those of fields that are deleted \
            or shadowed; delete the entity's values to be rid of them.";
        return Err(Error::saying(Code::PayloadTooLarge, message));
    }
    Ok(())
}

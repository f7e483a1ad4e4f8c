//! Deletion, and its end.

use contract::names::{EntityId, GroupRef};
use contract::resource::EntityValues;
use contract::{Code, Error, Precondition};

use super::{Stored, Values};
use crate::change::{Change, Outcome};
use crate::definitions::Loaded;
use crate::document::{check, check_deleted, to_doc};
use crate::dynamo::text;
use crate::grant::{Delete, Restore};
use crate::keys;
use crate::retry::{Step, update_with_retry};

impl Values<Delete> {
    /// Deletes an entity's values, until they are restored. What is left goes on counting versions.
    ///
    /// # Errors
    /// `field_group_not_found`, `values_not_found`, `version_conflict`.
    pub async fn delete(
        &self,
        group: &GroupRef,
        entity: &EntityId,
        precondition: Option<Precondition>,
    ) -> Result<(), Error> {
        let at = self.op.author.at();
        let done = self.change(group, entity, |loaded, stored, next| {
            if stored.deleted_at.is_some() {
                return Err(Code::ValuesNotFound.into());
            }
            check(precondition, Some(stored.version))?;
            next.deleted_at = Some(at);
            let id = loaded.group.id;
            let left = keys::deleted_values(&self.scope, id, entity);
            let root = text(left.path());
            Ok(Some(vec![
                Change::delete(keys::values(&self.scope, id, entity)).when_version(stored.version),
                next.put(left, to_doc(&next.document)?).when_absent(),
                Change::put(keys::values_purge(at, &self.scope, id, entity)).set("root", root),
            ]))
        });
        done.await.map(|_| ())
    }
}

impl Values<Restore> {
    /// Restores deleted values that nothing has been saved over; what is not deleted is answered as it is.
    ///
    /// # Errors
    /// `field_group_not_found`, `values_not_found`.
    pub async fn restore(
        &self,
        group: &GroupRef,
        entity: &EntityId,
        precondition: Option<Precondition>,
    ) -> Result<EntityValues, Error> {
        self.change(group, entity, |loaded, stored, next| {
            let Some(deleted_at) = stored.deleted_at else {
                return check(precondition, Some(stored.version)).map(|()| None);
            };
            check_deleted(precondition, stored.version)?;
            if deleted_at.plus(keys::RETENTION) < self.op.author.at() {
                return Err(Code::ValuesNotFound.into());
            }
            next.deleted_at = None;
            self.replacing(loaded.group.id, entity, Some(stored), next, to_doc(&next.document)?).map(Some)
        })
        .await
    }
}

impl<A> Values<A> {
    /// Changes what is stored, deleted or not, into the next version as `plan` has it; nothing planned, nothing changed.
    async fn change(
        &self,
        group: &GroupRef,
        entity: &EntityId,
        plan: impl Fn(&Loaded, &Stored, &mut Stored) -> Result<Option<Vec<Change>>, Error>,
    ) -> Result<EntityValues, Error> {
        let author = &self.op.author;
        let event = author.event();
        update_with_retry!({
            let (loaded, found) = self.find(group, entity).await?;
            let stored = found.filter(|found| found.is_of(loaded.epoch())).ok_or(Code::ValuesNotFound)?;
            if stored.is_by(event) {
                return Ok(Step::Done(self.answer(&loaded, entity, &stored)));
            }
            let mut next = Stored {
                version: stored.version + 1,
                updated_at: author.at(),
                event: Some(event),
                applied: stored.applied.and(author, event),
                ..stored.clone()
            };
            let Some(changes) = plan(&loaded, &stored, &mut next)? else {
                return Ok(Step::Done(self.answer(&loaded, entity, &stored)));
            };
            let changes = changes.into_iter().map(|change| change.stamped(author, event)).collect();
            if let Outcome::Done = self.op.store.commit(changes, event).await? {
                return Ok(Step::Done(self.answer(&loaded, entity, &next)));
            }
            Ok(Step::Stale { base: stored.version })
        })
    }
}

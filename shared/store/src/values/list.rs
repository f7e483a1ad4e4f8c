//! The list of a group's entities.

use contract::Error;
use contract::id::GroupId;
use contract::names::{EntityId, GroupRef};
use contract::resource::EntityValues;

use super::{Stored, Values};
use crate::dynamo::{Item, get_text, must};
use crate::grant::List;
use crate::keys;
use crate::page::{Listing, Page, PageRequest};
use crate::tables::Table;

impl Values<List> {
    /// The entities that have values in the group, by identifier. A page may end early, by its size.
    ///
    /// # Errors
    /// `field_group_not_found`, `malformed_request` for a cursor of another list.
    pub async fn list(&self, group: &GroupRef, page: &PageRequest) -> Result<Page<EntityValues>, Error> {
        // The group's identifier as it was last known: beside the cards that tell whether it still holds, its values.
        let known = self.op.cached_id(group);
        let early = async {
            match known {
                Some(id) => Some(self.stored(id, page).await),
                None => None,
            }
        };
        let (loaded, early) = tokio::join!(self.op.load(&self.scope, group, |_| Vec::new()), early);
        let loaded = loaded?;
        let id = loaded.group.id;
        let found = match early.filter(|_| known == Some(id)) {
            Some(found) => found?,
            None => self.stored(id, page).await?,
        };
        let there = found.items.into_iter().filter(|(_, stored)| stored.is_of(loaded.epoch()));
        let items = there.map(|(entity, stored)| self.answer(&loaded, &entity, &stored)).collect();
        Ok(Page { items, next_cursor: found.next_cursor })
    }

    /// A page of what is stored in the group.
    async fn stored(&self, id: GroupId, page: &PageRequest) -> Result<Page<(EntityId, Stored)>, Error> {
        let (pk, prefix, group) = (keys::values_pk(&self.scope), keys::values_prefix(id), id.to_string());
        let listing = Listing {
            table: Table::Main,
            pk: &pk,
            prefix: &prefix,
            bound: &["list-entities", self.scope.tenant().as_str(), &group],
            seal: self.op.scope.seal(),
        };
        let read = |item: Item| {
            let entity = get_text(&item, "sk").and_then(|sk| keys::entity_of(sk, id));
            Ok(Some((must(entity, "sk")?, Stored::read(&item)?)))
        };
        self.op.store.page(&listing, page, read).await
    }
}

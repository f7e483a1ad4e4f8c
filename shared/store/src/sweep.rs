//! The deletion of whole ranges of partitions, in pages, until the time is over.

use contract::Error;
use tokio::time::Instant;

use crate::Store;
use crate::document::deleted_at;
use crate::dynamo::{Item, KeyRange, get_text, must};
use crate::keys::{self, Key};
use crate::tables::Table;

/// Items that are read, and deleted, at a time.
pub(crate) const PAGE: usize = 100;

/// Why a deletion stopped.
#[derive(Debug)]
pub enum Stopped {
    /// Its time is over: it is to be gone on with.
    TimeOver,
    /// The client was restored since it came due: nothing of it is erased.
    Restored,
    /// Another goes on with it.
    Elsewhere,
    /// Something did not work.
    Failed(Error),
}

impl From<Error> for Stopped {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// Some items of a partition.
pub(crate) struct Page {
    pub(crate) items: Vec<Item>,
    pub(crate) keys: Vec<Key>,
}

/// A range of a partition: what its sort keys begin with, and after which of them it begins.
#[derive(Clone, Copy)]
pub(crate) struct Range<'r> {
    pub(crate) table: Table,
    pub(crate) pk: &'r str,
    pub(crate) prefix: &'r str,
    pub(crate) after: Option<&'r str>,
}

impl<'r> Range<'r> {
    /// A whole partition.
    pub(crate) const fn whole(table: Table, pk: &'r str) -> Self {
        Self { table, pk, prefix: "", after: None }
    }

    /// What begins like this in it.
    pub(crate) const fn below(self, prefix: &'r str) -> Self {
        Self { prefix, ..self }
    }
}

impl Store {
    /// The next items of a range, if there are any, and time is left.
    pub(crate) async fn sweep_page(&self, range: &Range<'_>, until: Instant) -> Result<Option<Page>, Stopped> {
        if Instant::now() >= until {
            return Err(Stopped::TimeOver);
        }
        let Range { table, pk, prefix, after } = *range;
        let (items, _) = self.query_once(&KeyRange { table, pk, prefix, after, limit: Some(PAGE) }).await?;
        let key = |item: &Item| Ok(Key { table, pk: pk.to_owned(), sk: must(get_text(item, "sk"), "sk")?.to_owned() });
        let keys = items.iter().map(key).collect::<Result<Vec<_>, Error>>()?;
        Ok((!keys.is_empty()).then_some(Page { items, keys }))
    }

    /// Deletes a range, page by page. `before` is told of each page before it goes, and gives what goes before it.
    pub(crate) async fn sweep(
        &self,
        range: &Range<'_>,
        until: Instant,
        before: impl Fn(&Page) -> Result<Vec<Key>, Error>,
    ) -> Result<u64, Stopped> {
        let mut deleted = 0;
        let mut after = range.after.map(str::to_owned);
        while let Some(page) = self.sweep_page(&Range { after: after.as_deref(), ..*range }, until).await? {
            let others = before(&page)?;
            deleted += u64::try_from(others.len() + page.keys.len()).unwrap_or(0);
            self.batch_delete(others).await?;
            after = page.keys.last().map(|key| key.sk.clone());
            self.batch_delete(page.keys).await?;
        }
        Ok(deleted)
    }
}

/// What says that items, as far as they are deleted softly, are to be purged.
pub(crate) fn purges(items: &[Item]) -> Result<Vec<Key>, Error> {
    let purge = |item: &Item| {
        let Some(deleted) = deleted_at(item) else { return Ok(None) };
        let (pk, sk) = (must(get_text(item, "pk"), "pk")?, must(get_text(item, "sk"), "sk")?);
        Ok(keys::purge_of(deleted, pk, sk))
    };
    items.iter().filter_map(|item| purge(item).transpose()).collect()
}

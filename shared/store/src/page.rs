//! Pages of lists. A cursor is sealed under the client's key with what it was made for.

use auth::SealKey;
use contract::{Code, Error};

use crate::Store;
use crate::dynamo::{Item, KeyRange, get_text, must};
use crate::tables::Table;

/// A page ends early here. An answer of a function has at most 6 MB, as a JSON text within JSON: what is quoted doubles.
pub(crate) const MAX_PAGE_BYTES: usize = 2 * 1024 * 1024;

/// Queries that one page makes at the most: each ends after 1 MB, so these fill a page of the largest items.
const MAX_QUERIES: usize = 4;

/// Which part of a list is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRequest {
    /// How many, 1 to 100.
    pub limit: usize,
    /// Where the last page ended, as it was answered.
    pub cursor: Option<String>,
}

/// A part of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The part.
    pub items: Vec<T>,
    /// Where the next one begins, if there is one.
    pub next_cursor: Option<String>,
}

/// A list: the partition and its range, and what its cursors are bound to.
pub(crate) struct Listing<'a> {
    pub(crate) table: Table,
    pub(crate) pk: &'a str,
    pub(crate) prefix: &'a str,
    /// The operation, its scope and its filters.
    pub(crate) bound: &'a [&'a str],
    pub(crate) seal: &'a SealKey,
}

impl Listing<'_> {
    /// The whole of it, where that has a bound.
    pub(crate) fn whole(&self) -> KeyRange<'_> {
        KeyRange { table: self.table, pk: self.pk, prefix: self.prefix, after: None, limit: None }
    }

    pub(crate) fn open(&self, request: &PageRequest) -> Result<Option<String>, Error> {
        let Some(cursor) = &request.cursor else { return Ok(None) };
        let refused =
            || Error::saying(Code::MalformedRequest, "The query parameter `cursor` is not one of this list's.");
        self.seal.open(self.bound, cursor).map(Some).ok_or_else(refused)
    }

    pub(crate) fn seal(&self, after: &str) -> String {
        self.seal.seal(self.bound, after)
    }
}

impl Store {
    /// The requested part of a listing, of those items for which `read` gives something. Where these are few, the page
    /// ends early, after [`MAX_QUERIES`].
    pub(crate) async fn page<T>(
        &self,
        listing: &Listing<'_>,
        request: &PageRequest,
        read: impl Fn(Item) -> Result<Option<T>, Error>,
    ) -> Result<Page<T>, Error> {
        let mut after = listing.open(request)?;
        let mut items: Vec<T> = Vec::with_capacity(request.limit);
        let mut last = None;
        let mut bytes = 0;
        for _ in 0..MAX_QUERIES {
            let limit = Some(request.limit - items.len() + 1);
            let range = KeyRange {
                table: listing.table,
                pk: listing.pk,
                prefix: listing.prefix,
                after: after.as_deref(),
                limit,
            };
            let (found, more) = self.query_once(&range).await?;
            for item in found {
                let sk = must(get_text(&item, "sk"), "sk")?.to_owned();
                let size = get_text(&item, "doc").map_or(0, str::len);
                if let Some(value) = read(item)? {
                    bytes += size;
                    if items.len() == request.limit || (bytes > MAX_PAGE_BYTES && !items.is_empty()) {
                        return Ok(Page { items, next_cursor: last.map(|last: String| listing.seal(&last)) });
                    }
                    items.push(value);
                    last = Some(sk.clone());
                }
                after = Some(sk);
            }
            if !more {
                return Ok(Page { items, next_cursor: None });
            }
        }
        Ok(Page { items, next_cursor: after.map(|after| listing.seal(&after)) })
    }
}

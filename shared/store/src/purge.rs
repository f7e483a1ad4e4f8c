//! The purge: what was deleted 30 days ago goes for good, with all that hangs on it.
//!
//! A row says what is due on a day; it goes last, so that whoever dies on the way is followed by another who begins anew.
//! What hangs on a group or a global field lies with every tenant, and the row remembers the last one that is done.

mod fields;
mod group;

use std::sync::Arc;
use std::time::Duration;

use contract::id::{ClientId, GroupId};
use contract::names::TenantId;
use contract::{Error, Time};
use tokio::time::Instant;

use crate::author::Author;
use crate::change::{Change, Written};
use crate::document::deleted_at;
use crate::dynamo::{Item, get_text, must, must_parse, text};
use crate::grant::granted;
use crate::keys::{self, Key, Kind, RETENTION};
use crate::sweep::{Range, Stopped};
use crate::tables::Table;
use crate::{OpContext, Store, erased_tenants};

/// The first look goes back so far; a later one to where the one before it ended.
const FIRST_LOOK: i64 = 400;
const DAY: Duration = Duration::from_secs(24 * 3600);
/// How long after its day a row is worked on: whoever may still restore has asked by then, a repetition under an
/// idempotency key included.
const MARGIN: Duration = Duration::from_secs(2 * 24 * 3600);

/// Purges what is due.
#[derive(Clone)]
pub struct Purges {
    store: Store,
}

granted! {
    Purges {
        Main Query [GlobalFields, Purge, TenantFields, Tenants, Values];
        Main GetItem [ApiKeys, Client, Definitions, GlobalFields, GroupKeys, Purge, TenantFields, Values];
        Main PutItem [Definitions, Purge];
        Main UpdateItem [Definitions, GlobalFields, Purge, TenantFields, Values];
        Main DeleteItem [ApiKeys, Definitions, GlobalFields, GroupKeys, Purge, TenantFields, Values];
        Main BatchWriteItem [Purge, TenantFields, Values];
        Log BatchWriteItem [KeyUses];
    }
}

/// A row of a day.
struct Due {
    row: Key,
    /// The item that was deleted.
    root: Key,
    /// The last tenant that is done with.
    after: Option<String>,
}

/// One go.
struct Run<'s> {
    store: &'s Store,
    now: Time,
    until: Instant,
}

impl Purges {
    /// Of a store.
    #[must_use]
    pub fn open(store: &Store) -> Self {
        Self { store: store.clone() }
    }

    /// Purges what is due, day by day, and says how many roots were. What can't be purged stays, is told of in the log and
    /// is tried the next time; it does not hold up the rest.
    ///
    /// # Errors
    /// [`Stopped`], before all is done; what is done stays done.
    pub async fn purge(&self, now: Time, until: Instant) -> Result<u64, Stopped> {
        let run = Run { store: &self.store, now, until };
        let last = Time::from_millis(now.millis() - millis(MARGIN));
        let mut day = self.begin(now).await?;
        let (mut purged, mut failed) = (0, None);
        while day.day() <= last.day() {
            let left = run.day(&day.day(), &mut purged).await?;
            failed = failed.or(left);
            day = day.plus(DAY);
        }
        // Whatever is left over of a day is begun with again.
        if let Some(error) = failed {
            return Err(Stopped::Failed(error));
        }
        let mark = Change::put(keys::purge_mark()).set("day", text(day.to_string()));
        self.store.conditional_write(mark).await?;
        Ok(purged)
    }

    /// The first day that is not known to be done.
    async fn begin(&self, now: Time) -> Result<Time, Error> {
        match self.store.get(&keys::purge_mark()).await? {
            Some(mark) => must_parse(&mark, "day"),
            None => Ok(Time::from_millis(now.millis() - FIRST_LOOK * millis(DAY))),
        }
    }
}

fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

impl Run<'_> {
    /// Purges what is due on a day. Why something is left over, if it is.
    async fn day(&self, day: &str, purged: &mut u64) -> Result<Option<Error>, Stopped> {
        let pk = keys::purge_pk(day);
        let (mut after, mut failed): (Option<String>, _) = (None, None);
        loop {
            let range = Range { after: after.as_deref(), ..Range::whole(Table::Main, &pk) };
            let Some(page) = self.store.sweep_page(&range, self.until).await? else { return Ok(failed) };
            after = page.keys.last().map(|key| key.sk.clone());
            for (item, row) in page.items.iter().zip(page.keys) {
                match self.root(&due(item, row)?).await {
                    Ok(()) => *purged += 1,
                    Err(stopped @ (Stopped::TimeOver | Stopped::Elsewhere | Stopped::Restored)) => return Err(stopped),
                    Err(Stopped::Failed(error)) => {
                        tracing::error!(
                            operation = "purge-deleted",
                            day,
                            ?error,
                            "something that was deleted can't be purged: it is tried again tomorrow"
                        );
                        failed = failed.or(Some(error));
                    }
                }
            }
        }
    }

    /// Purges what a row says, and the row.
    async fn root(&self, due: &Due) -> Result<(), Stopped> {
        let root = &due.root;
        let kind = must(Kind::of(&root.pk), "root")?;
        let item = self.store.get(root).await?;
        // What is not there, or is back, or was deleted again later, has no need of this row.
        let over = |item: &Item| deleted_at(item).is_some_and(|at| at.plus(RETENTION) <= self.now);
        match (kind, item) {
            // What is left of a tenant that was erased.
            (Kind::TenantFields, Some(item)) if keys::is_erased_tenant(&root.pk) => {
                let _ = item;
                self.delete(root).await?;
            }
            (kind, Some(item)) if over(&item) => match kind {
                Kind::Values => self.delete_if_same(root, &item).await?,
                Kind::ApiKeys => self.api_key(root, &item).await?,
                Kind::TenantFields => self.tenant_field(due, &item).await?,
                Kind::GlobalFields => self.global_field(due, &item).await?,
                Kind::Definitions => self.group(due, &item).await?,
                _ => return Err(Error::internal(format!("a purge of {}", kind.prefix())).into()),
            },
            _ => {}
        }
        self.delete(&due.row).await.map_err(Stopped::from)
    }

    async fn api_key(&self, root: &Key, item: &Item) -> Result<(), Stopped> {
        let client: ClientId = must(root.pk.split_once('#').and_then(|(_, client)| client.parse().ok()), "pk")?;
        let id = must(keys::deleted_of(&root.sk).and_then(|id| id.parse().ok()), "sk")?;
        self.store.batch_delete(vec![keys::key_uses(client, id)]).await?;
        self.delete_if_same(root, item).await.map_err(Stopped::from)
    }

    /// Each tenant of a client, from where the row says; those that have only been begun are among them.
    async fn each_tenant(&self, due: &Due, client: ClientId, work: &TenantWork<'_>) -> Result<(), Stopped> {
        let pk = format!("{}{client}", Kind::Tenants.prefix());
        let mut after = due.after.clone();
        loop {
            let range = Range { after: after.as_deref(), ..Range::whole(Table::Main, &pk) };
            let Some(page) = self.store.sweep_page(&range, self.until).await? else { return Ok(()) };
            for key in &page.keys {
                let tenant = must(keys::tenant_of_row(&key.sk), "sk")?;
                match work {
                    TenantWork::LeaveGroup(group) => self.leave_group(client, &tenant, *group).await?,
                    TenantWork::Strip(groups, field) => {
                        for group in *groups {
                            self.strip(client, &tenant, *group, field).await?;
                        }
                    }
                }
            }
            after = page.keys.last().map(|key| key.sk.clone());
            let mark = Change::update(due.row.clone()).set("after", text(after.clone().unwrap_or_default()));
            self.store.conditional_write(mark.when_present()).await?;
        }
    }

    /// Deletes a range, and what says that things in it are to be purged.
    async fn drain(&self, range: &Range<'_>) -> Result<(), Stopped> {
        self.store.sweep(range, self.until, |page| crate::sweep::purges(&page.items)).await.map(|_| ())
    }

    async fn delete(&self, key: &Key) -> Result<(), Error> {
        self.store.conditional_write(Change::delete(key.clone())).await.map(|_| ())
    }

    /// Deletes an item unless it has been changed since it was read; then the next purge sees to it.
    async fn delete_if_same(&self, key: &Key, item: &Item) -> Result<(), Error> {
        let seen = must(get_text(item, "eventId"), "eventId")?;
        let delete = Change::delete(key.clone()).when("#eventId = :seen").with(":seen", text(seen));
        match self.store.conditional_write(delete).await? {
            Written::Done | Written::Refused(None) => Ok(()),
            Written::Refused(Some(_)) => Err(Error::unavailable("what was to be purged was changed meanwhile")),
        }
    }

    /// What writes on behalf of nobody.
    async fn op(&self, client: ClientId) -> Result<OpContext, Error> {
        let author = Arc::new(Author::of_no_caller("system", "purge-deleted", self.now));
        Ok(OpContext::new(self.store.clone(), erased_tenants::client_scope(self.store, client).await?, author))
    }
}

/// What is done with each tenant of a client.
enum TenantWork<'w> {
    /// All of it in a group goes.
    LeaveGroup(GroupId),
    /// Its values of a field in these groups go.
    Strip(&'w [GroupId], &'w str),
}

fn due(item: &Item, row: Key) -> Result<Due, Error> {
    let (pk, sk) = must(get_text(item, "root").and_then(|root| root.split_once(' ')), "root")?;
    let root = Key { table: Table::Main, pk: pk.to_owned(), sk: sk.to_owned() };
    Ok(Due { row, root, after: get_text(item, "after").map(str::to_owned) })
}

/// The client and what follows in a partition key.
fn parts(pk: &str) -> Result<(ClientId, &str), Error> {
    let (_, scope) = must(pk.split_once('#'), "pk")?;
    let (client, rest) = scope.split_once('#').unwrap_or((scope, ""));
    Ok((must(client.parse().ok(), "pk")?, rest))
}

fn tenant(text: &str) -> Result<TenantId, Error> {
    must(text.parse().ok(), "pk")
}

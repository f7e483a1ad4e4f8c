//! The audit log read: a page of it, newest first, or all of it as lines.

use std::collections::VecDeque;
use std::marker::PhantomData;

use auth::audit_chain::{self, DEPLOYMENT};
use contract::audit::{Action, ActionFilter, ActorFilter, DayEnd, Entry, ExportEnd, ResourceFilter};
use contract::id::{AuditId, ClientId};
use contract::{Error, Time};

use crate::author::{Author, unique};
use crate::dynamo::{Back, Item, KeyRange, LAST, back_off, get_number, get_text, must};
use crate::grant::{Get, List, granted};
use crate::keys;
use crate::page::{Listing, MAX_PAGE_BYTES, Page, PageRequest};
use crate::tables::Table;
use crate::{OpContext, Store};

/// Lines that one page reads at the most: those that pass the filters may be few.
const MAX_READ: usize = 5_000;
/// Queries that one page makes at the most.
const MAX_QUERIES: usize = 40;
/// How often a day is read that has not all of its lines: a read beside a transaction may see some of it.
const ROUNDS: u32 = 4;

/// A client's audit log.
pub struct AuditLog<A> {
    op: OpContext,
    access: PhantomData<A>,
}

granted! {
    AuditLog<List> { Log Query [Audit, AuditHeads]; }
    AuditLog<Get> { Log Query [Audit, AuditHeads]; }
}

/// Which lines are asked for.
#[derive(Debug, Clone, Default)]
pub struct AuditFilter {
    /// Of this actor.
    pub actor: Option<ActorFilter>,
    /// Of this action.
    pub action: Option<ActionFilter>,
    /// About this resource, or what is below it.
    pub resource: Option<ResourceFilter>,
    /// From this time on.
    pub from: Option<Time>,
    /// Before this time.
    pub to: Option<Time>,
}

impl AuditFilter {
    fn takes(&self, entry: &Entry) -> bool {
        self.actor.as_ref().is_none_or(|actor| actor.takes(entry))
            && self.action.as_ref().is_none_or(|action| action.takes(&entry.action))
            && self.resource.as_ref().is_none_or(|resource| resource.takes(entry))
    }
}

impl<A> AuditLog<A> {
    /// The log of the request's client.
    #[must_use]
    pub fn open(op: &OpContext) -> Self {
        Self { op: op.clone(), access: PhantomData }
    }
}

impl AuditLog<List> {
    /// A page of lines, newest first. It may end early.
    ///
    /// # Errors
    /// `malformed_request` for a cursor of another list.
    pub async fn list(&self, filter: &AuditFilter, page: &PageRequest) -> Result<Page<Entry>, Error> {
        let OpContext { store, scope, .. } = &self.op;
        let (whose, asked) = (scope.client().to_string(), format!("{filter:?}"));
        let bound = ["list-audit-log", &asked];
        let listing = Listing { table: Table::Log, pk: "", prefix: "", bound: &bound, seal: scope.seal() };
        // Where the page before ended: a day, and the line there.
        let after = listing.open(page)?;
        let mut after =
            after.as_deref().and_then(|after| after.split_once(' ')).map(|(day, id)| (day.to_owned(), id.to_owned()));
        let now = store.clock().now();
        let oldest = store.audit_retention().oldest(now).max(filter.from.map(Time::day).unwrap_or_default());
        let newest = after
            .as_ref()
            .map_or_else(|| filter.to.map_or_else(|| LAST.to_string(), Time::day), |(day, _)| day.clone());
        let mut search = Search { items: Vec::new(), limit: page.limit, bytes: 0, read: 0, queries: 0, last: None };
        let heads = keys::audit_heads_pk(&whose);
        let mut before: Option<String> = None;
        loop {
            if oldest > newest {
                return Ok(Page { items: search.items, next_cursor: None });
            }
            search.queries += 1;
            let range = Back {
                table: Table::Log,
                pk: &heads,
                low: &oldest,
                high: &newest,
                before: before.as_deref(),
                limit: 31,
            };
            let (days, more) = store.query_back(&range).await?;
            for item in &days {
                let day = must(get_text(item, "sk"), "sk")?.to_owned();
                let begins_after = after.take().filter(|(of, _)| *of == day).map(|(_, id)| id);
                if search.day(store, &whose, &day, filter, begins_after).await? == Ended::Early {
                    let next = search.last.map(|(day, id)| listing.seal(&format!("{day} {id}")));
                    return Ok(Page { items: search.items, next_cursor: next });
                }
                before = Some(day);
            }
            if !more {
                return Ok(Page { items: search.items, next_cursor: None });
            }
        }
    }
}

/// How the look at a day ended.
#[derive(PartialEq, Eq)]
enum Ended {
    /// With its first line.
    Whole,
    /// Before that: the page is full, or took long enough.
    Early,
}

/// The search for a page.
struct Search {
    items: Vec<Entry>,
    limit: usize,
    bytes: usize,
    read: usize,
    queries: usize,
    /// The last line that was looked at.
    last: Option<(String, String)>,
}

impl Search {
    async fn day(
        &mut self,
        store: &Store,
        whose: &str,
        day: &str,
        filter: &AuditFilter,
        after: Option<String>,
    ) -> Result<Ended, Error> {
        let pk = keys::audit_pk(whose, day);
        let low = filter.from.map_or_else(|| AuditId::PREFIX.to_owned(), keys::audit_from);
        let high = filter.to.map_or_else(|| format!("{}{LAST}", AuditId::PREFIX), keys::audit_from);
        // A day that was looked through is before all of its lines.
        if low > high || after.as_ref().is_some_and(|after| *after <= low) {
            return Ok(Ended::Whole);
        }
        let whole = filter.actor.is_none() && filter.action.is_none() && filter.resource.is_none();
        let mut before = after;
        loop {
            let limit = if whole { self.limit - self.items.len() + 1 } else { 1_000 };
            let range = Back { table: Table::Log, pk: &pk, low: &low, high: &high, before: before.as_deref(), limit };
            let (found, more) = store.query_back(&range).await?;
            self.queries += 1;
            for item in &found {
                let (entry, size) = read(item)?;
                let id = entry.id.to_string();
                self.read += 1;
                if filter.takes(&entry) {
                    self.bytes += size;
                    if self.items.len() == self.limit || (self.bytes > MAX_PAGE_BYTES && !self.items.is_empty()) {
                        return Ok(Ended::Early);
                    }
                    self.items.push(entry);
                }
                self.last = Some((day.to_owned(), id.clone()));
                before = Some(id);
            }
            let is_enough = self.read >= MAX_READ || self.queries >= MAX_QUERIES;
            if !more {
                self.last = Some((day.to_owned(), low));
                return Ok(if is_enough { Ended::Early } else { Ended::Whole });
            }
            if is_enough {
                return Ok(Ended::Early);
            }
        }
    }
}

/// A line, and its bytes.
fn read(item: &Item) -> Result<(Entry, usize), Error> {
    let doc = must(get_text(item, "doc"), "doc")?;
    let entry: Entry = serde_json::from_str(doc).map_err(Error::internal)?;
    Ok((Entry { hash: must(get_text(item, "hash"), "hash")?.to_owned(), ..entry }, doc.len()))
}

/// The days of a log, oldest first, and how they end.
pub(crate) async fn days(
    store: &Store,
    whose: &str,
    from: Option<Time>,
    to: Option<Time>,
) -> Result<Vec<DayEnd>, Error> {
    let oldest = store.audit_retention().oldest(store.clock().now());
    let (first, last) = (from.map(Time::day).unwrap_or_default(), to.map(Time::day));
    let pk = keys::audit_heads_pk(whose);
    let range = KeyRange { table: Table::Log, pk: &pk, prefix: "", after: None, limit: None };
    let mut days = Vec::new();
    for item in store.query(&range).await? {
        let day = must(get_text(&item, "sk"), "sk")?.to_owned();
        if day >= oldest && day >= first && last.as_ref().is_none_or(|last| day <= *last) {
            let hash = must(get_text(&item, "hash"), "hash")?.to_owned();
            days.push(DayEnd { day, entries: must(get_number(&item, "sequence"), "sequence")?, hash });
        }
    }
    Ok(days)
}

impl Store {
    /// Of each day of which there are lines, whose they are.
    pub(crate) async fn audit_days(&self) -> Result<Vec<(String, String)>, Error> {
        let now = self.clock().now();
        let (mut at, mut days) = (now.minus(self.audit_retention().0), Vec::new());
        while at.day() <= now.day() {
            let (day, pk) = (at.day(), keys::audit_days_pk(&at.day()));
            let range = KeyRange { table: Table::Log, pk: &pk, prefix: "", after: None, limit: None };
            for item in self.query(&range).await? {
                days.push((day.clone(), must(get_text(&item, "sk"), "sk")?.to_owned()));
            }
            at = at.plus(super::DAY);
        }
        Ok(days)
    }
}

impl AuditLog<Get> {
    /// All lines of the days that these times are in, or of all days.
    ///
    /// # Errors
    /// `unavailable`, `internal`.
    pub async fn lines(&self, from: Option<Time>, to: Option<Time>) -> Result<Lines, Error> {
        let OpContext { store, scope, author } = &self.op;
        Lines::of(store, Some(scope.client()), author, from, to).await
    }
}

/// A log as lines, piece by piece: in memory there is one query's answer of it.
pub struct Lines {
    store: Store,
    whose: String,
    days: VecDeque<DayEnd>,
    open: Option<OpenDay>,
    /// What is said in the end.
    end: ExportEnd,
    whole: auth::Sha256,
    done: bool,
}

/// A day that is being read.
struct OpenDay {
    end: DayEnd,
    pk: String,
    after: Option<String>,
    /// By its number, whether a line has been given.
    given: Vec<bool>,
    round: u32,
}

impl Lines {
    /// Of a client's log, or the deployment's own.
    ///
    /// # Errors
    /// `unavailable`, `internal`.
    pub async fn of(
        store: &Store,
        client: Option<ClientId>,
        author: &Author,
        from: Option<Time>,
        to: Option<Time>,
    ) -> Result<Self, Error> {
        let whose = client.map_or_else(|| DEPLOYMENT.to_owned(), |client| client.to_string());
        // What is written from now on is not in it.
        let days = days(store, &whose, from, to).await?;
        let info = author.info();
        let at = store.clock().now();
        let end = ExportEnd {
            id: AuditId::new(unique(at)),
            at,
            client_id: client,
            actor: author.actor(),
            action: Action::AuditLogExported,
            resource: "audit-log".to_owned(),
            address: info.address.map(|address| address.to_string()),
            agent: info.agent.clone(),
            request_id: info.request_id.clone(),
            days: days.clone(),
            previous: String::new(),
            hash: String::new(),
        };
        let whole = auth::Sha256::default();
        Ok(Self { store: store.clone(), whose, days: days.into(), open: None, end, whole, done: false })
    }

    /// The days that are in it, oldest first.
    pub fn days(&self) -> impl Iterator<Item = &str> {
        self.end.days.iter().map(|end| end.day.as_str())
    }

    /// The next piece: some whole lines, each with its end of line. Nothing after the last.
    ///
    /// # Errors
    /// `unavailable`, `internal`; then what was given is not all.
    pub async fn next(&mut self) -> Result<Option<String>, Error> {
        loop {
            if self.done {
                return Ok(None);
            }
            let mut open = match self.open.take() {
                Some(open) => open,
                None => match self.days.pop_front() {
                    Some(end) => OpenDay::of(&self.whose, end),
                    None => return self.last().map(Some),
                },
            };
            let piece = open.next(&self.store).await?;
            if !open.is_over() {
                self.open = Some(open);
            }
            if !piece.is_empty() {
                self.whole.update(piece.as_bytes());
                return Ok(Some(piece));
            }
        }
    }

    fn last(&mut self) -> Result<String, Error> {
        self.done = true;
        self.end.previous = self.whole.so_far();
        let text = serde_json::to_string(&self.end).map_err(Error::internal)?;
        Ok(format!("{}\n", audit_chain::line(&text, &audit_chain::hash(&text))))
    }
}

impl OpenDay {
    fn of(whose: &str, end: DayEnd) -> Self {
        let pk = keys::audit_pk(whose, &end.day);
        let given = vec![false; usize::try_from(end.entries).unwrap_or(0)];
        Self { end, pk, after: None, given, round: 0 }
    }

    /// Whether all of its lines were given, or can't be found.
    fn is_over(&self) -> bool {
        self.round > ROUNDS || (self.round > 0 && self.given.iter().all(|given| *given))
    }

    async fn next(&mut self, store: &Store) -> Result<String, Error> {
        let range = KeyRange {
            table: Table::Log,
            pk: &self.pk,
            prefix: AuditId::PREFIX,
            after: self.after.as_deref(),
            limit: None,
        };
        let (found, more) = store.query_once(&range).await?;
        let mut piece = String::new();
        for item in &found {
            let (doc, hash) = (must(get_text(item, "doc"), "doc")?, must(get_text(item, "hash"), "hash")?);
            self.after = Some(must(get_text(item, "sk"), "sk")?.to_owned());
            // Lines that were added since then are not in it; one that can't be read is for whoever verifies.
            let number = serde_json::from_str::<Entry>(doc).map_or(0, |entry| entry.sequence);
            let place = usize::try_from(number).ok().and_then(|number| number.checked_sub(1));
            if number > self.end.entries {
                continue;
            }
            match place.and_then(|place| self.given.get_mut(place)) {
                Some(given) if *given && self.round > 0 => continue,
                Some(given) => *given = true,
                None if self.round > 0 => continue,
                None => {}
            }
            piece.push_str(&audit_chain::line(doc, hash));
            piece.push('\n');
        }
        if !more {
            (self.round, self.after) = (self.round + 1, None);
            if !self.is_over() {
                back_off(self.round).await;
            }
        }
        Ok(piece)
    }
}

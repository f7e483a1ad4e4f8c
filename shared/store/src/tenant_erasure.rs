//! The end of a tenant: its epoch is raised first, so that everything of it reads as absent and its embed tokens are dead;
//! then, when nothing that had begun before can still write, a job erases it in every table, and reads again.
//!
//! Whoever dies on the way is followed by another who begins anew: what was counted is noted before it is deleted, and the
//! tenant's card goes last. In its place a note without the identifier stays until no token of the tenant's can be alive.

use std::time::Duration;

use contract::id::{ClientId, EventId, JobId, WebhookId};
use contract::job::{Certificate, JobResult, JobStatus, Remainder};
use contract::{Error, Time};
use futures_util::future::BoxFuture;
use tokio::time::Instant;

use crate::author::Author;
use crate::change::{Change, Outcome};
use crate::deliveries::delivery_id;
use crate::document::to_doc;
use crate::dynamo::{Item, get_number, get_text, must, text};
use crate::grant::granted;
use crate::jobs::{JobRuns, Noted, Running, TenantErasure, Work, work_of};
use crate::keys::{self, Key};
use crate::sweep::{Range, Stopped, purges};
use crate::tables::Table;
use crate::{Store, erased_tenants};

/// How long backups go back: of the main table, point-in-time recovery.
const BACKUPS: Duration = Duration::from_secs(35 * 24 * 3600);

/// Deletes what a job exported, and says whether there was anything.
pub type DeleteExport<'d> = dyn Fn(JobId) -> BoxFuture<'d, Result<bool, Error>> + Sync + 'd;

/// What an erasure comes to for now.
pub enum Erased {
    /// It is done, and the job says so.
    Done,
    /// It is to be gone on with, at this time.
    NotBefore(Time),
}

/// Erases tenants.
#[derive(Clone)]
pub struct TenantErasures {
    store: Store,
    jobs: JobRuns,
}

granted! {
    TenantErasures {
        Main GetItem [Client, TenantFields];
        Main Query [Values, TenantFields];
        Main PutItem [TenantFields, Purge];
        Main DeleteItem [TenantFields, Tenants, Purge];
        Main BatchWriteItem [Values, TenantFields, Purge];
        Log GetItem [Jobs];
        Log UpdateItem [Jobs];
        Log Query [Idempotency, Events, Deliveries, Jobs];
        Log BatchWriteItem [Idempotency, Events, Deliveries, Jobs];
    }
}

impl TenantErasures {
    /// Of the tenants of a store.
    #[must_use]
    pub fn open(store: &Store) -> Self {
        Self { store: store.clone(), jobs: JobRuns::open(store) }
    }

    /// Goes on with an erasure. `exported` deletes what jobs exported of the tenant.
    ///
    /// # Errors
    /// [`Stopped`], before all is done; what is done stays done.
    pub async fn erase(
        &self,
        running: &mut Running,
        until: Instant,
        exported: &DeleteExport<'_>,
    ) -> Result<Erased, Stopped> {
        let Work::EraseTenant(erasure) = &running.work else { return Err(Error::internal("not an erasure").into()) };
        let ready = erasure.closed_at.plus(self.store.0.in_flight);
        if self.store.clock().now() < ready {
            return Ok(Erased::NotBefore(ready));
        }
        loop {
            let mut run = Run { store: &self.store, jobs: &self.jobs, running, until, found: 0 };
            run.data().await?;
            run.events().await?;
            run.jobs(exported).await?;
            // Read again, every place, until there was nothing.
            if run.found == 0 {
                break;
            }
            run.erasure()?.events_after = None;
        }
        self.finish(running).await?;
        Ok(Erased::Done)
    }

    /// The card goes, and with it all that names the tenant; the job has the certificate.
    async fn finish(&self, running: &mut Running) -> Result<(), Stopped> {
        let (store, now, client, job) = (&self.store, self.store.clock().now(), running.client, running.job.id);
        let Work::EraseTenant(erasure) = &running.work else { return Err(Error::internal("not an erasure").into()) };
        let card_key = keys::tenant_of_token(client, &erasure.tenant);
        let scope = erased_tenants::scope(store, client, &erasure.tenant).await?;
        let card = store.get(&card_key).await?;
        let mut erased = erasure.counts.clone();
        erased.insert("tenants".to_owned(), 1);
        let remains = vec![Remainder {
            what: "Point-in-time backups of the main table and its stream, in AWS: they can be restored by whoever runs the deployment alone"
                .to_owned(),
            until: now.plus(BACKUPS),
        }];
        let certificate = Certificate {
            subject: erased_tenants::subject(client, &erasure.tenant),
            closed_at: erasure.closed_at,
            erased,
            verified_at: now,
            remains,
        };
        running.job.status = JobStatus::Completed;
        running.job.updated_at = now;
        running.job.progress.done = certificate.erased.values().sum();
        running.job.result = Some(JobResult::Erasure(certificate));
        let author = Author::of_no_caller("system", "run-jobs", now);
        let event = author.event();
        let (unchanged, seen) = running.unchanged();
        let done = Change::update(keys::job(client, job)).set("doc", text(to_doc(&running.job)?)).remove("work");
        let mut changes = vec![done.when(unchanged).with(":seen", text(seen)).unstamped()];
        if let Some(card) = card {
            let epoch: u64 = get_number(&card, "epoch").unwrap_or(0);
            let not_before: i64 = must(get_number(&card, "tokensNotBefore"), "tokensNotBefore")?;
            let note = keys::erased_tenant(&scope);
            changes.extend(erased_tenants::note(&note, epoch, not_before, now).map(|c| c.stamped(&author, event)));
            let same = must(get_text(&card, "eventId"), "eventId")?;
            changes.push(Change::delete(card_key).when("#eventId = :same").with(":same", text(same)));
            changes.push(Change::delete(keys::unused_tenant_row(&scope)));
        }
        changes.push(Change::delete(keys::open_erasure(erasure.closed_at, client, job)));
        match store.commit(changes, event).await? {
            Outcome::Done => Ok(()),
            // The card was written to, or another goes on with the job: whoever comes next sees which.
            Outcome::Stale => Err(Error::unavailable("something else was written while a tenant was erased").into()),
        }
    }
}

/// One go.
struct Run<'r> {
    store: &'r Store,
    jobs: &'r JobRuns,
    running: &'r mut Running,
    until: Instant,
    /// How many items were there.
    found: u64,
}

impl Run<'_> {
    fn erasure(&mut self) -> Result<&mut TenantErasure, Error> {
        match &mut self.running.work {
            Work::EraseTenant(erasure) => Ok(erasure),
            _ => Err(Error::internal("not an erasure")),
        }
    }

    /// Counts items of a partition, and the deliveries that go with them, before they are deleted: each page once, however
    /// often this is begun anew.
    async fn count(&mut self, pk: &str, sorts: &[(&str, &str)], deliveries: u64) -> Result<(), Stopped> {
        self.found += u64::try_from(sorts.len()).unwrap_or(0);
        let erasure = self.erasure()?;
        let known = erasure.counted.clone().filter(|(partition, _)| partition == pk);
        let is_new = |(sk, _): &&(&str, &str)| known.as_ref().is_none_or(|(_, last)| *sk > last.as_str());
        let new: Vec<_> = sorts.iter().filter(is_new).collect();
        for (_, kind) in new.iter().filter(|(_, kind)| !kind.is_empty()) {
            *erasure.counts.entry((*kind).to_owned()).or_default() += 1;
        }
        if deliveries > 0 && !new.is_empty() {
            *erasure.counts.entry("deliveries".to_owned()).or_default() += deliveries;
        }
        if let Some((last, _)) = sorts.last() {
            erasure.counted = Some((pk.to_owned(), (*last).to_owned()));
        }
        self.running.job.progress.done = self.erasure()?.counts.values().sum();
        self.running.job.status = JobStatus::Running;
        self.note().await
    }

    async fn note(&mut self) -> Result<(), Stopped> {
        match self.jobs.advance(self.running).await? {
            Noted::Done => Ok(()),
            Noted::Gone | Noted::Elsewhere => Err(Stopped::Elsewhere),
        }
    }

    /// Values, fields, and answers that are remembered.
    async fn data(&mut self) -> Result<(), Stopped> {
        let (client, tenant) = (self.running.client, self.erasure()?.tenant.clone());
        for part in keys::TenantPart::ALL {
            let (table, pk) = (part.table(), part.pk(client, &tenant));
            let mut after = part.after().map(str::to_owned);
            loop {
                let range = Range { after: after.as_deref(), ..Range::whole(table, &pk) };
                let Some(page) = self.store.sweep_page(&range, self.until).await? else { break };
                let sorts: Vec<(&str, &str)> = page.keys.iter().map(|key| (&*key.sk, part.counts(&key.sk))).collect();
                self.count(&pk, &sorts, 0).await?;
                self.store.batch_delete(purges(&page.items)?).await?;
                after = page.keys.last().map(|key| key.sk.clone());
                self.store.batch_delete(page.keys).await?;
            }
        }
        Ok(())
    }

    /// What was announced of the tenant, and each delivery of it: among all that was announced of the client.
    async fn events(&mut self) -> Result<(), Stopped> {
        let (client, tenant) = (self.running.client, self.erasure()?.tenant.clone());
        let pk = keys::events_pk(client);
        loop {
            let after = self.erasure()?.events_after.clone();
            let range = Range { after: after.as_deref(), ..Range::whole(Table::Log, &pk) };
            let Some(page) = self.store.sweep_page(&range, self.until).await? else { return Ok(()) };
            let of_tenant = |item: &&Item| get_text(item, "tenant") == Some(tenant.as_str());
            let mine: Vec<&Item> = page.items.iter().filter(of_tenant).collect();
            let mut own = Vec::new();
            let mut deliveries = Vec::new();
            for item in &mine {
                let sk = must(get_text(item, "sk"), "sk")?;
                own.push(Key { table: Table::Log, pk: pk.clone(), sk: sk.to_owned() });
                let Some(event) = sk.strip_suffix("#00") else { continue };
                let event: EventId = must(event.parse().ok(), "sk")?;
                let to = get_text(item, "webhooks").unwrap_or_default().split(' ').filter(|text| !text.is_empty());
                for webhook in to.map(|text| must(text.parse::<WebhookId>().ok(), "webhooks")) {
                    deliveries.extend(self.delivery(client, webhook?, event).await?);
                }
            }
            let sorts: Vec<(&str, &str)> =
                own.iter().map(|key| (&*key.sk, if key.sk.ends_with("#00") { "events" } else { "" })).collect();
            if !sorts.is_empty() {
                let several = u64::try_from(deliveries.iter().filter(|key| is_card(key)).count()).unwrap_or(0);
                self.count(&pk, &sorts, several).await?;
                self.store.batch_delete(deliveries).await?;
            }
            self.erasure()?.events_after = page.keys.last().map(|key| key.sk.clone());
            self.store.batch_delete(own).await?;
            self.note().await?;
        }
    }

    /// The items of a delivery, as far as there are any.
    async fn delivery(&self, client: ClientId, webhook: WebhookId, event: EventId) -> Result<Vec<Key>, Stopped> {
        let (pk, id) = (keys::deliveries_pk(client, webhook), delivery_id(event, webhook));
        let mut all = Vec::new();
        for prefix in [id.to_string(), format!("r#{id}#"), format!("{}{id}", keys::OPEN)] {
            let mut after: Option<String> = None;
            loop {
                let range = Range { after: after.as_deref(), ..Range::whole(Table::Log, &pk).below(&prefix) };
                let Some(page) = self.store.sweep_page(&range, self.until).await? else { break };
                after = page.keys.last().map(|key| key.sk.clone());
                all.extend(page.keys);
            }
        }
        Ok(all)
    }

    /// The tenant's other jobs, and what they exported.
    async fn jobs(&mut self, exported: &DeleteExport<'_>) -> Result<(), Stopped> {
        let (client, own, tenant) = (self.running.client, self.running.job.id, self.erasure()?.tenant.clone());
        let pk = keys::jobs_pk(client);
        let mut after: Option<String> = None;
        loop {
            let range = Range { after: after.as_deref(), ..Range::whole(Table::Log, &pk) };
            let Some(page) = self.store.sweep_page(&range, self.until).await? else { return Ok(()) };
            for (item, key) in page.items.iter().zip(&page.keys) {
                let about = item.contains_key("work").then(|| work_of(item)).transpose()?;
                let id: JobId = must(key.sk.parse().ok(), "sk")?;
                if id == own || about.as_ref().and_then(Work::tenant) != Some(&tenant) {
                    continue;
                }
                self.count(&pk, &[(&key.sk, "exports")], 0).await?;
                exported(id).await?;
                self.store.batch_delete(vec![key.clone()]).await?;
            }
            after = page.keys.last().map(|key| key.sk.clone());
        }
    }
}

/// Whether a key is of a delivery's card: each has one.
fn is_card(key: &Key) -> bool {
    !key.sk.contains('#')
}

//! Jobs: work that goes on after its request was answered, in steps that each say where the next begins.

use std::collections::BTreeMap;
use std::marker::PhantomData;

use contract::audit::Action;
use contract::id::{ClientId, DeliveryId, EventId, JobId, WebhookId};
use contract::job::{Job, JobKind, JobStatus, Progress};
use contract::names::TenantId;
use contract::{Code, Error, Time};
use serde::{Deserialize, Serialize};

use crate::audit::Note;
use crate::change::{Change, Written};
use crate::deliveries::{HELD, delivery_id};
use crate::document::{from_doc, to_doc};
use crate::dynamo::{Item, get_text, must, number, text};
use crate::grant::{Create, Get, granted};
use crate::keys;
use crate::{OpContext, Store};

/// How long a job can be asked for: 30 days.
const RETENTION: std::time::Duration = std::time::Duration::from_secs(30 * 24 * 3600);

/// What a queue's message tells the worker of jobs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "task", deny_unknown_fields)]
pub enum Task {
    /// Go on with a job.
    Run {
        /// Whose.
        client: ClientId,
        /// The job.
        job: JobId,
        /// When, in milliseconds since 1970; at once, if that is past.
        #[serde(default)]
        due: i64,
    },
    /// Send one of the deliveries that are held for a webhook, to see whether it answers.
    Probe {
        /// Whose.
        client: ClientId,
        /// The webhook.
        webhook: WebhookId,
        /// When, in milliseconds since 1970.
        due: i64,
    },
}

impl Task {
    /// Go on with a job at once.
    #[must_use]
    pub const fn run(client: ClientId, job: JobId) -> Self {
        Self::Run { client, job, due: 0 }
    }

    /// Whose it is.
    #[must_use]
    pub const fn client(&self) -> ClientId {
        match self {
            Self::Run { client, .. } | Self::Probe { client, .. } => *client,
        }
    }

    /// When it is due, in milliseconds since 1970.
    #[must_use]
    pub const fn due(&self) -> i64 {
        match self {
            Self::Run { due, .. } | Self::Probe { due, .. } => *due,
        }
    }
}

/// What a job is to do, and how far it is: all that whoever goes on with it has to know.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "of")]
pub enum Work {
    /// Send what is held.
    Release(Release),
    /// Erase a tenant.
    EraseTenant(TenantErasure),
    /// Write a tenant into a file. How that stands is the worker's.
    ExportTenant(TenantExport),
}

impl Work {
    /// The tenant that it is about.
    #[must_use]
    pub const fn tenant(&self) -> Option<&TenantId> {
        match self {
            Self::Release(_) => None,
            Self::EraseTenant(erasure) => Some(&erasure.tenant),
            Self::ExportTenant(export) => Some(&export.tenant),
        }
    }
}

/// An erasure, and how far it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TenantErasure {
    /// The tenant.
    pub tenant: TenantId,
    /// When its data could no longer be read.
    pub closed_at: Time,
    /// How many of each kind were counted.
    #[serde(default)]
    pub(crate) counts: BTreeMap<String, u64>,
    /// What was counted last, and is perhaps not deleted yet: a partition, and a sort key there.
    #[serde(default)]
    pub(crate) counted: Option<(String, String)>,
    /// How far the client's events were gone through.
    #[serde(default)]
    pub(crate) events_after: Option<String>,
}

impl TenantErasure {
    pub(crate) fn new(tenant: TenantId, closed_at: Time) -> Self {
        Self { tenant, closed_at, counts: BTreeMap::new(), counted: None, events_after: None }
    }
}

/// An export of a tenant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TenantExport {
    /// The tenant.
    pub tenant: TenantId,
    /// What the worker has written so far, in its own words.
    #[serde(default)]
    pub state: serde_json::Value,
}

/// What is to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Release {
    /// For which webhook.
    pub webhook: WebhookId,
    /// Of events from this time on.
    pub since: Time,
    /// What failed as well, not only what is held.
    pub failed: bool,
    /// The last delivery that it has dealt with.
    #[serde(default)]
    pub after: Option<DeliveryId>,
}

/// A job at work.
#[derive(Debug, Clone)]
pub struct Running {
    /// Whose.
    pub client: ClientId,
    /// The job, as callers see it.
    pub job: Job,
    /// What it is to do.
    pub work: Work,
    /// How it was last written: whoever writes it knows that.
    seen: String,
}

/// What became of a step that was noted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Noted {
    /// It is noted.
    Done,
    /// There is no such job any more: its tenant was erased.
    Gone,
    /// Another worker has noted a step meanwhile, and goes on with the job.
    Elsewhere,
}

/// The client's jobs.
pub struct Jobs<A> {
    op: OpContext,
    access: PhantomData<A>,
}

granted! {
    Jobs<Get> { Log GetItem [Jobs]; }
    Jobs<Create> {
        Main PutItem [AuditNotes];
        Log PutItem [Jobs];
    }
    JobStarts { Log PutItem [Jobs]; }
    JobRuns {
        Log GetItem [Jobs];
        Log UpdateItem [Jobs];
    }
}

impl<A> Jobs<A> {
    /// The jobs of the request's client.
    #[must_use]
    pub fn open(op: &OpContext) -> Self {
        Self { op: op.clone(), access: PhantomData }
    }
}

impl Jobs<Get> {
    /// Whose they are.
    #[must_use]
    pub const fn client(&self) -> ClientId {
        self.op.scope.client()
    }

    /// One job.
    ///
    /// # Errors
    /// `job_not_found`.
    pub async fn get(&self, id: JobId) -> Result<Job, Error> {
        let item = self.op.store.get(&keys::job(self.op.scope.client(), id)).await?;
        from_doc(&item.ok_or(Code::JobNotFound)?)
    }
}

impl Jobs<Create> {
    /// Makes a job that sends again what failed and what is held, and gives the task to send.
    ///
    /// Whether there is such a webhook is the caller's to ask.
    ///
    /// # Errors
    /// `unavailable`, `internal`.
    pub async fn recover(&self, webhook: WebhookId, since: Time) -> Result<(Job, Task), Error> {
        let OpContext { store, scope, author } = &self.op;
        let client = scope.client();
        let work = Work::Release(Release { webhook, since, failed: true, after: None });
        let job = JobId::new(author.unique());
        let running = JobStarts::open(store).put(client, job, JobKind::WebhookRecovery, work, author.at()).await?;
        let note = Note::of_client(client, Action::WebhookRecovered, format!("webhooks/{webhook}"));
        store.note_of(author, author.event(), &note).await?;
        Ok((running.job, Task::run(client, job)))
    }
}

/// Makes jobs that send what is held.
#[derive(Clone)]
pub struct JobStarts {
    store: Store,
}

/// Jobs, as their worker knows them.
#[derive(Clone)]
pub struct JobRuns {
    store: Store,
}

impl JobStarts {
    /// For the jobs of a store.
    #[must_use]
    pub fn open(store: &Store) -> Self {
        Self { store: store.clone() }
    }

    /// Makes a job that sends what is held for a webhook; making it twice under one identifier is making it once.
    ///
    /// # Errors
    /// `unavailable`, `internal`.
    pub async fn release(&self, client: ClientId, job: JobId, webhook: WebhookId, at: Time) -> Result<Task, Error> {
        let since = Time::from_millis(at.millis() - i64::try_from(HELD.as_millis()).unwrap_or(0));
        let work = Work::Release(Release { webhook, since, failed: false, after: None });
        self.put(client, job, JobKind::WebhookRelease, work, at).await?;
        Ok(Task::run(client, job))
    }

    /// Makes such a job of a change for one of a client's webhooks; making it twice is making it once.
    ///
    /// # Errors
    /// `unavailable`, `internal`.
    pub async fn release_after(
        &self,
        client: ClientId,
        change: EventId,
        webhook: WebhookId,
        at: Time,
    ) -> Result<Task, Error> {
        self.release(client, JobId::new(delivery_id(change, webhook).unique()), webhook, at).await
    }

    async fn put(&self, client: ClientId, id: JobId, kind: JobKind, work: Work, at: Time) -> Result<Running, Error> {
        let job = new(id, kind, at);
        match self.store.conditional_write(made(client, &job, &work)?).await? {
            Written::Done => {
                let seen = to_doc(&job)?;
                Ok(Running { client, job, work, seen })
            }
            Written::Refused(item) => read(client, &must(item, "item")?),
        }
    }
}

impl Running {
    /// That nothing has come between.
    pub(crate) fn unchanged(&self) -> (&'static str, &str) {
        ("#doc = :seen", &self.seen)
    }
}

impl JobRuns {
    /// The jobs of a store.
    #[must_use]
    pub fn open(store: &Store) -> Self {
        Self { store: store.clone() }
    }

    /// A job; none once it is over or no longer kept.
    ///
    /// # Errors
    /// `unavailable`, `internal`.
    pub async fn get(&self, client: ClientId, job: JobId) -> Result<Option<Running>, Error> {
        let item = self.store.get(&keys::job(client, job)).await?;
        let open = |item: &Item| -> Result<Option<Running>, Error> {
            let job: Job = from_doc(item)?;
            if matches!(job.status, JobStatus::Completed | JobStatus::Failed) {
                return Ok(None);
            }
            read(client, item).map(Some)
        };
        let running = item.as_ref().map(open).transpose()?;
        Ok(running.flatten())
    }

    /// Notes how far a job has come. Of two workers that a message reached twice, one goes on.
    ///
    /// # Errors
    /// `unavailable`, `internal`.
    pub async fn advance(&self, running: &mut Running) -> Result<Noted, Error> {
        running.job.updated_at = self.store.clock().now();
        let (doc, work) = (to_doc(&running.job)?, to_doc(&running.work)?);
        let change = Change::update(keys::job(running.client, running.job.id)).set("doc", text(&doc));
        let change = change.set("work", text(&work)).when("#doc = :seen").with(":seen", text(&running.seen));
        let noted = match self.store.conditional_write(change).await? {
            Written::Done => Noted::Done,
            Written::Refused(None) => Noted::Gone,
            // The answer to a write of its own was lost.
            Written::Refused(Some(item))
                if get_text(&item, "doc") == Some(&doc) && get_text(&item, "work") == Some(&work) =>
            {
                Noted::Done
            }
            Written::Refused(Some(_)) => Noted::Elsewhere,
        };
        running.seen = doc;
        Ok(noted)
    }
}

fn read(client: ClientId, item: &Item) -> Result<Running, Error> {
    let seen = must(get_text(item, "doc"), "doc")?.to_owned();
    Ok(Running { client, job: from_doc(item)?, work: work_of(item)?, seen })
}

/// What a job is to do, which is forgotten once a tenant is erased.
pub(crate) fn work_of(item: &Item) -> Result<Work, Error> {
    serde_json::from_str(must(get_text(item, "work"), "work")?).map_err(Error::internal)
}

/// A job that has not begun.
pub(crate) fn new(id: JobId, kind: JobKind, at: Time) -> Job {
    let (status, progress) = (JobStatus::Pending, Progress::default());
    Job { id, kind, status, progress, result: None, created_at: at, updated_at: at }
}

/// The write that makes one, unless it is there.
pub(crate) fn made(client: ClientId, job: &Job, work: &Work) -> Result<Change, Error> {
    let put = Change::put(keys::job(client, job.id)).set("doc", text(to_doc(job)?)).set("work", text(to_doc(work)?));
    Ok(put.set("ttl", number(job.created_at.plus(RETENTION).seconds())).when_absent().unstamped())
}

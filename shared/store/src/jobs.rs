//! Jobs: work that goes on after its request was answered, in steps that each say where the next begins.

use std::marker::PhantomData;

use contract::audit::Action;
use contract::id::{ClientId, DeliveryId, EventId, JobId, WebhookId};
use contract::webhook::{Job, JobKind, JobStatus, Progress};
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

/// What a job is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Release {
    /// For which webhook.
    pub webhook: WebhookId,
    /// Of events from this time on.
    pub since: Time,
    /// What failed as well, not only what is held.
    pub failed: bool,
}

/// A job at work.
#[derive(Debug, Clone)]
pub struct Running {
    /// Whose.
    pub client: ClientId,
    /// The job, as callers see it.
    pub job: Job,
    /// What it is to do.
    pub release: Release,
    /// The last delivery that it has dealt with.
    pub after: Option<DeliveryId>,
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
        let release = Release { webhook, since, failed: true };
        let job = JobId::new(author.unique());
        let running = JobStarts::open(store).put(client, job, JobKind::WebhookRecovery, release, author.at()).await?;
        let note = Note::of_client(client, Action::WebhookRecovered, format!("webhooks/{webhook}"));
        store.note_of(author, author.event(), &note).await?;
        Ok((running.job, Task::Run { client, job }))
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
        let release = Release { webhook, since, failed: false };
        self.put(client, job, JobKind::WebhookRelease, release, at).await?;
        Ok(Task::Run { client, job })
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

    async fn put(
        &self,
        client: ClientId,
        id: JobId,
        kind: JobKind,
        release: Release,
        at: Time,
    ) -> Result<Running, Error> {
        let job =
            Job { id, kind, status: JobStatus::Pending, progress: Progress::default(), created_at: at, updated_at: at };
        let put = Change::put(keys::job(client, id))
            .set("doc", text(to_doc(&job)?))
            .set("release", text(to_doc(&release)?))
            .set("ttl", number(at.plus(RETENTION).seconds()))
            .when_absent();
        match self.store.conditional_write(put).await? {
            Written::Done => Ok(Running { client, job, release, after: None }),
            Written::Refused(item) => read(client, &must(item, "item")?),
        }
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
        let running = item.as_ref().map(|item| read(client, item)).transpose()?;
        Ok(running.filter(|running| running.job.status != JobStatus::Completed))
    }

    /// Says how far a job has come.
    ///
    /// # Errors
    /// `unavailable`, `internal`.
    pub async fn advance(&self, running: &Running) -> Result<(), Error> {
        let mut job = running.job.clone();
        job.updated_at = self.store.clock().now();
        let mut change = Change::update(keys::job(running.client, job.id)).set("doc", text(to_doc(&job)?));
        if let Some(after) = running.after {
            change = change.set("after", text(after.to_string()));
        }
        self.store.conditional_write(change.when_present()).await.map(|_| ())
    }
}

fn read(client: ClientId, item: &Item) -> Result<Running, Error> {
    let release = must(get_text(item, "release"), "release")?;
    let release = serde_json::from_str(release).map_err(Error::internal)?;
    let after = get_text(item, "after").and_then(|id| id.parse().ok());
    Ok(Running { client, job: from_doc(item)?, release, after })
}

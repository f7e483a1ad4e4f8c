//! Functions that no route reaches: what the stream of changes and the queues feed.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use contract::{Error, Time};
use futures_util::FutureExt as _;
use futures_util::future::join_all;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::tables::Table;
use tokio::time::{Instant, timeout_at};
use uuid::Uuid;

use crate::app::App;
use crate::config::BadSetting;
use crate::extract::Part;
use crate::queues::Queue;
use crate::spec::operation::Permissions;
use crate::start::Start;

/// What a function needs to hand over what became of a batch.
pub const RESERVE: Duration = Duration::from_secs(1);

/// A function that no route reaches. Its `id` is the binary's name, the function's name and a field of the log.
pub struct Consumer {
    /// `fan-out`
    pub id: &'static str,
    /// What it does, in a few words.
    pub summary: &'static str,
    /// What feeds it.
    pub source: Source,
    /// How long one batch may take.
    pub timeout: Duration,
    /// Makes what works, once a process.
    pub start: fn(&App) -> Result<Arc<dyn Worker>, Error>,
    /// Makes what its parts need of a process at its start.
    pub prepare: fn(&mut Start<'_>) -> Result<(), BadSetting>,
    /// What it may do, beside taking what feeds it.
    pub permissions: fn() -> Permissions,
}

impl Consumer {
    /// A function whose worker is made of parts; what it may do comes from their types.
    #[must_use]
    pub const fn of<W: Worker + Part + 'static>(
        id: &'static str,
        summary: &'static str,
        source: Source,
        timeout: Duration,
    ) -> Self {
        Self { id, summary, source, timeout, start: start::<W>, prepare: W::prepare, permissions: permissions::<W> }
    }
}

fn start<W: Worker + Part + 'static>(app: &App) -> Result<Arc<dyn Worker>, Error> {
    Ok(Arc::new(W::take(app)?))
}

fn permissions<W: Part>() -> Permissions {
    let mut permissions = Permissions::default();
    W::permissions(&mut permissions);
    permissions
}

/// Makes a worker of its parts. What has a value beside its type is made of the process's settings, and may do nothing.
#[macro_export]
macro_rules! parts {
    (
        $(#[$about:meta])* $open:vis struct $worker:ident {
            $($part_open:vis $part:ident: $of:ty,)+
            $(|$app:ident| $($(#[$about_made:meta])* $made_open:vis $name:ident: $made_of:ty = $made:expr,)+)?
        }
    ) => {
        $(#[$about])*
        $open struct $worker {
            $($part_open $part: $of,)+
            $($($(#[$about_made])* $made_open $name: $made_of,)+)?
        }

        impl $crate::extract::Part for $worker {
            fn take(app: &$crate::App) -> Result<Self, contract::Error> {
                $(let $app = app;)?
                Ok(Self { $($part: <$of as $crate::extract::Part>::take(app)?,)+ $($($name: $made,)+)? })
            }
            fn prepare(start: &mut $crate::Start<'_>) -> Result<(), $crate::config::BadSetting> {
                $(<$of as $crate::extract::Part>::prepare(start)?;)+
                Ok(())
            }
            fn permissions(permissions: &mut $crate::Permissions) {
                $(<$of as $crate::extract::Part>::permissions(permissions);)+
            }
        }
    };
}

/// What feeds a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The changes of a table, in their order.
    Stream(Table),
    /// Messages of queues.
    Queues(&'static [Queue]),
    /// Time: it is called each time that so much of it has passed.
    Schedule(Duration),
    /// The steps in which Secrets Manager has the keys of embed tokens rotated, one a call.
    TokenKeysRotation,
}

/// The answer to come of a batch.
pub type Working = Pin<Box<dyn Future<Output = Result<Batch, Error>> + Send>>;

/// What works on batches, as many at once as come.
pub trait Worker: Send + Sync {
    /// Works on an event's records until a time at which it is given up. An error is about the whole batch, which comes
    /// again.
    fn work(self: Arc<Self>, records: Vec<Value>, until: Instant) -> Working;
}

/// What became of a batch: the records that come again.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Batch {
    /// Those that failed.
    pub batch_item_failures: Vec<Failure>,
}

/// A record that comes again.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Failure {
    /// A message's identifier, a stream record's sequence number.
    pub item_identifier: String,
}

impl Batch {
    /// These come again.
    #[must_use]
    pub fn failed(identifiers: impl IntoIterator<Item = String>) -> Self {
        let failure = |item_identifier| Failure { item_identifier };
        Self { batch_item_failures: identifiers.into_iter().map(failure).collect() }
    }

    /// Works on each message of a queue for itself, side by side: one that fails, or can't be read, comes again alone.
    pub async fn each<W: Future<Output = Result<(), Error>>>(
        operation: &str,
        records: Vec<Value>,
        work: impl Fn(QueueRecord) -> W,
    ) -> Self {
        let one = |record: Value| {
            let message_id = record["messageId"].as_str().unwrap_or_default().to_owned();
            let working = QueueRecord::read(record).map(&work);
            async move {
                let worked = match working {
                    Ok(working) => working.await,
                    Err(error) => Err(error),
                };
                worked.err().map(|error| {
                    tracing::warn!(operation, message_id, ?error, "a message failed and comes again");
                    message_id
                })
            }
        };
        Self::failed(join_all(records.into_iter().map(one)).await.into_iter().flatten())
    }
}

/// A message as SQS hands it to a function.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct QueueRecord {
    /// The message's identifier.
    pub message_id: String,
    /// What names this one receipt of it.
    pub receipt_handle: String,
    /// The message.
    pub body: String,
    attributes: Attributes,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Attributes {
    approximate_receive_count: String,
}

impl QueueRecord {
    /// The message in a record.
    ///
    /// # Errors
    /// `internal` if it has not the form that SQS gives it.
    pub fn read(record: Value) -> Result<Self, Error> {
        serde_json::from_value(record).map_err(Error::internal)
    }

    /// How often the message has been handed out, this time included.
    #[must_use]
    pub fn received(&self) -> u32 {
        self.attributes.approximate_receive_count.parse().unwrap_or(1)
    }
}

#[derive(Deserialize)]
struct Event {
    #[serde(rename = "Records")]
    records: Vec<Value>,
}

/// What a schedule hands to a function, of which the time alone says something.
#[must_use]
pub fn scheduled(at: Time) -> Value {
    json!({
        "version": "0",
        "id": Uuid::nil().to_string(),
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "time": at,
        "resources": [],
        "detail": {},
    })
}

impl Source {
    /// What is in an event: what comes by itself is the one thing in it.
    fn records(self, event: Value) -> Result<Vec<Value>, Error> {
        match self {
            Self::Stream(_) | Self::Queues(_) => {
                serde_json::from_value(event).map(|Event { records }| records).map_err(Error::internal)
            }
            Self::Schedule(_) | Self::TokenKeysRotation => Ok(vec![event]),
        }
    }
}

/// Works on an event in the `time` that the function has left, and writes a line to the log.
///
/// # Errors
/// What the worker's are, `internal` if it takes too long; then the whole batch comes again.
pub async fn run(consumer: &Consumer, worker: &Arc<dyn Worker>, event: Value, time: Duration) -> Result<Batch, Error> {
    let started = Instant::now();
    let until = started + time.saturating_sub(RESERVE);
    let records = consumer.source.records(event)?;
    let count = records.len();
    // A panic fails one batch, and so does a worker that is late: neither ends the instance.
    let working = AssertUnwindSafe(worker.clone().work(records, until)).catch_unwind();
    let worked = match timeout_at(until, working).await {
        Ok(worked) => worked.unwrap_or_else(|_| Err(Error::internal("a worker panicked"))),
        // Not the store's fault: the same again would take as long.
        Err(_) => Err(Error::internal("a batch took too long")),
    };
    let millis = started.elapsed().as_micros() as f64 / 1000.0;
    match &worked {
        Ok(batch) => {
            let failed = batch.batch_item_failures.len();
            tracing::info!(operation = consumer.id, records = count, failed, millis, "batch");
        }
        Err(error) => {
            let cause = error.cause().map(ToString::to_string);
            tracing::warn!(
                operation = consumer.id,
                records = count,
                millis,
                error = %error,
                cause,
                "a batch failed and comes again"
            );
        }
    }
    worked
}

//! What Lambda's event source mappings do in AWS, on one machine: they feed the consumers from the stream of changes
//! and from the queues, and what its schedules do.
//!
//! Of several processes that share a data folder one works, by a lock that the system takes away from it when it ends;
//! another then takes over what it had in hand.

mod consumer;
mod failed_records;
mod lock;
mod queue;
mod stream;
mod timer;

use std::sync::Arc;
use std::time::Duration;

use engines::Role;
use functions::settings::at_once;
use runtime::{Consumer, Source};
use serde_json::Value;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use crate::backend::Backend;
use crate::services::StartError;
use consumer::Fed;
use failed_records::FailedRecords;

/// How long a stop waits for the batches in flight.
const GRACE: Duration = Duration::from_secs(2);

/// The workers of a process. They end when this is dropped.
pub struct Workers {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
    failed_records: FailedRecords,
}

/// What every poller has.
#[derive(Clone)]
struct Poller {
    consumer: Arc<Fed>,
    stop: Stop,
}

/// Whether to end.
#[derive(Clone)]
struct Stop(watch::Receiver<bool>);

impl Stop {
    /// Waits for it.
    async fn asked(&mut self) {
        // Whoever could ask may also be gone.
        let _ = self.0.wait_for(|stop| *stop).await;
    }
}

impl Workers {
    /// Starts to feed the consumers, as soon as no other process that shares the folder does.
    ///
    /// # Errors
    /// If the engines are not embedded, or can't be read.
    pub fn start(backend: &Backend) -> Result<Self, StartError> {
        let engine = backend.engine.as_ref().ok_or("workers need the embedded engines")?;
        let (stop, asked) = watch::channel(false);
        let failed_records = FailedRecords::beside(engine.folder.as_deref());
        let (sqs, app) = (engine.engines.sqs.clone(), backend.app.clone());
        let lock = lock::Lock::of_folder(engine.folder.as_deref())?;

        let mut streams = Vec::new();
        let mut queues = Vec::new();
        let mut timers = Vec::new();
        for consumer in functions::consumers() {
            let role = Role::new(consumer.id, backend.permissions(&(consumer.permissions)()));
            match consumer.source {
                Source::Stream(table) => {
                    let reads = |other: &&&Consumer| other.source == consumer.source;
                    let readers: Vec<_> = functions::consumers().iter().filter(reads).map(|other| other.id).collect();
                    let stream = engine.engines.dynamo.stream(backend.tables.of(table))?;
                    streams.push((consumer, role, stream, readers));
                }
                Source::Queues(of) => queues.push((consumer, role, of)),
                Source::Schedule(period) => timers.push((consumer, role, period)),
                // The keys of one machine stay as they were made.
                Source::TokenKeysRotation => {}
            }
        }
        let client = engine.sqs.clone();
        let addresses = app.queues()?.clone();
        let failed = failed_records.clone();
        let work = async move {
            let mut stop = Stop(asked);
            let held = tokio::select! {
                held = lock.take() => held,
                () = stop.asked() => return,
            };
            let mut app = app;
            if held.is_shared() {
                // Whoever worked before is dead, and so are its leases.
                app.webhooks.dead_before = Some(app.clock().now());
                if let Err(error) = sqs.release_in_flight() {
                    tracing::error!(
                        error = %error,
                        "messages that a dead process had received could not be released: they come again \
                         when their visibility time-out ends"
                    );
                }
            }
            let mut pollers = JoinSet::new();
            let feed = |consumer, role| match Fed::start(consumer, &app, role) {
                Ok(fed) => Some(Poller { consumer: Arc::new(fed), stop: stop.clone() }),
                Err(error) => {
                    tracing::error!(
                        operation = consumer.id,
                        ?error,
                        "a consumer could not start: nothing of what feeds it is worked on"
                    );
                    None
                }
            };
            for (consumer, role, stream, readers) in streams {
                if let Some(poller) = feed(consumer, role) {
                    pollers.spawn(stream::poll(poller, stream, readers, failed.clone()));
                }
            }
            for (consumer, role, of) in queues {
                // One worker, whatever feeds it: it keeps its connections. A poller for each queue, lest one starves.
                if let Some(poller) = feed(consumer, role) {
                    for queue in of {
                        let url = addresses.url(*queue);
                        let places = usize::from(at_once(*queue).one_machine);
                        pollers.spawn(queue::poll(poller.clone(), client.clone(), url, *queue, places));
                    }
                }
            }
            for (consumer, role, period) in timers {
                if let Some(poller) = feed(consumer, role) {
                    pollers.spawn(timer::poll(poller, app.clock().clone(), period));
                }
            }
            while pollers.join_next().await.is_some() {}
        };
        Ok(Self { stop, task: tokio::spawn(work), failed_records })
    }

    /// What no consumer could take, in its order: the lines of `failed-records/*.jsonl` in the folder, or kept here if there is
    /// none.
    #[must_use]
    pub fn failed_records(&self) -> Vec<Value> {
        self.failed_records.read()
    }

    /// Ends: nothing more is taken, and what is in flight may finish for two seconds.
    pub async fn stop(mut self) {
        let _ = self.stop.send(true);
        let _ = (&mut self.task).await;
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.task.abort();
    }
}

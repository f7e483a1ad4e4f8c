//! The stream of changes to deliveries: what was committed is announced to the webhooks that want it.
//!
//! Everything here may be done again: a batch that fails half-way comes again, and what was written and sent before is
//! written and sent once more, under the same identifiers.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use contract::id::{ClientId, EventId, WebhookId};
use contract::webhook::Webhook;
use contract::{Code, Error, Time};
use runtime::lambda::consumer::{Batch, Working};
use runtime::metric::Metrics;
use runtime::{Assign, Consumer, Deliver, Source, Worker};
use serde_json::Value;
use store::author::Clock;
use store::deliveries::{Announcement, Announcer};
use store::jobs::JobStarts;
use store::stream::{ChangeEvent, Definitions, Record, Stream};
use store::tables::Table;
use tokio::time::Instant;

/// Records that are announced together, at the most.
const CHUNK: usize = 10;
/// A batch that has taken this long stops, and the rest of it comes again.
const MAX_TIME: Duration = Duration::from_secs(20);
/// By how much the clocks of two instances may differ: a webhook is rather told of what was written just before it.
const CLOCK_SKEW: Duration = Duration::from_millis(500);

/// `fan-out`
pub static FAN_OUT: Consumer = Consumer::of::<FanOut>(
    "fan-out",
    "Announce what was committed to the webhooks that want it",
    Source::Stream(Table::Main),
    Duration::from_secs(60),
);

runtime::parts! {
    struct FanOut {
        stream: Stream,
        announcer: Announcer,
        jobs: JobStarts,
        deliver: Deliver,
        assign: Assign,
        metrics: Metrics,
        clock: Clock,
    }
}

/// A webhook that is on again, or whose client is open again.
struct SwitchedOn {
    client: ClientId,
    webhook: WebhookId,
    event: EventId,
    at: Time,
}

/// What records say.
#[derive(Default)]
struct Read {
    announcements: BTreeMap<ClientId, Vec<Announcement>>,
    switched_on: Vec<SwitchedOn>,
    unknown: u64,
    /// The first record that can't be read.
    poison: Option<String>,
}

impl Worker for FanOut {
    fn work(self: Arc<Self>, records: Vec<Value>, _: Instant) -> Working {
        Box::pin(async move { self.fan_out(records).await })
    }
}

impl FanOut {
    /// A record that can't be read fails alone, and the others are announced; the batch fails when the store or a queue
    /// does not answer. When the time is up the rest comes again: some clients announce much, and others wait behind them.
    async fn fan_out(&self, records: Vec<Value>) -> Result<Batch, Error> {
        let started = Instant::now();
        let mut again = None;
        for some in records.chunks(CHUNK) {
            if started.elapsed() > MAX_TIME {
                again = again.or_else(|| some.first().map(number));
                break;
            }
            let read = self.read(some).await?;
            self.announce_all(&read).await?;
            again = again.or(read.poison);
        }
        Ok(Batch::failed(again))
    }

    async fn announce_all(&self, read: &Read) -> Result<(), Error> {
        for (client, announcements) in &read.announcements {
            self.announce(*client, announcements).await?;
        }
        for on in &read.switched_on {
            let task = self.jobs.release_after(on.client, on.event, on.webhook, on.at).await?;
            self.assign.send(&task, self.clock.now()).await?;
        }
        if read.unknown > 0 {
            self.metrics.count(FAN_OUT.id, "UnknownRecords", read.unknown, self.clock.now());
        }
        Ok(())
    }

    async fn read(&self, records: &[Value]) -> Result<Read, Error> {
        let mut read = Read::default();
        let mut definitions = Definitions::default();
        for record in records {
            match self.read_one(record, &mut definitions, &mut read).await {
                Ok(()) => {}
                Err(error) if error.code() == Code::Unavailable => return Err(error),
                Err(error) => {
                    let number = number(record);
                    let what = "a change can't be read and is given up in the end: mend it, then replay it";
                    tracing::error!(operation = FAN_OUT.id, sequence_number = number, ?error, "{what}");
                    read.poison.get_or_insert(number);
                }
            }
        }
        Ok(read)
    }

    async fn read_one(&self, record: &Value, definitions: &mut Definitions, read: &mut Read) -> Result<(), Error> {
        let images = &record["dynamodb"];
        match Record::of_images(images.get("OldImage"), images.get("NewImage")).read()? {
            ChangeEvent::Announced(committed) => {
                let announcement = self.stream.announcement(&committed, definitions).await?;
                let of_client = read.announcements.entry(announcement.client).or_default();
                // A record that comes twice in a batch: no item can be written twice in one call.
                if of_client.iter().all(|other| other.id != announcement.id) {
                    of_client.push(announcement);
                }
            }
            ChangeEvent::WebhookSwitchedOn { client, webhook, event, at } => {
                read.switched_on.push(SwitchedOn { client, webhook, event, at });
            }
            ChangeEvent::ClientRestored { client, event, at } => {
                let webhooks = self.announcer.webhooks(client).await?;
                let on = webhooks.into_iter().filter(|webhook| webhook.active);
                read.switched_on.extend(on.map(|webhook| SwitchedOn { client, webhook: webhook.id, event, at }));
            }
            ChangeEvent::None => {}
            ChangeEvent::Unknown => read.unknown += 1,
        }
        Ok(())
    }

    async fn announce(&self, client: ClientId, announcements: &[Announcement]) -> Result<(), Error> {
        // Read strongly, and after the changes: a webhook that was made before a change is told of it. One that was made
        // after it, while the stream lagged or before a change is replayed, is not.
        let webhooks = self.announcer.webhooks(client).await?;
        let wants = |webhook: &Webhook, announcement: &Announcement| {
            webhook.created_at <= announcement.written_at.plus(CLOCK_SKEW)
                && webhook.wants(announcement.event, announcement.tenant.as_ref())
        };
        let wanted = |announcement: &Announcement| -> Vec<&Webhook> {
            webhooks.iter().filter(|webhook| wants(webhook, announcement)).collect()
        };
        let pairs: Vec<_> = announcements.iter().map(|one| (one, wanted(one))).collect();
        let messages = self.announcer.announce(&pairs).await?;
        self.deliver.send(&messages, self.clock.now()).await
    }
}

/// A record's sequence number.
fn number(record: &Value) -> String {
    record["dynamodb"]["SequenceNumber"].as_str().unwrap_or_default().to_owned()
}

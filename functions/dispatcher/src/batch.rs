//! A batch of messages: each is gone or comes again, and none holds up another's.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use contract::id::WebhookId;
use contract::{Error, Time};
use futures_util::future::join_all;
use runtime::lambda::consumer::{Batch, QueueRecord, Working};
use runtime::{Assign, Retry, Vault, Worker};
use serde_json::Value;
use store::author::Clock;
use store::deliveries::{Attempts, Loaded, Message, Standing};
use store::endpoint_state::EndpointStates;
use store::jobs::JobStarts;
use tokio::time::Instant;

use crate::outbound::{Sender, Settings};
use crate::places::Places;
use crate::until::Until;
use crate::{DISPATCHER, schedule};

/// A message that comes this much too early is on time.
const EARLY: Duration = Duration::from_millis(500);

runtime::parts! {
    /// What a process holds for all of its batches.
    pub(crate) struct Dispatcher {
        pub(crate) attempts: Attempts,
        pub(crate) states: EndpointStates,
        pub(crate) jobs: JobStarts,
        pub(crate) retry: Retry,
        pub(crate) assign: Assign,
        pub(crate) vault: Vault,
        pub(crate) clock: Clock,
        |app|
        pub(crate) sender: Sender = {
            let settings = Settings::new(app.webhooks.rules.clone());
            Sender::new(Settings { deadline: app.webhooks.deadline, ..settings }).map_err(Error::internal)?
        },
        pub(crate) retries: Vec<Duration> = app.webhooks.retries.clone(),
        /// How long one attempt may take.
        pub(crate) deadline: Duration = app.webhooks.deadline,
        pub(crate) places: Places = Places::default(),
    }
}

/// A message in hand.
pub(crate) struct Parcel {
    pub(crate) message: Message,
    /// How often it has been handed out, this time and whenever something may have been begun for it before.
    pub(crate) received: u32,
    /// What the queue knows it by.
    record: String,
}

/// What becomes of a message.
pub(crate) enum Done {
    /// It is not needed any more.
    Gone,
    /// The queue shall hand it out again.
    Again,
}

impl Worker for Dispatcher {
    fn work(self: Arc<Self>, records: Vec<Value>, until: Instant) -> Working {
        let until = Until::new(until, self.deadline);
        Box::pin(async move { Ok(self.dispatch(records, until).await) })
    }
}

impl Dispatcher {
    async fn dispatch(&self, records: Vec<Value>, until: Until) -> Batch {
        let now = self.clock.now();
        let soon = now.plus(EARLY).millis();
        let (mut due, mut later, mut again) = (Vec::new(), Vec::new(), Vec::new());
        for record in records {
            match parcel(record) {
                Ok(parcel) if parcel.message.due <= soon => due.push(parcel),
                Ok(parcel) => later.push(parcel),
                // Nobody can read it: it goes the way of the dead letters.
                Err(record) => again.push(record),
            }
        }
        let later_records = Self::records(&later);
        let send_on = async {
            until.end(self.send_on(later, now, until)).await.unwrap_or_else(|error| {
                warn("messages can't be sent on", &error);
                later_records
            })
        };
        let (served, sent_on) = tokio::join!(self.serve(due, until), send_on);
        again.extend(served);
        again.extend(sent_on);
        Batch::failed(again)
    }

    /// Sends on what is due later than a queue can delay, but for what has been overtaken.
    async fn send_on(&self, later: Vec<Parcel>, now: Time, until: Until) -> Vec<String> {
        if later.is_empty() {
            return Vec::new();
        }
        let messages: Vec<Message> = later.iter().map(|parcel| parcel.message).collect();
        let standings = match self.attempts.standings(&messages).await {
            Ok(standings) => standings,
            Err(error) => {
                warn("messages can't be sent on", &error);
                return later.into_iter().map(|parcel| parcel.record).collect();
            }
        };
        let (mut to_come, mut begun) = (Vec::new(), Vec::new());
        for (parcel, standing) in later.into_iter().zip(standings) {
            match standing {
                Standing::ToCome => to_come.push(parcel),
                // By one whose clock is ahead, and it may have died.
                Standing::Begun if parcel.received > 1 => begun.push(parcel),
                Standing::Begun | Standing::Over => {}
            }
        }
        let messages: Vec<Message> = to_come.iter().map(|parcel| parcel.message).collect();
        let mut again = self.serve(begun, until).await;
        if let Err(error) = self.retry.send(&messages, now).await {
            warn("messages can't be sent on", &error);
            again.extend(to_come.into_iter().map(|parcel| parcel.record));
        }
        again
    }

    /// Serves the endpoints of a batch side by side, and gives the records that come again.
    async fn serve(&self, due: Vec<Parcel>, until: Until) -> Vec<String> {
        if due.is_empty() {
            return Vec::new();
        }
        let loaded = match until.before(self.load(&due)).await {
            Ok(loaded) => loaded,
            Err(error) => {
                warn("where messages go can't be read", &error);
                let records = Self::records(&due);
                return until.end(self.put_all_back(due, false)).await.unwrap_or(records);
            }
        };
        let mut by_webhook: HashMap<WebhookId, Vec<Parcel>> = HashMap::new();
        for parcel in due {
            by_webhook.entry(parcel.message.webhook).or_default().push(parcel);
        }
        let serve = async |(webhook, parcels): (WebhookId, Vec<Parcel>)| {
            // What is done already comes again as well, and turns out to be over.
            let records = Self::records(&parcels);
            until.end(self.serve_endpoint(webhook, parcels, &loaded, until)).await.unwrap_or_else(|error| {
                warn("an endpoint took too long", &error);
                records
            })
        };
        join_all(by_webhook.into_iter().map(serve)).await.into_iter().flatten().collect()
    }

    async fn load(&self, due: &[Parcel]) -> Result<Loaded, Error> {
        let ring = self.vault.ring().await?;
        let messages: Vec<Message> = due.iter().map(|parcel| parcel.message).collect();
        self.attempts.load(&messages, &ring).await
    }

    /// Puts a message back that can't be dealt with now, for less time if its endpoint answers; the record comes again if
    /// that fails.
    pub(crate) async fn put_back(&self, parcel: Parcel, answers: bool) -> Option<String> {
        let now = self.clock.now();
        let due = now.plus(schedule::away(parcel.message.waits, answers)).millis();
        // This time nothing was begun.
        let received = parcel.received.saturating_sub(1);
        let message = Message { due, waits: parcel.message.waits + 1, received, ..parcel.message };
        match self.retry.send(&[message], now).await {
            Ok(()) => None,
            Err(error) => {
                warn("a message can't be put back", &error);
                Some(parcel.record)
            }
        }
    }

    fn records(parcels: &[Parcel]) -> Vec<String> {
        parcels.iter().map(|parcel| parcel.record.clone()).collect()
    }

    /// The record of a parcel, if it comes again.
    pub(crate) fn record(parcel: Parcel, done: &Done) -> Option<String> {
        match done {
            Done::Gone => None,
            Done::Again => Some(parcel.record),
        }
    }
}

/// A record's message, or the record's name if it holds none.
fn parcel(record: Value) -> Result<Parcel, String> {
    let name = record["messageId"].as_str().unwrap_or_default().to_owned();
    let read = serde_json::from_value::<QueueRecord>(record).and_then(|record| {
        let message: Message = serde_json::from_str(&record.body)?;
        let received = record.received() + message.received;
        Ok(Parcel { message, received, record: record.message_id })
    });
    read.map_err(|error| {
        tracing::error!(operation = DISPATCHER.id, message = name, error = %error, "a message can't be read");
        name
    })
}

pub(crate) fn warn(what: &'static str, error: &Error) {
    tracing::warn!(operation = DISPATCHER.id, ?error, "{what}");
}

//! The queues that functions send to.

use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use contract::id::ClientId;
use contract::{Error, Time};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde::Serialize;
use store::calls::CallObserver;
use store::deliveries::Message;
use store::jobs::Task;

/// SQS delays a message by this at the most; what is due later is sent on when it comes.
const LONGEST_DELAY: Duration = Duration::from_secs(900);
/// Messages in one call at the most.
const BATCH: usize = 10;
/// Calls at once.
const AT_ONCE: usize = 8;
/// How often what SQS left undone is sent again.
const ROUNDS: u32 = 5;

/// A queue by its role; its name is the deployment's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Queue {
    /// First attempts of deliveries.
    FirstAttempts,
    /// What is tried again, sent on, or deferred.
    Retries,
    /// Tasks of jobs.
    Jobs,
    /// Mails, sealed.
    Mail,
}

impl Queue {
    /// Every queue.
    pub const ALL: [Self; 4] = [Self::FirstAttempts, Self::Retries, Self::Jobs, Self::Mail];

    /// The word for it in names: `first-attempts`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::FirstAttempts => "first-attempts",
            Self::Retries => "retries",
            Self::Jobs => "jobs",
            Self::Mail => "mail",
        }
    }
}

/// The queues of a deployment. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Queues {
    sqs: Client,
    /// What the queues' addresses begin with; `-first-attempts` and so on follow.
    base: String,
}

/// What is sent: a body, when it is due, and whose turn it is.
struct Outgoing {
    body: String,
    delay: i32,
    /// In a fair queue, a client that has much under way does not delay the others'.
    group: Option<String>,
}

impl Queues {
    /// Queues at addresses that begin like this.
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "it is the queues' from here on, and observed")]
    pub fn new(sqs: Client, base: String) -> Self {
        let sqs = Client::from_conf(sqs.config().to_builder().interceptor(CallObserver).build());
        Self { sqs, base }
    }

    pub(crate) fn of_sdk(sdk: &SdkConfig, base: String) -> Self {
        Self::new(Client::new(sdk), base)
    }

    /// A queue's address.
    #[must_use]
    pub fn url(&self, queue: Queue) -> String {
        format!("{}-{}", self.base, queue.word())
    }

    /// Sends deliveries on their way. All of them, or an error; then some may have been sent.
    ///
    /// # Errors
    /// `unavailable` if SQS refuses for too long.
    pub async fn send(&self, queue: Queue, messages: &[Message], now: Time) -> Result<(), Error> {
        let outgoing = |message: &Message| outgoing(message, message.due, now, message.client);
        self.send_all(queue, messages.iter().map(outgoing).collect::<Result<_, _>>()?).await
    }

    /// Sends a task to the worker of jobs.
    ///
    /// # Errors
    /// `unavailable` if SQS refuses for too long.
    pub async fn send_task(&self, task: &Task, now: Time) -> Result<(), Error> {
        self.send_all(Queue::Jobs, vec![outgoing(task, task.due(), now, task.client())?]).await
    }

    /// Sends a mail on its way, sealed. It stands in no group: whom it is about is nobody's business.
    ///
    /// # Errors
    /// `unavailable` if SQS refuses for too long.
    pub(crate) async fn send_mail(&self, sealed: String) -> Result<(), Error> {
        self.send_batch(Queue::Mail, vec![Outgoing { body: sealed, delay: 0, group: None }]).await
    }

    /// Has a message come again after this, counted from now, by its receipt; it must not be deleted before.
    ///
    /// # Errors
    /// `unavailable` if SQS refuses; then it comes again when it would have.
    pub(crate) async fn postpone(&self, queue: Queue, receipt: &str, by: Duration) -> Result<(), Error> {
        let seconds = i32::try_from(by.as_secs()).unwrap_or(i32::MAX);
        let call = self.sqs.change_message_visibility().queue_url(self.url(queue));
        match call.receipt_handle(receipt).visibility_timeout(seconds).send().await {
            Ok(_) => Ok(()),
            Err(error) => {
                let cause = aws_sdk_sqs::error::DisplayErrorContext(&error).to_string();
                Err(Error::unavailable(format!("ChangeMessageVisibility: {cause}")))
            }
        }
    }

    async fn send_all(&self, queue: Queue, outgoing: Vec<Outgoing>) -> Result<(), Error> {
        let mut rest = outgoing.into_iter().peekable();
        let mut batches: Vec<Vec<Outgoing>> = Vec::new();
        while rest.peek().is_some() {
            batches.push(rest.by_ref().take(BATCH).collect());
        }
        let batches = stream::iter(batches).map(|batch| self.send_batch(queue, batch));
        batches.buffer_unordered(AT_ONCE).try_collect().await
    }

    async fn send_batch(&self, queue: Queue, batch: Vec<Outgoing>) -> Result<(), Error> {
        let entry = |(at, one): (usize, Outgoing)| {
            SendMessageBatchRequestEntry::builder()
                .id(at.to_string())
                .message_body(one.body)
                .delay_seconds(one.delay)
                .set_message_group_id(one.group)
                .build()
                .map_err(|error| Error::internal(error.to_string()))
        };
        let mut entries = batch.into_iter().enumerate().map(entry).collect::<Result<Vec<_>, _>>()?;
        for round in 0..ROUNDS {
            let call = self.sqs.send_message_batch().queue_url(self.url(queue)).set_entries(Some(entries.clone()));
            match call.send().await {
                Ok(answer) if answer.failed().is_empty() => return Ok(()),
                Ok(answer) => entries.retain(|entry| answer.failed().iter().any(|failed| failed.id() == entry.id())),
                Err(error) if round + 1 == ROUNDS => {
                    let cause = aws_sdk_sqs::error::DisplayErrorContext(&error).to_string();
                    return Err(Error::unavailable(format!("SendMessageBatch: {cause}")));
                }
                Err(_) => {}
            }
            tokio::time::sleep(Duration::from_millis(50 << round)).await;
        }
        Err(Error::unavailable("SendMessageBatch: messages were left unsent"))
    }
}

fn outgoing(body: &impl Serialize, due: i64, now: Time, client: ClientId) -> Result<Outgoing, Error> {
    let body = serde_json::to_string(body).map_err(Error::internal)?;
    // Rounded up: a message that comes too early is sent on once more.
    let seconds = (due - now.millis()).max(0).saturating_add(999) / 1000;
    let most = i64::try_from(LONGEST_DELAY.as_secs()).unwrap_or(0);
    Ok(Outgoing { body, delay: i32::try_from(seconds.min(most)).unwrap_or(0), group: Some(client.to_string()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delay_is_whole_seconds_and_never_over_what_sqs_takes() {
        let now = Time::from_millis(1_000_000);
        let client: ClientId = "cl_00000000000000000000000000000001".parse().expect("an identifier");
        let delay = |due: i64| outgoing(&"x", due, now, client).map(|one| one.delay).unwrap_or(-1);
        assert_eq!(delay(0), 0);
        assert_eq!(delay(1_000_000), 0);
        assert_eq!(delay(1_000_001), 1);
        assert_eq!(delay(1_060_000), 60);
        assert_eq!(delay(1_000_000 + 43_200_000), 900);
    }
}

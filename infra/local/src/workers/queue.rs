//! The poller of a queue.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::DisplayErrorContext;
use aws_sdk_sqs::types::{DeleteMessageBatchRequestEntry, Message, MessageSystemAttributeName as System};
use functions::settings::MESSAGES;
use runtime::Queue;
use serde_json::{Map, Value};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::consumer::Fed;
use super::{GRACE, Poller};
use crate::services;

/// How long a receive waits for a message, in seconds.
const WAIT: i32 = 20;
/// The pause after a receive that failed.
const PAUSE: Duration = Duration::from_millis(500);

/// A queue that is polled.
struct Polled {
    consumer: Arc<Fed>,
    sqs: Client,
    url: String,
    arn: String,
}

/// Feeds a consumer a queue's messages, so many batches at once.
pub(super) async fn poll(poller: Poller, sqs: Client, url: String, queue: Queue, at_once: usize) {
    let Poller { consumer, mut stop } = poller;
    let arn = format!("arn:aws:sqs:us-east-1:000000000000:{}", services::queue_name(queue));
    let polled = Arc::new(Polled { consumer, sqs, url, arn });
    let places = Arc::new(Semaphore::new(at_once));
    // Those that are still worked on when this is dropped are given up.
    let mut batches = JoinSet::new();
    loop {
        let receive = async {
            let place = places.clone().acquire_owned().await.ok()?;
            Some((place, polled.receive().await))
        };
        let received = tokio::select! {
            received = receive => received,
            () = stop.asked() => None,
        };
        let Some((place, messages)) = received else { break };
        while batches.try_join_next().is_some() {}
        if !messages.is_empty() {
            let polled = polled.clone();
            batches.spawn(async move {
                polled.work(messages).await;
                drop(place);
            });
        }
    }
    let _ = timeout(GRACE, async { while batches.join_next().await.is_some() {} }).await;
}

impl Polled {
    async fn receive(&self) -> Vec<Message> {
        let receive = self.sqs.receive_message().queue_url(&self.url).max_number_of_messages(MESSAGES.into());
        let receive = receive.wait_time_seconds(WAIT).message_system_attribute_names(System::All);
        match receive.send().await {
            Ok(received) => received.messages.unwrap_or_default(),
            Err(error) => {
                let error = DisplayErrorContext(&error).to_string();
                tracing::error!(operation = self.consumer.consumer.id, error, "messages can't be received");
                tokio::time::sleep(PAUSE).await;
                Vec::new()
            }
        }
    }

    /// Hands a batch to the consumer and deletes what it is done with. The rest comes again when it is no longer hidden.
    async fn work(&self, messages: Vec<Message>) {
        let mut receipts = Vec::with_capacity(messages.len());
        let mut records = Vec::with_capacity(messages.len());
        for message in messages {
            let receipt = (message.message_id.clone(), message.receipt_handle.clone());
            receipts.push((receipt.0.unwrap_or_default(), receipt.1.unwrap_or_default()));
            records.push(self.record(message));
        }
        // A whole batch that failed was logged.
        let Ok(batch) = self.consumer.invoke(records).await else { return };
        let failed: HashSet<&str> =
            batch.batch_item_failures.iter().map(|failure| failure.item_identifier.as_str()).collect();
        // As Lambda has it: one that is not of the batch fails all of it.
        if failed.iter().any(|failed| !receipts.iter().any(|(id, _)| id == failed)) {
            return;
        }
        let done = receipts.iter().filter(|(id, _)| !failed.contains(id.as_str()));
        self.delete(done.map(|(_, receipt)| receipt.as_str())).await;
    }

    /// A message as Lambda hands it to a function.
    fn record(&self, message: Message) -> Value {
        let text = |text: Option<String>| Value::String(text.unwrap_or_default());
        let attributes = message.attributes.unwrap_or_default().into_iter();
        let attributes = attributes.map(|(name, value)| (name.as_str().to_owned(), Value::String(value))).collect();
        // By hand: `json!` would copy the body.
        let members = [
            ("messageId", text(message.message_id)),
            ("receiptHandle", text(message.receipt_handle)),
            ("body", text(message.body)),
            ("attributes", Value::Object(attributes)),
            ("messageAttributes", Value::Object(Map::new())),
            ("md5OfBody", text(message.md5_of_body)),
            ("eventSource", Value::from("aws:sqs")),
            ("eventSourceARN", Value::from(self.arn.as_str())),
            ("awsRegion", Value::from("us-east-1")),
        ];
        Value::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }

    async fn delete(&self, receipts: impl Iterator<Item = &str>) {
        let entry = |(at, receipt): (usize, &str)| {
            DeleteMessageBatchRequestEntry::builder().id(at.to_string()).receipt_handle(receipt).build().ok()
        };
        let entries: Vec<_> = receipts.enumerate().filter_map(entry).collect();
        if entries.is_empty() {
            return;
        }
        let id = self.consumer.consumer.id;
        match self.sqs.delete_message_batch().queue_url(&self.url).set_entries(Some(entries)).send().await {
            Ok(answer) if answer.failed().is_empty() => {}
            Ok(answer) => {
                tracing::warn!(
                    operation = id,
                    messages = answer.failed().len(),
                    "finished messages could not be deleted from their queue: they come again and are dropped then"
                );
            }
            Err(error) => {
                let error = DisplayErrorContext(&error).to_string();
                tracing::warn!(
                    operation = id,
                    error,
                    "finished messages could not be deleted from their queue: they come again and are dropped then"
                );
            }
        }
    }
}

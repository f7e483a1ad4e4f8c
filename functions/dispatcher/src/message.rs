//! A message of the queue.

use contract::Error;
use runtime::lambda::consumer::QueueRecord;
use serde_json::Value;
use store::deliveries::Message;

/// A message in hand.
pub(crate) struct QueueMessage {
    pub(crate) message: Message,
    /// How often it has been handed out, this time and whenever something may have been begun for it before.
    pub(crate) receive_count: u32,
    /// What the queue knows it by.
    pub(crate) record_id: String,
}

impl QueueMessage {
    /// The message that a record holds.
    ///
    /// # Errors
    /// If it holds none.
    pub(crate) fn read(record: Value) -> Result<Self, Error> {
        let record = QueueRecord::read(record)?;
        let message: Message = serde_json::from_str(&record.body).map_err(Error::internal)?;
        let receive_count = record.received() + message.received;
        Ok(Self { message, receive_count, record_id: record.message_id })
    }
}

/// What the queue knows messages by.
pub(crate) fn record_ids(messages: &[QueueMessage]) -> Vec<String> {
    messages.iter().map(|queued| queued.record_id.clone()).collect()
}

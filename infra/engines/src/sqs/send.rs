//! Sending.

use rusqlite::{Connection, params};
use serde::Deserialize;
use serde_json::{Value, json};

use super::batch::{Batch, Outcome};
use super::message::{Accepted, Outgoing, sum, sum_of_attributes};
use super::queue::{MAX_MESSAGE_BYTES, Queue};
use super::{Refusal, Sqs};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Send {
    queue_url: Option<String>,
    #[serde(flatten)]
    message: Outgoing,
}

impl Sqs {
    pub(super) fn send(&self, body: &[u8]) -> Result<Value, Refusal> {
        let request: Send = serde_json::from_slice(body)?;
        let sent = self.write(|database| {
            let queue = Queue::at(database, request.queue_url.as_deref())?;
            insert(database, &queue, &request.message.check(&queue)?, self.now())
        })?;
        self.shared.changed.notify_waiters();
        Ok(sent)
    }

    pub(super) fn send_batch(&self, body: &[u8]) -> Result<Value, Refusal> {
        let request: Batch<Outgoing> = serde_json::from_slice(body)?;
        let outcome = self.write(|database| {
            let queue = Queue::at(database, request.queue_url.as_deref())?;
            let entries = request.check("SendMessage")?;
            let size: i64 = entries.iter().map(|(_, message)| message.size()).sum();
            if size > MAX_MESSAGE_BYTES {
                let message = format!(
                    "Batch requests cannot be longer than {MAX_MESSAGE_BYTES} bytes. You have sent {size} bytes."
                );
                return Err(Refusal::batch_length(message));
            }
            let mut outcome = Outcome::default();
            for (id, message) in entries {
                let sent = message.check(&queue).and_then(|m| insert(database, &queue, &m, self.now()));
                outcome.note(&id, sent)?;
            }
            Ok(outcome)
        })?;
        self.shared.changed.notify_waiters();
        Ok(outcome.answer())
    }
}

fn insert(database: &Connection, queue: &Queue, message: &Accepted, now: i64) -> Result<Value, Refusal> {
    let id = new_id()?;
    let sum = sum(&message.body);
    let attributes =
        (!message.attributes.is_empty()).then(|| serde_json::to_string(&message.attributes)).transpose()?;
    database
        .prepare_cached(
            "INSERT INTO messages (queue, id, body, sum, attributes, trace, grouped, sent, visible) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?
        .execute(params![
            queue.id,
            id,
            message.body,
            sum,
            attributes,
            message.trace,
            message.group,
            now,
            now + message.delay * 1000,
        ])?;
    let mut told = json!({ "MessageId": id, "MD5OfMessageBody": sum });
    if let Some(sum) = sum_of_attributes(&message.attributes) {
        told["MD5OfMessageAttributes"] = json!(sum);
    }
    Ok(told)
}

/// A message's identifier: a UUID of chance alone.
pub(super) fn new_id() -> Result<String, Refusal> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|e| Refusal::internal(e.to_string()))?;
    let number = u128::from_be_bytes(bytes);
    let number = number & !(0xf << 76) & !(0x3 << 62) | (0x4 << 76) | (0x2 << 62);
    let hex = format!("{number:032x}");
    Ok(format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]))
}

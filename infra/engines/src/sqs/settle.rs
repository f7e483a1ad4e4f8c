//! What a receiver does with a message: deletes it, or changes how long it stays out of others' sight.

use rusqlite::{Connection, OptionalExtension, params};
use serde::Deserialize;
use serde_json::{Value, json};

use super::batch::{Batch, Outcome};
use super::queue::Queue;
use super::{Refusal, Sqs};

/// What a receipt handle names: one receive of one message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Receipt {
    pub(super) queue: i64,
    pub(super) seq: i64,
    pub(super) token: i64,
}

/// What every handle begins with, as AWS's do.
const MARK: &str = "AQEB";

impl Receipt {
    pub(super) fn handle(self) -> String {
        format!("{MARK}{:016x}{:016x}{:016x}", self.queue, self.seq, self.token)
    }

    fn of(handle: Option<&str>, queue: &Queue) -> Result<Self, Refusal> {
        let handle = handle.filter(|handle| !handle.is_empty()).ok_or_else(|| Refusal::missing("ReceiptHandle"))?;
        let invalid =
            || Refusal::handle(format!("The input receipt handle \"{handle}\" is not a valid receipt handle."));
        let hex = handle.strip_prefix(MARK).filter(|hex| hex.len() == 48 && hex.bytes().all(|c| c.is_ascii_hexdigit()));
        let part = |nth: usize| u64::from_str_radix(hex?.get(nth * 16..nth * 16 + 16)?, 16).ok().map(u64::cast_signed);
        let (Some(of), Some(seq), Some(token)) = (part(0), part(1), part(2)) else { return Err(invalid()) };
        if of == queue.id { Ok(Self { queue: of, seq, token }) } else { Err(invalid()) }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct One<T> {
    queue_url: Option<String>,
    #[serde(flatten)]
    of: T,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Delete {
    receipt_handle: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Change {
    receipt_handle: Option<String>,
    visibility_timeout: Option<i64>,
}

impl Sqs {
    pub(super) fn delete(&self, body: &[u8]) -> Result<Value, Refusal> {
        let request: One<Delete> = serde_json::from_slice(body)?;
        self.write(|database| {
            let queue = Queue::at(database, request.queue_url.as_deref())?;
            request.of.carry_out(database, &queue)
        })
    }

    pub(super) fn delete_batch(&self, body: &[u8]) -> Result<Value, Refusal> {
        let request: Batch<Delete> = serde_json::from_slice(body)?;
        self.write(|database| {
            let queue = Queue::at(database, request.queue_url.as_deref())?;
            let mut outcome = Outcome::default();
            for (id, delete) in request.check("DeleteMessage")? {
                outcome.note(&id, delete.carry_out(database, &queue))?;
            }
            Ok(outcome.answer())
        })
    }

    pub(super) fn change(&self, body: &[u8]) -> Result<Value, Refusal> {
        let request: One<Change> = serde_json::from_slice(body)?;
        let changed = self.write(|database| {
            let queue = Queue::at(database, request.queue_url.as_deref())?;
            request.of.carry_out(database, &queue, self.now())
        });
        self.shared.changed.notify_waiters();
        changed
    }

    pub(super) fn change_batch(&self, body: &[u8]) -> Result<Value, Refusal> {
        let request: Batch<Change> = serde_json::from_slice(body)?;
        let changed = self.write(|database| {
            let queue = Queue::at(database, request.queue_url.as_deref())?;
            let mut outcome = Outcome::default();
            for (id, change) in request.check("ChangeMessageVisibility")? {
                outcome.note(&id, change.carry_out(database, &queue, self.now()))?;
            }
            Ok(outcome.answer())
        });
        self.shared.changed.notify_waiters();
        changed
    }
}

impl Delete {
    /// A handle that is no longer the newest deletes nothing, and isn't told so, as on AWS.
    fn carry_out(&self, database: &Connection, queue: &Queue) -> Result<Value, Refusal> {
        let receipt = Receipt::of(self.receipt_handle.as_deref(), queue)?;
        database
            .prepare_cached("DELETE FROM messages WHERE seq = ?1 AND queue = ?2 AND receipt = ?3")?
            .execute(params![receipt.seq, receipt.queue, receipt.token])?;
        Ok(json!({}))
    }
}

impl Change {
    fn carry_out(&self, database: &Connection, queue: &Queue, now: i64) -> Result<Value, Refusal> {
        let receipt = Receipt::of(self.receipt_handle.as_deref(), queue)?;
        let timeout = self.visibility_timeout.ok_or_else(|| Refusal::missing("VisibilityTimeout"))?;
        if !(0..=43_200).contains(&timeout) {
            let reason = "VisibilityTimeout must be an integer between 0 and 43200.";
            return Err(Refusal::invalid("VisibilityTimeout", timeout, reason));
        }
        let found: Option<(i64, i64)> = database
            .prepare_cached("SELECT visible, received FROM messages WHERE seq = ?1 AND queue = ?2 AND receipt = ?3")?
            .query_row(params![receipt.seq, receipt.queue, receipt.token], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let Some((visible, received)) = found else {
            let reason = "Message does not exist or is not available for visibility timeout change.";
            return Err(Refusal::invalid("ReceiptHandle", receipt.handle(), reason));
        };
        if visible <= now {
            return Err(Refusal::not_in_flight("The message referred to isn't in flight."));
        }
        // In whole seconds, as the timeout is.
        if (now - received) / 1000 + timeout > 43_200 {
            let reason = "Total VisibilityTimeout for the message is beyond the limit [43200 seconds]";
            return Err(Refusal::invalid("VisibilityTimeout", timeout, reason));
        }
        database
            .prepare_cached("UPDATE messages SET visible = ?2 WHERE seq = ?1")?
            .execute([receipt.seq, now + timeout * 1000])?;
        Ok(json!({}))
    }
}

//! A table's stream, for a consumer in this process.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use dynoxide::Database;
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::{Value, json};
use tokio::sync::{Mutex as AsyncMutex, Notify, OwnedMutexGuard};
use tokio::time::timeout;

use crate::file::EngineError;

/// How often a wait looks for what other processes have written.
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// `dynoxide` keeps a sequence number as a count and tells it with this added, so that all have 21 digits.
const OFFSET: i128 = 100_000_000_000_000_000_000;

/// The keys of `hedgerow_stream_position`, so that neither looks at other records than those that it gives or deletes.
pub(super) const PAGE: &str = "SELECT event_id, event_name, keys_json, new_image, old_image, sequence_number, created_at, \
     user_identity FROM _stream_records WHERE table_name = ?1 AND CAST(sequence_number AS INTEGER) > ?2 \
     ORDER BY CAST(sequence_number AS INTEGER) LIMIT ?3";
/// The newest stays: `dynoxide` counts on from it.
pub(super) const PRUNE: &str = "DELETE FROM _stream_records WHERE table_name = ?1 \
     AND CAST(sequence_number AS INTEGER) <= ?2 AND CAST(sequence_number AS INTEGER) < \
     (SELECT MAX(CAST(sequence_number AS INTEGER)) FROM _stream_records WHERE table_name = ?1)";

/// Where consumers are, in a file of our own: what a newer `dynoxide` does to its tables is its affair.
pub(super) const CHECKPOINTS: &str = "CREATE TABLE IF NOT EXISTS checkpoints (
    stream TEXT NOT NULL, consumer TEXT NOT NULL, sequence_number TEXT NOT NULL, PRIMARY KEY (stream, consumer));";

/// What the handles on one store share: which tables somebody reads the stream of, and that one was written to.
#[derive(Debug, Default)]
pub(super) struct Signal {
    watched: Mutex<Vec<String>>,
    turns: Mutex<HashMap<String, Arc<AsyncMutex<()>>>>,
    writes: AtomicU64,
    written: Notify,
}

impl Signal {
    /// Notes a write, if the request names a table that somebody reads the stream of.
    pub(super) fn written(&self, body: &[u8]) {
        let watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
        // As a table's name, or as something else, which costs one look. (A text's search is fast in every build.)
        let names = |body: &str| watched.iter().any(|table| body.contains(table.as_str()));
        if std::str::from_utf8(body).is_ok_and(names) {
            self.tell();
        }
    }

    /// The turn of a consumer of a table.
    fn turn(&self, table: &str, consumer: &str) -> Arc<AsyncMutex<()>> {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        turns.entry(format!("{table} {consumer}")).or_default().clone()
    }

    /// Notes a write to any table.
    pub(super) fn tell(&self) {
        self.writes.fetch_add(1, Ordering::Release);
        self.written.notify_waiters();
    }
}

/// The stream of one table: what was written to it, in the order in which it was committed. SQLite lets one process
/// write at a time, so no record comes to light after one with a greater number. A clone is another handle on it.
#[derive(Clone)]
pub struct Stream {
    shared: Arc<Shared>,
}

struct Shared {
    table: String,
    database: Database,
    /// The records, beside `dynoxide`'s own connection.
    records: Mutex<Connection>,
    checkpoints: Arc<Mutex<Connection>>,
    signal: Arc<Signal>,
    /// The writes of this process, and the file's version, as they were before the last read.
    seen_writes: AtomicU64,
    seen_version: AtomicI64,
}

impl Stream {
    pub(super) fn new(
        table: &str,
        database: Database,
        records: Connection,
        checkpoints: Arc<Mutex<Connection>>,
        signal: Arc<Signal>,
    ) -> Self {
        let mut watched = signal.watched.lock().unwrap_or_else(PoisonError::into_inner);
        if !watched.iter().any(|known| known == table) {
            watched.push(table.to_owned());
        }
        drop(watched);
        let shared = Shared {
            table: table.to_owned(),
            database,
            records: Mutex::new(records),
            checkpoints,
            signal,
            // As if there had been something, until the first read.
            seen_writes: AtomicU64::new(u64::MAX),
            seen_version: AtomicI64::new(-1),
        };
        Self { shared: Arc::new(shared) }
    }

    /// Waits until this consumer is not at work on the table's records elsewhere in this process: as Lambda has it, who
    /// consumes a shard does so one batch after another. Until what is given is dropped, it is not. Consumers don't wait for
    /// each other.
    pub async fn turn(&self, consumer: &str) -> OwnedMutexGuard<()> {
        self.shared.signal.turn(&self.shared.table, consumer).lock_owned().await
    }

    /// At most `limit` records after a sequence number, oldest first, or from the oldest that is there. Each has the
    /// JSON form in which Lambda hands it to a function, as a member of `Records`.
    pub fn read(&self, after: Option<&str>, limit: usize) -> Result<Vec<Value>, EngineError> {
        let after = after.map_or(Ok(0), stored)?;
        // Noted before the look: what is written after it ends the next wait.
        self.shared.seen_writes.store(self.shared.signal.writes.load(Ordering::Acquire), Ordering::Relaxed);
        let records = lock(&self.shared.records);
        self.shared.seen_version.store(version(&records)?, Ordering::Relaxed);
        let mut page = records.prepare_cached(PAGE)?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = page.query_map(params![self.shared.table, after, limit], Record::of_row)?;
        let found = rows.collect::<Result<Vec<_>, _>>()?;
        if found.is_empty() {
            return Ok(Vec::new());
        }
        let table = self.shared.database.get_table_metadata(&self.shared.table);
        let table = table.map_err(|e| EngineError(e.to_string()))?;
        let (label, view) = table.map(|table| (table.stream_label, table.stream_view_type)).unwrap_or_default();
        let label = label.unwrap_or_default();
        let source = format!("arn:aws:dynamodb:us-east-1:000000000000:table/{}/stream/{label}", self.shared.table);
        let view = view.as_deref().unwrap_or("NEW_AND_OLD_IMAGES");
        found.into_iter().map(|record| record.tell(&source, view)).collect()
    }

    /// Deletes the records up to this sequence number, and it too. The newest of all stays, so that numbers never begin
    /// anew.
    pub fn prune(&self, through: &str) -> Result<(), EngineError> {
        let records = lock(&self.shared.records);
        records.prepare_cached(PRUNE)?.execute(params![self.shared.table, stored(through)?])?;
        Ok(())
    }

    /// Deletes the records that all of these consumers have come past; none, while one of them has not begun.
    pub fn prune_behind(&self, consumers: &[&str]) -> Result<(), EngineError> {
        let mut behind = None;
        for consumer in consumers {
            let Some(at) = self.checkpoint(consumer)? else { return Ok(()) };
            // All have as many digits.
            behind = Some(behind.map_or_else(|| at.clone(), |before: String| before.min(at.clone())));
        }
        behind.map_or(Ok(()), |through| self.prune(&through))
    }

    /// Waits until something may have been written to the table since the last `read` of this stream: not at all if it
    /// has been, at most until this process writes, and about 100 ms longer than another process takes to.
    pub async fn changed(&self) {
        loop {
            let written = self.shared.signal.written.notified();
            if self.shared.signal.writes.load(Ordering::Acquire) != self.shared.seen_writes.load(Ordering::Relaxed) {
                return;
            }
            if timeout(POLL_INTERVAL, written).await.is_err() {
                // Its version tells whether anybody wrote to the file. One that can't be read is the next read's to tell.
                let now = version(&lock(&self.shared.records)).unwrap_or(-1);
                if now != self.shared.seen_version.load(Ordering::Relaxed) {
                    return;
                }
            }
        }
    }

    /// The sequence number that a consumer has come to, as it last said.
    pub fn checkpoint(&self, consumer: &str) -> Result<Option<String>, EngineError> {
        let checkpoints = lock(&self.shared.checkpoints);
        let found = checkpoints
            .prepare_cached("SELECT sequence_number FROM checkpoints WHERE stream = ?1 AND consumer = ?2")?
            .query_row([&self.shared.table, consumer], |row| row.get(0))
            .optional()?;
        Ok(found)
    }

    /// Keeps the sequence number that a consumer has come to. It outlives the process.
    pub fn set_checkpoint(&self, consumer: &str, sequence_number: &str) -> Result<(), EngineError> {
        stored(sequence_number)?;
        let checkpoints = lock(&self.shared.checkpoints);
        checkpoints.prepare_cached("INSERT OR REPLACE INTO checkpoints VALUES (?1, ?2, ?3)")?.execute([
            &self.shared.table,
            consumer,
            sequence_number,
        ])?;
        Ok(())
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Stream({})", self.shared.table)
    }
}

fn lock(connection: &Mutex<Connection>) -> MutexGuard<'_, Connection> {
    connection.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A number that another connection's commit changes. It costs a look at shared memory.
fn version(records: &Connection) -> Result<i64, rusqlite::Error> {
    records.prepare_cached("PRAGMA data_version")?.query_row([], |row| row.get(0))
}

/// A sequence number as `dynoxide` keeps it.
fn stored(told: &str) -> Result<i64, EngineError> {
    let number = told.parse::<i128>().ok().and_then(|number| i64::try_from(number - OFFSET).ok());
    number.filter(|number| *number >= 0).ok_or_else(|| EngineError(format!("{told} is no sequence number")))
}

/// A record's row.
struct Record {
    id: Option<String>,
    name: String,
    keys: String,
    new: Option<String>,
    old: Option<String>,
    number: String,
    created: i64,
    by: Option<String>,
}

impl Record {
    fn of_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            name: row.get(1)?,
            keys: row.get(2)?,
            new: row.get(3)?,
            old: row.get(4)?,
            number: row.get(5)?,
            created: row.get(6)?,
            by: row.get(7)?,
        })
    }

    /// The record in Lambda's JSON.
    fn tell(self, source: &str, view: &str) -> Result<Value, EngineError> {
        let parse = |text: &str| serde_json::from_str::<Value>(text).map_err(|e| EngineError(e.to_string()));
        let size = self.keys.len() + [&self.new, &self.old].into_iter().flatten().map(String::len).sum::<usize>();
        let number: i128 = self.number.parse().map_err(|_| EngineError(format!("{} is no number", self.number)))?;
        let mut dynamodb = json!({
            "ApproximateCreationDateTime": self.created,
            "Keys": parse(&self.keys)?,
            "SequenceNumber": (number + OFFSET).to_string(),
            "SizeBytes": size,
            "StreamViewType": view,
        });
        for (member, image) in [("NewImage", &self.new), ("OldImage", &self.old)] {
            if let Some(image) = image {
                dynamodb[member] = parse(image)?;
            }
        }
        let mut told = json!({
            "eventID": self.id.unwrap_or(self.number),
            "eventName": self.name,
            "eventVersion": "1.1",
            "eventSource": "aws:dynamodb",
            "awsRegion": "us-east-1",
            "eventSourceARN": source,
            "dynamodb": dynamodb,
        });
        // What time-to-live deleted says so.
        if let Some(by) = self.by {
            told["userIdentity"] = parse(&by)?;
        }
        Ok(told)
    }
}

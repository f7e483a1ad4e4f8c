//! DynamoDB, embedded: `dynoxide` over one SQLite file that several processes may share.

mod fault;
mod item_access;
mod operation;
mod query;
mod stream;

use std::fmt;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use dynoxide::Database;
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::file::{self, EngineError, OPENING, OpenError, WRITING, private};
pub(crate) use fault::faulty;
pub(crate) use item_access::{ItemAccess, transaction_size};
pub(crate) use operation::Operation;
pub use stream::Stream;
use stream::{CHECKPOINTS, Signal};

/// Without it every write to a table with a stream reads all the records that the stream ever had: `dynoxide` looks for
/// `MAX(CAST(sequence_number AS INTEGER))` and makes no index. The expression must stay exactly as it writes it.
const STREAM_INDEX: &str = "CREATE INDEX IF NOT EXISTS hedgerow_stream_position \
     ON _stream_records (table_name, CAST(sequence_number AS INTEGER))";

/// An embedded DynamoDB. A clone is another handle on the same one.
#[derive(Clone)]
pub struct Dynamo {
    database: Database,
    /// By which further connections open the same database.
    file: Arc<str>,
    checkpoints: Arc<Mutex<Connection>>,
    /// Reads what lists show.
    lists: Arc<Mutex<Connection>>,
    signal: Arc<Signal>,
}

impl Dynamo {
    /// Opens the store in `folder`, which is created for its owner alone if it isn't there. Several processes may have
    /// it open at once, and each sees what the others committed.
    pub fn open(folder: &Path) -> Result<Self, OpenError> {
        let checkpoints = file::open(Some(folder), "checkpoints.db", CHECKPOINTS)?;
        Self::at(&private(folder, "dynamo.db")?, checkpoints)
    }

    /// A store in memory that lasts as long as its handles.
    pub fn memory() -> Result<Self, OpenError> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        // A named database of the memory VFS, since only a second connection can give it the index.
        let name = format!("file:/hedgerow-{}?vfs=memdb", COUNT.fetch_add(1, Ordering::Relaxed));
        Self::at(&name, file::open(None, "", CHECKPOINTS)?)
    }

    fn at(file: &str, checkpoints: Connection) -> Result<Self, OpenError> {
        let database = Database::new(file).map_err(|e| OpenError::Engine(e.to_string()))?;
        // dynoxide leaves synchronous at FULL, an fsync a write. This sets NORMAL (and three pragmas to their
        // defaults): in WAL mode a killed process loses nothing, a power cut may lose the last writes but not the file.
        database.disable_bulk_loading().map_err(|e| OpenError::Engine(e.to_string()))?;
        let beside = Connection::open(file)?;
        beside.busy_timeout(OPENING)?;
        beside.execute_batch(STREAM_INDEX)?;
        beside.busy_timeout(WRITING)?;
        let (checkpoints, lists) = (Arc::new(Mutex::new(checkpoints)), Arc::new(Mutex::new(beside)));
        Ok(Self { database, file: file.into(), checkpoints, lists, signal: Arc::default() })
    }

    /// Carries out one call: `target` is the `X-Amz-Target` header, `body` its JSON.
    pub async fn call(&self, target: &str, body: Bytes) -> Answer {
        let Some(operation) = Operation::of(target) else {
            return Answer::unknown_operation();
        };
        // No function of ours may scan, and PartiQL is a way around the rule.
        if operation.is_scan() {
            return Answer::denied(operation.name(), "*", &[]);
        }
        // A page of a list is 100 us for what is small, and 1 ms for 1 MiB.
        if operation == Operation::Query
            && let Some(found) = query::answer(&self.lists, &body)
        {
            return Answer::of(200, found);
        }
        let answer = if operation.may_be_long(&body) {
            self.run_apart(operation, body.clone()).await
        } else {
            // On this thread: a call takes 15 to 170 us, and a thread of its own would cost 100 us more. It can wait for
            // another process that is writing, which takes about as long.
            operation.run(&self.database, &body)
        };
        if operation.writes() && answer.status == 200 {
            self.signal.written(&body);
        }
        answer
    }

    /// Carries out an operation on a thread that nothing else waits for.
    async fn run_apart(&self, operation: Operation, body: Bytes) -> Answer {
        let database = self.database.clone();
        match tokio::task::spawn_blocking(move || operation.run(&database, &body)).await {
            Ok(answer) => answer,
            Err(stopped) => match stopped.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                // The process ends, and whoever waits for this ends with it.
                Err(_) => std::future::pending().await,
            },
        }
    }

    /// Deletes what its table's time-to-live says is over, and tells how many items that were. DynamoDB does it within
    /// days, so nothing may rely on it.
    pub async fn sweep(&self) -> Result<usize, SweepError> {
        // This one may take long. It lets other calls in between its pages.
        let database = self.database.clone();
        let swept = tokio::task::spawn_blocking(move || database.sweep_ttl()).await;
        self.signal.tell();
        swept.map_err(|e| SweepError(e.to_string()))?.map_err(|e| SweepError(e.to_string()))
    }

    /// The stream of a table, for a consumer in this process.
    pub fn stream(&self, table: &str) -> Result<Stream, EngineError> {
        let records = Connection::open(&*self.file)?;
        records.busy_timeout(WRITING)?;
        records.pragma_update(None, "synchronous", "NORMAL")?;
        let (checkpoints, signal) = (self.checkpoints.clone(), self.signal.clone());
        Ok(Stream::new(table, self.database.clone(), records, checkpoints, signal))
    }

    /// All items of a table as DynamoDB writes them, for whoever looks at what is left in it. No function can: see
    /// [`Dynamo::call`].
    pub fn items(&self, table: &str) -> Result<Vec<Value>, EngineError> {
        let (mut items, mut next) = (Vec::new(), json!({ "TableName": table }));
        loop {
            let request = serde_json::from_value(next.clone()).map_err(|e| EngineError(e.to_string()))?;
            let page = self.database.scan(request).map_err(|e| EngineError(e.to_string()))?;
            let mut page = serde_json::to_value(page).map_err(|e| EngineError(e.to_string()))?;
            if let Value::Array(found) = page["Items"].take() {
                items.extend(found);
            }
            match page["LastEvaluatedKey"].take() {
                Value::Null => return Ok(items),
                last => next["ExclusiveStartKey"] = last,
            }
        }
    }

    /// The attribute that an index of a table is partitioned by.
    pub(crate) fn index_key(&self, table: &str, index: &str) -> Option<String> {
        let known = self.database.get_table_metadata(table).ok()??;
        let global: Vec<item_access::Index> =
            known.gsi_definitions.and_then(|json| serde_json::from_str(&json).ok()).unwrap_or_default();
        match global.into_iter().find(|i| i.index_name == index) {
            Some(found) => found.partition(),
            // A local index has the partition key of its table.
            None => Some(item_access::PARTITION.to_owned()),
        }
    }
}

impl fmt::Debug for Dynamo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Dynamo")
    }
}

/// Why a sweep stopped before its end. The next one goes on.
#[derive(Debug)]
pub struct SweepError(String);

impl fmt::Display for SweepError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expired items could not be deleted: {}", self.0)
    }
}

impl std::error::Error for SweepError {}

#[cfg(test)]
mod tests;

//! DynamoDB, embedded: `dynoxide` over one SQLite file that several processes may share.

mod operation;
mod touched;

use std::fmt;
use std::fs::{DirBuilder, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use dynoxide::Database;

use crate::answer::Answer;
pub(crate) use operation::Operation;
pub(crate) use touched::{Touched, transaction_size};

/// How long an opener waits for another process that is creating the same file, as `dynoxide` itself waits.
const OPENING: Duration = Duration::from_secs(30);

/// Without it every write to a table with a stream reads all the records that the stream ever had: `dynoxide` looks for
/// `MAX(CAST(sequence_number AS INTEGER))` and makes no index. The expression must stay exactly as it writes it.
const STREAM_INDEX: &str = "CREATE INDEX IF NOT EXISTS hedgerow_stream_position \
     ON _stream_records (table_name, CAST(sequence_number AS INTEGER))";

/// An embedded DynamoDB. A clone is another handle on the same one.
#[derive(Clone)]
pub struct Dynamo {
    database: Database,
}

impl Dynamo {
    /// Opens the store in `folder`, which is created for its owner alone if it isn't there. Several processes may have
    /// it open at once, and each sees what the others committed.
    pub fn open(folder: &Path) -> Result<Self, OpenError> {
        create_private(folder)?;
        // Absolute, for SQLite reads a path that begins with `file:` as a URI.
        let file = folder.canonicalize()?.join("dynamo.db");
        // Before SQLite does, and for its owner alone: the files beside it get the same mode.
        OpenOptions::new().create(true).append(true).mode(0o600).open(&file)?;
        let file = file.to_str().ok_or(OpenError::NotText)?;
        Self::at(file)
    }

    /// A store in memory that lasts as long as its handles.
    pub fn memory() -> Result<Self, OpenError> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        // A named database of the memory VFS, since only a second connection can give it the index.
        Self::at(&format!("file:/hedgerow-{}?vfs=memdb", COUNT.fetch_add(1, Ordering::Relaxed)))
    }

    fn at(file: &str) -> Result<Self, OpenError> {
        let database = Database::new(file).map_err(|e| OpenError::Engine(e.to_string()))?;
        // dynoxide leaves synchronous at FULL, an fsync a write. This sets NORMAL (and three pragmas to their
        // defaults): in WAL mode a killed process loses nothing, a power cut may lose the last writes but not the file.
        database.disable_bulk_loading().map_err(|e| OpenError::Engine(e.to_string()))?;
        let beside = rusqlite::Connection::open(file)?;
        beside.busy_timeout(OPENING)?;
        beside.execute_batch(STREAM_INDEX)?;
        Ok(Self { database })
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
        // On this thread: a call takes 15 to 170 us, and a thread of its own would cost 100 us more. It can wait for
        // another process that is writing, which takes about as long.
        operation.run(&self.database, &body)
    }

    /// Deletes what its table's time-to-live says is over, and tells how many items that were. DynamoDB does it within
    /// days, so nothing may rely on it.
    pub async fn sweep(&self) -> Result<usize, SweepError> {
        // This one may take long. It lets other calls in between its pages.
        let database = self.database.clone();
        let swept = tokio::task::spawn_blocking(move || database.sweep_ttl()).await;
        swept.map_err(|e| SweepError(e.to_string()))?.map_err(|e| SweepError(e.to_string()))
    }

    /// The attribute that an index of a table is partitioned by.
    pub(crate) fn index_key(&self, table: &str, index: &str) -> Option<String> {
        let known = self.database.get_table_metadata(table).ok()??;
        let global: Vec<touched::Index> =
            known.gsi_definitions.and_then(|json| serde_json::from_str(&json).ok()).unwrap_or_default();
        match global.into_iter().find(|i| i.index_name == index) {
            Some(found) => found.partition(),
            // A local index has the partition key of its table.
            None => Some(touched::PARTITION.to_owned()),
        }
    }
}

impl fmt::Debug for Dynamo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Dynamo")
    }
}

fn create_private(folder: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Why a store could not be opened.
#[derive(Debug)]
pub enum OpenError {
    /// The folder can't be made or read.
    Folder(io::Error),
    /// The folder's path is not UTF-8, which SQLite needs.
    NotText,
    /// The file is not a store of ours, or was written by a newer version.
    Engine(String),
    /// SQLite refused.
    Sqlite(rusqlite::Error),
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(e) => write!(f, "the data folder can't be used: {e}"),
            Self::NotText => f.write_str("the data folder's path is not UTF-8"),
            Self::Engine(e) => write!(f, "the embedded DynamoDB can't open its file: {e}"),
            Self::Sqlite(e) => write!(f, "the embedded DynamoDB's file can't be used: {e}"),
        }
    }
}

impl std::error::Error for OpenError {}

impl From<io::Error> for OpenError {
    fn from(e: io::Error) -> Self {
        Self::Folder(e)
    }
}

impl From<rusqlite::Error> for OpenError {
    fn from(e: rusqlite::Error) -> Self {
        Self::Sqlite(e)
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

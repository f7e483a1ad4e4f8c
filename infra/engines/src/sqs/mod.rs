//! SQS, embedded: standard queues over one SQLite file that several processes may share.

mod batch;
mod manage;
mod message;
mod operation;
mod queue;
mod receive;
mod redrive;
mod refusal;
mod send;
mod settle;

use std::fmt;
use std::path::Path;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::Notify;

use crate::answer::Answer;
use crate::file::{self, EngineError, OpenError};
pub(crate) use batch::fail_some;
pub(crate) use operation::{Operation, denied, faulty, unknown};
pub(crate) use queue::{name_in_arn, name_in_url};
use refusal::Refusal;

/// What the targets of this service begin with.
pub(crate) const PREFIX: &str = "AmazonSQS.";

/// Times are milliseconds since 1970. A message that nobody has received has no receipt. `dead` names the queue that a
/// dead letter comes from. The second index is for fairness: the oldest message of a group.
const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS queues (
        id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, created INTEGER NOT NULL,
        modified INTEGER NOT NULL, delay INTEGER NOT NULL, largest INTEGER NOT NULL, retention INTEGER NOT NULL,
        wait INTEGER NOT NULL, visibility INTEGER NOT NULL, dead_letter TEXT, max_receives INTEGER NOT NULL,
        purged INTEGER NOT NULL);
    CREATE TABLE IF NOT EXISTS deleted (name TEXT PRIMARY KEY, at INTEGER NOT NULL);
    CREATE TABLE IF NOT EXISTS messages (
        seq INTEGER PRIMARY KEY, queue INTEGER NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL, sum TEXT NOT NULL,
        attributes TEXT, trace TEXT, grouped TEXT, dead TEXT, sent INTEGER NOT NULL, visible INTEGER NOT NULL,
        receives INTEGER NOT NULL DEFAULT 0, first INTEGER, received INTEGER, receipt INTEGER);
    CREATE INDEX IF NOT EXISTS messages_by_time ON messages (queue, visible);
    CREATE INDEX IF NOT EXISTS messages_by_group ON messages (queue, grouped, visible) WHERE grouped IS NOT NULL;
    CREATE TABLE IF NOT EXISTS moves (
        id INTEGER PRIMARY KEY, source TEXT NOT NULL, destination TEXT, moved INTEGER NOT NULL, started INTEGER NOT NULL);
";

/// Old messages go when they are met on the way to a receiver; what nobody receives goes when the file is opened.
const SWEEP: &str = "DELETE FROM messages WHERE sent <= ?1 -
     COALESCE((SELECT retention FROM queues WHERE queues.id = messages.queue), 0) * 1000";

/// An embedded SQS. A clone is another handle on the same one.
#[derive(Clone)]
pub struct Sqs {
    shared: Arc<Shared>,
}

struct Shared {
    database: Mutex<Connection>,
    /// Whether other processes may write to it.
    on_file: bool,
    /// Something may have become visible, or will sooner than it looked.
    changed: Notify,
    /// How far the queues' time is ahead of the machine's.
    ahead: AtomicI64,
    /// The group after which the next look for quiet ones begins.
    turn: Mutex<String>,
    /// How often this process was handed a message.
    received: AtomicU64,
}

impl Sqs {
    /// Opens the queues in `folder`, which is created for its owner alone if it isn't there. Several processes may have
    /// it open at once, and each sees what the others committed.
    pub fn open(folder: &Path) -> Result<Self, OpenError> {
        Self::at(Some(folder))
    }

    /// Queues in memory that last as long as their handles.
    pub fn memory() -> Result<Self, OpenError> {
        Self::at(None)
    }

    fn at(folder: Option<&Path>) -> Result<Self, OpenError> {
        let database = file::open(folder, "queues.db", SCHEMA)?;
        let shared = Shared {
            database: Mutex::new(database),
            on_file: folder.is_some(),
            changed: Notify::new(),
            ahead: AtomicI64::new(0),
            turn: Mutex::default(),
            received: AtomicU64::new(0),
        };
        let this = Self { shared: Arc::new(shared) };
        this.database().execute(SWEEP, [this.now()])?;
        Ok(this)
    }

    /// Makes every message that is in flight visible at once, and tells how many those were: whoever takes over the
    /// work of a process that died calls it. What a living process has in flight is handed out a second time.
    pub fn release_in_flight(&self) -> Result<usize, EngineError> {
        let release = "UPDATE messages SET visible = ?1 WHERE visible > ?1 AND receipt IS NOT NULL";
        let released = self.database().execute(release, [self.now()])?;
        self.shared.changed.notify_waiters();
        Ok(released)
    }

    /// Lets time pass for this handle and its clones: delays, visibility and retention are that much nearer their ends.
    /// For tests.
    pub fn advance(&self, by: Duration) {
        self.shared.ahead.fetch_add(by.as_millis() as i64, Ordering::Relaxed);
        self.shared.changed.notify_waiters();
    }

    /// How often this handle and its clones have handed out a message, of all queues. For tests.
    pub fn received(&self) -> u64 {
        self.shared.received.load(Ordering::Relaxed)
    }

    /// Carries out one call: `target` is the `X-Amz-Target` header, `body` its JSON.
    pub async fn call(&self, target: &str, body: &[u8]) -> Answer {
        let Some(operation) = Operation::of(target) else {
            return unknown(target);
        };
        // On this thread, as DynamoDB's: it takes some 50 us, and a thread of its own would cost 100 us more.
        let done = match operation {
            Operation::ReceiveMessage => self.receive(body).await,
            _ => operation.run(self, body).map(|told| told.to_string().into()),
        };
        match done {
            Ok(body) => Answer::of(200, body),
            Err(refusal) => refusal.answer(),
        }
    }

    fn database(&self) -> MutexGuard<'_, Connection> {
        self.shared.database.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs `work` in one transaction, which is as if it had not been if that fails.
    fn write<T>(&self, work: impl FnOnce(&Connection) -> Result<T, Refusal>) -> Result<T, Refusal> {
        let mut database = self.database();
        let transaction = database.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let done = work(&transaction)?;
        transaction.commit()?;
        Ok(done)
    }

    /// The queues' time.
    fn now(&self) -> i64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        since.as_millis() as i64 + self.shared.ahead.load(Ordering::Relaxed)
    }
}

impl fmt::Debug for Sqs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sqs")
    }
}

#[cfg(test)]
mod tests;

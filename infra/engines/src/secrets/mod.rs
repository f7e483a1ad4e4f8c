//! Secrets Manager, embedded: secrets with versions and stages in one SQLite file that several processes may share.

mod operation;
mod refusal;
mod secret;
mod version;

use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use rusqlite::{Connection, TransactionBehavior};

use crate::answer::Answer;
use crate::file::{self, OpenError};
pub(crate) use operation::{Operation, denied, faulty, unknown};
use refusal::Refusal;
pub(crate) use secret::name_in;

/// What the targets of this service begin with.
pub(crate) const PREFIX: &str = "secretsmanager.";

/// Times are milliseconds since 1970. A stage is on one version of a secret at most.
const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS secrets (
        id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, arn TEXT NOT NULL UNIQUE, description TEXT,
        created INTEGER NOT NULL, changed INTEGER NOT NULL, deleted INTEGER, gone INTEGER);
    CREATE TABLE IF NOT EXISTS versions (
        secret INTEGER NOT NULL, id TEXT NOT NULL, text TEXT, binary TEXT, created INTEGER NOT NULL,
        PRIMARY KEY (secret, id));
    CREATE TABLE IF NOT EXISTS stages (
        secret INTEGER NOT NULL, name TEXT NOT NULL, version TEXT NOT NULL, PRIMARY KEY (secret, name));
";

/// An embedded Secrets Manager. A clone is another handle on the same one.
#[derive(Clone)]
pub struct Secrets {
    database: Arc<Mutex<Connection>>,
}

impl Secrets {
    /// Opens the secrets in `folder`, which is created for its owner alone if it isn't there. Several processes may
    /// have it open at once, and each sees what the others committed. Nothing but the file's mode protects them.
    pub fn open(folder: &Path) -> Result<Self, OpenError> {
        Self::at(Some(folder))
    }

    /// Secrets in memory that last as long as their handles.
    pub fn memory() -> Result<Self, OpenError> {
        Self::at(None)
    }

    fn at(folder: Option<&Path>) -> Result<Self, OpenError> {
        Ok(Self { database: Arc::new(Mutex::new(file::open(folder, "secrets.db", SCHEMA)?)) })
    }

    /// Carries out one call: `target` is the `X-Amz-Target` header, `body` its JSON.
    pub fn call(&self, target: &str, body: &[u8]) -> Answer {
        let Some(operation) = Operation::of(target) else {
            return unknown();
        };
        match self.write(|database| operation.run(database, body, now())) {
            Ok(body) => Answer::json_1_1(200, &body),
            Err(refusal) => refusal.answer(),
        }
    }

    /// Runs `work` in one transaction, which is as if it had not been if that fails. Reads as well: they are rare, and
    /// a secret whose time is over goes when it is met.
    fn write<T>(&self, work: impl FnOnce(&Connection) -> Result<T, Refusal>) -> Result<T, Refusal> {
        let mut database: MutexGuard<'_, _> = self.database.lock().unwrap_or_else(PoisonError::into_inner);
        let transaction = database.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let done = work(&transaction)?;
        transaction.commit()?;
        Ok(done)
    }
}

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as i64
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets")
    }
}

//! The SQLite files of a data folder, and what can go wrong when they are opened.

use std::fmt;
use std::fs::{DirBuilder, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode};

/// How long an opener waits for another process that is creating the same file, as `dynoxide` itself waits.
pub(crate) const OPENING: Duration = Duration::from_secs(30);

/// How long a call waits for another process that is writing, as `dynoxide` itself waits.
pub(crate) const WRITING: Duration = Duration::from_secs(5);

/// The absolute path of a folder. It is made for its owner alone if it isn't there.
pub(crate) fn private_folder(folder: &Path) -> io::Result<PathBuf> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    folder.canonicalize()
}

/// The path of a file in `folder`. Both are made for their owner alone if they aren't there.
pub(crate) fn private(folder: &Path, name: &str) -> Result<String, OpenError> {
    // Absolute, for SQLite reads a path that begins with `file:` as a URI.
    let file = private_folder(folder)?.join(name);
    // Before SQLite does, and for its owner alone: the files beside it get the same mode.
    OpenOptions::new().create(true).append(true).mode(0o600).open(&file)?;
    file.into_os_string().into_string().map_err(|_| OpenError::NotText)
}

/// Opens a database of our own in `folder`, or in memory, and makes what `schema` says if it isn't there.
pub(crate) fn open(folder: Option<&Path>, name: &str, schema: &str) -> Result<Connection, OpenError> {
    let Some(folder) = folder else {
        let database = Connection::open_in_memory()?;
        database.execute_batch(schema)?;
        return Ok(database);
    };
    let database = Connection::open(private(folder, name)?)?;
    database.busy_timeout(OPENING)?;
    write_ahead(&database)?;
    // In WAL mode a killed process loses nothing; a power cut may lose the last writes but not the file.
    database.execute_batch(&format!("PRAGMA synchronous = NORMAL; BEGIN IMMEDIATE; {schema} COMMIT;"))?;
    database.busy_timeout(WRITING)?;
    database.set_prepared_statement_cache_capacity(64);
    Ok(database)
}

/// The journal's mode is in the file. SQLite doesn't wait for others where it changes that, so this does.
fn write_ahead(database: &Connection) -> Result<(), rusqlite::Error> {
    let started = Instant::now();
    loop {
        match database.pragma_update(None, "journal_mode", "WAL") {
            Err(e) if is_busy(&e) && started.elapsed() < OPENING => std::thread::sleep(Duration::from_millis(2)),
            done => return done,
        }
    }
}

fn is_busy(e: &rusqlite::Error) -> bool {
    matches!(e.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
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
            Self::Sqlite(e) => write!(f, "a file of the embedded engines can't be used: {e}"),
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

/// An engine's file could not be read or written.
#[derive(Debug)]
pub struct EngineError(pub(crate) String);

impl fmt::Display for EngineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an embedded engine failed: {}", self.0)
    }
}

impl std::error::Error for EngineError {}

impl From<rusqlite::Error> for EngineError {
    fn from(e: rusqlite::Error) -> Self {
        Self(e.to_string())
    }
}

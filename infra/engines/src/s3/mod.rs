//! S3, embedded: one bucket in a SQLite file that several processes may share, and signed addresses of what is in it.
//!
//! Of S3 it has what Hedgerow uses: uploads in parts, reading by a signed address, deletion and lists. What it does not know
//! is refused, lest it be taken for done.

mod bucket;
mod files;
mod multipart;
mod operation;
mod refusal;
mod request;
mod signature;
mod xml;

use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::HeaderMap;
use rusqlite::Connection;

use crate::answer::Answer;
use crate::file::{self, EngineError, OpenError};
pub use files::serve_files;
pub(crate) use operation::{Operation, denied, faulty, unknown};
use refusal::Refusal;
pub(crate) use request::{is_s3, path_of};

/// What a method and a path of this service are as a target: `s3:PUT /bucket/key?query`.
pub(crate) const PREFIX: &str = "s3:";
/// The one bucket.
const BUCKET: &str = "hedgerow-files";
/// By which access key requests are signed here.
const ACCESS_KEY: &str = "local";

/// Times are milliseconds since 1970. A blob is the bytes of one part; what is written is never changed, only deleted.
const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS secret (one INTEGER PRIMARY KEY CHECK (one = 1), text TEXT NOT NULL);
    CREATE TABLE IF NOT EXISTS objects (
        key TEXT PRIMARY KEY, upload TEXT NOT NULL, size INTEGER NOT NULL, etag TEXT NOT NULL, type TEXT,
        modified INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS uploads (
        id TEXT PRIMARY KEY, key TEXT NOT NULL, type TEXT, checksums INTEGER NOT NULL, created INTEGER NOT NULL)
        WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS parts (
        upload TEXT NOT NULL, number INTEGER NOT NULL, etag TEXT NOT NULL, checksum TEXT NOT NULL, body BLOB NOT NULL,
        PRIMARY KEY (upload, number));
";

/// An embedded S3. A clone is another handle on the same one.
#[derive(Clone)]
pub struct S3 {
    database: Arc<Mutex<Connection>>,
    secret: Arc<str>,
}

impl S3 {
    /// Opens the bucket in `folder`, which is created for its owner alone if it isn't there. Several processes may have
    /// it open at once. What signs its addresses is made by chance, and lies beside what they lead to.
    pub fn open(folder: &Path) -> Result<Self, OpenError> {
        let database = file::open(Some(folder), "bucket.db", SCHEMA)?;
        // What is deleted is overwritten: an erased tenant's export is not to be found in the file.
        database.pragma_update(None, "secure_delete", true)?;
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(|error| OpenError::Engine(error.to_string()))?;
        let made: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        database.execute("INSERT OR IGNORE INTO secret (one, text) VALUES (1, ?1)", [made])?;
        let secret: String = database.query_row("SELECT text FROM secret", [], |row| row.get(0))?;
        Ok(Self { database: Arc::new(Mutex::new(database)), secret: secret.into() })
    }

    /// A bucket in memory that lasts as long as its handles. What signs its addresses is `local`.
    pub fn memory() -> Result<Self, OpenError> {
        Ok(Self { database: Arc::new(Mutex::new(file::open(None, "", SCHEMA)?)), secret: ACCESS_KEY.into() })
    }

    /// The bucket's name.
    pub const fn bucket() -> &'static str {
        BUCKET
    }

    /// The access key and the secret by which addresses are signed.
    pub fn credentials(&self) -> (&'static str, &str) {
        (ACCESS_KEY, &self.secret)
    }

    /// Carries out one call: `target` is the method and the path behind [`PREFIX`].
    pub fn call(&self, target: &str, headers: &HeaderMap, body: &Bytes) -> Answer {
        let done = request::read(target, headers, body).and_then(|request| {
            let operation = Operation::of_request(&request).ok_or_else(Refusal::unknown_operation)?;
            operation.run(self, &request)
        });
        done.unwrap_or_else(|refusal| refusal.answer())
    }

    /// Deletes what the bucket's lifecycle would: objects below a prefix that are older than this, and what was begun
    /// and not completed within `incomplete`.
    pub fn expire(&self, prefix: &str, older: Duration, incomplete: Duration) -> Result<(), EngineError> {
        let before = |span: Duration| now() - i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
        let mut database = self.database();
        let changes = database.transaction()?;
        changes.execute(
            "DELETE FROM objects WHERE modified < ?1 AND substr(key, 1, length(?2)) = ?2",
            rusqlite::params![before(older), prefix],
        )?;
        changes.execute("DELETE FROM uploads WHERE created < ?1", [before(incomplete)])?;
        changes.execute(
            "DELETE FROM parts WHERE upload NOT IN (SELECT id FROM uploads UNION SELECT upload FROM objects)",
            [],
        )?;
        Ok(changes.commit()?)
    }

    fn database(&self) -> MutexGuard<'_, Connection> {
        self.database.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

impl fmt::Debug for S3 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("S3")
    }
}

impl From<rusqlite::Error> for Refusal {
    fn from(e: rusqlite::Error) -> Self {
        Self::internal(e.to_string())
    }
}

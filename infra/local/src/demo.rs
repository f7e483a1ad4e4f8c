//! The demo account of a data folder: made once, and shown at every start.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use samples::Identity;
use serde::{Deserialize, Serialize};

use crate::backend::Backend;
use crate::services::StartError;

/// The demo account's credentials.
#[derive(Serialize, Deserialize)]
pub struct Demo {
    /// The owner's e-mail address.
    pub email: String,
    /// The owner's password.
    pub password: String,
    /// A management key.
    pub key: String,
}

impl Demo {
    /// The folder's demo account; it is made if there is none, by one of the processes that share the folder.
    ///
    /// # Errors
    /// If the folder can't be written.
    pub async fn of_folder(folder: &Path, backend: &Backend) -> Result<Self, StartError> {
        let place = folder.join("demo.json");
        let lock = File::create(folder.join("demo.lock"))?;
        lock.lock()?;
        if let Ok(text) = fs::read_to_string(&place) {
            return Ok(serde_json::from_str(&text)?);
        }
        let identity = Identity::of_demo(backend.app.clock().now());
        // Put in place last: what is there, works.
        let demo =
            Self { email: identity.email.clone(), password: identity.password.clone(), key: identity.key.clone() };
        let draft = folder.join("demo.json.new");
        let _ = fs::remove_file(&draft);
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
        file.write_all(serde_json::to_string_pretty(&demo)?.as_bytes())?;
        file.sync_all()?;
        samples::open_shop(&backend.store, &identity).await?;
        fs::rename(&draft, &place)?;
        Ok(demo)
    }
}

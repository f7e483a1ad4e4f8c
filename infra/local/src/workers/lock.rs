//! One process of several that share a folder works: the one that holds the lock.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::time::Duration;

/// How often the others look whether the lock is free.
const POLL_INTERVAL: Duration = Duration::from_millis(200);

/// The lock of a folder, or none for engines in memory. The system releases it when its holder ends, however it does.
pub(super) struct Lock(Option<File>);

impl Lock {
    pub(super) fn of_folder(folder: Option<&Path>) -> io::Result<Self> {
        let Some(folder) = folder else { return Ok(Self(None)) };
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let file = folder.join("workers.lock");
        Ok(Self(Some(OpenOptions::new().create(true).append(true).mode(0o600).open(file)?)))
    }

    /// Whether there may be others: whoever takes the lock then comes after one that is dead.
    pub(super) const fn is_shared(&self) -> bool {
        self.0.is_some()
    }

    /// Waits for it. It is held until what this gives is dropped.
    pub(super) async fn take(self) -> Self {
        if let Some(file) = &self.0 {
            let mut told = false;
            while let Err(error) = file.try_lock() {
                // A file system without locks.
                if let TryLockError::Error(error) = error
                    && !std::mem::replace(&mut told, true)
                {
                    tracing::error!(error = %error, "workers.lock can't be locked: webhooks wait until it can");
                }
                tokio::time::sleep(POLL_INTERVAL).await;
            }
        }
        self
    }
}

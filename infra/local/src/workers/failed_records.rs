//! Records that no consumer can take, kept for a person to look at: what is an on-failure destination in AWS.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

/// Where they are kept.
#[derive(Clone)]
pub(super) enum FailedRecords {
    /// `<consumer>.jsonl` in a folder, for its owner alone: a record holds what was saved.
    Folder(PathBuf),
    /// With engines in memory.
    Memory(Arc<Mutex<Vec<Value>>>),
}

impl FailedRecords {
    pub(super) fn beside(data: Option<&Path>) -> Self {
        data.map_or_else(|| Self::Memory(Arc::default()), |data| Self::Folder(data.join("failed-records")))
    }

    /// Keeps a record; it is on the disk when this returns.
    pub(super) fn keep(&self, consumer: &str, record: Value) -> io::Result<()> {
        match self {
            Self::Folder(folder) => {
                DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
                let file = folder.join(format!("{consumer}.jsonl"));
                let mut file = OpenOptions::new().create(true).append(true).mode(0o600).open(file)?;
                file.write_all(format!("{record}\n").as_bytes())?;
                file.sync_all()
            }
            Self::Memory(kept) => {
                kept.lock().unwrap_or_else(PoisonError::into_inner).push(record);
                Ok(())
            }
        }
    }

    /// All that is kept.
    pub(super) fn read(&self) -> Vec<Value> {
        match self {
            Self::Folder(folder) => {
                let files = fs::read_dir(folder).into_iter().flatten().flatten();
                let texts = files.filter_map(|file| fs::read_to_string(file.path()).ok());
                texts.flat_map(|text| text.lines().map(parsed).collect::<Vec<_>>()).collect()
            }
            Self::Memory(kept) => kept.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }
}

/// A line that a full disk has cut off is no JSON.
fn parsed(line: &str) -> Value {
    serde_json::from_str(line).unwrap_or_else(|_| Value::String(line.to_owned()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_kept_is_there_for_its_owner_alone() {
        let data = tempfile::tempdir().expect("a folder");
        let failed = FailedRecords::beside(Some(data.path()));
        assert_eq!(failed.read(), Vec::<Value>::new());
        for number in 0..2 {
            failed.keep("fan-out", json!({ "number": number })).expect("it is kept");
        }
        assert_eq!(failed.read(), [json!({ "number": 0 }), json!({ "number": 1 })]);
        let mode = |path: &str| data.path().join(path).metadata().expect("it is there").permissions().mode() & 0o777;
        assert_eq!((mode("failed-records"), mode("failed-records/fan-out.jsonl")), (0o700, 0o600));
    }
}

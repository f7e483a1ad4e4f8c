//! What the functions make of their roles while the suites run, noted for the check that follows them (`tests/used`).

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex, PoisonError};

use engines::Use;
use local::backend::Backend;
use serde_json::{Value, json};

struct Notes {
    known: BTreeSet<Use>,
    file: File,
}

static NOTES: LazyLock<Mutex<Notes>> = LazyLock::new(|| {
    let folder = folder();
    std::fs::create_dir_all(&folder).unwrap();
    // Added to: another suite may have had the same number.
    let file = folder.join(format!("{}.jsonl", std::process::id()));
    let file = File::options().create(true).append(true).open(file).unwrap();
    Mutex::new(Notes { known: BTreeSet::new(), file })
});

/// Where every suite notes them: in cargo's folder for what tests leave, `target/tmp`.
#[must_use]
pub fn folder() -> PathBuf {
    let own = std::env::current_exe().unwrap();
    // target/debug/deps/http-…
    own.ancestors().nth(3).unwrap_or(Path::new(".")).join("tmp/uses-of-roles")
}

/// Notes what the functions over this backend make of their roles from now on.
pub fn watch(backend: &Backend) {
    backend.engine.as_ref().unwrap().connector.trace().watch(note);
}

/// Writes a use down when it is seen for the first time.
fn note(used: &Use) {
    let mut notes = NOTES.lock().unwrap_or_else(PoisonError::into_inner);
    if notes.known.insert(used.clone()) {
        writeln!(notes.file, "{}", line(used)).unwrap();
    }
}

/// A use, as a line.
fn line(used: &Use) -> String {
    json!([used.function, used.action, used.resource, used.keys]).to_string()
}

/// A line, as the use that it is.
#[must_use]
pub fn read(line: &str) -> Option<Use> {
    let value: Value = serde_json::from_str(line).ok()?;
    let text = |at: usize| value[at].as_str().map(str::to_owned);
    Some(Use { function: text(0)?, action: text(1)?, resource: text(2)?, keys: text(3) })
}

//! What the functions make of their roles while the suite runs, for the check that follows it (`tests/used`).

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Write as _;
use std::sync::{LazyLock, Mutex, PoisonError};

use engines::Use;
use local::backend::Backend;

struct Notes {
    known: BTreeSet<Use>,
    file: File,
}

static NOTES: LazyLock<Mutex<Notes>> = LazyLock::new(|| {
    let folder = hedgerow_tests::uses::folder(env!("CARGO_TARGET_TMPDIR"));
    std::fs::create_dir_all(&folder).unwrap();
    let file = File::create(folder.join(format!("{}.jsonl", std::process::id()))).unwrap();
    Mutex::new(Notes { known: BTreeSet::new(), file })
});

/// Notes what the functions over this backend make of their roles from now on.
pub(crate) fn watch(backend: &Backend) {
    backend.engine.as_ref().unwrap().connector.trace().watch(note);
}

/// Writes a use down when it is seen for the first time.
fn note(used: &Use) {
    let mut notes = NOTES.lock().unwrap_or_else(PoisonError::into_inner);
    if notes.known.insert(used.clone()) {
        writeln!(notes.file, "{}", hedgerow_tests::uses::line(used)).unwrap();
    }
}

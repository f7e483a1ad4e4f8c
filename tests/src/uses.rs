//! Uses of roles, as they are noted while the suite over HTTP runs, and read when it is over.

use std::path::{Path, PathBuf};

use engines::Use;
use serde_json::{Value, json};

/// Where they are noted: in this folder of cargo's for the files of tests.
#[must_use]
pub fn folder(of_tests: &str) -> PathBuf {
    Path::new(of_tests).join("uses-of-roles")
}

/// A use, as a line.
#[must_use]
pub fn line(used: &Use) -> String {
    json!([used.function, used.action, used.resource, used.keys]).to_string()
}

/// A line, as the use that it is.
#[must_use]
pub fn read(line: &str) -> Option<Use> {
    let value: Value = serde_json::from_str(line).ok()?;
    let text = |at: usize| value[at].as_str().map(str::to_owned);
    Some(Use { function: text(0)?, action: text(1)?, resource: text(2)?, keys: text(3) })
}

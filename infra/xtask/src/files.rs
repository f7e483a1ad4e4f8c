//! Files as they should be, against files as they are.

use std::collections::BTreeSet;
use std::io::{self, ErrorKind};
use std::path::Path;

/// A file as it should be.
pub struct File {
    path: String,
    content: String,
}

impl File {
    /// At a path below the workspace's folder.
    pub fn new(path: impl Into<String>, content: String) -> Self {
        Self { path: path.into(), content }
    }
}

/// The paths of the files that are not as they should be, or should not be there.
///
/// # Errors
/// If one can't be read.
pub fn drift(root: &Path, files: &[File]) -> io::Result<Vec<String>> {
    let mut drift = Vec::new();
    for file in files {
        match std::fs::read_to_string(root.join(&file.path)) {
            Ok(found) if found == file.content => {}
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => drift.push(file.path.clone()),
        }
    }
    let known: BTreeSet<_> = files.iter().map(|file| file.path.as_str()).collect();
    let written_alone = [events(root)?, stacks(root)?].concat();
    drift.extend(written_alone.into_iter().filter(|path| !known.contains(path.as_str())));
    Ok(drift)
}

/// Writes those of the files that differ, and removes events and templates of what is no more.
///
/// # Errors
/// If one can't be written.
pub fn write(root: &Path, files: &[File], drift: &[String]) -> io::Result<()> {
    for path in drift {
        let place = root.join(path);
        match files.iter().find(|file| file.path == *path) {
            Some(file) => std::fs::write(place, &file.content)?,
            None => std::fs::remove_file(place)?,
        }
    }
    Ok(())
}

/// The sample events that are there.
///
/// # Errors
/// If the folder can't be read.
pub fn events(root: &Path) -> io::Result<Vec<String>> {
    with_ending(root, "events", ".json")
}

/// The templates of nested stacks that are there.
///
/// # Errors
/// If the folder can't be read.
pub fn stacks(root: &Path) -> io::Result<Vec<String>> {
    with_ending(root, "infra/stacks", ".yaml")
}

fn with_ending(root: &Path, folder: &str, ending: &str) -> io::Result<Vec<String>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(root.join(folder))? {
        let name = entry?.file_name();
        if let Some(name) = name.to_str().filter(|name| name.ends_with(ending)) {
            found.push(format!("{folder}/{name}"));
        }
    }
    found.sort();
    Ok(found)
}

//! Secrets on the command line: everybody on the machine can read it, so that a file can be named in their place.

use std::fs;

use crate::services::StartError;

/// A secret as it was given: the text, or `@` and the file that holds it.
///
/// # Errors
/// If the file can't be read.
pub fn secret(given: &str) -> Result<String, StartError> {
    let Some(file) = given.strip_prefix('@') else { return Ok(given.to_owned()) };
    let text = fs::read_to_string(file).map_err(|error| format!("{file}: {error}"))?;
    // What an editor adds. Other white space is told of as an error, for it is one.
    let text = text.strip_suffix('\n').unwrap_or(&text);
    Ok(text.strip_suffix('\r').unwrap_or(text).to_owned())
}

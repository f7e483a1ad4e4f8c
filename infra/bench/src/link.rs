//! What it costs to link all functions once the shared crates are built.

use std::process::Command;

use crate::{Failure, row};

/// The aim for all of them together, in CPU-seconds.
const AIM: f64 = 60.0;

/// Builds all functions in the profile that they are deployed in, then their binaries alone once more, and prints what
/// the second build cost.
pub(crate) fn run() -> Result<(), Failure> {
    build("true")?;
    let seconds = build("touch functions/*/src/bin/*.rs")?;
    let binaries = std::fs::read_dir("functions")?
        .flatten()
        .filter_map(|package| Some(std::fs::read_dir(package.path().join("src/bin")).ok()?.count()));
    row(&format!("link {} function binaries: CPU", binaries.sum::<usize>()), seconds, "s", Some(AIM));
    Ok(())
}

/// CPU-seconds of a build of the functions, after a preparation, as the shell accounts its children.
fn build(before: &str) -> Result<f64, Failure> {
    let packages: Vec<String> = std::fs::read_dir("functions")?
        .flatten()
        .map(|package| format!("-p {}", package.file_name().to_string_lossy()))
        .collect();
    let script = format!("{before} && cargo build --quiet --release --bins {} && times", packages.join(" "));
    let output = Command::new("sh").arg("-c").arg(script).output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    let text = String::from_utf8(output.stdout)?;
    let children = text.lines().last().ok_or("no times")?;
    Ok(children.split_whitespace().filter_map(seconds).sum())
}

/// `1m2.5s`
fn seconds(text: &str) -> Option<f64> {
    let (minutes, seconds) = text.strip_suffix('s')?.split_once('m')?;
    Some(minutes.parse::<f64>().ok()? * 60.0 + seconds.parse::<f64>().ok()?)
}

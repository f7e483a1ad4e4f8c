//! The end that a person or a supervisor asks for.

use tokio::signal::unix::{SignalKind, signal};

/// SIGINT or SIGTERM.
///
/// # Errors
/// If the system lets nobody wait for them.
pub async fn interrupted() -> std::io::Result<()> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}

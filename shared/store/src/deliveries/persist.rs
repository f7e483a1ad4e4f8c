//! Doing again what the store was too busy for.

use std::future::Future;
use std::time::Duration;

use contract::{Code, Error};
use tokio::time::Instant;

/// How long an attempt's lease and its record are tried: what is not recorded shows as `unknown`.
const PERSISTENCE: Duration = Duration::from_secs(20);

/// Does it again while the store is not to be had.
///
/// # Errors
/// What the last try's is.
pub async fn persist<T, F: Future<Output = Result<T, Error>>>(what: impl Fn() -> F) -> Result<T, Error> {
    let started = Instant::now();
    let mut pause = Duration::from_millis(100);
    loop {
        match what().await {
            Err(error) if error.code() == Code::Unavailable && started.elapsed() + pause < PERSISTENCE => {
                tokio::time::sleep(pause).await;
                pause = pause.saturating_mul(2).min(Duration::from_secs(2));
            }
            ended => return ended,
        }
    }
}

//! Doing again what the store was too busy for.

use std::future::Future;
use std::time::Duration;

use contract::{Code, Error};
use tokio::time::Instant;

/// Does it again while the store is not to be had, for so long at the most.
///
/// # Errors
/// What the last try's is.
pub async fn persist<T, F: Future<Output = Result<T, Error>>>(
    most: Duration,
    what: impl Fn() -> F,
) -> Result<T, Error> {
    let started = Instant::now();
    let mut pause = Duration::from_millis(100);
    loop {
        match what().await {
            Err(error) if error.code() == Code::Unavailable && started.elapsed() + pause < most => {
                tokio::time::sleep(pause).await;
                pause = pause.saturating_mul(2).min(Duration::from_secs(2));
            }
            ended => return ended,
        }
    }
}

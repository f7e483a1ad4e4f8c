//! Waiting for what others do: by looking again and again, with an end. And time that passes without a wait.

use std::time::{Duration, Instant};

/// How long nothing may happen on a busy machine: what finds no place at its endpoint may be away for a while.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// The pause between two looks.
const PAUSE: Duration = Duration::from_millis(50);

/// Waits until there is something.
#[track_caller]
pub fn found<T, F: Future<Output = Option<T>>>(mut look: impl FnMut() -> F) -> impl Future<Output = T> {
    let asked = std::panic::Location::caller();
    async move {
        let started = Instant::now();
        loop {
            if let Some(found) = look().await {
                return found;
            }
            assert!(started.elapsed() < PATIENCE, "{asked}: it did not come about");
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// Waits until something holds.
#[track_caller]
pub fn eventually<F: Future<Output = bool>>(holds: impl FnMut() -> F) -> impl Future<Output = ()> {
    until(PATIENCE, holds)
}

/// The same, and no longer than this.
#[track_caller]
pub fn until<F: Future<Output = bool>>(limit: Duration, mut holds: impl FnMut() -> F) -> impl Future<Output = ()> {
    let asked = std::panic::Location::caller();
    async move {
        let started = Instant::now();
        while !holds().await {
            assert!(started.elapsed() < limit, "{asked}: it did not come about within {limit:?}");
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// So much time passes for whatever waits by tokio's: deadlines, pauses, polls.
pub async fn lapse(span: Duration) {
    hurried(tokio::time::sleep(span)).await;
}

/// Does this while tokio's time moves on as soon as nobody has anything else to do: whatever can be done before
/// something is due has been done by then. The test is its runtime's only thread.
pub async fn hurried<T>(work: impl IntoFuture<Output = T>) -> T {
    tokio::time::pause();
    let done = work.into_future().await;
    tokio::time::resume();
    done
}

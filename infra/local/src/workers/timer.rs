//! What calls a consumer each time that so much time has passed: by the functions' clock, so that a test may move it.

use std::pin::pin;
use std::time::Duration;

use runtime::lambda::consumer::scheduled;
use store::author::Clock;
use tokio::time::timeout;

use super::{GRACE, Poller};

/// How often the clock is looked at.
const POLL_INTERVAL: Duration = Duration::from_millis(500);

/// Calls at once, for what came due while nobody worked, and then once a period.
pub(super) async fn poll(poller: Poller, clock: Clock, period: Duration) {
    let Poller { consumer, mut stop } = poller;
    let mut due = clock.now();
    loop {
        let now = clock.now();
        if now >= due {
            due = now.plus(period);
            let mut call = pin!(consumer.call(scheduled(now)));
            tokio::select! {
                // What fails was logged, and is due the next time.
                _ = &mut call => {}
                // What is cut off is gone on with at the next start.
                () = stop.asked() => return drop(timeout(GRACE, call).await),
            }
        }
        tokio::select! {
            () = tokio::time::sleep(POLL_INTERVAL) => {}
            () = stop.asked() => return,
        }
    }
}

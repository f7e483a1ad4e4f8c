//! What calls a consumer each time that so much time has passed: by the functions' clock, so that a test may move it.

use std::time::Duration;

use runtime::lambda::consumer::scheduled;
use store::author::Clock;

use super::Poller;

/// How often the clock is looked at.
const LOOK: Duration = Duration::from_millis(500);

/// Calls at once, for what came due while nobody worked, and then once a period.
pub(super) async fn poll(poller: Poller, clock: Clock, period: Duration) {
    let Poller { consumer, mut stop } = poller;
    let mut due = clock.now();
    loop {
        let now = clock.now();
        if now >= due {
            due = now.plus(period);
            // What fails was logged, and is due the next time.
            let _ = consumer.call(scheduled(now)).await;
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            () = stop.asked() => return,
        }
    }
}

//! When what failed is tried again: retries, probes and deferred messages.

use std::time::Duration;

use contract::Time;
use store::deliveries::{Message, Next};

/// An endpoint whose circuit is open is probed at least this often.
const MAX_OPEN: Duration = Duration::from_secs(15 * 60);

/// When what is deferred comes back: twice as late each time, so that it comes back a few times however long it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Deferral {
    first: Duration,
    most: Duration,
}

impl Deferral {
    /// Something failed that is soon mended or for long.
    pub(crate) const FAULT: Self = Self { first: Duration::from_secs(1), most: Duration::from_secs(60) };
    /// The endpoint's slots are taken; where it answers they are soon free.
    pub(crate) const SLOT: Self = Self { first: Duration::from_secs(1), most: Duration::from_secs(256) };
    /// The client has so much under way in this process that its permits are long taken.
    pub(crate) const PERMIT: Self = Self { first: Duration::from_secs(4), most: Duration::from_secs(256) };

    /// How long a message is deferred that was deferred so many times before.
    pub(crate) fn after(self, waits: u32) -> Duration {
        jittered(self.first.saturating_mul(1 << waits.min(10)).min(self.most))
    }
}

/// A span with jitter, a tenth more or less: what failed together shall not come back together.
fn jittered(span: Duration) -> Duration {
    let chance = f64::from(u16::from_be_bytes(auth::random::bytes())) / f64::from(u16::MAX);
    span.mul_f64(0.9 + 0.2 * chance)
}

/// What comes after a failed attempt: another, no sooner than the receiver asks for, or nothing after the last.
pub(crate) fn after_failure(retries: &[Duration], message: &Message, now: Time, asked: Option<Duration>) -> Next {
    let done = usize::try_from(message.attempt_of_round()).unwrap_or(usize::MAX);
    match retries.get(done) {
        Some(span) => Next::Retry(now.plus(jittered(*span).max(asked.unwrap_or_default()))),
        None => Next::Failed,
    }
}

/// How long the circuit of an endpoint stays open after so many probes in a row.
pub(crate) fn open_for(retries: &[Duration], probes: u32) -> Duration {
    let first = retries.first().copied().unwrap_or(MAX_OPEN);
    first.saturating_mul(1 << probes.min(10)).min(MAX_OPEN)
}

#[cfg(test)]
mod tests {
    use runtime::webhook_settings::RETRIES;
    use serde_json::json;

    use super::*;

    fn message(attempt: u32, base: u32) -> Message {
        let id = |prefix: &str| format!("{prefix}_00000000000000000000000000000001");
        let message = json!({
            "client": id("cl"), "webhook": id("whk"), "delivery": id("dlv"), "event": id("evt"), "name": "test.ping",
            "round": 0, "attempt": attempt, "base": base, "due": 0
        });
        serde_json::from_value(message).expect("a message")
    }

    #[test]
    fn five_retries_as_the_contract_has_them_and_then_none() {
        let now = Time::from_millis(1_000_000);
        for (done, minutes) in [1, 5, 30, 120, 720].into_iter().enumerate() {
            let attempt = u32::try_from(done).expect("small");
            for base in [0, 6] {
                let next = after_failure(&RETRIES, &message(base + attempt, base), now, None);
                let Next::Retry(due) = next else { panic!("{done}: {next:?}") };
                let (seconds, expected) = ((due.millis() - now.millis()) as f64 / 1000.0, f64::from(minutes) * 60.0);
                assert!((0.9 * expected - 0.01..=1.1 * expected + 0.01).contains(&seconds), "{done}: {seconds}");
            }
        }
        assert_eq!(after_failure(&RETRIES, &message(5, 0), now, None), Next::Failed);
        assert_eq!(after_failure(&[], &message(0, 0), now, None), Next::Failed);
    }

    #[test]
    fn what_the_receiver_asks_for_is_a_floor() {
        let now = Time::from_millis(0);
        let due = |asked| match after_failure(&RETRIES, &message(0, 0), now, Some(Duration::from_secs(asked))) {
            Next::Retry(due) => due.millis() / 1000,
            other => panic!("{other:?}"),
        };
        assert_eq!(due(600), 600);
        assert!(due(1) >= 54);
    }

    #[test]
    fn an_endpoint_that_does_not_answer_is_probed_more_and_more_rarely() {
        let spans: Vec<u64> = (0..7).map(|probes| open_for(&RETRIES, probes).as_secs()).collect();
        assert_eq!(spans, [60, 120, 240, 480, 900, 900, 900]);
    }

    #[test]
    fn what_waits_for_an_hour_comes_back_some_twenty_times() {
        for (deferral, most) in [(Deferral::FAULT, 75), (Deferral::SLOT, 25), (Deferral::PERMIT, 22)] {
            let (mut waited, mut waits) = (Duration::ZERO, 0);
            while waited < Duration::from_secs(3600) {
                let wait = deferral.after(waits);
                assert!(wait >= deferral.first.mul_f64(0.9) && wait <= deferral.most.mul_f64(1.1), "{wait:?}");
                (waited, waits) = (waited + wait, waits + 1);
            }
            assert!(waits <= most, "{deferral:?}: {waits}");
        }
    }
}

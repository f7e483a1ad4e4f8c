//! Recorded: a message whose attempt has ended, and of which the queue forgets.

use contract::webhook::AttemptError;

const GONE: u16 = 410;

/// A message whose attempt is recorded. What is left of it is for the circuit breaker of its endpoint.
pub(crate) struct Recorded {
    pub(crate) outcome: Outcome,
}

/// What an attempt says of its endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It arrived.
    Delivered,
    /// It ran into the deadline.
    TimedOut,
    /// It failed otherwise.
    Failed,
    /// The endpoint is gone for good.
    Gone,
}

impl Outcome {
    pub(crate) fn of(error: Option<AttemptError>, status: Option<u16>) -> Self {
        match (error, status) {
            (None, _) => Self::Delivered,
            (Some(AttemptError::Timeout), _) => Self::TimedOut,
            (Some(_), Some(GONE)) => Self::Gone,
            (Some(_), _) => Self::Failed,
        }
    }
}

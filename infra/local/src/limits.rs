//! What one caller may take of a process.

use std::time::Duration;

/// What one caller may take of a process: places for connections, and time.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Connections at once; further callers wait to be accepted.
    pub places: usize,
    /// How long a caller may read nothing of an answer, or send nothing of a body that it has begun.
    pub stall: Duration,
    /// How long a whole body may take.
    pub body: Duration,
    /// How long the next request's head may take from the end of the one before, or from the beginning.
    pub idle: Duration,
    /// How long a connection lives; it ends between two requests.
    pub life: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            places: 1_000,
            stall: Duration::from_secs(20),
            body: Duration::from_secs(60),
            idle: Duration::from_secs(75),
            life: Duration::from_secs(3600),
        }
    }
}

impl Limits {
    /// How many of the places one address may have: a quarter.
    #[must_use]
    pub fn share(&self) -> usize {
        self.places.div_ceil(4)
    }
}

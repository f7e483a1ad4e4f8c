//! What a deployment says of webhooks.

use std::time::Duration;

use auth::target::Rules;
use contract::Time;

/// When failed deliveries are tried again (contract: Webhooks): 1 min, 5 min, 30 min, 2 h, 12 h.
pub const RETRIES: [Duration; 5] = [
    Duration::from_secs(60),
    Duration::from_secs(5 * 60),
    Duration::from_secs(30 * 60),
    Duration::from_secs(2 * 3600),
    Duration::from_secs(12 * 3600),
];

const DEADLINE: Duration = Duration::from_secs(30);

/// What a deployment says of webhooks.
#[derive(Debug, Clone)]
pub struct WebhookSettings {
    /// Where they may go.
    pub rules: Rules,
    /// How long after a failed attempt the next one is due, each ±10%.
    pub retries: Vec<Duration>,
    /// How long one attempt may take in all (contract: Webhooks).
    pub deadline: Duration,
    /// Attempts that were begun before this are nobody's any more: their process is known to be dead.
    pub dead_before: Option<Time>,
}

impl Default for WebhookSettings {
    fn default() -> Self {
        Self { rules: Rules::production(), retries: RETRIES.to_vec(), deadline: DEADLINE, dead_before: None }
    }
}

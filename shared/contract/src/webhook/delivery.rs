//! What became of what was announced.

use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::EventName;
use crate::id::{DeliveryId, EventId, WebhookId};
use crate::resource::Resource;
use crate::{Broken, Time};

/// Where a delivery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum DeliveryStatus {
    /// The first attempt is to come, or under way.
    Pending,
    /// The receiver has taken it.
    Delivered,
    /// An attempt failed; another is to come.
    Retrying,
    /// It waits for its webhook to be on, or to answer, again.
    Held,
    /// The last attempt failed, or it was held for too long.
    Failed,
}

impl DeliveryStatus {
    const ALL: [Self; 5] = [Self::Pending, Self::Delivered, Self::Retrying, Self::Held, Self::Failed];

    /// As the contract writes it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::Retrying => "retrying",
            Self::Held => "held",
            Self::Failed => "failed",
        }
    }
}

impl FromStr for DeliveryStatus {
    type Err = Broken;
    fn from_str(text: &str) -> Result<Self, Broken> {
        let found = Self::ALL.into_iter().find(|status| status.name() == text);
        found.ok_or_else(|| Broken::new("unknown_status", "Must be one of pending, delivered, retrying, held, failed."))
    }
}

/// One event to one webhook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Delivery {
    /// `dlv_…`
    pub id: DeliveryId,
    /// To whom.
    pub webhook_id: WebhookId,
    /// What, the same for all webhooks that are told of it.
    pub event_id: EventId,
    /// What happened.
    pub event: EventName,
    /// Where it stands.
    pub status: DeliveryStatus,
    /// How many attempts were begun.
    pub attempt_count: u32,
    /// When the next attempt is due, while it is `retrying`.
    pub next_attempt_at: Option<Time>,
    /// The attempts, oldest first, the last 100 of them; not in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempts: Option<Vec<Attempt>>,
    /// When the event was committed.
    pub created_at: Time,
}

/// One `POST`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Attempt {
    /// When it began.
    pub at: Time,
    /// Where it went.
    pub url: Option<String>,
    /// The address that was dialled.
    pub address: Option<String>,
    /// The status of the answer.
    pub status_code: Option<u16>,
    /// How long it took.
    pub duration_ms: Option<u64>,
    /// The answer's first 4 KiB.
    pub response: Option<String>,
    /// Why it failed.
    pub error: Option<AttemptError>,
}

/// Why an attempt failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum AttemptError {
    /// The name has no address.
    Dns,
    /// The address or the URL is none that deliveries may go to.
    Blocked,
    /// No connection came about, or it broke off.
    Connect,
    /// The certificate or the handshake was refused.
    Tls,
    /// There was no whole answer within 30 seconds.
    Timeout,
    /// The answer was a redirect, which is not followed.
    Redirect,
    /// The answer was no 2xx.
    Http,
    /// Nobody lived to see the end of it: it may have arrived.
    Unknown,
}

impl Resource for Delivery {
    fn version(&self) -> Option<u64> {
        None
    }
}

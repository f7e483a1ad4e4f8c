//! Webhooks: endpoints, what they are sent, and what became of it.

mod delivery;
mod event;
mod headers;

pub use delivery::{Attempt, AttemptError, Delivery, DeliveryStatus};
pub use event::{Envelope, EventFilter, EventName};
pub use headers::{
    HeaderNames, HeaderValue, Headers, HeadersChange, SignatureFormat, SignatureHeader, SignatureHeaderName,
};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::id::WebhookId;
use crate::names::{Description, TenantId};
use crate::resource::Resource;
use crate::{Several, Time};

/// An endpoint that events are delivered to, without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Webhook {
    /// `whk_…`
    pub id: WebhookId,
    /// Where deliveries are sent.
    pub url: String,
    /// What people say of it.
    pub description: Option<Description>,
    /// What it is told.
    pub events: Events,
    /// The tenants whose events it is told; `null` for all, and for events of no tenant.
    pub tenant_ids: Option<TenantIds>,
    /// Headers that every delivery has, by name. Their values are secrets and shown as `null`.
    pub headers: HeaderNames,
    /// The name and form of the body's signature, for receivers written for another product.
    pub signature_header: Option<SignatureHeader>,
    /// Whether it is on. While it is off, its events are held for up to 7 days.
    pub active: bool,
    /// Why it was switched off, if we did it.
    pub disabled: Option<Disabled>,
    /// Until when the secret before this one signs as well.
    pub previous_secret_expires_at: Option<Time>,
    /// 1, then one more a change.
    pub version: u64,
    /// When it was made.
    pub created_at: Time,
    /// When it last changed.
    pub updated_at: Time,
}

impl Resource for Webhook {
    fn version(&self) -> Option<u64> {
        Some(self.version)
    }
}

/// That we switched a webhook off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Disabled {
    /// Why.
    pub reason: DisabledReason,
    /// When.
    pub at: Time,
}

/// Why we switched a webhook off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum DisabledReason {
    /// It answered 410.
    Gone,
    /// Nothing but failures for five days.
    Failing,
}

/// What a webhook is told: one or more filters.
pub type Events = Several<EventFilter, 50>;

/// The tenants whose events a webhook is told.
pub type TenantIds = Several<TenantId, 100>;

impl Webhook {
    /// Whether it is told of an event of this name, of this tenant or of none.
    #[must_use]
    pub fn wants(&self, event: EventName, tenant: Option<&TenantId>) -> bool {
        let of_tenant = match (&self.tenant_ids, tenant) {
            (None, _) => true,
            (Some(ids), Some(tenant)) => ids.as_slice().contains(tenant),
            (Some(_), None) => false,
        };
        of_tenant && self.events.as_slice().iter().any(|filter| filter.takes(event))
    }
}

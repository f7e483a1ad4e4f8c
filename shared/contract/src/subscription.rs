//! Subscriptions: plans with their limits, which are data (`plans.json`), and what a client has of them.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Broken;
use crate::resource::Resource;

/// The plans of this build.
#[derive(Deserialize)]
struct Plans {
    /// That of a client which nobody has put on another one.
    initial: String,
    plans: BTreeMap<String, Limits>,
}

static PLANS: LazyLock<Plans> = LazyLock::new(|| {
    let plans: Result<Plans, _> = serde_json::from_str(include_str!("plans.json"));
    plans.unwrap_or_else(|error| unreachable!("plans.json: {error}"))
});

/// How many of each there may be; `null` where the plan has no limit of its own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Tenants.
    pub tenants: Option<u64>,
    /// Global fields.
    pub fields: Option<u64>,
    /// Entities with values.
    pub entities: Option<u64>,
    /// Webhooks.
    pub webhooks: Option<u64>,
    /// Members.
    pub members: Option<u64>,
}

impl Limits {
    /// Of each the lesser; where there is none, the other's.
    #[must_use]
    pub fn at_most(self, other: Self) -> Self {
        let least = |a: Option<u64>, b: Option<u64>| a.into_iter().chain(b).min();
        Self {
            tenants: least(self.tenants, other.tenants),
            fields: least(self.fields, other.fields),
            entities: least(self.entities, other.entities),
            webhooks: least(self.webhooks, other.webhooks),
            members: least(self.members, other.members),
        }
    }
}

crate::text_type! {
    /// One of the plans.
    Plan {
        read: |text| known(text).map(|()| text.to_owned()),
        schema: { "type": "string", "enum": (PLANS.plans.keys().collect::<Vec<_>>()) }
    }
}

fn known(text: &str) -> Result<(), Broken> {
    if PLANS.plans.contains_key(text) {
        return Ok(());
    }
    let names: Vec<_> = PLANS.plans.keys().map(|name| format!("`{name}`")).collect();
    Err(Broken::new("unknown_plan", format!("Must be one of {}.", names.join(", "))))
}

impl Plan {
    /// That of a client which nobody has put on another one.
    #[must_use]
    pub fn initial() -> Self {
        Self(PLANS.initial.clone())
    }

    /// Its limits.
    #[must_use]
    pub fn limits(&self) -> Limits {
        PLANS.plans.get(&self.0).copied().unwrap_or_default()
    }
}

/// Where a subscription stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SubscriptionStatus {
    /// In force.
    #[default]
    Active,
    /// In force, and not paid for yet.
    Trialing,
    /// In force, though a payment has failed: it is tried again.
    PastDue,
    /// Not in force: what is there can be read, delivered and exported, and nothing is changed.
    Inactive,
}

impl SubscriptionStatus {
    /// Every status.
    pub const ALL: [Self; 4] = [Self::Active, Self::Trialing, Self::PastDue, Self::Inactive];

    /// Its name as the API has it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Trialing => "trialing",
            Self::PastDue => "past_due",
            Self::Inactive => "inactive",
        }
    }
}

/// What a client may use, and what it does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Subscription {
    /// The plan.
    pub plan: Plan,
    /// Where it stands.
    pub status: SubscriptionStatus,
    /// What the plan allows.
    pub limits: Limits,
    /// What there is; `null` where nobody counts.
    pub usage: Limits,
}

impl Resource for Subscription {
    fn version(&self) -> Option<u64> {
        None
    }
}

/// A page of the payment service's, to send a browser to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct BillingPage {
    /// Where it is. It is for one person and for a short while.
    #[schemars(extend("format" = "uri"))]
    pub url: String,
}

impl Resource for BillingPage {
    fn version(&self) -> Option<u64> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plans_are_plans() {
        assert_eq!(Plan::initial().as_str().parse(), Ok(Plan::initial()));
        assert!("Open".parse::<Plan>().is_err() && "".parse::<Plan>().is_err());
        for status in SubscriptionStatus::ALL {
            assert_eq!(serde_json::to_value(status).ok(), Some(status.name().into()));
        }
    }
}

//! Whether a client is open, and whether it has a subscription: what every request with a credential has to find so.
//!
//! It stands on the client's card, beside the document: `deletedAt` while it is closed, `erasing` once nobody can restore
//! it, `sessionsNotBefore` since it was last closed, and `subscription`.

use std::time::Duration;

use contract::id::ClientId;
use contract::resource::Client;
use contract::subscription::{Limits, Plan, SubscriptionStatus};
use contract::{Error, Time};
use serde::{Deserialize, Serialize};

use crate::Store;
use crate::cache::{Cache, Heavy};
use crate::document::{deleted_at, from_doc};
use crate::dynamo::{Item, get_text};
use crate::grant::{Grant, grants};
use crate::keys;
use crate::limits;

/// How long it is believed without asking again: what is closed is so everywhere after this.
const CACHE_TTL: Duration = Duration::from_secs(5);

/// A client's subscription, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StoredSubscription {
    /// The plan's name: a later build may not know it.
    pub(crate) plan: String,
    pub(crate) status: SubscriptionStatus,
}

impl StoredSubscription {
    /// What a client's card says; where it says nothing, the initial plan is in force.
    pub(crate) fn of(card: &Item) -> Result<Self, Error> {
        let Some(text) = get_text(card, "subscription") else {
            return Ok(Self::initial());
        };
        serde_json::from_str(text).map_err(Error::internal)
    }

    /// What a client has of which nothing else is known.
    pub(crate) fn initial() -> Self {
        Self { plan: Plan::initial().to_string(), status: SubscriptionStatus::Active }
    }

    pub(crate) fn plan(&self) -> Plan {
        self.plan.parse().unwrap_or_else(|_| Plan::initial())
    }
}

/// Where a client stands.
#[derive(Debug, Clone, Copy)]
pub struct Standing {
    /// Whether it is closed, until an owner restores it or it is erased.
    pub is_closed: bool,
    /// Whether its subscription is in force.
    pub is_subscribed: bool,
    /// Sessions of members that are no owners have ended if they began before.
    sessions_not_before: Option<Time>,
    /// Whether its members need a second factor.
    pub requires_second_factor: bool,
    limits: Limits,
}

impl Heavy for (Time, Option<Standing>) {
    fn weight(&self) -> usize {
        size_of::<Self>()
    }
}

/// By client, each with the time when it was read; none of a client that is not there.
pub(crate) type StandingCache = Cache<ClientId, (Time, Option<Standing>)>;

impl Standing {
    /// By its card; nothing, once it is being erased.
    fn of(card: &Item) -> Result<Option<Self>, Error> {
        if get_text(card, "erasing").is_some() {
            return Ok(None);
        }
        let (client, subscription) = (from_doc::<Client>(card)?, StoredSubscription::of(card)?);
        Ok(Some(Self {
            is_closed: deleted_at(card).is_some(),
            is_subscribed: subscription.status != SubscriptionStatus::Inactive,
            sessions_not_before: get_text(card, "sessionsNotBefore").and_then(|at| at.parse().ok()),
            requires_second_factor: client.require_totp,
            limits: subscription.plan().limits(),
        }))
    }

    /// Whether the session of a member that is no owner, begun then, was ended by a closing.
    #[must_use]
    pub fn has_ended(&self, began: Time) -> bool {
        self.is_closed || self.sessions_not_before.is_some_and(|end| began <= end)
    }
}

impl Store {
    /// What looking at a client's standing needs.
    pub const STANDING_GRANTS: &'static [Grant] = &grants![Main GetItem [Client]];

    /// Where a client stands; nothing, if it is not there.
    ///
    /// # Errors
    /// `unavailable`, `internal`.
    pub async fn standing(&self, client: ClientId) -> Result<Option<Standing>, Error> {
        let now = self.clock().now();
        let known = self.0.standings.get(&client).filter(|(read, _)| now < read.plus(CACHE_TTL) && *read <= now);
        if let Some((_, standing)) = known {
            return Ok(standing);
        }
        match self.get(&keys::client(client)).await? {
            Some(card) => self.note_standing(client, &card, now),
            None => Ok(None),
        }
    }

    /// Remembers where a client stands, by its card, for whoever asks next.
    pub(crate) fn note_standing(&self, client: ClientId, card: &Item, read: Time) -> Result<Option<Standing>, Error> {
        let standing = Standing::of(card)?;
        self.0.standings.insert(client, (read, standing));
        Ok(standing)
    }

    pub(crate) fn forget_standing(&self, client: ClientId) {
        self.0.standings.remove(&client);
    }

    /// What a client's plan allows, and the deployment.
    pub(crate) async fn plan_limits(&self, client: ClientId) -> Result<Limits, Error> {
        let of_plan = self.standing(client).await?.map(|standing| standing.limits).unwrap_or_default();
        Ok(self.allowed(of_plan))
    }

    /// What a plan allows in this deployment: of each the lesser.
    pub(crate) fn allowed(&self, plan: Limits) -> Limits {
        plan.at_most(self.0.caps).at_most(limits::caps(self.0.caps))
    }
}

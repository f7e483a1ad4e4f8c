//! Whether a client is open, whether it has a subscription, and what it sets for itself: what every request with a
//! credential goes by.
//!
//! It stands on the client's card, beside the document: `deletedAt` while it is closed, `erasing` once nobody can restore
//! it, `sessionsNotBefore` since it was last closed, and `subscription`. The settings are an item beside the card.

use std::sync::Arc;
use std::time::Duration;

use contract::id::ClientId;
use contract::resource::Client;
use contract::settings::Settings;
use contract::subscription::{Limits, Plan, SubscriptionStatus};
use contract::{Error, Time};
use serde::{Deserialize, Serialize};

use crate::Store;
use crate::cache::{Cache, Heavy};
use crate::change::Change;
use crate::document::{deleted_at, from_doc};
use crate::dynamo::{Item, get_text};
use crate::grant::{Grant, grants};
use crate::limits;
use crate::{keys, settings};

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
#[derive(Debug, Clone)]
pub struct Standing {
    /// Whether it is closed, until an owner restores it or it is erased.
    pub is_closed: bool,
    /// Whether its subscription is in force.
    pub is_subscribed: bool,
    /// Sessions of members that are no owners have ended if they began before.
    sessions_not_before: Option<Time>,
    /// Whether its members need a second factor.
    pub requires_second_factor: bool,
    /// What it sets for itself.
    pub settings: Arc<Settings>,
    limits: Limits,
}

impl Heavy for (Time, Option<Standing>) {
    fn weight(&self) -> usize {
        let settings = self.1.as_ref().map_or(0, |standing| {
            let Settings { cors, embed, ip_allowlist, .. } = &*standing.settings;
            let origins = [cors, embed].map(|list| list.origins.as_slice());
            let texts: usize = origins.iter().flat_map(|list| list.iter()).map(|origin| origin.as_str().len()).sum();
            let lists = origins.iter().map(|list| size_of_val(*list)).sum::<usize>();
            size_of::<Settings>() + texts + lists + size_of_val(ip_allowlist.entries.as_slice())
        });
        size_of::<Self>() + settings
    }
}

/// By client, each with the time when it was read; none of a client that is not there.
pub(crate) type StandingCache = Cache<ClientId, (Time, Option<Standing>)>;

impl Standing {
    /// By its card and its settings; nothing, once it is being erased.
    fn of(card: &Item, settings: Option<&Item>) -> Result<Option<Self>, Error> {
        if get_text(card, "erasing").is_some() {
            return Ok(None);
        }
        let (client, subscription) = (from_doc::<Client>(card)?, StoredSubscription::of(card)?);
        Ok(Some(Self {
            is_closed: deleted_at(card).is_some(),
            is_subscribed: subscription.status != SubscriptionStatus::Inactive,
            sessions_not_before: get_text(card, "sessionsNotBefore").and_then(|at| at.parse().ok()),
            requires_second_factor: client.require_totp,
            settings: Arc::new(settings::of_item(settings)?),
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
    pub const STANDING_GRANTS: &'static [Grant] = &grants![Main BatchGetItem [Client]];

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
        match self.batch_get([&keys::client(client), &keys::settings(client)]).await? {
            [Some(card), settings] => self.note_standing(client, &card, settings.as_ref(), now),
            [None, _] => Ok(None),
        }
    }

    /// Remembers where a client stands, by its card and its settings, for whoever asks next.
    pub(crate) fn note_standing(
        &self,
        client: ClientId,
        card: &Item,
        settings: Option<&Item>,
        read: Time,
    ) -> Result<Option<Standing>, Error> {
        let standing = Standing::of(card, settings)?;
        self.0.standings.insert(client, (read, standing.clone()));
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

/// That a client has not been closed meanwhile.
pub(crate) fn still_open(client: ClientId) -> Change {
    Change::check(keys::client(client)).when("attribute_exists(#pk) AND attribute_not_exists(#deletedAt)")
}

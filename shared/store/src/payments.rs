//! What the payment service says of a client's subscriptions there, and what follows from it.
//!
//! It stands on the client's card as `payments`, beside `subscription`, which is what follows.

use std::collections::BTreeMap;

use contract::Error;
use contract::id::ClientId;
use contract::subscription::{Plan, SubscriptionStatus};
use serde::{Deserialize, Serialize};

use crate::dynamo::{Item, get_text};
use crate::standing::StoredSubscription;

/// So many subscriptions of a client's are remembered. Events arrive for three days, and nobody buys that often.
const REMEMBERED: usize = 10;

/// What an event of the payment service's says of a subscription there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubscriptionEvent {
    /// The event's identifier.
    pub id: String,
    /// When it was made, in seconds since 1970; of those of one second the later kind counts (created, updated, deleted).
    pub at: i64,
    /// Which kind it is of, in this order.
    pub kind: u8,
    /// The client that it was made for.
    pub client: ClientId,
    /// The customer.
    pub customer: String,
    /// The subscription.
    pub subscription: String,
    /// When the subscription was made, in seconds since 1970.
    pub created: i64,
    /// The price that is paid.
    pub price: Option<String>,
    /// The plan that is paid for, if it is one of ours.
    pub plan: Option<Plan>,
    /// Where it stands.
    pub status: SubscriptionStatus,
}

/// What became of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// It is remembered, and the client has what follows.
    Applied,
    /// It is remembered; its price buys no plan of ours.
    NoPlan,
    /// It came before.
    Before,
    /// Something newer is known of the subscription.
    Outdated,
    /// There is no such client.
    Unknown,
}

#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Payments {
    /// By identifier; those that have ended too, since older events of theirs may still arrive.
    subscriptions: BTreeMap<String, Paid>,
    /// By whoever runs the deployment: it holds until a newer event says that a plan of ours is paid for.
    setting: Option<Setting>,
}

/// The last that is known of a subscription.
#[derive(Debug, Serialize, Deserialize)]
struct Paid {
    /// When the event was made, and of which kind it is.
    stamp: (i64, u8),
    created: i64,
    customer: String,
    price: Option<String>,
    /// The plan's name, if the price is a plan's.
    plan: Option<String>,
    status: SubscriptionStatus,
}

#[derive(Debug, Serialize, Deserialize)]
struct Setting {
    at: i64,
    subscription: StoredSubscription,
}

impl Paid {
    fn is_in_force(&self) -> bool {
        self.status != SubscriptionStatus::Inactive
    }

    /// What is in force goes before what has ended, then what buys a plan, then what is newer.
    fn rank(&self) -> (bool, bool, i64, (i64, u8)) {
        (self.is_in_force(), self.is_in_force() && self.plan.is_some(), self.created, self.stamp)
    }
}

impl Payments {
    pub(crate) fn of(card: &Item) -> Result<Self, Error> {
        get_text(card, "payments")
            .map_or_else(|| Ok(Self::default()), |text| serde_json::from_str(text).map_err(Error::internal))
    }

    /// Takes in what an event says.
    pub(crate) fn hear(&mut self, event: &SubscriptionEvent) -> Heard {
        let (known, stamp) = (self.subscriptions.get(&event.subscription), (event.at, event.kind));
        if known.is_some_and(|known| known.stamp > stamp) {
            return Heard::Outdated;
        }
        // A lookup key can move on to another price: who pays the old one keeps what it bought.
        let bought = known.filter(|known| known.price.is_some() && known.price == event.price);
        let plan = event.plan.as_ref().map(Plan::to_string).or_else(|| bought?.plan.clone());
        let (customer, price) = (event.customer.clone(), event.price.clone());
        let paid = Paid { stamp, created: event.created, customer, price, plan, status: event.status };
        let buys_a_plan = paid.plan.is_some();
        let heard = if paid.is_in_force() && !buys_a_plan { Heard::NoPlan } else { Heard::Applied };
        if paid.is_in_force() && buys_a_plan {
            self.setting.take_if(|setting| setting.at < event.at);
        }
        self.subscriptions.insert(event.subscription.clone(), paid);
        if self.subscriptions.len() > REMEMBERED {
            let oldest = self.subscriptions.iter().min_by_key(|(_, paid)| (paid.is_in_force(), paid.stamp));
            let oldest = oldest.map(|(id, _)| id.clone());
            oldest.and_then(|id| self.subscriptions.remove(&id));
        }
        heard
    }

    /// Takes in what whoever runs the deployment says.
    pub(crate) fn set(&mut self, at: i64, plan: &Plan, status: SubscriptionStatus) {
        self.setting = Some(Setting { at, subscription: StoredSubscription { plan: plan.to_string(), status } });
    }

    /// What the client has. What buys no plan of ours is worth the initial one, which is had for nothing.
    pub(crate) fn subscription(&self) -> StoredSubscription {
        match (&self.setting, self.current()) {
            (Some(setting), _) => setting.subscription.clone(),
            (None, None) => StoredSubscription::initial(),
            (None, Some(Paid { plan, status, .. })) => {
                let plan = plan.clone().unwrap_or_else(|| Plan::initial().to_string());
                StoredSubscription { plan, status: *status }
            }
        }
    }

    /// The customer, once something has been paid for.
    pub(crate) fn customer(&self) -> Option<&str> {
        self.current().map(|paid| paid.customer.as_str())
    }

    /// Whether a subscription there is in force, whatever the client has here.
    pub(crate) fn is_subscribed(&self) -> bool {
        self.current().is_some_and(Paid::is_in_force)
    }

    fn current(&self) -> Option<&Paid> {
        self.subscriptions.values().max_by_key(|paid| paid.rank())
    }
}

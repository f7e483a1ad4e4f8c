//! What all dispatchers together know of a webhook's endpoint: how many attempts are under way there, its circuit
//! breaker, and since when it has only failed.

use std::time::Duration;

use contract::id::WebhookId;
use contract::{Error, Time};

use crate::Store;
use crate::change::{Change, Written};
use crate::dynamo::{Item, get_number, number};
use crate::grant::granted;
use crate::keys;
use crate::retry::{Step, update_with_retry};

/// Attempts under way at one endpoint, at the most.
pub const MAX_SLOTS: usize = 10;
/// A slot that nobody gave back is free again after this long: longer than an attempt, and than the function that
/// makes it may run.
pub const SLOT_TTL: Duration = Duration::from_secs(75);
/// An endpoint's state vanishes after this long without an attempt.
const RETENTION: Duration = Duration::from_secs(30 * 24 * 3600);

/// The states of endpoints.
#[derive(Clone)]
pub struct EndpointStates {
    store: Store,
    /// What was taken before this was taken by a process that is known to be dead.
    dead_before: Option<Time>,
}

granted! {
    EndpointStates {
        Log GetItem [WebhookState];
        Log UpdateItem [WebhookState];
    }
}

/// Slots that were taken, and how the endpoint stood then.
#[derive(Debug, Clone, Default)]
pub struct Taken {
    slots: Vec<usize>,
    /// What the slots hold: their end, told apart from others' of the same millisecond.
    stamp: i64,
    /// How it stands.
    pub health: Health,
}

impl Taken {
    /// How many slots they are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether none was free.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }
}

/// How an endpoint stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Health {
    /// Nothing but failures came of it since then.
    pub failing_since: Option<Time>,
    /// Attempts in a row that ran into the deadline.
    pub timeouts: u32,
    /// When an attempt was last answered, with whatever status.
    pub answered_at: Option<Time>,
    /// The circuit is open: the endpoint does not answer. Nothing is sent before this time, and then one probe.
    pub open_until: Option<Time>,
    /// Probes in a row, all in vain.
    pub probes: u32,
}

/// The state of an endpoint's circuit breaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CircuitState {
    /// The endpoint answers: every delivery goes through.
    Closed,
    /// It does not answer: none goes through.
    Open,
    /// One goes through, as a probe of whether it answers again.
    HalfOpen,
}

impl Health {
    /// Whether the endpoint is known to answer: it has, no attempt since then ran into the deadline, and nobody opened its
    /// circuit.
    #[must_use]
    pub fn answers(&self) -> bool {
        self.answered_at.is_some() && self.timeouts == 0 && self.open_until.is_none()
    }

    /// The state of the circuit breaker at a time.
    #[must_use]
    pub fn circuit(&self, now: Time) -> CircuitState {
        match self.open_until {
            None => CircuitState::Closed,
            Some(until) if until > now => CircuitState::Open,
            Some(_) => CircuitState::HalfOpen,
        }
    }
}

/// How the endpoint has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Report {
    /// Nothing was tried.
    Nothing,
    /// Something arrived.
    Answered,
    /// Nothing arrived; so many attempts in a row, the last ones, ran into the deadline.
    Failed {
        /// Attempts that ran into the deadline since the last other failure.
        timeouts: u32,
        /// Whether another kind of failure came before them, which is an answer of a kind.
        reset: bool,
    },
}

fn slot(at: usize) -> String {
    format!("t_{at}")
}

impl EndpointStates {
    /// The states of a store. `dead_before`: slots taken before it are of a process that is known to be dead.
    #[must_use]
    pub fn open(store: &Store, dead_before: Option<Time>) -> Self {
        Self { store: store.clone(), dead_before }
    }

    /// Takes up to `want` slots, in one update where nobody else is at it; none if all are taken.
    ///
    /// # Errors
    /// `unavailable`, `internal`.
    pub async fn take(&self, webhook: WebhookId, want: usize) -> Result<Taken, Error> {
        let mut free: Vec<usize> = (0..MAX_SLOTS).collect();
        update_with_retry!({
            let now = self.store.clock().now();
            let slots: Vec<usize> = free.iter().copied().take(want.max(1)).collect();
            // Those that hold less are free: their time is over, or nobody is left to give them back.
            let free_below = self.dead_before.map_or(now, |dead| now.max(dead.plus(SLOT_TTL))).millis() * 1000;
            let chance = i64::from(u16::from_be_bytes(auth::random::bytes()) % 1000);
            let stamp = now.plus(SLOT_TTL).millis() * 1000 + chance;
            let mut change = Change::update(keys::webhook_state(webhook))
                .set("ttl", number(now.plus(RETENTION).seconds()))
                .with(":free", number(free_below));
            for at in &slots {
                let name = slot(*at);
                change = change
                    .set(&name, number(stamp))
                    .when(&format!("(attribute_not_exists(#{name}) OR #{name} < :free)"));
            }
            match self.store.update_and_see(&change).await? {
                Ok(item) => return Ok(Step::Done(Taken { slots, stamp, health: health(&item) })),
                Err(found) => {
                    let item = found.unwrap_or_default();
                    let held = |at: &usize| get_number::<i64>(&item, &slot(*at)).unwrap_or(0);
                    // Ours, committed by a try whose answer was lost.
                    if slots.iter().all(|at| held(at) == stamp) {
                        return Ok(Step::Done(Taken { slots, stamp, health: health(&item) }));
                    }
                    free = (0..MAX_SLOTS).filter(|at| held(at) < free_below).collect();
                    if free.is_empty() {
                        return Ok(Step::Done(Taken { health: health(&item), ..Taken::default() }));
                    }
                }
            }
            Ok(Step::Stale { base: 0 })
        })
    }

    /// Gives slots back and tells how the endpoint has done; it says how it stands after that.
    ///
    /// # Errors
    /// `unavailable`, `internal`; the slots are then free when their time is over.
    pub async fn give_back(&self, webhook: WebhookId, taken: &Taken, report: Report) -> Result<Health, Error> {
        let now = self.store.clock().now();
        let mut change = Change::update(keys::webhook_state(webhook)).set("ttl", number(now.plus(RETENTION).seconds()));
        for at in &taken.slots {
            change = change.remove(&slot(*at));
        }
        match report {
            Report::Nothing => {}
            Report::Answered => {
                for name in ["failingSince", "timeouts", "openUntil", "probes"] {
                    change = change.remove(name);
                }
                change = change.set("answeredAt", number(now.millis()));
            }
            Report::Failed { timeouts, reset } => {
                change = change.set_once("failingSince", number(now.millis()));
                change = if reset {
                    // Whoever fails at once does not keep others waiting.
                    let change = change.set("timeouts", number(timeouts)).set("answeredAt", number(now.millis()));
                    change.remove("openUntil").remove("probes")
                } else {
                    change.add("timeouts", i64::from(timeouts))
                };
            }
        }
        let first = taken.slots.first().copied();
        if let Some(at) = first {
            // A slot whose time was over may be another's by now.
            change = change.when(&format!("#{} = :stamp", slot(at))).with(":stamp", number(taken.stamp));
        }
        match self.store.update_and_see(&change).await? {
            Ok(item) => Ok(health(&item)),
            Err(found) => Ok(health(&found.unwrap_or_default())),
        }
    }

    /// How an endpoint stands.
    ///
    /// # Errors
    /// `unavailable`, `internal`.
    pub async fn health(&self, webhook: WebhookId) -> Result<Health, Error> {
        let item = self.store.get(&keys::webhook_state(webhook)).await?;
        Ok(health(&item.unwrap_or_default()))
    }

    /// Opens the circuit of an endpoint that does not answer until a time, after so many probes in a row; false if another
    /// has done so, from the same `before`.
    ///
    /// # Errors
    /// `unavailable`, `internal`.
    pub async fn open_circuit(
        &self,
        webhook: WebhookId,
        before: Option<Time>,
        until: Time,
        probes: u32,
    ) -> Result<bool, Error> {
        let change = Change::update(keys::webhook_state(webhook))
            .set("openUntil", number(until.millis()))
            .set("probes", number(probes));
        let change = match before {
            Some(before) => change.when("#openUntil = :before").with(":before", number(before.millis())),
            None => change.when("attribute_not_exists(#openUntil)"),
        };
        match self.store.conditional_write(change).await? {
            Written::Done => Ok(true),
            Written::Refused(item) => {
                let found = item.map(|item| health(&item));
                Ok(found.is_some_and(|found| found.open_until == Some(until)))
            }
        }
    }
}

pub(crate) fn health(item: &Item) -> Health {
    Health {
        failing_since: get_number(item, "failingSince").map(Time::from_millis),
        timeouts: get_number(item, "timeouts").unwrap_or(0),
        answered_at: get_number(item, "answeredAt").map(Time::from_millis),
        open_until: get_number(item, "openUntil").map(Time::from_millis),
        probes: get_number(item, "probes").unwrap_or(0),
    }
}

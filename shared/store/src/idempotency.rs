//! Requests that may be repeated (contract: `Idempotency-Key`): the first answer is kept for a day, and a repetition
//! that finds the first try dead goes on with its identifiers, so that it meets what was already written.

use std::time::Duration;

use contract::{Code, Error, Time};
use serde::{Deserialize, Serialize};

use crate::Store;
use crate::author::Seed;
use crate::change::{Attempt, Change};
use crate::dynamo::{Item, get_number, get_text, must, number, text};
use crate::grant::{Grant, grants};
use crate::keys;
use crate::scope::ClientScope;

/// How long a first answer is kept.
const KEPT: Duration = Duration::from_secs(24 * 3600);
/// How long a try may take before it counts as dead.
const LEASE: Duration = Duration::from_secs(60);
/// Answers over this are not kept: an item has at most 400 KB.
const MAX_BYTES: usize = 350_000;

/// An answer as it is kept: secrets are no longer in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remembered {
    /// The status.
    pub status: u16,
    /// The `ETag`, if it had one.
    pub etag: Option<String>,
    /// The body.
    pub body: String,
}

/// A request that is being carried out under its key.
pub struct Slot {
    mac: String,
    /// Which try has the lease. Not its end: two tries can ask for the same.
    holder: String,
    /// What identifiers are made from: the first try's, if there was one.
    pub seed: Seed,
}

/// What a key says of a request.
pub enum Begun {
    /// It is to be carried out.
    Go(Slot),
    /// It has been answered.
    Answered(Remembered),
}

/// A request with a key.
pub struct Keyed<'a> {
    /// The caller: a key's or a user's identifier.
    pub caller: &'a str,
    /// The method and the path, parameters filled in.
    pub route: &'a str,
    /// The caller's key.
    pub key: &'a str,
    /// The body, byte for byte.
    pub body: &'a [u8],
}

impl Store {
    /// What remembering answers needs.
    pub const IDEMPOTENCY_GRANTS: &'static [Grant] =
        &grants![Log PutItem [Idempotency]; Log UpdateItem [Idempotency]; Log DeleteItem [Idempotency]];

    /// Claims a key, or finds the answer that was given under it.
    ///
    /// # Errors
    /// `idempotency_key_reused` with another body, `idempotency_in_progress` while the first try lives.
    pub async fn begin(&self, scope: &ClientScope, request: &Keyed<'_>) -> Result<Begun, Error> {
        let now = self.clock().now();
        let parts = [request.caller, request.route, request.key].map(str::as_bytes);
        let mac = auth::hex(&scope.seal().mac(&parts));
        let fingerprint = auth::hex(&scope.seal().mac(&[request.body]));
        let (seed, lease) = (Seed::new(now), now.plus(LEASE).millis());
        let holder = auth::hex(&auth::random::bytes::<16>());
        let claim = Change::put(keys::idempotency(&mac))
            .set("fingerprint", text(&fingerprint))
            .set("lease", number(lease))
            .set("holder", text(&holder))
            .set("expiresAt", number(now.plus(KEPT).millis()))
            .set("ttl", number(now.plus(KEPT).seconds()))
            .set("seedAt", number(seed.at.millis()))
            .set("seed", text(auth::hex(&seed.bytes)))
            .when("(attribute_not_exists(#pk) OR #expiresAt <= :now)")
            .with(":now", number(now.millis()));
        let Attempt::Refused(found) = self.attempt(claim).await? else {
            return Ok(Begun::Go(Slot { mac, holder, seed }));
        };
        let found = must(found, "item")?;
        if get_text(&found, "fingerprint") != Some(&fingerprint) {
            return Err(Code::IdempotencyKeyReused.into());
        }
        if let Some(answer) = get_text(&found, "answer") {
            return Ok(Begun::Answered(serde_json::from_str(answer).map_err(Error::internal)?));
        }
        let first = seed_of(&found)?;
        if is_held_by(&found, &holder) {
            return Ok(Begun::Go(Slot { mac, holder, seed }));
        }
        if must(get_number::<i64>(&found, "lease"), "lease")? > now.millis() {
            return Err(Code::IdempotencyInProgress.into());
        }
        let dead = must(get_text(&found, "holder"), "holder")?;
        let take = Change::update(keys::idempotency(&mac))
            .set("lease", number(lease))
            .set("holder", text(&holder))
            .when("#holder = :dead AND attribute_not_exists(#answer)")
            .with(":dead", text(dead));
        match self.attempt(take).await? {
            Attempt::Refused(found) if !found.as_ref().is_some_and(|found| is_held_by(found, &holder)) => {
                Err(Code::IdempotencyInProgress.into())
            }
            _ => Ok(Begun::Go(Slot { mac, holder, seed: first })),
        }
    }

    /// Keeps the answer; without one, the key is free again.
    ///
    /// # Errors
    /// `unavailable`, `internal`.
    pub async fn finish(&self, slot: Slot, answer: Option<&Remembered>) -> Result<(), Error> {
        let key = keys::idempotency(&slot.mac);
        let kept = answer.map(serde_json::to_string).transpose().map_err(Error::internal)?;
        let change = match kept.filter(|kept| kept.len() <= MAX_BYTES) {
            Some(kept) => Change::update(key).set("answer", text(kept)),
            None => Change::delete(key),
        };
        // Only while the claim is still ours.
        self.attempt(change.when("#holder = :holder").with(":holder", text(slot.holder))).await.map(|_| ())
    }
}

/// Whether a claim that was refused had been committed before, and only its answer lost.
fn is_held_by(item: &Item, holder: &str) -> bool {
    get_text(item, "holder") == Some(holder)
}

fn seed_of(item: &Item) -> Result<Seed, Error> {
    let digits = must(get_text(item, "seed"), "seed")?;
    let at = must(get_number(item, "seedAt"), "seedAt")?;
    let bytes: Option<Vec<u8>> =
        (0..digits.len()).step_by(2).map(|i| u8::from_str_radix(digits.get(i..i + 2)?, 16).ok()).collect();
    let bytes = must(bytes.and_then(|bytes| bytes.try_into().ok()), "seed")?;
    Ok(Seed { at: Time::from_millis(at), bytes })
}

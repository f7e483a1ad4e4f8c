//! Rate limits, counted once for the whole deployment (contract: Rate limits): an item a limit in the counters table, of
//! which each instance remembers what it saw last. `cells` has the rules; here they meet DynamoDB.
//!
//! | what | asks DynamoDB |
//! | --- | --- |
//! | one that is admitted | an UpdateItem, or none where an earlier one took some for it; one more a cell that another host began |
//! | one that is refused | nothing, once this instance has seen that there is no room |
//! | the first of an address in a window | nothing: it is counted with the next. So up to one an instance and window is never counted |

mod cells;
mod standings;

use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use contract::id::KeyId;
use contract::rate_limit::{LimitName, Rate};
use contract::{Error, Time};
use tokio::sync::Mutex;

use crate::Store;
use crate::cache::{Cache, Heavy};
use crate::change::Change;
use crate::dynamo::{Item, get_number, get_text, number, text};
use crate::grant::{Grant, grants};
use crate::keys::{self, Key};
use crate::scope::TenantScope;
use crate::sessions::SessionCredential;
use crate::standing::Standing;
use cells::{Asked, CELLS, Counter, Host, Shape, Write, Written};
pub use standings::LimitStandings;

/// How often one request tries to write: others may begin the cell before it, each time.
const TRIES: u32 = 4;
/// How long the counters may take before a request does without them.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long they are left alone once they failed: meanwhile nobody waits for them in vain.
const PAUSE: Duration = Duration::from_secs(1);
/// How much longer an item is kept than it counts: clocks differ.
const LONGER: Duration = Duration::from_secs(600);
/// How long the refusal of a credential is believed without looking at it again: settings that allow more, and the end of
/// a credential, are in force after this.
const REFUSAL_TTL: Duration = Duration::from_secs(5);

/// A limit on somebody.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Limit {
    /// What is counted.
    pub name: LimitName,
    /// How much of it is allowed.
    pub rate: Rate,
    /// Of whom.
    of: String,
}

impl Limit {
    /// Of a caller's address.
    #[must_use]
    pub fn of_address(name: LimitName, rate: Rate, address: Option<IpAddr>) -> Self {
        Self { name, rate, of: network(address) }
    }

    /// Of an API key.
    #[must_use]
    pub fn of_key(name: LimitName, rate: Rate, key: KeyId) -> Self {
        Self { name, rate, of: key.to_string() }
    }

    /// Of a session.
    #[must_use]
    pub fn of_session(rate: Rate, session: &SessionCredential) -> Self {
        Self { name: LimitName::Session, rate, of: session.id.to_string() }
    }

    /// Of all embed tokens of a tenant. By a hash, so that nothing names the tenant after its erasure.
    #[must_use]
    pub fn of_tenant(rate: Rate, tenant: &TenantScope) -> Self {
        let of = auth::sha256_hex(format!("{}#{}", tenant.client(), tenant.tenant()).as_bytes());
        Self { name: LimitName::Embed, rate, of }
    }

    /// A window of another length has an item of its own: its cells are others.
    fn key(&self) -> Key {
        keys::limit(self.name.name(), &self.of, self.rate.seconds())
    }

    fn shape(&self) -> Shape {
        Shape { limit: u64::from(self.rate.count()), cell: i64::from(self.rate.seconds()) * 1000 / CELLS as i64 }
    }

    /// Whether the first after a silence passes uncounted: of anybody who knows no secret, whose requests must not cost a
    /// write each.
    fn counts_quietly(&self) -> bool {
        self.name == LimitName::Address
    }
}

/// What an address is counted by: IPv4 itself, however it is written; of IPv6 the 64 bits that a subscriber has; and one
/// name for all whose address is not known.
fn network(address: Option<IpAddr>) -> String {
    match address.map(|address| address.to_canonical()) {
        None => "unknown".to_owned(),
        Some(IpAddr::V4(address)) => address.to_string(),
        Some(IpAddr::V6(address)) => {
            let network = Ipv6Addr::from_bits(address.to_bits() >> 64 << 64);
            format!("{network}/64")
        }
    }
}

/// How a limit stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tally {
    /// What is counted.
    pub name: LimitName,
    /// How much of it is allowed.
    pub rate: Rate,
    /// How much is left.
    pub remaining: u64,
    /// When there is more again: of what was used, the oldest counts no more. Now, if nothing is used.
    pub reset_at: Time,
    /// Whether the request was refused.
    pub is_refused: bool,
}

/// That a credential was refused.
#[derive(Clone)]
pub struct Refusal {
    /// Until when that is believed.
    until: Time,
    /// How its limit stood.
    pub tally: Tally,
    /// Where its client stood.
    pub standing: Option<Standing>,
}

/// What an instance knows of limits.
pub(crate) struct Limiter {
    /// The SDK's client with patience of its own.
    dynamo: aws_sdk_dynamodb::Client,
    hosts: Cache<Limit, Arc<Known>>,
    /// By the hash of the credential.
    refused: Cache<[u8; 32], Refusal>,
    /// Until when the counters are left alone, in milliseconds of the store's clock.
    unreachable_until: AtomicI64,
}

#[derive(Default)]
struct Known {
    waiting: AtomicU64,
    host: Mutex<Host>,
}

impl Heavy for Known {
    fn weight(&self) -> usize {
        size_of::<Self>() + 64
    }
}

impl Heavy for Refusal {
    fn weight(&self) -> usize {
        // Of a standing's settings the cache of standings has a share as well.
        size_of::<Self>()
    }
}

/// Somebody who waits for a host, for as long as this lives.
struct Waiting<'k>(&'k AtomicU64);

impl<'k> Waiting<'k> {
    fn at(known: &'k Known) -> Self {
        known.waiting.fetch_add(1, Ordering::Relaxed);
        Self(&known.waiting)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Limiter {
    /// Over this client, in so many bytes.
    pub(crate) fn new(dynamo: &aws_sdk_dynamodb::Client, bytes: usize) -> Self {
        // A write that is sent again after a lost answer counts twice, which errs on the right side.
        let retries = RetryConfig::standard().with_max_attempts(2).with_initial_backoff(Duration::from_millis(20));
        let timeouts = TimeoutConfig::builder().operation_timeout(PATIENCE).build();
        let config = dynamo.config().to_builder().retry_config(retries).timeout_config(timeouts).build();
        Self {
            dynamo: aws_sdk_dynamodb::Client::from_conf(config),
            hosts: Cache::new(bytes - bytes / 8),
            refused: Cache::new(bytes / 8),
            unreachable_until: AtomicI64::new(i64::MIN),
        }
    }

    fn known(&self, limit: &Limit) -> Arc<Known> {
        self.hosts.get_or_insert(limit, Arc::default)
    }
}

impl Store {
    /// What counting needs.
    pub const LIMIT_GRANTS: &'static [Grant] = &grants![Counters UpdateItem [Limits]];

    /// Counts one more under a limit, if there is room.
    ///
    /// # Errors
    /// `unavailable`, `internal`: the counters can't be reached.
    pub async fn count(&self, limit: &Limit) -> Result<Tally, Error> {
        let (known, shape) = (self.0.limiter.known(limit), limit.shape());
        let mut host = {
            let _waiting = Waiting::at(&known);
            known.host.lock().await
        };
        host.note(self.clock().now().millis(), shape);
        for _ in 0..TRIES {
            let waiting = known.waiting.load(Ordering::Relaxed);
            let asked = host.ask(self.clock().now().millis(), shape, waiting, limit.counts_quietly());
            let admitted = match asked {
                Asked::Refused => false,
                Asked::Admitted => true,
                // On the heap: futures inside futures are large.
                Asked::Write(write) => match host.learn(Box::pin(self.write(limit, write)).await?) {
                    true => true,
                    false => continue,
                },
            };
            return Ok(self.tally(limit, &host, !admitted));
        }
        Err(Error::unavailable("others began a cell of a rate limit each time"))
    }

    /// Counts one more by this instance alone, where the counters can't be reached.
    pub async fn count_here(&self, limit: &Limit) -> Tally {
        let known = self.0.limiter.known(limit);
        let mut host = known.host.lock().await;
        let admitted = host.count_here(self.clock().now().millis(), limit.shape());
        self.tally(limit, &host, !admitted)
    }

    /// Remembers that a credential was refused, by its hash.
    pub fn note_refusal(&self, credential: [u8; 32], tally: &Tally, standing: Option<&Standing>) {
        let until = self.clock().now().plus(REFUSAL_TTL).min(tally.reset_at);
        let refusal = Refusal { until, tally: tally.clone(), standing: standing.cloned() };
        self.0.limiter.refused.insert(credential, refusal);
    }

    /// That a credential was refused just now, if it was.
    #[must_use]
    pub fn known_refusal(&self, credential: &[u8; 32]) -> Option<Refusal> {
        let now = self.clock().now();
        self.0.limiter.refused.get(credential).filter(|refusal| now < refusal.until)
    }

    fn tally(&self, limit: &Limit, host: &Host, is_refused: bool) -> Tally {
        let (counter, left) = host.left(self.clock().now().millis(), limit.shape());
        tally(limit, &counter, if is_refused { 0 } else { left }, is_refused)
    }

    async fn write(&self, limit: &Limit, write: Write) -> Result<Written, Error> {
        let (limiter, now) = (&self.0.limiter, self.clock().now());
        if now.millis() < limiter.unreachable_until.load(Ordering::Relaxed) {
            return Err(Error::unavailable("the counters of rate limits could not be reached just now"));
        }
        match self.update_and_see_by(&limiter.dynamo, &change(limit, write)).await {
            Ok(Ok(item)) => Ok(Written::Done(counter(&item).ok_or_else(broken)?)),
            Ok(Err(found)) => Ok(Written::Refused(found.as_ref().and_then(counter))),
            Err(error) => {
                tracing::warn!(
                    error = ?error,
                    "the counters of rate limits can't be reached: for a second each instance holds limits alone, and \
                     logins, signups, password resets and new embed tokens are refused. If it goes on, look at the \
                     table of counters in DynamoDB"
                );
                limiter.unreachable_until.store(now.plus(PAUSE).millis(), Ordering::Relaxed);
                Err(error)
            }
        }
    }
}

/// How a limit stands by its counter, with so much left.
fn tally(limit: &Limit, counter: &Counter, remaining: u64, is_refused: bool) -> Tally {
    let shape = limit.shape();
    let cell = if remaining > 0 { counter.next_release() } else { counter.room_returns(shape.limit) };
    let reset_at = Time::from_millis(cell * shape.cell);
    Tally { name: limit.name, rate: limit.rate, remaining, reset_at, is_refused }
}

fn broken() -> Error {
    Error::internal("the counter of a rate limit lacks an attribute or holds it in another form")
}

fn change(limit: &Limit, write: Write) -> Change {
    let change = Change::update(limit.key()).unstamped();
    match write {
        Write::Take { seen, n, most } => change
            .add("c", i64::try_from(n).unwrap_or(i64::MAX))
            .when("#k = :k AND #s = :s AND #c <= :most")
            .with(":k", number(seen.k))
            .with(":s", number(seen.s()))
            .with(":most", number(most)),
        Write::Roll { seen, to } => {
            let h: Vec<String> = to.h.iter().map(ToString::to_string).collect();
            let end = Time::from_millis((to.k + CELLS as i64 + 1) * limit.shape().cell);
            let change = change
                .set("k", number(to.k))
                .set("c", number(to.c))
                .set("s", number(to.s()))
                .set("h", text(h.join(" ")))
                .set("ttl", number(end.plus(LONGER).seconds()));
            match seen {
                None => change.when("attribute_not_exists(#k)"),
                Some(seen) => change
                    .when("(attribute_not_exists(#k) OR (#k = :k AND #c = :c))")
                    .with(":k", number(seen.k))
                    .with(":c", number(seen.c)),
            }
        }
    }
}

fn counter(item: &Item) -> Option<Counter> {
    let mut h = [0; CELLS];
    let told = get_text(item, "h")?.split(' ').map(|n| n.parse().ok()).collect::<Option<Vec<u64>>>()?;
    for (cell, n) in h.iter_mut().zip(told) {
        *cell = n;
    }
    Some(Counter { k: get_number(item, "k")?, c: get_number(item, "c")?, h })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_counted_by_what_a_subscriber_has() {
        for (address, counted) in [
            ("192.0.2.7", "192.0.2.7"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
            ("2001:db8:1:2:ffff::", "2001:db8:1:2::/64"),
            ("2001:db8:1:3::", "2001:db8:1:3::/64"),
            ("::1", "::/64"),
        ] {
            assert_eq!(network(address.parse().ok()), counted, "{address}");
        }
        assert_eq!(network(None), "unknown");
    }
}

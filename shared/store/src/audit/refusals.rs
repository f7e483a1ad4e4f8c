//! Refusals, added up: of those of one actor by one reason on one route within a minute the first is noted at once, and how
//! many more there were when the minute is over. So a flood costs two writes a minute and instance, however large it is; what
//! an instance has not noted when it dies is the number of a minute at the most.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};

use contract::audit::Action;
use contract::{Error, Time};

use super::note::{Note, Whose};
use crate::Store;
use crate::author::{ANONYMOUS, Author, RequestInfo, Seed};

const MINUTE: i64 = 60_000;
/// Actors, reasons and routes that are told apart within a minute; what goes beyond them is counted as one.
const MOST: usize = 200;
/// No number waits to be noted.
const NOTHING: i64 = i64::MAX;

/// Something that was refused.
#[derive(Debug, Clone)]
pub struct Refusal {
    /// In whose log.
    pub whose: Whose,
    /// Who asked.
    pub actor: String,
    /// What was refused.
    pub action: Action,
    /// What was asked for.
    pub resource: String,
    /// The code that was answered.
    pub reason: &'static str,
    /// From where.
    pub from: RequestInfo,
}

/// What is added up.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Group {
    whose: Option<Whose>,
    actor: String,
    action: Action,
    resource: String,
}

struct Counted {
    minute: i64,
    /// Those that were not noted.
    more: u64,
    /// The last of them.
    last: Refusal,
}

/// What an instance has counted.
pub(crate) struct Refusals {
    groups: Mutex<BTreeMap<Group, Counted>>,
    /// The oldest minute of which a number waits to be noted.
    waits: AtomicI64,
}

impl Default for Refusals {
    fn default() -> Self {
        Self { groups: Mutex::default(), waits: AtomicI64::new(NOTHING) }
    }
}

impl Refusals {
    /// Counts one; what is to be noted by now, with how many.
    fn count(&self, refusal: &Refusal, minute: i64) -> Vec<(Refusal, u64)> {
        let mut groups = self.groups.lock().unwrap_or_else(PoisonError::into_inner);
        let mut due = over(&mut groups, minute);
        let mut group = Group::of(refusal);
        let mut refusal = refusal.clone();
        if groups.len() >= MOST && !groups.contains_key(&group) {
            // Of others than these it is known how many they were.
            refusal.from.address = None;
            (refusal.whose, refusal.actor) = (Whose::Deployment, ANONYMOUS.to_owned());
            group = Group { whose: None, actor: String::new(), ..group };
            group.resource.clear();
            refusal.resource.clear();
        }
        match groups.get_mut(&group) {
            Some(counted) => {
                counted.more += 1;
                counted.last = refusal;
                self.waits.fetch_min(minute, Ordering::Relaxed);
            }
            None => {
                groups.insert(group, Counted { minute, more: 0, last: refusal.clone() });
                due.push((refusal, 1));
            }
        }
        due
    }

    /// What is to be noted of the minutes that are over.
    fn due(&self, minute: i64) -> Vec<(Refusal, u64)> {
        if self.waits.load(Ordering::Relaxed) >= minute {
            return Vec::new();
        }
        self.waits.store(NOTHING, Ordering::Relaxed);
        over(&mut self.groups.lock().unwrap_or_else(PoisonError::into_inner), minute)
    }
}

/// Takes out what is of another minute.
fn over(groups: &mut BTreeMap<Group, Counted>, minute: i64) -> Vec<(Refusal, u64)> {
    let gone = groups.extract_if(.., |_, counted| counted.minute != minute);
    gone.filter(|(_, counted)| counted.more > 0).map(|(_, counted)| (counted.last, counted.more)).collect()
}

impl Group {
    fn of(refusal: &Refusal) -> Self {
        // Who has shown nothing is known by the address: of IPv6 by the network, of which whoever has one has all.
        let network = match refusal.from.address.map(|address| address.to_canonical()) {
            Some(IpAddr::V4(address)) => address.to_string(),
            Some(IpAddr::V6(address)) => format!("{:x?}", &address.segments()[..4]),
            None => String::new(),
        };
        let actor = if refusal.actor == ANONYMOUS { network } else { refusal.actor.clone() };
        Self { whose: Some(refusal.whose), actor, action: refusal.action, resource: refusal.resource.clone() }
    }
}

impl Store {
    /// Notes a refusal, or counts it.
    ///
    /// # Errors
    /// `unavailable`, `internal`.
    pub async fn refused(&self, refusal: &Refusal) -> Result<(), Error> {
        let minute = self.clock().now().millis() / MINUTE;
        self.note_refusals(self.0.refusals.count(refusal, minute)).await
    }

    /// Whether any were counted in a minute that is over.
    #[must_use]
    pub fn has_refusals_to_settle(&self) -> bool {
        self.0.refusals.waits.load(Ordering::Relaxed) < self.clock().now().millis() / MINUTE
    }

    /// Notes how many refusals there were in minutes that are over.
    ///
    /// # Errors
    /// `unavailable`, `internal`.
    pub async fn settle_refusals(&self) -> Result<(), Error> {
        let minute = self.clock().now().millis() / MINUTE;
        self.note_refusals(self.0.refusals.due(minute)).await
    }

    /// The same of this minute too, where nothing more will come.
    ///
    /// # Errors
    /// `unavailable`, `internal`.
    pub async fn settle_all_refusals(&self) -> Result<(), Error> {
        self.note_refusals(self.0.refusals.due(NOTHING - 1)).await
    }

    async fn note_refusals(&self, refusals: Vec<(Refusal, u64)>) -> Result<(), Error> {
        let now: Time = self.clock().now();
        for (refusal, count) in refusals {
            let Refusal { whose, actor, action, resource, reason, from } = refusal;
            let author = Author::new(&actor, &from, Seed::new(now));
            self.note(&author, &Note::new(whose, action, resource).refused(reason, count)).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(actor: &str, address: &str) -> Refusal {
        let from = RequestInfo { address: address.parse().ok(), agent: String::new(), request_id: String::new() };
        let (action, resource) = (Action::CredentialRefused, "field-groups".to_owned());
        Refusal { whose: Whose::Deployment, actor: actor.to_owned(), action, resource, reason: "unauthenticated", from }
    }

    fn counts(due: &[(Refusal, u64)]) -> Vec<u64> {
        due.iter().map(|(_, count)| *count).collect()
    }

    #[test]
    fn the_first_is_noted_and_the_others_are_added_up() {
        let refusals = Refusals::default();
        let one = refusal(ANONYMOUS, "192.0.2.1");
        assert_eq!(counts(&refusals.count(&one, 7)), [1]);
        assert!((0..1_000).all(|_| refusals.count(&one, 7).is_empty()) && refusals.due(7).is_empty());
        assert_eq!(counts(&refusals.due(8)), [1_000]);
        assert!(refusals.due(9).is_empty());
        assert_eq!(counts(&refusals.count(&one, 9)), [1]);
        assert!(refusals.count(&one, 9).is_empty());
        assert_eq!(counts(&refusals.count(&one, 10)), [1, 1]);
    }

    #[test]
    fn actors_and_networks_are_told_apart() {
        let refusals = Refusals::default();
        let all = [
            refusal(ANONYMOUS, "192.0.2.1"),
            refusal(ANONYMOUS, "192.0.2.2"),
            refusal(ANONYMOUS, "2001:db8::1"),
            refusal("key_1", "192.0.2.1"),
        ];
        assert!(all.iter().all(|one| counts(&refusals.count(one, 1)) == [1]));
        for same in [("2001:db8::2", ANONYMOUS), ("::ffff:192.0.2.1", ANONYMOUS), ("198.51.100.1", "key_1")] {
            assert!(refusals.count(&refusal(same.1, same.0), 1).is_empty(), "{same:?}");
        }
    }

    #[test]
    fn too_many_are_counted_as_one() {
        let refusals = Refusals::default();
        let of = |n: usize| refusal(ANONYMOUS, &format!("10.0.{}.{}", n / 256, n % 256));
        let noted: usize = (0..10_000).map(|n| refusals.count(&of(n), 1).len()).sum();
        assert_eq!(noted, MOST + 1);
        let due = refusals.due(2);
        assert_eq!((counts(&due), due[0].0.from.address), (vec![10_000 - MOST as u64 - 1], None));
    }
}

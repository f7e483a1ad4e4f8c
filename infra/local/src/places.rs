//! Who has how many of the connections that a process takes.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

/// How many connections each address has. One that has its share gets no more, so that the others find places.
pub(crate) struct Places {
    /// The most of one address.
    share: usize,
    taken: Mutex<HashMap<IpAddr, Taken>>,
}

/// What an address has.
#[derive(Default)]
struct Taken {
    count: usize,
    /// Whether it has been turned away since it last had nothing.
    turned_away: bool,
}

/// There was no place.
#[derive(Debug)]
pub(crate) struct TurnedAway {
    /// Whether the log has not been told of this address yet.
    pub(crate) first: bool,
}

/// A place that an address has until this is dropped.
pub(crate) struct Place {
    places: Arc<Places>,
    owner: IpAddr,
}

impl Places {
    /// With so many places for one address.
    pub(crate) fn new(share: usize) -> Arc<Self> {
        Arc::new(Self { share, taken: Mutex::default() })
    }

    /// A place for a connection from there.
    ///
    /// # Errors
    /// [`TurnedAway`] if its owner has its share.
    pub(crate) fn take(self: &Arc<Self>, peer: IpAddr) -> Result<Place, TurnedAway> {
        let owner = owner(peer);
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let own = taken.entry(owner).or_default();
        if own.count >= self.share {
            return Err(TurnedAway { first: !std::mem::replace(&mut own.turned_away, true) });
        }
        own.count += 1;
        Ok(Place { places: self.clone(), owner })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Entry::Occupied(mut own) = taken.entry(self.owner) {
            own.get_mut().count -= 1;
            if own.get().count == 0 {
                own.remove();
            }
        }
    }
}

/// Whom an address belongs to: a network of IPv6 with 64 bits is one customer's, who has all addresses in it.
fn owner(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)).into(),
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn an_address_has_its_share_and_the_others_have_theirs() {
        let places = Places::new(2);
        let (first, second) = (places.take(at("192.0.2.1")), places.take(at("::ffff:192.0.2.1")));
        assert!(first.is_ok() && second.is_ok());
        assert!(places.take(at("192.0.2.1")).is_err_and(|turned_away| turned_away.first));
        assert!(places.take(at("192.0.2.1")).is_err_and(|turned_away| !turned_away.first));
        assert!(places.take(at("192.0.2.2")).is_ok());
        drop(first);
        assert!(places.take(at("192.0.2.1")).is_ok());
        let networks = [places.take(at("2001:db8::1")), places.take(at("2001:db8::2"))];
        assert!(places.take(at("2001:db8:0:0:ffff::3")).is_err());
        assert!(places.take(at("2001:db8:0:1::1")).is_ok());
        drop((second, networks));
        assert!(places.taken.lock().expect("a lock").is_empty(), "nothing is kept of those who have gone");
    }
}

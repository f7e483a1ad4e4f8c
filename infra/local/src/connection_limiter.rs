//! How many connections each address may have of those that a process takes.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

/// How many connections each address has. One that has its share gets no more, so that some are left for the others.
pub(crate) struct ConnectionLimiter {
    /// The most of one address.
    share: usize,
    held: Mutex<HashMap<IpAddr, Held>>,
}

/// What an address has.
#[derive(Default)]
struct Held {
    count: usize,
    /// Whether it has been refused since it last had nothing.
    refused: bool,
}

/// The address has its share.
#[derive(Debug)]
pub(crate) struct Refused {
    /// Whether the log has not been told of this address yet.
    pub(crate) first: bool,
}

/// A connection that an address may have until this is dropped.
pub(crate) struct Permit {
    limiter: Arc<ConnectionLimiter>,
    owner: IpAddr,
}

impl ConnectionLimiter {
    /// With so many connections for one address.
    pub(crate) fn new(share: usize) -> Arc<Self> {
        Arc::new(Self { share, held: Mutex::default() })
    }

    /// A permit for a connection from there.
    ///
    /// # Errors
    /// [`Refused`] if its owner has its share.
    pub(crate) fn acquire(self: &Arc<Self>, peer: IpAddr) -> Result<Permit, Refused> {
        let owner = owner(peer);
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let own = held.entry(owner).or_default();
        if own.count >= self.share {
            return Err(Refused { first: !std::mem::replace(&mut own.refused, true) });
        }
        own.count += 1;
        Ok(Permit { limiter: self.clone(), owner })
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut held = self.limiter.held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Entry::Occupied(mut own) = held.entry(self.owner) {
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
        let limiter = ConnectionLimiter::new(2);
        let (first, second) = (limiter.acquire(at("192.0.2.1")), limiter.acquire(at("::ffff:192.0.2.1")));
        assert!(first.is_ok() && second.is_ok());
        assert!(limiter.acquire(at("192.0.2.1")).is_err_and(|refused| refused.first));
        assert!(limiter.acquire(at("192.0.2.1")).is_err_and(|refused| !refused.first));
        assert!(limiter.acquire(at("192.0.2.2")).is_ok());
        drop(first);
        assert!(limiter.acquire(at("192.0.2.1")).is_ok());
        let networks = [limiter.acquire(at("2001:db8::1")), limiter.acquire(at("2001:db8::2"))];
        assert!(limiter.acquire(at("2001:db8:0:0:ffff::3")).is_err());
        assert!(limiter.acquire(at("2001:db8:0:1::1")).is_ok());
        drop((second, networks));
        assert!(limiter.held.lock().expect("a lock").is_empty(), "nothing is kept of those who have gone");
    }
}

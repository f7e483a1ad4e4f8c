//! Names of this machine.

use std::net::{Ipv4Addr, Ipv6Addr};

/// Whether a host's name is this machine's alone: `localhost` and the names below it (RFC 6761 §6.3), 127.0.0.0/8,
/// `[::1]`. A listener on loopback answers to no other: a page in a browser, or a webhook, whose own name leads to
/// loopback would otherwise read what it answers (DNS rebinding).
#[must_use]
pub fn is_loopback(name: &str) -> bool {
    if let Some(address) = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return address.parse::<Ipv6Addr>().is_ok_and(|address| address.to_canonical().is_loopback());
    }
    let name = name.strip_suffix('.').unwrap_or(name);
    if let Ok(address) = name.parse::<Ipv4Addr>() {
        return address.is_loopback();
    }
    let last = name.rsplit_once('.').map_or(name, |(_, last)| last);
    last.eq_ignore_ascii_case("localhost")
}

//! Who asks: the peer of a connection, or what the proxies before this process wrote down of their callers.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use http::header::{HeaderMap, HeaderName, HeaderValue};

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The caller's address: the peer's, or behind `proxies` proxies the one that the outermost of them added to
/// `X-Forwarded-For`, which is the entry so many places from the right. What lies left of it anybody may have written.
/// An entry that is missing or can't be read is no address, and never the peer's: that would be the proxy's own, which
/// rules may admit. IPv4 in IPv6 counts as IPv4.
#[must_use]
pub fn address(peer: IpAddr, headers: &HeaderMap, proxies: usize) -> Option<IpAddr> {
    let Some(from_the_right) = proxies.checked_sub(1) else { return Some(peer.to_canonical()) };
    // Bytes, since an entry that is no text must not take the others along; and empty entries are counted, since left
    // out they would move the caller's own into a place that is trusted.
    let lines = headers.get_all(FORWARDED_FOR).iter().rev().map(HeaderValue::as_bytes);
    let mut entries = lines.flat_map(|line| line.rsplit(|b| *b == b','));
    let entry = entries.nth(from_the_right)?;
    read(std::str::from_utf8(entry).ok()?.trim_matches([' ', '\t'])).map(|address| address.to_canonical())
}

/// The caller's address by an event of API Gateway's: the one that it saw, or behind proxies what the outermost of them
/// wrote down. API Gateway writes the one that it saw at the end of the header as well, which is no proxy's entry.
pub(crate) fn of_event(seen: Option<&str>, headers: &HeaderMap, proxies: usize) -> Option<IpAddr> {
    let peer: IpAddr = seen?.parse().ok()?;
    let by_gateway = address(peer, headers, 1) == Some(peer.to_canonical());
    address(peer, headers, if proxies > 0 { proxies + usize::from(by_gateway) } else { 0 })
}

/// An address with or without a port: `192.0.2.1:443`, `2001:db8::1`, `[2001:db8::1]:443`.
fn read(entry: &str) -> Option<IpAddr> {
    if let Some(rest) = entry.strip_prefix('[') {
        let (address, port) = rest.split_once(']')?;
        let whole = port.is_empty() || port.strip_prefix(':').is_some_and(is_port);
        return address.parse::<Ipv6Addr>().ok().filter(|_| whole).map(IpAddr::V6);
    }
    if let Ok(address) = entry.parse() {
        return Some(address);
    }
    let (address, port) = entry.split_once(':')?;
    address.parse::<Ipv4Addr>().ok().filter(|_| is_port(port)).map(IpAddr::V4)
}

fn is_port(text: &str) -> bool {
    (1..=5).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit()) && text.parse::<u16>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: &str = "none";

    /// What the lines of the header come to, behind so many proxies.
    fn told(proxies: usize, lines: &[&[u8]]) -> String {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(FORWARDED_FOR, HeaderValue::from_bytes(line).expect("a header's value"));
        }
        let peer = "10.0.0.9".parse().expect("an address");
        address(peer, &headers, proxies).map_or_else(|| NONE.to_owned(), |address| address.to_string())
    }

    #[test]
    fn an_entry_is_an_address_with_or_without_a_port_or_it_is_none() {
        let cases: &[(&str, &str)] = &[
            ("192.0.2.7", "192.0.2.7"),
            (" 192.0.2.7", "192.0.2.7"),
            ("192.0.2.7 ", "192.0.2.7"),
            ("\t192.0.2.7\t ", "192.0.2.7"),
            ("192.0.2.7:1", "192.0.2.7"),
            ("192.0.2.7:0", "192.0.2.7"),
            ("192.0.2.7:1234", "192.0.2.7"),
            ("192.0.2.7:65535", "192.0.2.7"),
            (" 192.0.2.7:443 ", "192.0.2.7"),
            ("0.0.0.0", "0.0.0.0"),
            ("255.255.255.255", "255.255.255.255"),
            ("127.0.0.1", "127.0.0.1"),
            ("2001:db8::1", "2001:db8::1"),
            ("2001:DB8::1", "2001:db8::1"),
            ("2001:0db8:0000:0000:0000:0000:0000:0001", "2001:db8::1"),
            ("::1", "::1"),
            ("::", "::"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("[2001:db8::1]:443", "2001:db8::1"),
            (" [2001:db8::1]:443 ", "2001:db8::1"),
            ("[::1]", "::1"),
            ("[::1]:0", "::1"),
            // Eight groups, the last of which is no port.
            ("2001:db8:0:0:0:0:0:443", "2001:db8::443"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
            ("::FFFF:c000:0207", "192.0.2.7"),
            ("[::ffff:192.0.2.7]", "192.0.2.7"),
            ("[::ffff:192.0.2.7]:80", "192.0.2.7"),
            ("::192.0.2.7", "::c000:207"),
            ("64:ff9b::192.0.2.7", "64:ff9b::c000:207"),
            // None is an address.
            ("", NONE),
            (" ", NONE),
            ("-", NONE),
            ("_", NONE),
            ("unknown", NONE),
            ("_hidden", NONE),
            ("localhost", NONE),
            ("example.com", NONE),
            ("example.com:80", NONE),
            ("192.0.2", NONE),
            ("192.0.2.", NONE),
            ("192.0.2.7.", NONE),
            ("192.0.2.7.8", NONE),
            ("192.0.2.256", NONE),
            ("192.0.2.07", NONE),
            ("0300.0.2.7", NONE),
            ("0xc0.0.2.7", NONE),
            ("3221225991", NONE),
            ("192.0.2.7/32", NONE),
            ("192.0.2.7:", NONE),
            ("192.0.2.7:x", NONE),
            ("192.0.2.7:+80", NONE),
            ("192.0.2.7:-1", NONE),
            ("192.0.2.7:65536", NONE),
            ("192.0.2.7:000080", NONE),
            ("192.0.2.7:80:80", NONE),
            ("192.0.2.7 :80", NONE),
            ("192.0.2.7 192.0.2.8", NONE),
            ("192.0.2.7;192.0.2.8", NONE),
            ("\"192.0.2.7\"", NONE),
            ("for=192.0.2.7", NONE),
            ("http://192.0.2.7", NONE),
            ("[192.0.2.7]", NONE),
            ("[192.0.2.7]:80", NONE),
            ("[2001:db8::1", NONE),
            ("2001:db8::1]", NONE),
            ("[2001:db8::1]443", NONE),
            ("[2001:db8::1]:", NONE),
            ("[2001:db8::1]:x", NONE),
            ("[2001:db8::1]:65536", NONE),
            ("[]", NONE),
            ("[]:80", NONE),
            ("[[::1]]", NONE),
            ("2001:db8::1::", NONE),
            ("2001:db8:1", NONE),
            ("fe80::1%eth0", NONE),
            ("[fe80::1%1]:80", NONE),
            ("\"[2001:db8::1]:443\"", NONE),
            ("١٩٢.0.2.7", NONE),
            ("192.0.2.7\u{a0}", NONE),
            ("\u{feff}192.0.2.7", NONE),
        ];
        assert!(cases.len() >= 60);
        for (entry, expected) in cases {
            assert_eq!(told(1, &[entry.as_bytes()]), *expected, "{entry:?}");
            // Whatever stands before and after it changes nothing, in one line or in several.
            let long = format!("6.6.6.6,{entry},203.0.113.1");
            assert_eq!(told(2, &[long.as_bytes()]), *expected, "{entry:?}");
            assert_eq!(told(2, &[b"\xff, 6.6.6.6", entry.as_bytes(), b"203.0.113.1"]), *expected, "{entry:?}");
        }
    }

    #[test]
    fn only_so_many_proxies_are_believed_and_what_is_missing_is_no_address() {
        let cases: &[(usize, &[&[u8]], &str)] = &[
            (0, &[], "10.0.0.9"),
            (0, &[b"6.6.6.6"], "10.0.0.9"),
            (0, &[b"\xff"], "10.0.0.9"),
            (1, &[], NONE),
            (1, &[b""], NONE),
            (1, &[b"6.6.6.6, 192.0.2.7"], "192.0.2.7"),
            (2, &[b"6.6.6.6, 192.0.2.7"], "6.6.6.6"),
            (3, &[b"6.6.6.6, 192.0.2.7"], NONE),
            (usize::MAX, &[b"6.6.6.6, 192.0.2.7"], NONE),
            (1, &[b"6.6.6.6, 192.0.2.7", b"10.0.0.8"], "10.0.0.8"),
            (2, &[b"6.6.6.6, 192.0.2.7", b"10.0.0.8"], "192.0.2.7"),
            (3, &[b"6.6.6.6, 192.0.2.7", b"10.0.0.8"], "6.6.6.6"),
            (1, &[b"\xff, 6.6.6.6"], "6.6.6.6"),
            (2, &[b"\xff, 6.6.6.6"], NONE),
            (1, &[b"6.6.6.6, \xff"], NONE),
            (2, &[b"6.6.6.6, \xff"], "6.6.6.6"),
            (1, &[b"6.6.6.6, \xff192.0.2.7"], NONE),
            (1, &[b"6.6.6.6,"], NONE),
            (1, &[b"6.6.6.6,,"], NONE),
            (2, &[b"6.6.6.6,,192.0.2.7"], NONE),
            (3, &[b"6.6.6.6,,192.0.2.7"], "6.6.6.6"),
            (2, &[b"6.6.6.6", b"", b"192.0.2.7"], NONE),
            (1, &[b",192.0.2.7"], "192.0.2.7"),
        ];
        for (proxies, lines, expected) in cases {
            assert_eq!(told(*proxies, lines), *expected, "{proxies} {lines:?}");
        }
    }

    #[test]
    fn behind_api_gateway_its_own_entry_is_no_proxys() {
        for (proxies, seen, line, expected) in [
            (0, "192.0.2.7", "6.6.6.6, 192.0.2.7", "192.0.2.7"),
            (0, "::ffff:192.0.2.7", "6.6.6.6", "192.0.2.7"),
            (0, "nonsense", "192.0.2.7", NONE),
            (1, "10.0.0.9", "6.6.6.6, 192.0.2.7, 10.0.0.9", "192.0.2.7"),
            (1, "10.0.0.9", "6.6.6.6, 192.0.2.7", "192.0.2.7"),
            (1, "10.0.0.9", "10.0.0.9", NONE),
            (2, "10.0.0.9", "6.6.6.6, 192.0.2.7, 10.0.0.8, 10.0.0.9", "192.0.2.7"),
            (2, "10.0.0.9", "192.0.2.7, 10.0.0.9", NONE),
        ] {
            let headers = HeaderMap::from_iter([(FORWARDED_FOR, HeaderValue::from_static(line))]);
            let found = of_event(Some(seen), &headers, proxies).map_or_else(|| NONE.to_owned(), |a| a.to_string());
            assert_eq!(found, expected, "{proxies} {seen} {line}");
        }
        assert_eq!(of_event(None, &HeaderMap::new(), 0), None);
    }

    #[test]
    fn a_peer_over_both_families_counts_as_ipv4() {
        let peer = "::ffff:192.0.2.7".parse().expect("an address");
        assert_eq!(address(peer, &HeaderMap::new(), 0), "192.0.2.7".parse().ok());
    }
}

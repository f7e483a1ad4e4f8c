//! Which addresses the public internet reaches.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

type Block4 = ([u8; 4], u32);
type Block6 = ([u16; 8], u32);

/// IANA's IPv4 special-purpose registry without what it calls globally reachable, and a little more.
const NOT_PUBLIC_4: &[Block4] = &[
    ([0, 0, 0, 0], 8),          // this network: RFC 791 §3.2
    ([10, 0, 0, 0], 8),         // private: RFC 1918
    ([100, 64, 0, 0], 10),      // shared, carrier-grade NAT: RFC 6598
    ([127, 0, 0, 0], 8),        // loopback: RFC 1122 §3.2.1.3
    ([168, 63, 129, 16], 32), // Azure's platform (DNS, wire server): not in the registry, the same in every network there
    ([169, 254, 0, 0], 16),   // link-local, and the clouds' metadata: RFC 3927
    ([172, 16, 0, 0], 12),    // private: RFC 1918
    ([192, 0, 0, 0], 24),     // IETF protocol assignments: RFC 6890; the two anycasts in it serve no HTTP
    ([192, 0, 2, 0], 24),     // documentation: RFC 5737
    ([192, 31, 196, 0], 24),  // AS112: RFC 7535; reachable, but answers for the inside of networks
    ([192, 52, 193, 0], 24),  // AMT relays: RFC 7450; reachable, but a tunnel
    ([192, 88, 99, 0], 24),   // 6to4 relays, deprecated: RFC 7526
    ([192, 168, 0, 0], 16),   // private: RFC 1918
    ([192, 175, 48, 0], 24),  // AS112: RFC 7534; as above
    ([198, 18, 0, 0], 15),    // benchmarking: RFC 2544
    ([198, 51, 100, 0], 24),  // documentation: RFC 5737
    ([203, 0, 113, 0], 24),   // documentation: RFC 5737
    ([224, 0, 0, 0], 4),      // multicast: RFC 5771
    ([240, 0, 0, 0], 4),      // reserved: RFC 1112 §4
    ([255, 255, 255, 255], 32), // broadcast: RFC 919 §7
];

/// IANA's IPv6 special-purpose registry likewise. What holds an IPv4 address inside is refused whole: it may lead
/// where that address is not checked. Blocks outside of [`GLOBAL_6`] stand here for the reader.
const NOT_PUBLIC_6: &[Block6] = &[
    ([0, 0, 0, 0, 0, 0, 0, 0], 128),             // unspecified: RFC 4291 §2.5.2
    ([0, 0, 0, 0, 0, 0, 0, 1], 128),             // loopback: RFC 4291 §2.5.3
    ([0, 0, 0, 0, 0, 0, 0, 0], 96),              // IPv4-compatible, deprecated: RFC 4291 §2.5.5.1
    ([0, 0, 0, 0, 0, 0xffff, 0, 0], 96),         // IPv4-mapped: RFC 4291 §2.5.5.2
    ([0, 0, 0, 0, 0xffff, 0, 0, 0], 96),         // IPv4-translated: RFC 2765 §2.1
    ([0x64, 0xff9b, 0, 0, 0, 0, 0, 0], 96),      // NAT64: RFC 6052
    ([0x64, 0xff9b, 1, 0, 0, 0, 0, 0], 48),      // NAT64, local use: RFC 8215
    ([0x100, 0, 0, 0, 0, 0, 0, 0], 64),          // discard: RFC 6666
    ([0x100, 0, 0, 1, 0, 0, 0, 0], 64),          // dummy prefix: RFC 9780
    ([0x2001, 0, 0, 0, 0, 0, 0, 0], 32),         // Teredo: RFC 4380
    ([0x2001, 1, 0, 0, 0, 0, 0, 0], 32),         // anycasts for PCP, TURN, DNS-SD: RFC 7723, 8155, 9665; no HTTP
    ([0x2001, 2, 0, 0, 0, 0, 0, 0], 48),         // benchmarking: RFC 5180
    ([0x2001, 3, 0, 0, 0, 0, 0, 0], 32),         // AMT: RFC 7450
    ([0x2001, 4, 0x112, 0, 0, 0, 0, 0], 48),     // AS112: RFC 7535
    ([0x2001, 0x10, 0, 0, 0, 0, 0, 0], 28),      // ORCHID, deprecated: RFC 4843
    ([0x2001, 0x20, 0, 0, 0, 0, 0, 0], 28),      // ORCHIDv2: RFC 7343
    ([0x2001, 0x30, 0, 0, 0, 0, 0, 0], 28),      // drones' entity tags: RFC 9374
    ([0x2001, 0, 0, 0, 0, 0, 0, 0], 23),         // IETF protocol assignments, the rest: RFC 2928
    ([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32),     // documentation: RFC 3849
    ([0x2002, 0, 0, 0, 0, 0, 0, 0], 16),         // 6to4: RFC 3056
    ([0x2620, 0x4f, 0x8000, 0, 0, 0, 0, 0], 48), // AS112: RFC 7534
    ([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20),         // documentation: RFC 9637
    ([0x5f00, 0, 0, 0, 0, 0, 0, 0], 16),         // segment routing identifiers: RFC 9602
    ([0xfc00, 0, 0, 0, 0, 0, 0, 0], 7),          // unique local: RFC 4193
    ([0xfe80, 0, 0, 0, 0, 0, 0, 0], 10),         // link-local: RFC 4291 §2.5.6
    ([0xfec0, 0, 0, 0, 0, 0, 0, 0], 10),         // site-local, deprecated: RFC 3879
    ([0xff00, 0, 0, 0, 0, 0, 0, 0], 8),          // multicast: RFC 4291 §2.7
];

/// All that IANA has given out as global unicast (its IPv6 address space registry).
const GLOBAL_6: Block6 = ([0x2000, 0, 0, 0, 0, 0, 0, 0], 3);

/// Whether an address is one that the public internet reaches and that belongs to somebody there.
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => !NOT_PUBLIC_4.iter().any(|block| in_block_4(address, *block)),
        IpAddr::V6(address) => {
            in_block_6(address, GLOBAL_6) && !NOT_PUBLIC_6.iter().any(|block| in_block_6(address, *block))
        }
    }
}

fn in_block_4(address: Ipv4Addr, (block, bits): Block4) -> bool {
    let differing = address.to_bits() ^ Ipv4Addr::from(block).to_bits();
    differing.leading_zeros() >= bits
}

fn in_block_6(address: Ipv6Addr, (block, bits): Block6) -> bool {
    let differing = address.to_bits() ^ Ipv6Addr::from(block).to_bits();
    differing.leading_zeros() >= bits
}

#[cfg(test)]
mod tests {
    use super::*;

    fn public(text: &str) -> bool {
        is_public(text.parse().unwrap())
    }

    /// The first and the last address of every refused IPv4 block, and their neighbours outside.
    #[test]
    fn blocks_end_where_they_end() {
        for (inside, outside) in [
            (["0.0.0.0", "0.255.255.255"], ["1.0.0.0", "1.0.0.0"]),
            (["10.0.0.0", "10.255.255.255"], ["9.255.255.255", "11.0.0.0"]),
            (["100.64.0.0", "100.127.255.255"], ["100.63.255.255", "100.128.0.0"]),
            (["127.0.0.0", "127.255.255.255"], ["126.255.255.255", "128.0.0.0"]),
            (["168.63.129.16", "168.63.129.16"], ["168.63.129.15", "168.63.129.17"]),
            (["169.254.0.0", "169.254.255.255"], ["169.253.255.255", "169.255.0.0"]),
            (["172.16.0.0", "172.31.255.255"], ["172.15.255.255", "172.32.0.0"]),
            (["192.0.0.0", "192.0.0.255"], ["191.255.255.255", "192.0.1.0"]),
            (["192.0.2.0", "192.0.2.255"], ["192.0.1.255", "192.0.3.0"]),
            (["192.31.196.0", "192.31.196.255"], ["192.31.195.255", "192.31.197.0"]),
            (["192.52.193.0", "192.52.193.255"], ["192.52.192.255", "192.52.194.0"]),
            (["192.88.99.0", "192.88.99.255"], ["192.88.98.255", "192.88.100.0"]),
            (["192.168.0.0", "192.168.255.255"], ["192.167.255.255", "192.169.0.0"]),
            (["192.175.48.0", "192.175.48.255"], ["192.175.47.255", "192.175.49.0"]),
            (["198.18.0.0", "198.19.255.255"], ["198.17.255.255", "198.20.0.0"]),
            (["198.51.100.0", "198.51.100.255"], ["198.51.99.255", "198.51.101.0"]),
            (["203.0.113.0", "203.0.113.255"], ["203.0.112.255", "203.0.114.0"]),
            (["224.0.0.0", "255.255.255.255"], ["223.255.255.255", "223.255.255.255"]),
        ] {
            assert!(inside.iter().all(|text| !public(text)), "{inside:?}");
            assert!(outside.iter().all(|text| public(text)), "{outside:?}");
        }
    }

    #[test]
    fn ipv6_blocks_end_where_they_end() {
        let inside = ":: ::1 ::2 ::7f00:1 ::8.8.8.8 ::ffff:0:0 ::ffff:127.0.0.1 ::ffff:8.8.8.8 ::ffff:0:8.8.8.8 \
            64:ff9b::8.8.8.8 64:ff9b:1::1 64:ff9b:1:ffff::a00:1 100::1 100:0:0:1::1 1fff:ffff::1 2001::1 \
            2001:0:ffff::1 2001:1::1 2001:2::1 2001:2:0:ffff::1 2001:3::1 2001:4:112::1 2001:10::1 \
            2001:1f:ffff::1 2001:20::1 2001:2f:ffff::1 2001:30::1 2001:3f:ffff::1 2001:100::1 2001:1ff:ffff::1 \
            2001:db8::1 2001:db8:ffff::1 2002::1 2002:7f00:1::1 2002:ffff::1 2620:4f:8000::1 3fff::1 \
            3fff:fff:ffff::1 4000::1 5f00::1 8000::1 fc00::1 fd00:ec2::254 fdff:ffff::1 fe00::1 fe80::1 \
            febf:ffff::1 fec0::1 feff:ffff::1 ff02::1 ff0e::1";
        for inside in inside.split_whitespace() {
            assert!(!public(inside), "{inside}");
        }
        let outside = "2000::1 2000:ffff::1 2001:200::1 2001:db7::1 2001:db9::1 2001:4860:4860::8888 2003::1 \
            2606:4700:4700::1111 2620:4f:7fff::1 2620:4f:8001::1 2a00:1450:4001::1 3ffe::1 3fff:1000::1";
        for outside in outside.split_whitespace() {
            assert!(public(outside), "{outside}");
        }
    }

    #[test]
    fn every_row_decides_for_its_own_addresses() {
        for (block, bits) in NOT_PUBLIC_4 {
            assert_eq!(Ipv4Addr::from(*block).to_bits().checked_shl(*bits).unwrap_or(0), 0, "{block:?} has host bits");
            assert!(!is_public(Ipv4Addr::from(*block).into()), "{block:?}");
        }
        for (block, bits) in NOT_PUBLIC_6 {
            assert_eq!(Ipv6Addr::from(*block).to_bits().checked_shl(*bits).unwrap_or(0), 0, "{block:?} has host bits");
            assert!(!is_public(Ipv6Addr::from(*block).into()), "{block:?}");
        }
    }
}

//! What holds for every URL that is let through.

use std::net::{Ipv4Addr, Ipv6Addr};

use proptest::prelude::*;
use url::{Host, Url};

use super::{Rules, is_public, name};

/// Pieces of which URLs are made, sound and odd.
fn piece() -> impl Strategy<Value = String> {
    let address = prop_oneof![
        any::<u32>().prop_map(|bits| Ipv4Addr::from(bits).to_string()),
        any::<u32>().prop_map(|bits| bits.to_string()),
        any::<u128>().prop_map(|bits| format!("[{}]", Ipv6Addr::from(bits))),
        any::<u32>().prop_map(|bits| format!("[::ffff:{}]", Ipv4Addr::from(bits))),
    ];
    let odd = prop::sample::select(vec![
        "@", ":", "#", "?", "/", "//", "\\", ".", "..", "%", "%2e", "[", "]", " ", "\t", "。", "１", "0x7f", "ü", "443",
    ]);
    let plain =
        prop::sample::select(vec!["example", "com", "localhost", "internal", "xn--", "a", "-", "_", "*", "127"]);
    prop_oneof![3 => plain.prop_map(str::to_owned), 2 => odd.prop_map(str::to_owned), 1 => address, 1 => any::<char>().prop_map(String::from)]
}

fn url() -> impl Strategy<Value = String> {
    let scheme = prop_oneof![8 => Just("https://"), 1 => Just("http://"), 1 => Just("https:"), 1 => Just("")];
    let host = prop_oneof![
        2 => "[a-z0-9-]{1,8}(\\.[a-z0-9]{1,5}){0,3}",
        1 => any::<u32>().prop_map(|bits| Ipv4Addr::from(bits).to_string()),
        1 => any::<u128>().prop_map(|bits| format!("[{}]", Ipv6Addr::from(bits))),
        2 => prop::collection::vec(piece(), 1..5).prop_map(|pieces| pieces.concat()),
    ];
    let rest = prop::collection::vec(piece(), 0..4).prop_map(|pieces| pieces.concat());
    (scheme, host, prop_oneof![Just("/"), Just(""), Just("?"), Just(":443/")], rest)
        .prop_map(|(scheme, host, between, rest)| format!("{scheme}{host}{between}{rest}"))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4096, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn production_leads_to_the_public_alone(text in url()) {
        let Ok(target) = Rules::production().check(&text) else { return Ok(()) };
        // Read again by somebody else, it is the same place.
        match Url::parse(target.as_str()).unwrap().host().unwrap() {
            Host::Domain(host) => prop_assert!(host.contains('.') && !name::is_inside(host) && target.address().is_none()),
            Host::Ipv4(address) => prop_assert!(is_public(address.into()) && target.address() == Some(address.into())),
            Host::Ipv6(address) => prop_assert!(is_public(address.into()) && target.address() == Some(address.into())),
        }
        prop_assert!(target.is_https() && target.port() == 443);
        prop_assert!(Rules::open().check(&text).is_ok(), "what the narrow rules allow, the wide ones do");
    }

    #[test]
    fn is_described(text in prop_oneof![url(), "https://a\\.example:?[0-9]{0,4}[/?][ -~]{0,20}", "http://[0-9a-f.x_-]{1,8}/"]) {
        // A pattern can't say which address is in its shortest form, nor what Punycode stands for.
        prop_assume!(!text.contains("://[") && !text.contains("xn--"));
        let described = fancy_regex::Regex::new(&contract::patterns::exact_url()).unwrap().is_match(&text).unwrap();
        prop_assert_eq!(described, Rules::open().check(&text).is_ok(), "{}", text);
    }

    #[test]
    fn nothing_accepted_is_altered_by_parsing(text in url()) {
        let Ok(target) = Rules::open().check(&text) else { return Ok(()) };
        prop_assert!(target.as_str() == text || target.as_str().strip_suffix('/') == Some(&text));
        prop_assert!(text.bytes().all(|byte| byte.is_ascii_graphic()) && !text.contains(['\\', '#']));
        let again = Rules::open().check(target.as_str());
        prop_assert_eq!(again.as_ref(), Ok(&target));
        // The authority reads the same to who splits the text by hand.
        let authority = text.split("://").nth(1).unwrap().split(['/', '?']).next().unwrap();
        let host = authority.rsplit_once(':').filter(|(_, port)| !port.contains(']')).map_or(authority, |(host, _)| host);
        prop_assert_eq!(host, target.host());
    }

    #[test]
    fn every_text_gets_a_verdict(text in any::<String>()) {
        let _ = (Rules::open().check(&text), Rules::production().check(&format!("https://{text}")));
    }

    #[test]
    fn what_holds_an_ipv4_address_is_not_public(bits in any::<u32>()) {
        let address = Ipv4Addr::from(bits);
        let low = u128::from(bits);
        let forms = [
            address.to_ipv6_mapped(),
            Ipv6Addr::from_bits(low),
            Ipv6Addr::from_bits(0xffff << 48 | low),
            Ipv6Addr::from_bits(0x64_ff9b << 96 | low),
            Ipv6Addr::from_bits(0x2002 << 112 | low << 80),
        ];
        prop_assert!(forms.iter().all(|form| !is_public((*form).into())), "{:?}", forms);
    }
}

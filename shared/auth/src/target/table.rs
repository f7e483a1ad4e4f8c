//! What is let through and what is refused, form by form: the URL, the verdict in production, the verdict of an open
//! deployment. A verdict is `ok` or the code of the rule that was broken.

use super::{MAX_URL, Ports, Rules};

type Row = (&'static str, &'static str, &'static str);

fn verdict(rules: &Rules, url: &str) -> &'static str {
    rules.check(url).map_or_else(|broken| broken.code, |_| "ok")
}

fn assert_rows(rows: &[Row]) {
    let (production, open) = (Rules::production(), Rules::open());
    let wrong: Vec<_> = rows
        .iter()
        .map(|row| (row, (verdict(&production, row.0), verdict(&open, row.0))))
        .filter(|((_, wanted, wanted_open), got)| *got != (*wanted, *wanted_open))
        .collect();
    assert!(wrong.is_empty(), "row, then what came: {wrong:#?}");
    let described = fancy_regex::Regex::new(&contract::patterns::exact_url()).unwrap();
    let beyond = |url: &str| url.contains("xn--") || url.contains("://[") || url.len() > 250;
    let undescribed: Vec<_> = rows
        .iter()
        .filter(|(url, _, open)| !beyond(url) && described.is_match(url).unwrap() != (*open == "ok"))
        .collect();
    assert!(undescribed.is_empty(), "{undescribed:#?}");
}

#[test]
fn schemes_ports_and_parts() {
    assert_rows(&[
        ("https://example.com/", "ok", "ok"),
        ("https://example.com", "ok", "ok"),
        ("https://hooks.example.com/a/b?c=d&e=%20f", "ok", "ok"),
        ("https://example.com/a//b", "ok", "ok"),
        ("https://example.com//", "ok", "ok"),
        ("https://example.com/?", "ok", "ok"),
        ("https://example.com/?to=https://127.0.0.1/", "ok", "ok"),
        ("https://example.com/@127.0.0.1/", "ok", "ok"),
        ("https://example.com/?a[]=1", "ok", "ok"),
        ("https://example.com/%0d%0aHost:x", "ok", "ok"),
        ("https://example.com/%00", "ok", "ok"),
        ("https://example.com/~a.b_c-d!$&()*+,;=:@", "ok", "ok"),
        ("https://example.com:8443/", "port_not_allowed", "ok"),
        ("https://example.com:80/", "port_not_allowed", "ok"),
        ("https://example.com:22/", "port_not_allowed", "ok"),
        ("https://example.com:65535/", "port_not_allowed", "ok"),
        ("https://example.com:0/", "port_not_allowed", "port_not_allowed"),
        ("https://example.com:65536/", "invalid_url", "invalid_url"),
        ("https://example.com:-1/", "invalid_url", "invalid_url"),
        ("https://example.com:+443/", "invalid_url", "invalid_url"),
        ("https://example.com:https/", "invalid_url", "invalid_url"),
        ("https://example.com:80:443/", "invalid_url", "invalid_url"),
        ("https://example.com:443@127.0.0.1/", "has_credentials", "has_credentials"),
        ("http://example.com/", "scheme_not_allowed", "ok"),
        ("http://example.com:443/", "scheme_not_allowed", "ok"),
        ("http://example.com:8080/", "scheme_not_allowed", "ok"),
        ("ftp://example.com/", "scheme_not_allowed", "scheme_not_allowed"),
        ("ws://example.com/", "scheme_not_allowed", "scheme_not_allowed"),
        ("wss://example.com/", "scheme_not_allowed", "scheme_not_allowed"),
        ("file:///etc/passwd", "scheme_not_allowed", "scheme_not_allowed"),
        ("file://example.com/etc/passwd", "scheme_not_allowed", "scheme_not_allowed"),
        ("gopher://127.0.0.1:6379/_x", "scheme_not_allowed", "scheme_not_allowed"),
        ("dict://127.0.0.1:11211/stat", "scheme_not_allowed", "scheme_not_allowed"),
        ("data:text/plain,x", "scheme_not_allowed", "scheme_not_allowed"),
        ("javascript:alert(1)", "scheme_not_allowed", "scheme_not_allowed"),
        ("mailto:a@example.com", "scheme_not_allowed", "scheme_not_allowed"),
        ("blob:https://example.com/x", "scheme_not_allowed", "scheme_not_allowed"),
        ("jar:https://example.com!/", "scheme_not_allowed", "scheme_not_allowed"),
        ("view-source:https://example.com/", "scheme_not_allowed", "scheme_not_allowed"),
        ("unix:///var/run/docker.sock", "scheme_not_allowed", "scheme_not_allowed"),
        ("httpss://example.com/", "scheme_not_allowed", "scheme_not_allowed"),
        ("localhost:3000", "scheme_not_allowed", "scheme_not_allowed"),
        ("", "invalid_url", "invalid_url"),
        ("/", "invalid_url", "invalid_url"),
        ("//example.com/", "invalid_url", "invalid_url"),
        ("example.com", "invalid_url", "invalid_url"),
        ("https", "invalid_url", "invalid_url"),
        ("https:", "invalid_url", "invalid_url"),
        ("https://", "invalid_url", "invalid_url"),
        ("https:///", "invalid_url", "invalid_url"),
        ("https://:443/", "invalid_url", "invalid_url"),
        ("https://?", "invalid_url", "invalid_url"),
        ("https://#", "invalid_url", "invalid_url"),
        ("://example.com/", "invalid_url", "invalid_url"),
        ("https://user@example.com/", "has_credentials", "has_credentials"),
        ("https://user:pass@example.com/", "has_credentials", "has_credentials"),
        ("https://:pass@example.com/", "has_credentials", "has_credentials"),
        ("https://user:@example.com/", "has_credentials", "has_credentials"),
        ("https://example.com@127.0.0.1/", "has_credentials", "has_credentials"),
        ("https://127.0.0.1@example.com/", "has_credentials", "has_credentials"),
        ("https://example.com%40127.0.0.1/", "invalid_url", "invalid_url"),
        ("https://a@b@example.com/", "has_credentials", "has_credentials"),
        ("https://%75ser@example.com/", "has_credentials", "has_credentials"),
        ("https://@example.com/", "ambiguous_url", "ambiguous_url"),
        ("https://:@example.com/", "ambiguous_url", "ambiguous_url"),
        ("https://example.com/#", "has_fragment", "has_fragment"),
        ("https://example.com/#part", "has_fragment", "has_fragment"),
        ("https://example.com#@127.0.0.1/", "has_fragment", "has_fragment"),
    ]);
}

#[test]
fn spellings() {
    assert_rows(&[
        ("HTTPS://example.com/", "ambiguous_url", "ambiguous_url"),
        ("https://EXAMPLE.com/", "ambiguous_url", "ambiguous_url"),
        ("https://example.COM", "ambiguous_url", "ambiguous_url"),
        ("https:example.com/", "ambiguous_url", "ambiguous_url"),
        ("https:/example.com/", "ambiguous_url", "ambiguous_url"),
        ("https:///example.com/", "ambiguous_url", "ambiguous_url"),
        ("https:////example.com/", "ambiguous_url", "ambiguous_url"),
        ("https:\\\\example.com\\", "ambiguous_url", "ambiguous_url"),
        ("https:/\\example.com/", "ambiguous_url", "ambiguous_url"),
        ("https://example.com\\", "ambiguous_url", "ambiguous_url"),
        ("https://example.com\\@127.0.0.1/", "ambiguous_url", "ambiguous_url"),
        ("https://example.com/a\\b", "ambiguous_url", "ambiguous_url"),
        ("https://example.com/?a=\\b", "ambiguous_url", "ambiguous_url"),
        ("https://example.com:443/", "ambiguous_url", "ambiguous_url"),
        ("https://example.com:443", "ambiguous_url", "ambiguous_url"),
        ("https://example.com:/", "ambiguous_url", "ambiguous_url"),
        ("https://example.com:", "ambiguous_url", "ambiguous_url"),
        ("https://example.com:0443/", "ambiguous_url", "ambiguous_url"),
        ("https://example.com:08443/", "ambiguous_url", "ambiguous_url"),
        ("http://example.com:80/", "scheme_not_allowed", "ambiguous_url"),
        ("https://example.com?a=b", "ambiguous_url", "ambiguous_url"),
        ("https://example.com/..", "ambiguous_url", "ambiguous_url"),
        ("https://example.com/a/../b", "ambiguous_url", "ambiguous_url"),
        ("https://example.com/./a", "ambiguous_url", "ambiguous_url"),
        ("https://example.com/a/%2e%2e/b", "ambiguous_url", "ambiguous_url"),
        ("https://example.com/%2E/b", "ambiguous_url", "ambiguous_url"),
        (" https://example.com/", "ambiguous_url", "ambiguous_url"),
        ("https://example.com/ ", "ambiguous_url", "ambiguous_url"),
        ("https://example.com/\n", "ambiguous_url", "ambiguous_url"),
        ("\thttps://example.com/", "ambiguous_url", "ambiguous_url"),
        ("ht\ntps://example.com/", "ambiguous_url", "ambiguous_url"),
        ("https://exam\tple.com/", "ambiguous_url", "ambiguous_url"),
        ("https://example.com/a\r\nb", "ambiguous_url", "ambiguous_url"),
        ("https://example.com/a b", "ambiguous_url", "ambiguous_url"),
        ("https://example.com/?a b", "ambiguous_url", "ambiguous_url"),
        ("https://example.com/?a'b", "ambiguous_url", "ambiguous_url"),
        ("https://example.com/\"", "ambiguous_url", "ambiguous_url"),
        ("https://example.com/<a>", "ambiguous_url", "ambiguous_url"),
        ("https://example.com/{id}", "ambiguous_url", "ambiguous_url"),
        ("https://example.com/\u{0}", "ambiguous_url", "ambiguous_url"),
        ("https://example.com/\u{7f}", "ambiguous_url", "ambiguous_url"),
        ("https://example.com/ü", "ambiguous_url", "ambiguous_url"),
        ("https://example.com/?ü", "ambiguous_url", "ambiguous_url"),
        ("https://example.com/\u{202e}", "ambiguous_url", "ambiguous_url"),
        ("\u{feff}https://example.com/", "invalid_url", "invalid_url"),
        ("https://exa mple.com/", "invalid_url", "invalid_url"),
        ("https://exa\u{0}mple.com/", "invalid_url", "invalid_url"),
        ("https://exa%mple.com/", "invalid_url", "invalid_url"),
        ("https://exa<mple.com/", "invalid_url", "invalid_url"),
        ("https://exa|mple.com/", "invalid_url", "invalid_url"),
        ("https://exa^mple.com/", "invalid_url", "invalid_url"),
        ("https://example.com%00.evil.com/", "invalid_url", "invalid_url"),
        ("https://example.com%2f.evil.com/", "invalid_url", "invalid_url"),
        ("https://example.com%23.evil.com/", "invalid_url", "invalid_url"),
        ("https://%65xample.com/", "ambiguous_url", "ambiguous_url"),
        ("https://example%2ecom/", "ambiguous_url", "ambiguous_url"),
        ("https://127%2e0.0.1/", "ambiguous_url", "ambiguous_url"),
        ("https://bücher.de/", "ambiguous_url", "ambiguous_url"),
        ("https://xn--bcher-kva.de/", "ok", "ok"),
        ("https://xn--BCHER-KVA.de/", "ambiguous_url", "ambiguous_url"),
        ("https://xn--a-ecp.xn--zz--/", "invalid_url", "invalid_url"),
        ("https://faß.de/", "ambiguous_url", "ambiguous_url"),
        ("https://example。com/", "ambiguous_url", "ambiguous_url"),
        ("https://example．com/", "ambiguous_url", "ambiguous_url"),
        ("https://example｡com/", "ambiguous_url", "ambiguous_url"),
        ("https://ｅxample.com/", "ambiguous_url", "ambiguous_url"),
        ("https://ⓔⓧⓐⓜⓟⓛⓔ.com/", "ambiguous_url", "ambiguous_url"),
        ("https://exam\u{ad}ple.com/", "ambiguous_url", "ambiguous_url"),
        ("https://exam\u{200b}ple.com/", "ambiguous_url", "ambiguous_url"),
        ("https://ⓛocalhost/", "ambiguous_url", "ambiguous_url"),
    ]);
}

#[test]
fn names() {
    assert_rows(&[
        ("https://a.b.c.d.example.co.uk/", "ok", "ok"),
        ("https://a-b.example.com/", "ok", "ok"),
        ("https://a--b.example.com/", "ok", "ok"),
        ("https://a_b.example.com/", "ok", "ok"),
        ("https://1.example.com/", "ok", "ok"),
        ("https://127.0.0.1.example.com/", "ok", "ok"),
        ("https://localhost.example.com/", "ok", "ok"),
        ("https://notlocalhost.com/", "ok", "ok"),
        ("https://internal.com/", "ok", "ok"),
        // Public names of inside addresses: they are known when they are dialled.
        ("https://127.0.0.1.nip.io/", "ok", "ok"),
        ("https://localtest.me/", "ok", "ok"),
        ("https://ipv4only.arpa/", "host_not_allowed", "ok"),
        ("https://example.test/", "ok", "ok"),
        ("https://hooks.example/", "ok", "ok"),
        ("https://nobody.invalid/", "ok", "ok"),
        ("https://example.com./", "host_not_allowed", "host_not_allowed"),
        ("https://example.com../", "host_not_allowed", "host_not_allowed"),
        ("https://.example.com/", "host_not_allowed", "host_not_allowed"),
        ("https://example..com/", "host_not_allowed", "host_not_allowed"),
        ("https://./", "host_not_allowed", "host_not_allowed"),
        ("https://../", "host_not_allowed", "host_not_allowed"),
        ("https://com./", "host_not_allowed", "host_not_allowed"),
        ("https://-a.example.com/", "host_not_allowed", "host_not_allowed"),
        ("https://a-.example.com/", "host_not_allowed", "host_not_allowed"),
        ("https://*.example.com/", "host_not_allowed", "host_not_allowed"),
        ("https://a$b.example.com/", "host_not_allowed", "host_not_allowed"),
        ("https://a'b.example.com/", "host_not_allowed", "host_not_allowed"),
        ("https://a,b.example.com/", "host_not_allowed", "host_not_allowed"),
        ("https://a;b.example.com/", "host_not_allowed", "host_not_allowed"),
        ("https://a=b.example.com/", "host_not_allowed", "host_not_allowed"),
        ("https://a&b.example.com/", "host_not_allowed", "host_not_allowed"),
        ("https://(a).example.com/", "host_not_allowed", "host_not_allowed"),
        ("https://a\"b.example.com/", "host_not_allowed", "host_not_allowed"),
        ("https://a`b.example.com/", "host_not_allowed", "host_not_allowed"),
        ("https://${a}.example.com/", "host_not_allowed", "host_not_allowed"),
        ("https://com/", "host_not_allowed", "ok"),
        ("https://intranet/", "host_not_allowed", "ok"),
        ("https://metadata/", "host_not_allowed", "ok"),
        ("https://instance-data/", "host_not_allowed", "ok"),
        ("https://kubernetes/", "host_not_allowed", "ok"),
        ("https://localhost/", "host_not_allowed", "ok"),
        ("https://localhost./", "host_not_allowed", "host_not_allowed"),
        ("https://localhost:8443/", "host_not_allowed", "ok"),
        ("http://localhost:3000/hook", "scheme_not_allowed", "ok"),
        ("https://a.localhost/", "host_not_allowed", "ok"),
        ("https://a.localhost./", "host_not_allowed", "host_not_allowed"),
        ("https://localhost.localdomain/", "host_not_allowed", "ok"),
        ("https://localhost6.localdomain6/", "ok", "ok"),
        ("https://printer.local/", "host_not_allowed", "ok"),
        ("https://printer.local./", "host_not_allowed", "host_not_allowed"),
        ("https://kubernetes.default.svc.cluster.local/", "host_not_allowed", "ok"),
        ("https://metadata.google.internal/", "host_not_allowed", "ok"),
        ("https://metadata.google.internal./", "host_not_allowed", "host_not_allowed"),
        ("https://metadata.goog/", "host_not_allowed", "ok"),
        ("https://instance-data.ec2.internal/", "host_not_allowed", "ok"),
        ("https://ip-10-0-0-1.eu-west-1.compute.internal/", "host_not_allowed", "ok"),
        ("https://host.docker.internal/", "host_not_allowed", "ok"),
        ("https://router.home.arpa/", "host_not_allowed", "ok"),
        ("https://1.0.0.127.in-addr.arpa/", "host_not_allowed", "ok"),
        ("https://router.lan/", "host_not_allowed", "ok"),
        ("https://router.home/", "host_not_allowed", "ok"),
        ("https://wiki.corp/", "host_not_allowed", "ok"),
        ("https://wiki.intranet/", "host_not_allowed", "ok"),
        ("https://wiki.private/", "host_not_allowed", "ok"),
        ("https://abcdefghijklmnop.onion/", "host_not_allowed", "ok"),
        ("https://name.alt/", "host_not_allowed", "ok"),
    ]);
}

#[test]
fn addresses() {
    assert_rows(&[
        ("https://8.8.8.8/", "ok", "ok"),
        ("https://1.1.1.1", "ok", "ok"),
        ("https://1.1.1.1:8443/", "port_not_allowed", "ok"),
        ("http://127.0.0.1:3000/hook", "scheme_not_allowed", "ok"),
        ("https://0.0.0.0/", "address_not_public", "ok"),
        ("https://0.1.2.3/", "address_not_public", "ok"),
        ("https://10.0.0.1/", "address_not_public", "ok"),
        ("https://100.64.0.1/", "address_not_public", "ok"),
        ("https://100.100.100.200/", "address_not_public", "ok"),
        ("https://127.0.0.1/", "address_not_public", "ok"),
        ("https://127.1.2.3/", "address_not_public", "ok"),
        ("https://168.63.129.16/", "address_not_public", "ok"),
        ("https://169.254.169.254/latest/meta-data/", "address_not_public", "ok"),
        ("https://169.254.170.2/v2/credentials", "address_not_public", "ok"),
        ("https://172.16.0.1/", "address_not_public", "ok"),
        ("https://172.31.255.255/", "address_not_public", "ok"),
        ("https://172.32.0.1/", "ok", "ok"),
        ("https://192.0.0.192/", "address_not_public", "ok"),
        ("https://192.0.2.1/", "address_not_public", "ok"),
        ("https://192.88.99.1/", "address_not_public", "ok"),
        ("https://192.168.1.1/", "address_not_public", "ok"),
        ("https://198.18.0.1/", "address_not_public", "ok"),
        ("https://198.51.100.1/", "address_not_public", "ok"),
        ("https://203.0.113.1/", "address_not_public", "ok"),
        ("https://224.0.0.1/", "address_not_public", "ok"),
        ("https://239.255.255.250/", "address_not_public", "ok"),
        ("https://240.0.0.1/", "address_not_public", "ok"),
        ("https://255.255.255.255/", "address_not_public", "ok"),
        ("https://2130706433/", "ambiguous_url", "ambiguous_url"),
        ("https://134744072/", "ambiguous_url", "ambiguous_url"),
        ("https://0x7f000001/", "ambiguous_url", "ambiguous_url"),
        ("https://0x7f.1/", "ambiguous_url", "ambiguous_url"),
        ("https://0x7f.0x0.0x0.0x1/", "ambiguous_url", "ambiguous_url"),
        ("https://0X7F.0.0.1/", "ambiguous_url", "ambiguous_url"),
        ("https://017700000001/", "ambiguous_url", "ambiguous_url"),
        ("https://0177.0.0.1/", "ambiguous_url", "ambiguous_url"),
        ("https://0177.1/", "ambiguous_url", "ambiguous_url"),
        ("https://127.1/", "ambiguous_url", "ambiguous_url"),
        ("https://127.0.1/", "ambiguous_url", "ambiguous_url"),
        ("https://10.1/", "ambiguous_url", "ambiguous_url"),
        ("https://0/", "ambiguous_url", "ambiguous_url"),
        ("https://0x/", "ambiguous_url", "ambiguous_url"),
        ("https://127.0.0.1./", "ambiguous_url", "ambiguous_url"),
        ("https://8.8.8.8./", "ambiguous_url", "ambiguous_url"),
        ("https://008.8.8.8/", "invalid_url", "invalid_url"),
        ("https://010.8.8.8/", "ambiguous_url", "ambiguous_url"),
        ("https://１２７.0.0.1/", "ambiguous_url", "ambiguous_url"),
        ("https://127。0。0。1/", "ambiguous_url", "ambiguous_url"),
        ("https://①②⑦.0.0.1/", "ambiguous_url", "ambiguous_url"),
        ("https://256.256.256.256/", "invalid_url", "invalid_url"),
        ("https://127.0.0.0.1/", "invalid_url", "invalid_url"),
        ("https://4294967296/", "invalid_url", "invalid_url"),
        ("https://1.2.3.4.5/", "invalid_url", "invalid_url"),
        ("https://example.1/", "invalid_url", "invalid_url"),
        ("https://example.0x7f/", "invalid_url", "invalid_url"),
        ("https://8.8.8.8:443:80/", "invalid_url", "invalid_url"),
        ("https://[2606:4700:4700::1111]/", "ok", "ok"),
        ("https://[2606:4700:4700::1111]", "ok", "ok"),
        ("https://[2606:4700:4700::1111]:8443/", "port_not_allowed", "ok"),
        ("https://[2606:4700:4700:0::1111]/", "ambiguous_url", "ambiguous_url"),
        ("https://[2606:4700:4700:0:0:0:0:1111]/", "ambiguous_url", "ambiguous_url"),
        ("https://[2606:4700:4700::1111]:443/", "ambiguous_url", "ambiguous_url"),
        ("https://[2A00:1450::1]/", "ambiguous_url", "ambiguous_url"),
        ("https://[2606:4700:4700::1111%25eth0]/", "invalid_url", "invalid_url"),
        ("https://[fe80::1%eth0]/", "invalid_url", "invalid_url"),
        ("https://2606:4700:4700::1111/", "invalid_url", "invalid_url"),
        ("https://[127.0.0.1]/", "invalid_url", "invalid_url"),
        ("https://[example.com]/", "invalid_url", "invalid_url"),
        ("https://[]/", "invalid_url", "invalid_url"),
        ("https://[::1/", "invalid_url", "invalid_url"),
        ("https://[v1.1]/", "invalid_url", "invalid_url"),
        ("https://[::]/", "address_not_public", "ok"),
        ("https://[::1]/", "address_not_public", "ok"),
        ("http://[::1]:3000/hook", "scheme_not_allowed", "ok"),
        ("https://[0:0:0:0:0:0:0:1]/", "ambiguous_url", "ambiguous_url"),
        ("https://[::127.0.0.1]/", "ambiguous_url", "ambiguous_url"),
        ("https://[::7f00:1]/", "address_not_public", "ok"),
        ("https://[::ffff:127.0.0.1]/", "ambiguous_url", "ambiguous_url"),
        ("https://[::ffff:7f00:1]/", "address_not_public", "ok"),
        ("https://[::ffff:808:808]/", "address_not_public", "ok"),
        ("https://[::ffff:a9fe:a9fe]/", "address_not_public", "ok"),
        ("https://[::ffff:0:7f00:1]/", "address_not_public", "ok"),
        ("https://[64:ff9b::7f00:1]/", "address_not_public", "ok"),
        ("https://[64:ff9b:1::a00:1]/", "address_not_public", "ok"),
        ("https://[100::1]/", "address_not_public", "ok"),
        ("https://[2001::1]/", "address_not_public", "ok"),
        ("https://[2001:db8::1]/", "address_not_public", "ok"),
        ("https://[2002:7f00:1::]/", "address_not_public", "ok"),
        ("https://[3fff::1]/", "address_not_public", "ok"),
        ("https://[5f00::1]/", "address_not_public", "ok"),
        ("https://[fc00::1]/", "address_not_public", "ok"),
        ("https://[fd00:ec2::254]/latest/meta-data/", "address_not_public", "ok"),
        ("https://[fe80::1]/", "address_not_public", "ok"),
        ("https://[fec0::1]/", "address_not_public", "ok"),
        ("https://[ff02::1]/", "address_not_public", "ok"),
    ]);
}

#[test]
fn lengths() {
    let open = Rules::open();
    let of = |len: usize| format!("https://example.com/{}", "a".repeat(len - 20));
    assert_eq!(verdict(&open, &of(MAX_URL)), "ok");
    assert_eq!(verdict(&open, &of(MAX_URL + 1)), "too_long");
    let label = |len: usize| format!("https://{}.com/", "a".repeat(len));
    assert_eq!(verdict(&open, &label(63)), "ok");
    assert_eq!(verdict(&open, &label(64)), "host_not_allowed");
    let name = |labels: usize| format!("https://{}com/", "a.".repeat(labels));
    assert_eq!(verdict(&open, &name(125)), "ok");
    assert_eq!(verdict(&open, &name(126)), "host_not_allowed");
}

#[test]
fn a_deployment_chooses() {
    let rules = Rules { http: true, ports: Ports::Only(vec![80, 443, 8443]), ..Rules::production() };
    for (url, wanted) in [
        ("http://example.com/", "ok"),
        ("https://example.com/", "ok"),
        ("https://example.com:8443/", "ok"),
        ("https://example.com:8080/", "port_not_allowed"),
        ("http://127.0.0.1/", "address_not_public"),
        ("http://localhost/", "host_not_allowed"),
    ] {
        assert_eq!(verdict(&rules, url), wanted, "{url}");
    }
    let none = Rules { ports: Ports::Only(Vec::new()), ..Rules::production() };
    assert_eq!(verdict(&none, "https://example.com/"), "port_not_allowed");
}

#[test]
fn a_target_says_where_it_leads() {
    let target = Rules::open().check("http://[::1]:3000/a?b").unwrap();
    let seen = (target.as_str(), target.host(), target.port(), target.is_https());
    assert_eq!(seen, ("http://[::1]:3000/a?b", "[::1]", 3000, false));
    assert_eq!(target.address(), Some("::1".parse().unwrap()));
    let target = Rules::production().check("https://example.com").unwrap();
    let seen = (target.as_str(), target.host(), target.port(), target.is_https(), target.address());
    assert_eq!(seen, ("https://example.com/", "example.com", 443, true, None));
}

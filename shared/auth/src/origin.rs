//! Origins: where a page, or this deployment, is.

use std::fmt;
use std::str::FromStr;

use contract::Broken;

/// An origin as browsers write it (RFC 6454 §6.2): `https://host[:port]`, or `http:` for a name of this machine. It has
/// one spelling only, so that two of them are the same if their texts are.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Origin {
    secure: bool,
    host: String,
    port: Option<u16>,
}

/// A host's name has at most so many characters (RFC 1035 §2.3.4).
const MOST: usize = 253;

impl Origin {
    /// This machine, at a port.
    #[must_use]
    pub fn local(port: u16) -> Self {
        Self { secure: false, host: "localhost".to_owned(), port: Some(port).filter(|port| *port != 80) }
    }

    /// The host, without the port.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Whether the host is a name of the machine that says it.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.host)
    }

    /// Whether both name the same place: all names of one machine do, at the same port.
    #[must_use]
    pub fn is_place_of(&self, other: &Self) -> bool {
        let local = self.is_loopback() && other.is_loopback();
        self == other || (local && self.secure == other.secure && self.port == other.port)
    }

    /// Whether both name the same deployment. On one machine several processes share their data, each at a port of its
    /// own: there all names of the machine are one.
    #[must_use]
    pub fn is_deployment_of(&self, other: &Self) -> bool {
        self == other || (self.is_loopback() && other.is_loopback())
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.secure { "https" } else { "http" };
        write!(f, "{scheme}://{}", self.host)?;
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Origin {
    type Err = Broken;
    fn from_str(text: &str) -> Result<Self, Broken> {
        parse(text).ok_or_else(|| {
            let message = "Must be an origin like `https://app.example.com`, in small letters and without a path, \
                a `*` or the usual port; `http` for `localhost` alone.";
            Broken::new("invalid_origin", message)
        })
    }
}

fn parse(text: &str) -> Option<Origin> {
    let (secure, usual, rest) = match text.split_once("://")? {
        ("https", rest) => (true, 443, rest),
        ("http", rest) => (false, 80, rest),
        _ => return None,
    };
    // The brackets of an address of IPv6 hold colons.
    let (host, port) = match rest.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (rest, None),
    };
    let port = match port {
        None => None,
        Some(digits) => Some(port_of(digits).filter(|port| *port != usual)?),
    };
    let known = host == IPV6_LOOPBACK || is_name(host);
    (known && (secure || is_loopback(host))).then(|| Origin { secure, host: host.to_owned(), port })
}

fn port_of(digits: &str) -> Option<u16> {
    let plain = !digits.starts_with('0') && digits.bytes().all(|b| b.is_ascii_digit());
    plain.then(|| digits.parse().ok()).flatten()
}

/// The one address of IPv6 that is an origin here.
const IPV6_LOOPBACK: &str = "[::1]";

/// Labels with dots between them, as names and addresses of IPv4 have them; other alphabets by their ASCII form.
fn is_name(host: &str) -> bool {
    let known = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let label = |label: &str| {
        (1..=63).contains(&label.len()) && label.bytes().all(known) && !label.starts_with('-') && !label.ends_with('-')
    };
    host.len() <= MOST && host.split('.').all(label)
}

fn is_loopback(host: &str) -> bool {
    let of_ipv4 = || host.parse::<std::net::Ipv4Addr>().is_ok_and(|address| address.is_loopback());
    host == IPV6_LOOPBACK || host == "localhost" || host.ends_with(".localhost") || of_ipv4()
}

impl serde::Serialize for Origin {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

/// What [`parse`] takes, as a regular expression.
fn pattern() -> String {
    let label = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?";
    let byte = "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])";
    let port = "(6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5][0-9]{4}|[1-9][0-9]{0,3})";
    let local = format!(r"({label}\.)*localhost|127(\.{byte}){{3}}|\[::1\]");
    let secure = format!(r"https://({label}(\.{label})*|\[::1\])(:(?!443$){port})?");
    format!(r"^(?=[a-z]{{4,5}}://[^/]{{1,253}}(:[0-9]{{1,5}})?$)({secure}|http://({local})(:(?!80$){port})?)$")
}

contract::parsed_from_text!(Origin, {
    "description": "An origin as browsers write it, without the usual port.",
    "type": "string",
    "pattern": pattern()
});

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_origin_has_one_spelling() {
        for good in [
            "https://app.example.com",
            "https://app.example.com:8443",
            "https://a",
            "https://xn--bcher-kva.example",
            "https://192.0.2.1",
            "https://localhost:3000",
            "http://localhost",
            "http://localhost:3000",
            "http://app.localhost:5173",
            "http://127.0.0.1:65535",
            "http://127.9.8.7",
            "http://[::1]",
            "http://[::1]:3000",
        ] {
            assert_eq!(good.parse::<Origin>().unwrap().to_string(), good);
        }
        for bad in [
            "",
            "*",
            "null",
            "https://",
            "https://*",
            "https://*.example.com",
            "https://app.example.com/",
            "https://app.example.com/path",
            "https://app.example.com?x",
            "https://app.example.com#x",
            "https://user@app.example.com",
            "https://app.example.com:",
            "https://app.example.com:443",
            "https://app.example.com:0",
            "https://app.example.com:08443",
            "https://app.example.com:65536",
            "https://app.example.com:8443:1",
            "https://APP.example.com",
            "HTTPS://app.example.com",
            "https://app..example.com",
            "https://app.example.com.",
            "https://-app.example.com",
            "https://bücher.example",
            "https://app.example.com\n",
            " https://app.example.com",
            "https://app.example.com\\",
            "https:app.example.com",
            "https://[2001:db8::1]",
            "http://app.example.com",
            "http://localhost.example.com",
            "http://notlocalhost",
            "http://127.0.0.1.example",
            "http://127.1",
            "http://0.0.0.0",
            "http://localhost:80",
            "http://[::1",
            "http://[::1]:",
            "ftp://localhost",
            "file://",
        ] {
            assert!(bad.parse::<Origin>().is_err(), "{bad}");
        }
    }

    #[test]
    fn names_of_one_machine_are_one_deployment() {
        let origin = |text: &str| text.parse::<Origin>().unwrap();
        assert!(origin("http://127.0.0.1:3000").is_deployment_of(&origin("http://localhost:3001")));
        let (one, other) = (origin("https://a.example"), origin("https://a.example:8443"));
        assert!(one.is_deployment_of(&one) && !one.is_deployment_of(&other));
        assert!(!one.is_deployment_of(&origin("http://localhost")));
        assert!(Origin::local(3000).is_place_of(&origin("http://127.0.0.1:3000")));
        assert!(!Origin::local(3000).is_place_of(&origin("http://localhost:3001")) && !one.is_place_of(&other));
        assert_eq!(Origin::local(80), origin("http://localhost"));
    }

    proptest! {
        #[test]
        fn what_parses_prints_as_itself(text in "https?://[a-z0-9.:\\[\\]-]{0,20}(:[0-9]{0,6})?|\\PC*") {
            if let Ok(origin) = text.parse::<Origin>() {
                prop_assert_eq!(origin.to_string(), text);
            }
        }
    }
}

//! Origins of the web: a scheme, a host and a port (RFC 6454).

use url::{Host, Url};

use crate::patterns::{BYTE, PORT, ipv4, ipv6};
use crate::schema::is_url;
use crate::{Broken, text_type};

text_type! {
    /// An origin as browsers write it (RFC 6454 §6.2): `https://app.example.com`, or `http` at this machine's own names,
    /// `http://localhost:3000`. In one form, so that equal ones are the same text: in lower case, the host in ASCII, the
    /// port left out where it is the scheme's own.
    Origin {
        read: read,
        schema: { "description": "An origin as browsers write it.", "type": "string", "pattern": pattern() }
    }
}

/// A host's name has at most so many characters (RFC 1035 §2.3.4).
const MAX_NAME: usize = 253;

fn read(text: &str) -> Result<String, Broken> {
    let bad =
        || Broken::new("invalid_origin", "Must be a scheme and a host, like `https://app.example.com`, and no more.");
    // What a parser forgives (`https:host`, user information, an encoded host) is no origin.
    let bare = text.split_once("://").is_some_and(|(_, rest)| !rest.contains(['/', '?', '#', '*']));
    if !bare || !is_url(text) {
        return Err(bad());
    }
    let url = Url::parse(text).map_err(|_| bad())?;
    if url.scheme() == "http" && !url.host().is_some_and(|host| is_loopback(&host)) {
        return Err(Broken::new("invalid_origin", "Must begin with `https://`; `http://` is for localhost alone."));
    }
    if url.domain().is_some_and(|name| !is_name(name)) {
        return Err(bad());
    }
    Ok(url.origin().ascii_serialization())
}

/// A host's name in ASCII, as [`pattern`] has it: its last label begins with a letter, since one that begins with a digit may
/// be read as a number. It may end in a dot, which makes it another origin.
fn is_name(name: &str) -> bool {
    let known = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    let is_label = |label: &str| {
        (1..=63).contains(&label.len()) && label.bytes().all(known) && !label.starts_with('-') && !label.ends_with('-')
    };
    let labels = name.strip_suffix('.').unwrap_or(name);
    let top = labels.rsplit('.').next().unwrap_or_default();
    name.len() <= MAX_NAME && labels.split('.').all(is_label) && !top.starts_with(|c: char| c.is_ascii_digit())
}

/// What [`read`] keeps, as a regular expression.
fn pattern() -> String {
    let label = "[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?";
    let top = "[a-z_]([a-z0-9_-]{0,61}[a-z0-9_])?";
    let local = format!(r"({label}\.)*localhost|127(\.{BYTE}){{3}}|\[::1\]");
    let host = format!(r"({label}\.)*{top}\.?|{}|\[{}\]", ipv4(), ipv6());
    let [secure, local] = [("https", host, 443), ("http", local, 80)]
        .map(|(scheme, host, usual)| format!("{scheme}://({host})(:(?!{usual}$){PORT})?"));
    format!(r"^(?![a-z]+://[^/:]{{{}}})({secure}|{local})$", MAX_NAME + 1)
}

impl Origin {
    /// Whether a page of the other origin is served from here: the same one, or, on one machine, another of its own
    /// names with the same port.
    #[must_use]
    pub fn is_same_place(&self, other: &Self) -> bool {
        let local = |origin: &Self| {
            let url = origin.on_loopback().filter(|url| url.scheme() == "http")?;
            Some(url.port_or_known_default())
        };
        self == other || local(self).is_some_and(|port| local(other) == Some(port))
    }

    /// Whether both are of one deployment: the same one, or two names of one machine, where several processes share their
    /// data, each at a port of its own.
    #[must_use]
    pub fn is_same_deployment(&self, other: &Self) -> bool {
        self == other || (self.on_loopback().is_some() && other.on_loopback().is_some())
    }

    /// It, if its host is a name of the machine that says it.
    fn on_loopback(&self) -> Option<Url> {
        Url::parse(self.as_str()).ok().filter(|url| url.host().is_some_and(|host| is_loopback(&host)))
    }
}

/// `localhost` and the names below it (RFC 6761 §6.3), 127.0.0.0/8, `[::1]`.
fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == "localhost" || name.ends_with(".localhost"),
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::patterns::matches;

    #[test]
    fn an_origin_has_one_form() {
        for (given, kept) in [
            ("https://app.example.com", "https://app.example.com"),
            ("HTTPS://App.Example.com:443", "https://app.example.com"),
            ("https://bücher.example:8443", "https://xn--bcher-kva.example:8443"),
            ("https://192.0.2.1", "https://192.0.2.1"),
            ("https://[2001:DB8::1]:444", "https://[2001:db8::1]:444"),
            ("http://localhost", "http://localhost"),
            ("http://LocalHost:80", "http://localhost"),
            ("http://app.localhost:3000", "http://app.localhost:3000"),
            ("http://127.0.0.1:3000", "http://127.0.0.1:3000"),
            ("http://[::1]:3000", "http://[::1]:3000"),
            ("https://a_b.example.", "https://a_b.example."),
        ] {
            assert_eq!(given.parse::<Origin>().map(|origin| origin.to_string()), Ok(kept.to_owned()), "{given}");
            assert!(matches(&pattern(), kept), "{kept}");
        }
        for bad in [
            "",
            "*",
            "null",
            "https://*",
            "https://*.example.com",
            "https://",
            "https://app.example.com/",
            "https://app.example.com/admin",
            "https://app.example.com?a",
            "https://app.example.com#a",
            "https://user@app.example.com",
            "https://app.example.com:",
            "https://app.example.com:99999",
            "https:app.example.com",
            "https:\\\\app.example.com",
            "https://app.example.com\\",
            " https://app.example.com",
            "https://app.example.com\r\nx: y",
            "https://a b.example",
            "https://a\"b.example",
            "https://a&b.example",
            &format!("https://{}example", "abcdefg.".repeat(31)),
            "https://a%2eb.example",
            "https://a..example",
            "https://-a.example",
            "https://a-.example",
            "https://a.1example",
            "https://.example",
            "http://app.example.com",
            "http://192.168.0.1:3000",
            "http://0.0.0.0:3000",
            "http://localhost.example.com",
            "http://notlocalhost",
            "http://127.1",
            "ftp://localhost",
            "file:///etc",
            "app.example.com",
            "//app.example.com",
        ] {
            assert!(bad.parse::<Origin>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn names_of_one_machine_are_one_place_at_one_port_and_one_deployment_at_any() {
        let origin = |text: &str| text.parse::<Origin>().expect("an origin");
        let own = origin("http://127.0.0.1:3000");
        for (other, is_place, is_deployment) in [
            ("http://127.0.0.1:3000", true, true),
            ("http://localhost:3000", true, true),
            ("http://app.localhost:3000", true, true),
            ("http://[::1]:3000", true, true),
            ("http://localhost:3001", false, true),
            ("http://localhost", false, true),
            ("https://localhost:3000", false, true),
            ("https://api.example.com", false, false),
            ("https://api.example.com:3000", false, false),
        ] {
            let other = origin(other);
            assert_eq!(
                (own.is_same_place(&other), own.is_same_deployment(&other)),
                (is_place, is_deployment),
                "{other}"
            );
            assert_eq!(
                (other.is_same_place(&own), other.is_same_deployment(&own)),
                (is_place, is_deployment),
                "{other}"
            );
        }
        let (one, other) = (origin("https://api.example.com"), origin("https://api.example.com:8443"));
        assert!(one.is_same_place(&one) && !one.is_same_place(&other));
        assert!(one.is_same_deployment(&one) && !one.is_same_deployment(&other));
    }

    proptest! {
        #[test]
        fn what_is_read_is_read_again(text in prop_oneof![any::<String>(), "https?://[a-zA-Z0-9_.:\\[\\]-]{1,12}"]) {
            if let Ok(once) = read(&text) {
                prop_assert!(matches(&pattern(), &once));
                prop_assert_eq!(read(&once), Ok(once));
            }
        }
    }
}

//! Origins of the web: a scheme, a host and a port (RFC 6454).

use url::{Host, Url};

use crate::schema::is_url;
use crate::{Broken, text_type};

text_type! {
    /// An origin as browsers write it (RFC 6454 §6.2): `https://app.example.com`, or `http` at this machine's own names,
    /// `http://localhost:3000`. In one form, so that equal ones are the same text: in lower case, the host in ASCII, the
    /// port left out where it is the scheme's own.
    Origin {
        read: read,
        schema: { "type": "string", "format": "uri", "maxLength": 2048, "pattern": r"^[Hh][Tt][Tt][Pp][Ss]?://[^\s/?#@\\%*]+$" }
    }
}

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
    Ok(url.origin().ascii_serialization())
}

impl Origin {
    /// Whether a page of the other origin is served from here: the same one, or, on one machine, another of its own
    /// names with the same port.
    #[must_use]
    pub fn is_same_place(&self, other: &Self) -> bool {
        let local = |origin: &Self| {
            let url = Url::parse(origin.as_str()).ok()?;
            let is_local = url.scheme() == "http" && url.host().is_some_and(|host| is_loopback(&host));
            is_local.then(|| url.port_or_known_default())
        };
        self == other || local(self).is_some_and(|port| local(other) == Some(port))
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
        ] {
            assert_eq!(given.parse::<Origin>().map(|origin| origin.to_string()), Ok(kept.to_owned()), "{given}");
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
            "https://a%2eb.example",
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

    proptest! {
        #[test]
        fn what_is_read_is_read_again(text in prop_oneof![any::<String>(), "https?://[a-zA-Z0-9.:\\[\\]-]{1,12}"]) {
            if let Ok(once) = read(&text) {
                prop_assert_eq!(read(&once), Ok(once));
            }
        }
    }
}

//! Where a webhook may go: the rules for its URL and for every address that is dialled. No I/O: names are resolved by
//! whoever dials, who then asks [`Rules::admits`] about each address.

use std::net::IpAddr;

use contract::Broken;
use url::{Host, Url};

mod address;
mod name;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod table;

pub use address::is_public;

/// Bytes of a URL at the most.
pub const MAX_URL: usize = 2048;

/// What a deployment allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// Whether `http` is allowed too.
    pub http: bool,
    /// Which ports are.
    pub ports: Ports,
    /// Which addresses are.
    pub addresses: Addresses,
}

/// The ports that a deployment allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ports {
    /// All but 0, which none can listen on.
    Any,
    /// These.
    Only(Vec<u16>),
}

/// The addresses that a deployment allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Addresses {
    /// What is globally reachable: see [`is_public`].
    Public,
    /// All: a developer's receiver is on loopback.
    Any,
}

/// A URL that [`Rules::check`] let through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    url: Url,
    host: Host,
    port: u16,
}

impl Rules {
    /// https on port 443 of public addresses.
    #[must_use]
    pub fn production() -> Self {
        Self { http: false, ports: Ports::Only(vec![443]), addresses: Addresses::Public }
    }

    /// http and https on any port of any address: what a developer's machine uses.
    #[must_use]
    pub const fn open() -> Self {
        Self { http: true, ports: Ports::Any, addresses: Addresses::Any }
    }

    /// The target that a URL names. What is checked here is its text: where a name leads is known when it is dialled.
    ///
    /// # Errors
    /// The first rule that it breaks.
    pub fn check(&self, text: &str) -> Result<Target, Broken> {
        if text.len() > MAX_URL {
            return Err(Broken::new("too_long", format!("Must have at most {MAX_URL} bytes.")));
        }
        let url = Url::parse(text)
            .map_err(|_| Broken::new("invalid_url", "Must be a URL like `https://example.com/webhooks`."))?;
        self.check_scheme(url.scheme())?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Broken::new("has_credentials", "Must not hold a user name or a password."));
        }
        if url.fragment().is_some() {
            return Err(Broken::new("has_fragment", "Must not have a fragment: it would never be sent."));
        }
        check_spelling(text, &url)?;
        let host = url.host().ok_or_else(|| Broken::new("invalid_url", "Must have a host."))?.to_owned();
        self.check_host(&host)?;
        let port = url.port_or_known_default().unwrap_or(0);
        self.check_port(port)?;
        Ok(Target { url, host, port })
    }

    /// Whether an address may be dialled.
    #[must_use]
    pub fn admits(&self, address: IpAddr) -> bool {
        match self.addresses {
            Addresses::Public => is_public(address),
            Addresses::Any => true,
        }
    }

    fn check_scheme(&self, scheme: &str) -> Result<(), Broken> {
        match scheme {
            "https" => Ok(()),
            "http" if self.http => Ok(()),
            _ if self.http => Err(Broken::new("scheme_not_allowed", "Must begin with `https://` or `http://`.")),
            _ => Err(Broken::new("scheme_not_allowed", "Must begin with `https://`.")),
        }
    }

    fn check_host(&self, host: &Host) -> Result<(), Broken> {
        let name = match host {
            Host::Ipv4(address) => return self.check_address((*address).into()),
            Host::Ipv6(address) => return self.check_address((*address).into()),
            Host::Domain(name) => name,
        };
        if !name::is_host_name(name) {
            return Err(Broken::new(
                "host_not_allowed",
                "Must have a host of letters, digits and `-` in parts joined by dots.",
            ));
        }
        if self.addresses == Addresses::Public && (!name.contains('.') || name::is_inside(name)) {
            return Err(Broken::new(
                "host_not_allowed",
                "Must have a host with a dot in its name that the public internet knows.",
            ));
        }
        Ok(())
    }

    fn check_address(&self, address: IpAddr) -> Result<(), Broken> {
        if self.admits(address) {
            return Ok(());
        }
        Err(Broken::new("address_not_public", "Must not point to an address that the public internet can't reach."))
    }

    fn check_port(&self, port: u16) -> Result<(), Broken> {
        let ports = match &self.ports {
            Ports::Any if port > 0 => return Ok(()),
            Ports::Any => return Err(Broken::new("port_not_allowed", "Must not use the port 0.")),
            Ports::Only(ports) if ports.contains(&port) => return Ok(()),
            Ports::Only(ports) => ports.iter().map(u16::to_string).collect::<Vec<_>>(),
        };
        Err(Broken::new("port_not_allowed", format!("Must use one of these ports: {}.", ports.join(", "))))
    }
}

/// A URL that parsers read in more than one way is refused, not repaired: what is shown, compared, checked and dialled
/// is one text. The one repair is the `/` of an empty path (RFC 3986 §6.2.3), which people leave out and which moves
/// nothing.
fn check_spelling(text: &str, url: &Url) -> Result<(), Broken> {
    // A backslash in a query survives parsing; some readers take it for a slash.
    let odd = |byte: u8| !byte.is_ascii_graphic() || byte == b'\\';
    let parsed = url.as_str();
    let same = text == parsed || parsed.strip_suffix('/') == Some(text);
    if same && !text.bytes().any(odd) {
        return Ok(());
    }
    let message = if text.bytes().any(odd) {
        "Must be of printable ASCII characters, without spaces and backslashes.".to_owned()
    } else {
        format!("Must be written as `{parsed}`.")
    };
    Err(Broken::new("ambiguous_url", message))
}

impl Target {
    /// The URL.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.url.as_str()
    }

    /// The host; an IPv6 address stands in brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    /// The address, if the host is one.
    #[must_use]
    pub const fn address(&self) -> Option<IpAddr> {
        match self.host {
            Host::Ipv4(address) => Some(IpAddr::V4(address)),
            Host::Ipv6(address) => Some(IpAddr::V6(address)),
            Host::Domain(_) => None,
        }
    }

    /// The port, also where the URL does not write it.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Whether it is reached by TLS.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.url.scheme() == "https"
    }
}

//! Where to listen: an address or a name, and a port.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use tokio::net::{TcpListener, lookup_host};

use crate::services::StartError;

/// Where to listen, as the command line has it: `127.0.0.1:3000`, `[::1]:3000`, `localhost:3000`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListenOn {
    /// The address, without brackets, or the name.
    host: String,
    port: u16,
}

impl FromStr for ListenOn {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let form = || {
            "must be ADDR:PORT or NAME:PORT, like 127.0.0.1:3000 or localhost:3000 for this machine alone, and \
             0.0.0.0:3000 for all networks that it is in"
                .to_owned()
        };
        if let Ok(address) = text.parse::<SocketAddr>() {
            return Ok(Self { host: address.ip().to_string(), port: address.port() });
        }
        // Without a host it could mean this machine alone or the whole world, as others have it.
        let (host, port) = text.rsplit_once(':').ok_or_else(form)?;
        let named = !host.is_empty() && host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-'));
        let digits = port.bytes().all(|b| b.is_ascii_digit());
        match port.parse() {
            Ok(port) if named && digits => Ok(Self { host: host.to_owned(), port }),
            _ => Err(form()),
        }
    }
}

impl std::fmt::Display for ListenOn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.host.parse::<IpAddr>() {
            Ok(address) => SocketAddr::new(address, self.port).fmt(f),
            Err(_) => write!(f, "{}:{}", self.host, self.port),
        }
    }
}

impl ListenOn {
    /// The same with another port: the one that the system chose.
    #[must_use]
    pub fn at_port(&self, port: u16) -> Self {
        Self { port, ..self.clone() }
    }

    /// The same with the next port; any, if there is none.
    #[must_use]
    pub fn next(&self) -> Self {
        self.at_port(self.port.checked_add(1).unwrap_or(0))
    }

    /// The same as this machine itself reaches it: all of its addresses are `localhost` too.
    #[must_use]
    pub fn from_here(&self) -> Self {
        match self.host.parse::<IpAddr>() {
            Ok(address) if address.is_unspecified() => Self { host: "localhost".to_owned(), ..self.clone() },
            _ => self.clone(),
        }
    }

    /// Its addresses: a name may have some in both families.
    ///
    /// # Errors
    /// If the name leads nowhere.
    pub async fn resolve(&self) -> io::Result<Vec<SocketAddr>> {
        let mut addresses: Vec<SocketAddr> = Vec::new();
        for address in lookup_host((self.host.as_str(), self.port)).await? {
            if !addresses.contains(&address) {
                addresses.push(address);
            }
        }
        if addresses.is_empty() {
            return Err(io::Error::new(ErrorKind::AddrNotAvailable, "the name has no address"));
        }
        Ok(addresses)
    }
}

/// Listens on all of these, on one port. A family that this machine does not have is passed over.
///
/// # Errors
/// If the port is taken, or none of them is this machine's.
pub async fn bind(addresses: &[SocketAddr]) -> io::Result<Vec<TcpListener>> {
    let mut listeners: Vec<TcpListener> = Vec::new();
    let mut failed = None;
    for address in addresses {
        let port = listeners.first().map(TcpListener::local_addr).transpose()?.map_or(address.port(), |at| at.port());
        match TcpListener::bind((address.ip(), port)).await {
            Ok(listener) => listeners.push(listener),
            Err(error) if error.kind() == ErrorKind::AddrInUse && address.port() != 0 => return Err(error),
            Err(error) => failed = Some(error),
        }
    }
    match failed {
        Some(error) if listeners.is_empty() => Err(error),
        _ => Ok(listeners),
    }
}

/// Listens on the first of its addresses that is this machine's.
///
/// # Errors
/// If the name leads nowhere, the port is taken, or none of them is this machine's.
pub async fn bind_one(on: &ListenOn) -> Result<TcpListener, StartError> {
    let failed = |error| format!("{on}: {error}");
    let listeners = bind(&on.resolve().await.map_err(failed)?).await.map_err(failed)?;
    Ok(listeners.into_iter().next().ok_or("there is nothing to listen on")?)
}

/// Whether only this machine reaches an address.
#[must_use]
pub fn is_loopback(address: &SocketAddr) -> bool {
    address.ip().to_canonical().is_loopback()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_or_a_name_and_a_port() {
        for good in ["127.0.0.1:3000", "[::1]:3000", "0.0.0.0:0", "localhost:3000", "api.internal:65535", "my-host:1"] {
            assert_eq!(good.parse::<ListenOn>().expect(good).to_string(), good);
        }
        for bad in [
            "",
            ":",
            ":3000",
            "3000",
            "localhost",
            "127.0.0.1",
            "127.0.0.1:",
            "localhost:",
            "localhost:x",
            "localhost:+1",
            "localhost:70000",
            "::1:3000",
            "[::1]",
            "*:3000",
            "http://localhost:3000",
            "local host:3000",
            "localhost:3000/",
        ] {
            assert!(bad.parse::<ListenOn>().is_err(), "{bad}");
        }
    }

    #[tokio::test]
    async fn a_name_is_listened_on_in_every_family_that_it_has() {
        let on: ListenOn = "localhost:0".parse().expect("a name");
        let addresses = on.resolve().await.expect("addresses");
        assert!(addresses.iter().all(is_loopback));
        let listeners = bind(&addresses).await.expect("listeners");
        let bound: Vec<SocketAddr> = listeners.iter().map(|one| one.local_addr().expect("an address")).collect();
        assert!(bound.iter().all(|address| is_loopback(address) && address.port() == bound[0].port()), "{bound:?}");
        // A port that is taken in one family is taken.
        let again: Vec<SocketAddr> = addresses.iter().map(|one| SocketAddr::new(one.ip(), bound[0].port())).collect();
        assert_eq!(bind(&again).await.expect_err("it is taken").kind(), ErrorKind::AddrInUse);
    }
}

//! The connector: it dials the very address that it has checked.

use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use auth::target::Rules;
use contract::webhook::AttemptError;
use http::Uri;
use http::uri::Scheme;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;
use tower_service::Service;

use super::failure::Failure;
use super::resolve::Resolve;
use super::stream::Stream;

/// Addresses of a name that are tried, at the most.
const MAX_ADDRESSES: usize = 8;
/// How long one address may take to connect while there is another to try.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

tokio::task_local! {
    /// hyper-util hands a connector the URI alone; the request on whose behalf it dials is known by its task.
    static DIALLING: Arc<Dialling>;
}

/// What a request and the connector that dials for it share.
pub(super) struct Dialling {
    deadline: Instant,
    last: Mutex<Option<IpAddr>>,
}

impl Dialling {
    pub(super) const fn until(deadline: Instant) -> Self {
        Self { deadline, last: Mutex::new(None) }
    }

    /// The address that was dialled last.
    pub(super) fn last(&self) -> Option<IpAddr> {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, address: IpAddr) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(address);
    }
}

/// Whatever is dialled in this future is dialled for this request.
pub(super) async fn within<F: Future>(dialling: Arc<Dialling>, future: F) -> F::Output {
    DIALLING.scope(dialling, future).await
}

/// Dials what the rules allow. Clones are cheap.
#[derive(Clone)]
pub(super) struct Connector(Arc<Dialer>);

struct Dialer {
    rules: Rules,
    resolver: Arc<dyn Resolve>,
    tls: TlsConnector,
}

impl Connector {
    pub(super) fn new(rules: Rules, resolver: Arc<dyn Resolve>, roots: RootCertStore) -> Result<Self, rustls::Error> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let tls = TlsConnector::from(Arc::new(config));
        Ok(Self(Arc::new(Dialer { rules, resolver, tls })))
    }
}

impl Service<Uri> for Connector {
    type Response = TokioIo<Stream>;
    type Error = Failure;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Failure>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let dialer = Arc::clone(&self.0);
        let dialling = DIALLING.try_with(Arc::clone);
        Box::pin(async move {
            let dialling = dialling.map_err(|_| Failure::blocked("a connection was dialled outside of any request"))?;
            // A connection that its request no longer waits for is made to its end for the next one: the deadline
            // holds for it too.
            let connecting = timeout_at(dialling.deadline, dialer.connect(&uri, &dialling));
            connecting.await.unwrap_or_else(|_| Err(Failure::late())).map(TokioIo::new)
        })
    }
}

impl Dialer {
    async fn connect(&self, uri: &Uri, dialling: &Dialling) -> Result<Stream, Failure> {
        let https = uri.scheme() == Some(&Scheme::HTTPS);
        let host = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
        let port = uri.port_u16().unwrap_or(if https { 443 } else { 80 });
        let addresses = self.addresses(host).await?;
        let (tcp, address) = dial(&addresses, port, dialling).await?;
        if !https {
            return Ok(Stream::new(tcp, address));
        }
        let tls = |error: &dyn std::error::Error| Failure::new(AttemptError::Tls, error.to_string());
        let name = ServerName::try_from(host.to_owned()).map_err(|error| tls(&error))?;
        let stream = self.tls.connect(name, tcp).await.map_err(|error| tls(&error))?;
        Ok(Stream::new(stream, address))
    }

    /// What a host may be dialled by. hyper-util asks no resolver about literals, so that they are checked here.
    async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>, Failure> {
        let dns = |cause: String| Failure::new(AttemptError::Dns, cause);
        let found = match host.parse() {
            Ok(address) => vec![address],
            Err(_) => self.resolver.resolve(host.to_owned()).await.map_err(|error| dns(error.to_string()))?,
        };
        if found.is_empty() {
            return Err(dns("the name has no address".to_owned()));
        }
        let allowed: Vec<IpAddr> = found.into_iter().filter(|address| self.rules.admits(*address)).collect();
        if allowed.is_empty() {
            return Err(Failure::blocked("no address that may be dialled"));
        }
        Ok(in_turn(allowed))
    }
}

/// Both families by turns, beginning with the resolver's first, none twice: where one of them leads nowhere, the other
/// is not far.
fn in_turn(addresses: Vec<IpAddr>) -> Vec<IpAddr> {
    let first_is_v6 = addresses.first().is_some_and(IpAddr::is_ipv6);
    let (first, second): (Vec<_>, Vec<_>) = addresses.into_iter().partition(|address| address.is_ipv6() == first_is_v6);
    let (mut first, mut second) = (first.into_iter(), second.into_iter());
    let mut order = Vec::new();
    loop {
        let pair = [first.next(), second.next()];
        if pair == [None, None] {
            return order;
        }
        for address in pair.into_iter().flatten() {
            if order.len() < MAX_ADDRESSES && !order.contains(&address) {
                order.push(address);
            }
        }
    }
}

/// The first of the addresses that answers.
async fn dial(addresses: &[IpAddr], port: u16, dialling: &Dialling) -> Result<(TcpStream, IpAddr), Failure> {
    let mut failure = Failure::new(AttemptError::Connect, "nothing to dial");
    for (tried, address) in addresses.iter().enumerate() {
        dialling.note(*address);
        let share = share(dialling.deadline, Instant::now(), addresses.len() - tried);
        match timeout_at(share, TcpStream::connect((*address, port))).await {
            Ok(Ok(tcp)) => {
                // A delivery is one write; it waits for nothing to join it.
                let _ = tcp.set_nodelay(true);
                return Ok((tcp, *address));
            }
            Ok(Err(error)) => failure = Failure::new(AttemptError::Connect, error.to_string()),
            Err(_) => failure = Failure::late(),
        }
    }
    Err(failure)
}

/// The deadline of one address: for the last of them that of the request, for the others an equal share of what is left.
fn share(deadline: Instant, now: Instant, left: usize) -> Instant {
    match u32::try_from(left) {
        Ok(left) if left > 1 => now + (deadline.saturating_duration_since(now) / left).min(CONNECT_TIMEOUT),
        _ => deadline,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_take_turns() {
        let of = |texts: &[&str]| in_turn(texts.iter().map(|text| text.parse().unwrap()).collect());
        let seen = of(&["::1", "::2", "::1", "::3", "1.1.1.1", "2.2.2.2"]);
        let texts: Vec<String> = seen.iter().map(ToString::to_string).collect();
        assert_eq!(texts, ["::1", "1.1.1.1", "::2", "2.2.2.2", "::3"]);
        assert_eq!(of(&["1.1.1.1", "::1"]).first(), Some(&IpAddr::from([1, 1, 1, 1])));
        let many: Vec<IpAddr> = (0..100).map(|last| IpAddr::from([8, 8, 8, last])).collect();
        assert_eq!(in_turn(many).len(), MAX_ADDRESSES);
    }

    #[test]
    fn every_address_has_its_share() {
        let now = Instant::now();
        let after = |deadline: u64, left: usize| share(now + Duration::from_secs(deadline), now, left) - now;
        assert_eq!(after(30, 1), Duration::from_secs(30));
        assert_eq!(after(30, 2), CONNECT_TIMEOUT);
        assert_eq!(after(6, 3), Duration::from_secs(2));
        assert_eq!(share(now, now + CONNECT_TIMEOUT, 2), now + CONNECT_TIMEOUT);
    }
}

//! The HTTP client: a `POST` to where the rules let it go, under one deadline.
//!
//! The rules are asked twice: about the URL here, and about every address by the connector that dials it. So a name
//! that leads elsewhere than it did when it was checked gains nothing.

use std::error::Error as StdError;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use auth::target::{Rules, Target};
use bytes::Bytes;
use contract::webhook::AttemptError;
use http::{HeaderMap, Method, StatusCode, Uri, header};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::{CaptureConnection, capture_connection};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::RootCertStore;
use tokio::time::{Instant, timeout_at};

mod answer;
mod dial;
mod failure;
mod head;
mod resolve;
mod stream;
#[cfg(test)]
mod tests;

use dial::{Connector, Dialling};
use failure::Failure;
use head::MAX_HEAD;
use stream::Dialled;

pub use resolve::{Resolve, Resolving, System};

/// What a request may take (contract: success is a 2xx head within 30 s).
const DEADLINE: Duration = Duration::from_secs(30);
/// How long a body is read for the record. The status has decided by then whether the attempt succeeded.
const BODY_TIMEOUT: Duration = Duration::from_secs(1);
/// Shorter than the 5 s after which common servers close an idle connection.
const IDLE_TIMEOUT: Duration = Duration::from_secs(4);
const MAX_IDLE_PER_HOST: usize = 4;

/// Headers that this client sets itself, since they frame the message or belong to the connection (RFC 9110 §7.6.1), and
/// the one that asks for an encoding, which nothing here decodes.
const RESERVED_HEADERS: &[header::HeaderName] = &[
    header::ACCEPT_ENCODING,
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::EXPECT,
    header::HOST,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// How requests are sent.
pub struct Settings {
    /// Where they may go.
    pub rules: Rules,
    /// What one may take: names, connection, TLS, head and body together.
    pub deadline: Duration,
    /// How long the body of an answer is read at the most.
    pub body: Duration,
    /// Resolves names.
    pub resolver: Arc<dyn Resolve>,
    /// The certificate authorities that a receiver's certificate may come from.
    pub roots: RootCertStore,
}

impl Settings {
    /// 30 seconds, the system's resolver, the certificate authorities that Mozilla trusts.
    #[must_use]
    pub fn new(rules: Rules) -> Self {
        let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        Self { rules, deadline: DEADLINE, body: BODY_TIMEOUT, resolver: Arc::new(System), roots }
    }
}

/// What is sent.
#[derive(Debug, Clone)]
pub struct Request {
    /// Where to, as the endpoint has it.
    pub url: String,
    /// The headers; those that frame the message are the client's own and left out.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

/// What came of a request: an answer, or why there was none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// The status of the answer, if its head arrived.
    pub status: Option<u16>,
    /// How long it took.
    pub duration: Duration,
    /// The address that was dialled, the last one if none answered. None was if the request was blocked.
    pub address: Option<IpAddr>,
    /// The first 4 KiB of the answer's body as text, without NULs.
    pub response: Option<String>,
    /// Why it failed.
    pub error: Option<AttemptError>,
    /// What a 429 or 503 asked for, at most 12 hours.
    pub retry_after: Option<Duration>,
    /// The inside of a failure, for the log alone.
    pub cause: Option<String>,
}

impl Exchange {
    /// Whether the receiver has taken it.
    #[must_use]
    pub const fn delivered(&self) -> bool {
        self.error.is_none()
    }

    fn failed(failure: Failure, address: Option<IpAddr>) -> Self {
        Self {
            status: None,
            duration: Duration::ZERO,
            address,
            response: None,
            error: Some(failure.kind),
            retry_after: None,
            cause: Some(failure.cause),
        }
    }
}

/// Sends requests. A clone shares the connections.
#[derive(Clone)]
pub struct Sender {
    rules: Rules,
    deadline: Duration,
    body: Duration,
    /// Keeps connections for a while.
    pooled: Client<Connector, Full<Bytes>>,
    /// Never reuses one.
    fresh: Client<Connector, Full<Bytes>>,
}

impl Sender {
    /// A sender. It knows no proxy, whatever the environment says.
    ///
    /// # Errors
    /// If TLS can't be set up.
    pub fn new(settings: Settings) -> Result<Self, rustls::Error> {
        let connector = Connector::new(settings.rules.clone(), settings.resolver, settings.roots)?;
        let client = |idle: usize| {
            Client::builder(TokioExecutor::new())
                .pool_timer(TokioTimer::new())
                .pool_idle_timeout(IDLE_TIMEOUT)
                .pool_max_idle_per_host(idle)
                .http1_max_buf_size(MAX_HEAD)
                // A request that never left because its connection was closed meanwhile goes out on the next.
                .retry_canceled_requests(true)
                .build(connector.clone())
        };
        let (pooled, fresh) = (client(MAX_IDLE_PER_HOST), client(0));
        Ok(Self { rules: settings.rules, deadline: settings.deadline, body: settings.body, pooled, fresh })
    }

    /// Sends a request. A failure is part of what it gives; it never takes longer than the deadline.
    pub async fn send(&self, request: Request) -> Exchange {
        let began = Instant::now();
        let mut exchange = self.send_until(request, began + self.deadline).await;
        exchange.duration = began.elapsed();
        exchange
    }

    async fn send_until(&self, request: Request, deadline: Instant) -> Exchange {
        let request = match self.prepare(request) {
            Ok(request) => request,
            Err(failure) => return Exchange::failed(failure, None),
        };
        let dialling = Arc::new(Dialling::until(deadline));
        match dial::within(Arc::clone(&dialling), self.head(request, deadline)).await {
            Ok((response, dialled)) => {
                let (head, body) = response.into_parts();
                let text = answer::read(body, deadline.min(Instant::now() + self.body)).await;
                let retry_after = answer::retry_after(head.status, &head.headers, SystemTime::now());
                let address = dialled.map(|dialled| dialled.address);
                judged(head.status, text, retry_after, address)
            }
            Err((failure, dialled)) => {
                let address = dialled.map(|dialled| dialled.address);
                Exchange::failed(failure, address.or(dialling.last()))
            }
        }
    }

    fn prepare(&self, request: Request) -> Result<http::Request<Full<Bytes>>, Failure> {
        let target = self.rules.check(&request.url).map_err(|broken| Failure::blocked(broken.message))?;
        let uri = uri_of(&target)
            .ok_or_else(|| Failure::blocked("the URL is read in two ways, of which one was not checked"))?;
        let mut headers = request.headers;
        for name in RESERVED_HEADERS {
            headers.remove(name);
        }
        let mut prepared = http::Request::new(Full::new(request.body));
        *prepared.method_mut() = Method::POST;
        *prepared.uri_mut() = uri;
        *prepared.headers_mut() = headers;
        Ok(prepared)
    }

    /// The head of the answer. A receiver that closes a reused connection just when a request is on its way there may
    /// not have seen it: no answer is then a reason to ask again on a connection of our own. Deliveries are made at
    /// least once and carry an identifier, so that a second copy does no harm (RFC 9110 §9.2.2).
    async fn head(&self, request: http::Request<Full<Bytes>>, deadline: Instant) -> Result<Reached, Unreached> {
        let again = request.clone();
        match head_by(&self.pooled, request, deadline).await {
            Err((failure, Some(dialled))) if failure.broken_off && dialled.was_used() => {
                head_by(&self.fresh, again, deadline).await
            }
            result => result,
        }
    }
}

type Reached = (http::Response<Incoming>, Option<Dialled>);
type Unreached = (Failure, Option<Dialled>);

async fn head_by(
    client: &Client<Connector, Full<Bytes>>,
    mut request: http::Request<Full<Bytes>>,
    deadline: Instant,
) -> Result<Reached, Unreached> {
    let captured = capture_connection(&mut request);
    let result = timeout_at(deadline, client.request(request)).await;
    let dialled = dialled(&captured);
    match result {
        Ok(Ok(response)) => {
            dialled.iter().for_each(Dialled::use_up);
            Ok((response, dialled))
        }
        Ok(Err(error)) => Err((Failure::of(&error), dialled)),
        Err(_) => Err((Failure::late(), dialled)),
    }
}

fn dialled(captured: &CaptureConnection) -> Option<Dialled> {
    let mut extras = http::Extensions::new();
    captured.connection_metadata().as_ref()?.get_extras(&mut extras);
    extras.remove()
}

/// The target as hyper reads it, if that is the host and port which were checked.
fn uri_of(target: &Target) -> Option<Uri> {
    let uri: Uri = target.as_str().parse().ok()?;
    let default = if target.is_https() { 443 } else { 80 };
    let same = uri.host() == Some(target.host()) && uri.port_u16().unwrap_or(default) == target.port();
    same.then_some(uri)
}

/// The result, which the status alone decides.
fn judged(status: StatusCode, text: String, retry_after: Option<Duration>, address: Option<IpAddr>) -> Exchange {
    let error = match status {
        status if status.is_success() => None,
        status if status.is_redirection() => Some(AttemptError::Redirect),
        _ => Some(AttemptError::Http),
    };
    let cause = error.map(|_| format!("status {}", status.as_u16()));
    let (status, response) = (Some(status.as_u16()), Some(text));
    Exchange { status, duration: Duration::ZERO, address, response, error, retry_after, cause }
}

/// An error and what it comes from, outermost first.
fn chain<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |error| (*error).source())
}

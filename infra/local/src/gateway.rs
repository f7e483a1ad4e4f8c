//! The gateway: HTTP in, an event to the function whose route it is, its answer out.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use contract::{Code, Error};
use engines::Role;
use http::header::CONNECTION;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use runtime::request::address;
use runtime::{App, Endpoint, Method, Reply, RouteSpec, gates};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;

use crate::backend::Backend;
use crate::connection::{self, Answering};
use crate::connection_limiter::{ConnectionLimiter, Permit, Refused};
use crate::limits::Limits;
use crate::{body, event, host};

/// Refused connections that are told so at once, each for two or three seconds; more of them are closed without
/// a word.
const TOLD: usize = 512;

/// A function as the gateway knows it.
struct Function {
    endpoint: &'static Endpoint,
    /// What it may do in the embedded store.
    role: Option<Role>,
}

/// The gateway of a process.
pub struct Gateway {
    app: App,
    functions: Vec<Function>,
    trusted_proxies: usize,
    limits: Limits,
}

/// What the listeners of a gateway share.
struct Served {
    gateway: Gateway,
    all: Arc<Semaphore>,
    limiter: Arc<ConnectionLimiter>,
    told: Arc<Semaphore>,
}

/// Who is at the other end of a connection.
#[derive(Clone)]
struct Peer {
    address: IpAddr,
    /// Whether only this machine reaches the listener.
    loopback: bool,
    /// The place that the connection has. A request keeps it though its caller has gone: as many may be under way as
    /// there are places.
    place: Arc<(OwnedSemaphorePermit, Permit)>,
}

impl Gateway {
    /// A gateway over a backend. In the embedded store each function may do what its role in AWS lets it do.
    #[must_use]
    pub fn new(backend: &Backend, trusted_proxies: usize) -> Self {
        let function = |spec: &RouteSpec| {
            let role = || Role::new(spec.route().id, backend.permissions(&spec.permissions()));
            Function { endpoint: spec.endpoint, role: backend.engine.is_some().then(role) }
        };
        let functions = functions::routes().map(function).collect();
        Self { app: backend.app.clone(), functions, trusted_proxies, limits: Limits::default() }
    }

    /// The same with other limits.
    #[must_use]
    pub fn within(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// Serves until a listener fails.
    ///
    /// # Errors
    /// The listener's.
    pub async fn serve(self, listeners: impl IntoIterator<Item = TcpListener>) -> io::Result<()> {
        // A proxy brings all of its callers over connections of its own, and it is trusted: it may have all of them.
        let share = if self.trusted_proxies > 0 { self.limits.places } else { self.limits.share() };
        let served = Arc::new(Served {
            all: Arc::new(Semaphore::new(self.limits.places)),
            limiter: ConnectionLimiter::new(share),
            told: Arc::new(Semaphore::new(TOLD)),
            gateway: self,
        });
        let mut listening = JoinSet::new();
        for listener in listeners {
            listening.spawn(served.clone().listen(listener));
        }
        while let Some(ended) = listening.join_next().await {
            ended.map_err(io::Error::other)??;
        }
        Ok(())
    }

    /// What the function gives whose route it is.
    async fn invoke(&self, parts: &http::request::Parts, body: Bytes, address: Option<IpAddr>) -> Reply {
        let takes = |function: &&Function| {
            let route = &function.endpoint.route;
            route.method.tokens().contains(&parts.method.as_str()) && route.matches(parts.uri.path()).is_some()
        };
        let found = self.functions.iter().find(takes);
        let any = |function: &&Function| function.endpoint.route.method == Method::Any;
        let found = found.or_else(|| self.functions.iter().find(any));
        let Some(function) = found else {
            return gates::refuse(&self.app, &Error::from(Code::RouteNotFound), &parts.headers);
        };
        let event = event::of_request(parts, &body, &function.endpoint.route, address);
        drop(body);
        let answer = gates::answer(&self.app, function.endpoint, event);
        match &function.role {
            Some(role) => role.hold(answer).await,
            None => answer.await,
        }
    }
}

impl Served {
    async fn listen(self: Arc<Self>, listener: TcpListener) -> io::Result<()> {
        let loopback = listener.local_addr()?.ip().to_canonical().is_loopback();
        loop {
            let one_of_all = self.all.clone().acquire_owned().await.map_err(io::Error::other)?;
            let (stream, peer) = match listener.accept().await {
                Ok(accepted) => accepted,
                // Out of file descriptors, or a caller gone again: neither ends the server.
                Err(error) => {
                    tracing::warn!(error = %error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            };
            let _ = stream.set_nodelay(true);
            match self.limiter.acquire(peer.ip()) {
                Ok(permit) => {
                    let place = Arc::new((one_of_all, permit));
                    tokio::spawn(self.clone().connect(stream, Peer { address: peer.ip(), loopback, place }));
                }
                Err(refused) => self.turn_away(stream, peer.ip(), &refused),
            }
        }
    }

    async fn connect(self: Arc<Self>, stream: TcpStream, peer: Peer) {
        let (served, address) = (self.clone(), peer.address);
        let answer = move |request| -> Answering {
            let (served, peer) = (served.clone(), peer.clone());
            Box::pin(async move { Ok(served.answer(request, peer).await) })
        };
        let stalled = connection::serve(stream, &self.gateway.limits, answer, |code| self.refuse(code.into())).await;
        if let Some(stream) = stalled {
            tracing::warn!(peer = %address, "a connection was given up: its peer reads nothing");
            // What it has not read is not kept for it.
            let _ = stream.set_zero_linger();
        }
    }

    /// A connection of an address that has its share.
    fn turn_away(self: &Arc<Self>, mut stream: TcpStream, peer: IpAddr, refused: &Refused) {
        if refused.first {
            tracing::warn!(%peer, "an address has its share of the connections; more of them are turned away");
        }
        let Ok(told) = self.told.clone().try_acquire_owned() else { return };
        let served = self.clone();
        tokio::spawn(async move {
            let _told = told;
            let why = "This address has as many connections as it may have. Please use those again.";
            let reply = served.refuse(Error::saying(Code::Unavailable, why));
            connection::turn_away(&mut stream, &reply).await;
        });
    }

    async fn answer(self: Arc<Self>, request: Request<Incoming>, peer: Peer) -> Response<Full<Bytes>> {
        let (parts, body) = request.into_parts();
        let read = match host::check(&parts, peer.loopback) {
            Ok(()) => body::read(&parts.headers, body, &self.gateway.limits).await,
            Err(error) => Err(error),
        };
        let reply = match read {
            Ok(body) => {
                // Whoever hangs up does not stop what has begun, as behind API Gateway.
                let served = self.clone();
                let function = async move {
                    let address = address::address(peer.address, &parts.headers, served.gateway.trusted_proxies);
                    let reply = served.gateway.invoke(&parts, body, address).await;
                    drop(peer.place);
                    reply
                };
                tokio::spawn(function).await.unwrap_or_else(|ended| self.refuse(Error::internal(ended)))
            }
            Err(error) => {
                let mut reply = gates::refuse(&self.gateway.app, &error, &parts.headers);
                // What was not read of it is no request.
                reply.headers.insert(CONNECTION, HeaderValue::from_static("close"));
                reply
            }
        };
        let mut response = Response::new(Full::new(Bytes::from(reply.body)));
        *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        *response.headers_mut() = reply.headers;
        response
    }

    /// A failure that belongs to no request.
    #[expect(clippy::needless_pass_by_value, reason = "errors are made where they are refused")]
    fn refuse(&self, error: Error) -> Reply {
        gates::refuse(&self.gateway.app, &error, &HeaderMap::new())
    }
}

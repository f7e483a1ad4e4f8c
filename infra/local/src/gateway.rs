//! The gateway: HTTP in, an event to the function whose route it is, its answer out.

use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use contract::route::Method;
use contract::{Code, Error};
use engines::Grant;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use runtime::incoming::MAX_BODY;
use runtime::{App, Reply, Route, way};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::backend::Backend;
use crate::event;

/// How long a caller may take to send a request's head, and then its body.
const HEAD: Duration = Duration::from_secs(30);
const BODY: Duration = Duration::from_secs(30);
/// Connections at once; further callers wait to be accepted.
const CONNECTIONS: usize = 1_000;

/// A function as the gateway knows it.
struct Function {
    route: &'static Route,
    /// What it may do in the embedded store.
    permissions: Option<Arc<[Grant]>>,
}

/// The gateway of a process.
pub struct Gateway {
    app: App,
    functions: Vec<Function>,
    trusted_proxies: usize,
}

impl Gateway {
    /// A gateway over a backend. In the embedded store each function may do what its role in AWS lets it do.
    #[must_use]
    pub fn new(backend: &Backend, trusted_proxies: usize) -> Self {
        let function = |described: &runtime::Described| {
            let permissions = backend.engine.is_some().then(|| backend.permissions(&described.permissions()).into());
            Function { route: described.route, permissions }
        };
        Self { app: backend.app.clone(), functions: functions::all().map(function).collect(), trusted_proxies }
    }

    /// Serves until the listener fails.
    ///
    /// # Errors
    /// The listener's.
    pub async fn serve(self, listener: TcpListener) -> io::Result<()> {
        let gateway = Arc::new(self);
        let places = Arc::new(Semaphore::new(CONNECTIONS));
        loop {
            let place = places.clone().acquire_owned().await.map_err(io::Error::other)?;
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
            let gateway = gateway.clone();
            tokio::spawn(async move {
                let _place = place;
                let service = service_fn(|request| gateway.clone().answer(request, peer));
                let mut http = http1::Builder::new();
                http.timer(TokioTimer::new()).header_read_timeout(HEAD);
                // A connection that breaks off is its caller's affair.
                let _ = http.serve_connection(TokioIo::new(stream), service).await;
            });
        }
    }

    async fn answer(
        self: Arc<Self>,
        request: Request<Incoming>,
        peer: SocketAddr,
    ) -> Result<Response<Full<Bytes>>, Infallible> {
        let (parts, body) = request.into_parts();
        let reply = match timeout(BODY, Limited::new(body, MAX_BODY).collect()).await {
            Ok(Ok(body)) => {
                // Whoever hangs up does not stop what has begun, as behind API Gateway.
                let gateway = self.clone();
                let function = async move {
                    let address = event::caller(peer.ip(), &parts.headers, gateway.trusted_proxies);
                    gateway.invoke(&parts, &body.to_bytes(), address).await
                };
                let ended = |error| way::refuse(&self.app, &Error::internal(error), &HeaderMap::new());
                tokio::spawn(function).await.unwrap_or_else(ended)
            }
            Ok(Err(error)) if error.is::<LengthLimitError>() => {
                way::refuse(&self.app, &Error::from(Code::PayloadTooLarge), &parts.headers)
            }
            // It broke off, or took too long.
            Ok(Err(_)) | Err(_) => way::refuse(&self.app, &Error::from(Code::MalformedRequest), &parts.headers),
        };
        let mut response = Response::new(Full::new(Bytes::from(reply.body)));
        *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        *response.headers_mut() = reply.headers;
        Ok(response)
    }

    async fn invoke(&self, parts: &http::request::Parts, body: &Bytes, address: IpAddr) -> Reply {
        let takes = |function: &&Function| {
            let meta = function.route.meta;
            meta.method.name() == parts.method.as_str() && meta.matches(parts.uri.path()).is_some()
        };
        let found = self.functions.iter().find(takes);
        let found = found.or_else(|| self.functions.iter().find(|function| function.route.meta.method == Method::Any));
        let Some(function) = found else {
            return way::refuse(&self.app, &Error::from(Code::RouteNotFound), &parts.headers);
        };
        let event = event::of_request(parts, body, function.route.meta, address);
        let answer = way::answer(&self.app, function.route, event);
        match &function.permissions {
            Some(permissions) => engines::permitted(permissions.clone(), answer).await,
            None => answer.await,
        }
    }
}

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
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use runtime::{App, Reply, Route, way};
use tokio::net::TcpListener;

use crate::backend::Backend;
use crate::event;

/// The largest request that Lambda takes, in bytes.
const LARGEST: usize = 6 * 1024 * 1024;
/// How long a caller may take to send a request's head.
const HEAD: Duration = Duration::from_secs(30);

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
        let function = |described| {
            let permissions = backend.engine.is_some().then(|| backend.permissions(described).into());
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
        loop {
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
                let service = service_fn(|request| gateway.answer(request, peer));
                let mut http = http1::Builder::new();
                http.timer(TokioTimer::new()).header_read_timeout(HEAD);
                // A connection that breaks off is its caller's affair.
                let _ = http.serve_connection(TokioIo::new(stream), service).await;
            });
        }
    }

    async fn answer(&self, request: Request<Incoming>, peer: SocketAddr) -> Result<Response<Full<Bytes>>, Infallible> {
        let (parts, body) = request.into_parts();
        let reply = match Limited::new(body, LARGEST).collect().await {
            Ok(body) => {
                let address = event::caller(peer.ip(), &parts.headers, self.trusted_proxies);
                self.invoke(&parts, &body.to_bytes(), address).await
            }
            Err(error) => {
                let code = if error.is::<LengthLimitError>() { Code::PayloadTooLarge } else { Code::MalformedRequest };
                way::refuse(&self.app, &Error::from(code), &parts.headers)
            }
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

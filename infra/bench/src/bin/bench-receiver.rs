//! What `make bench` sends webhooks to, in a process of its own so that its cost is nobody else's: it answers 204 and
//! writes down when what came; below `/hang` it never answers. `GET /arrivals` tells, and begins anew.

#![expect(clippy::print_stdout, reason = "a command's output")]

use std::convert::Infallible;
use std::error::Error;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpListener;

/// A line a delivery: the entity and microseconds since 1970.
type Arrivals = Arc<Mutex<String>>;

fn main() -> Result<(), Box<dyn Error>> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(serve())
}

async fn serve() -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?);
    let arrivals = Arrivals::default();
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let arrivals = arrivals.clone();
        let service = service_fn(move |request| answer(arrivals.clone(), request));
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

async fn answer(arrivals: Arrivals, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    if request.method() == Method::GET {
        let all = std::mem::take(&mut *arrivals.lock().unwrap_or_else(PoisonError::into_inner));
        return Ok(Response::new(Full::from(all)));
    }
    if request.uri().path().starts_with("/hang") {
        return std::future::pending().await;
    }
    let body = request.into_body().collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let at = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_micros();
    let envelope: Value = serde_json::from_slice(&body).unwrap_or_default();
    let entity = envelope["data"]["entityId"].as_str().unwrap_or_default();
    let _ = writeln!(arrivals.lock().unwrap_or_else(PoisonError::into_inner), "{entity} {at}");
    let mut response = Response::new(Full::default());
    *response.status_mut() = StatusCode::NO_CONTENT;
    Ok(response)
}

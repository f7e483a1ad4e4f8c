//! A stand-in for the Lambda Runtime API (2018-06-01): it hands events to a function's own binary, one at a time as
//! Lambda does, and gives back what the binary answers.
//!
//! A binary finds it by `AWS_LAMBDA_RUNTIME_API=<address>`; [`environment`] has the other settings that it needs.

use std::collections::HashMap;
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex as Lock, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::{Mutex, Notify, mpsc, oneshot};

/// How long a function may take with one event, by the header that says so.
const DEADLINE: Duration = Duration::from_secs(30);
const VERSION: &str = "/2018-06-01/runtime/";

/// What a function answers: its JSON, or the JSON of its failure.
pub type Answer = Result<Bytes, Bytes>;

struct Event {
    body: Bytes,
    answer: oneshot::Sender<Answer>,
}

/// The stand-in. It listens until it is dropped.
pub struct RuntimeApi {
    address: SocketAddr,
    events: mpsc::UnboundedSender<Event>,
    state: Arc<State>,
    server: tokio::task::JoinHandle<()>,
}

struct State {
    waiting: Mutex<mpsc::UnboundedReceiver<Event>>,
    running: Lock<HashMap<String, oneshot::Sender<Answer>>>,
    number: Lock<u64>,
    polled: Notify,
}

impl RuntimeApi {
    /// Listens on a free port.
    ///
    /// # Errors
    /// The listener's.
    pub async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (events, waiting) = mpsc::unbounded_channel();
        let state = Arc::new(State {
            waiting: Mutex::new(waiting),
            running: Lock::default(),
            number: Lock::default(),
            polled: Notify::new(),
        });
        let shared = state.clone();
        let server = tokio::spawn(async move {
            let state = shared;
            while let Ok((stream, _)) = listener.accept().await {
                let _ = stream.set_nodelay(true);
                let state = state.clone();
                tokio::spawn(async move {
                    let service = service_fn(|request| serve(&state, request));
                    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
        Ok(Self { address, events, state, server })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until a function asks for an event.
    pub async fn polled(&self) {
        self.state.polled.notified().await;
    }

    /// Hands an event to the function, and waits for its answer; none if the stand-in has ended.
    pub async fn invoke(&self, event: impl Into<Bytes>) -> Option<Answer> {
        let (answer, answered) = oneshot::channel();
        self.events.send(Event { body: event.into(), answer }).ok()?;
        answered.await.ok()
    }
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// The settings of a function's process, but for those of the services that it calls.
#[must_use]
pub fn environment(runtime_api: SocketAddr, function: &str) -> Vec<(&'static str, String)> {
    vec![
        ("AWS_LAMBDA_RUNTIME_API", runtime_api.to_string()),
        ("AWS_LAMBDA_FUNCTION_NAME", function.to_owned()),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256".to_owned()),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".to_owned()),
        ("AWS_LAMBDA_LOG_GROUP_NAME", format!("/aws/lambda/{function}")),
        ("AWS_LAMBDA_LOG_STREAM_NAME", "local".to_owned()),
    ]
}

async fn serve(state: &State, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let path = request.uri().path().strip_prefix(VERSION).unwrap_or_default().to_owned();
    let parts: Vec<&str> = path.split('/').collect();
    let response = match (request.method(), parts.as_slice()) {
        (&Method::GET, ["invocation", "next"]) => next(state).await,
        (&Method::POST, ["invocation", id, kind @ ("response" | "error")]) => {
            let (id, failed) = ((*id).to_owned(), *kind == "error");
            let body = request.into_body().collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
            let waiting = state.running.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
            let known = waiting.map(|waiting| waiting.send(if failed { Err(body) } else { Ok(body) }));
            Some(plain(if known.is_some() { StatusCode::ACCEPTED } else { StatusCode::NOT_FOUND }))
        }
        (&Method::POST, ["init", "error"]) => Some(plain(StatusCode::ACCEPTED)),
        _ => Some(plain(StatusCode::NOT_FOUND)),
    };
    Ok(response.unwrap_or_else(|| plain(StatusCode::GONE)))
}

/// The next event, however long it takes to come; none when there will be no more.
async fn next(state: &State) -> Option<Response<Full<Bytes>>> {
    state.polled.notify_one();
    let event = state.waiting.lock().await.recv().await?;
    let id = {
        let mut number = state.number.lock().unwrap_or_else(PoisonError::into_inner);
        *number += 1;
        format!("00000000-0000-4000-8000-{number:012}")
    };
    state.running.lock().unwrap_or_else(PoisonError::into_inner).insert(id.clone(), event.answer);
    let deadline = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default() + DEADLINE;
    let response = Response::builder()
        .header("content-type", "application/json")
        .header("lambda-runtime-aws-request-id", id)
        .header("lambda-runtime-deadline-ms", deadline.as_millis().to_string())
        .header("lambda-runtime-invoked-function-arn", "arn:aws:lambda:eu-central-1:000000000000:function:local")
        .header("lambda-runtime-trace-id", "Root=1-00000000-000000000000000000000000");
    response.body(Full::new(event.body)).ok()
}

fn plain(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response
}

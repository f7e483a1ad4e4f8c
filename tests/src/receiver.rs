//! A receiver of webhooks that remembers all that came, checks every signature, and answers as it is told. It can be
//! taken down and up again at the same port.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use reqwest::header::{HeaderMap, HeaderValue};
use serde_json::Value;
use standardwebhooks::Webhook;
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::Notify;
use tokio::task::{JoinHandle, JoinSet};

use crate::wait::PATIENCE;

/// A request that came.
#[derive(Debug, Clone)]
pub struct Arrived {
    /// Its path.
    pub path: String,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body, byte for byte.
    pub body: Bytes,
    /// Which one it is, from 0.
    pub number: usize,
    /// Which one of its event's it is at this path, from 1.
    pub nth: usize,
    /// Whether it is a POST, and signed by the secret that is expected at its path.
    pub genuine: bool,
    /// What it was answered, if it was.
    pub answered: Option<u16>,
}

/// What a request is answered.
#[derive(Debug, Clone)]
pub enum Reply {
    /// With a status, headers and a body, after a while.
    With {
        /// The status.
        status: u16,
        /// The headers.
        headers: Vec<(&'static str, String)>,
        /// The body.
        body: String,
        /// How long it takes.
        after: Duration,
    },
    /// With 200, when that is told.
    When(Arc<Notify>),
    /// Never.
    Hang,
    /// The connection is closed.
    Close,
}

type Answers = dyn Fn(&Arrived) -> Reply + Send + Sync;

struct Shared {
    arrived: Mutex<Vec<Arrived>>,
    /// How often each event came at each path.
    counts: Mutex<HashMap<(String, Option<HeaderValue>), usize>>,
    secrets: Mutex<HashMap<String, Arc<Webhook>>>,
    answers: Mutex<Arc<Answers>>,
    changed: Notify,
    under_way: AtomicUsize,
    most: AtomicUsize,
}

/// A receiver at a port of its own.
pub struct Receiver {
    port: u16,
    shared: Arc<Shared>,
    state: Mutex<State>,
}

enum State {
    Up(JoinHandle<()>),
    /// The port is taken, and nobody listens there.
    Down {
        _socket: TcpSocket,
    },
}

impl Reply {
    /// At once.
    pub fn status(status: u16) -> Self {
        Self::With { status, headers: Vec::new(), body: String::new(), after: Duration::ZERO }
    }

    /// With a header more.
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        let Self::With { headers, .. } = &mut self else { panic!("{self:?} has no headers") };
        headers.push((name, value.to_owned()));
        self
    }

    /// With a body.
    pub fn body(mut self, text: &str) -> Self {
        let Self::With { body, .. } = &mut self else { panic!("{self:?} has no body") };
        text.clone_into(body);
        self
    }

    /// After a while.
    pub fn after(mut self, span: Duration) -> Self {
        let Self::With { after, .. } = &mut self else { panic!("{self:?} never comes") };
        *after = span;
        self
    }
}

impl Arrived {
    /// A header that is there once.
    #[track_caller]
    pub fn header(&self, name: &str) -> &str {
        let all: Vec<_> = self.headers.get_all(name).iter().collect();
        assert_eq!(all.len(), 1, "{name} of {:?}", self.headers);
        all[0].to_str().unwrap()
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// What kind of event it tells of.
    pub fn event(&self) -> String {
        self.json()["event"].as_str().unwrap().to_owned()
    }

    /// The identifier of the event.
    #[track_caller]
    pub fn event_id(&self) -> &str {
        self.header("webhook-id")
    }

    /// The request that did what is announced.
    #[track_caller]
    pub fn request_id(&self) -> &str {
        self.header("x-request-id")
    }

    /// Whether it was answered with a success.
    pub fn taken(&self) -> bool {
        self.answered.is_some_and(|status| (200..300).contains(&status))
    }
}

fn socket(port: u16) -> TcpSocket {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_reuseaddr(true).unwrap();
    // So that the port stays ours while the receiver goes down and up.
    socket.set_reuseport(true).unwrap();
    socket.bind(([127, 0, 0, 1], port).into()).unwrap();
    socket
}

impl Receiver {
    /// One that takes everything.
    pub fn start() -> Self {
        Self::answering(|_| Reply::status(204))
    }

    /// One that answers like this.
    pub fn answering(answers: impl Fn(&Arrived) -> Reply + Send + Sync + 'static) -> Self {
        let shared = Arc::new(Shared {
            arrived: Mutex::default(),
            counts: Mutex::default(),
            secrets: Mutex::default(),
            answers: Mutex::new(Arc::new(answers)),
            changed: Notify::new(),
            under_way: AtomicUsize::new(0),
            most: AtomicUsize::new(0),
        });
        let listener = socket(0).listen(1024).unwrap();
        let port = listener.local_addr().unwrap().port();
        let serving = tokio::spawn(serve(listener, shared.clone()));
        Self { port, shared, state: Mutex::new(State::Up(serving)) }
    }

    /// Answers like this from now on.
    pub fn answer(&self, answers: impl Fn(&Arrived) -> Reply + Send + Sync + 'static) {
        *self.shared.answers.lock().unwrap() = Arc::new(answers);
    }

    /// What is sent to a path is signed by this.
    pub fn expect(&self, path: &str, secret: &str) {
        let webhook = Arc::new(Webhook::new(secret).unwrap());
        self.shared.secrets.lock().unwrap().insert(path.to_owned(), webhook);
    }

    /// Answers everything alike from now on.
    pub fn always(&self, reply: Reply) {
        self.answer(move |_| reply.clone());
    }

    /// Where webhooks go.
    pub fn url(&self) -> String {
        self.at("/")
    }

    /// A path of it.
    pub fn at(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// Nobody listens any more.
    pub fn down(&self) {
        let mut state = self.state.lock().unwrap();
        let before = std::mem::replace(&mut *state, State::Down { _socket: socket(self.port) });
        if let State::Up(serving) = before {
            serving.abort();
        }
    }

    /// Somebody listens again.
    pub fn up(&self) {
        let mut state = self.state.lock().unwrap();
        // The old listener may be on its way out; another beside it is no harm.
        let listener = socket(self.port).listen(1024).unwrap();
        *state = State::Up(tokio::spawn(serve(listener, self.shared.clone())));
    }

    /// All that came.
    pub fn arrived(&self) -> Vec<Arrived> {
        self.shared.arrived.lock().unwrap().clone()
    }

    /// How many came.
    pub fn count(&self) -> usize {
        self.shared.arrived.lock().unwrap().len()
    }

    /// How many requests are neither answered nor given up.
    pub fn under_way(&self) -> usize {
        self.shared.under_way.load(Ordering::SeqCst)
    }

    /// The most requests that were under way at once.
    pub fn most_at_once(&self) -> usize {
        self.shared.most.load(Ordering::SeqCst)
    }

    /// Waits until so many requests have come.
    #[track_caller]
    pub fn wait(&self, count: usize) -> impl Future<Output = Vec<Arrived>> {
        self.until(move |arrived| arrived.len() >= count)
    }

    /// Waits until something holds of all that came, as long as more comes.
    #[track_caller]
    pub fn until(&self, holds: impl Fn(&[Arrived]) -> bool) -> impl Future<Output = Vec<Arrived>> {
        let asked = std::panic::Location::caller();
        async move {
            let (mut last, mut before) = (Instant::now(), 0);
            loop {
                let changed = self.shared.changed.notified();
                let arrived = self.arrived();
                if holds(&arrived) {
                    return arrived;
                }
                if arrived.len() != before {
                    (last, before) = (Instant::now(), arrived.len());
                }
                let left = PATIENCE.saturating_sub(last.elapsed());
                if tokio::time::timeout(left, changed).await.is_err() {
                    panic!("{asked}: {} came: {}", arrived.len(), summary(&arrived));
                }
            }
        }
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        if let State::Up(serving) = &*self.state.lock().unwrap() {
            serving.abort();
        }
    }
}

/// The last of what came, for messages.
fn summary(arrived: &[Arrived]) -> String {
    let line = |one: &Arrived| {
        let body = String::from_utf8_lossy(&one.body).chars().take(150).collect::<String>();
        format!("\n{} {} -> {:?} {body}", one.number, one.path, one.answered)
    };
    arrived.iter().rev().take(20).map(line).collect()
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    // Dropped with the task, and all connections with it.
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let shared = shared.clone();
        let answer = service_fn(move |request| answer(shared.clone(), request));
        connections.spawn(async move {
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), answer).await;
        });
        while connections.try_join_next().is_some() {}
    }
}

/// A request that is under way, until its answer is ready or nobody waits for it.
struct UnderWay(Arc<Shared>);

impl UnderWay {
    fn begin(shared: &Arc<Shared>) -> Self {
        let now = shared.under_way.fetch_add(1, Ordering::SeqCst) + 1;
        shared.most.fetch_max(now, Ordering::SeqCst);
        Self(shared.clone())
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.under_way.fetch_sub(1, Ordering::SeqCst);
    }
}

async fn answer(shared: Arc<Shared>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, &'static str> {
    let _under_way = UnderWay::begin(&shared);
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| "it broke off")?.to_bytes();
    let path = head.uri.to_string();
    let webhook = shared.secrets.lock().unwrap().get(&path).cloned();
    let genuine = webhook.is_some_and(|webhook| webhook.verify(&body, &head.headers).is_ok()) && head.method == "POST";
    let arrived = {
        let mut all = shared.arrived.lock().unwrap();
        let (number, event) = (all.len(), head.headers.get("webhook-id").cloned());
        let mut counts = shared.counts.lock().unwrap();
        let nth = counts.entry((path.clone(), event)).or_default();
        *nth += 1;
        all.push(Arrived { path, headers: head.headers, body, number, nth: *nth, genuine, answered: None });
        all[number].clone()
    };
    shared.changed.notify_waiters();
    let answers = shared.answers.lock().unwrap().clone();
    let (status, headers, body, after) = match answers(&arrived) {
        Reply::Hang => std::future::pending().await,
        Reply::Close => return Err("closed"),
        Reply::When(go) => {
            go.notified().await;
            (200, Vec::new(), String::new(), Duration::ZERO)
        }
        Reply::With { status, headers, body, after } => (status, headers, body, after),
    };
    if !after.is_zero() {
        tokio::time::sleep(after).await;
    }
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(name, value);
    }
    shared.arrived.lock().unwrap()[arrived.number].answered = Some(status);
    shared.changed.notify_waiters();
    Ok(response.body(Full::new(body.into())).unwrap())
}

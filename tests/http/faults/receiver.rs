//! A receiver that counts every request, checks every signature, and answers as it is told.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use reqwest::header::HeaderMap;
use serde_json::Value;
use standardwebhooks::Webhook;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// A request that came.
#[derive(Clone)]
pub(super) struct Post {
    pub(super) path: String,
    pub(super) event: String,
    /// The request that did what is announced.
    pub(super) request: String,
    pub(super) body: Bytes,
    /// Whether it is signed by the secret of its path.
    pub(super) genuine: bool,
    /// Which one of its event's it is at this path, from 1.
    pub(super) nth: usize,
    /// What it was answered, if it was.
    pub(super) answered: Option<u16>,
}

impl Post {
    pub(super) fn envelope(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// What a request is answered.
#[derive(Clone, Copy)]
pub(super) enum Reply {
    Status(u16),
    /// A 204, after a while.
    Late(Duration),
    Never,
}

type Answers = dyn Fn(&Post) -> Reply + Send + Sync;

struct Shared {
    posts: Mutex<Vec<Post>>,
    counts: Mutex<HashMap<(String, String), usize>>,
    secrets: Mutex<HashMap<String, Arc<Webhook>>>,
    answers: Mutex<Arc<Answers>>,
    under_way: AtomicUsize,
}

/// A request that is neither answered nor given up.
struct UnderWay(Arc<Shared>);

impl UnderWay {
    fn at(shared: &Arc<Shared>) -> Self {
        shared.under_way.fetch_add(1, Ordering::Relaxed);
        Self(shared.clone())
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.under_way.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A receiver at a port of its own. It ends when it is dropped.
pub(super) struct Receiver {
    port: u16,
    shared: Arc<Shared>,
    _serving: JoinSet<()>,
}

impl Receiver {
    /// One that takes everything.
    pub(super) async fn start() -> Self {
        let shared = Arc::new(Shared {
            posts: Mutex::default(),
            counts: Mutex::default(),
            secrets: Mutex::default(),
            answers: Mutex::new(Arc::new(|_: &Post| Reply::Status(204))),
            under_way: AtomicUsize::default(),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let mut serving = JoinSet::new();
        serving.spawn(serve(listener, shared.clone()));
        Self { port, shared, _serving: serving }
    }

    pub(super) fn at(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// What is sent to a path is signed by this.
    pub(super) fn expect(&self, path: &str, secret: &str) {
        let webhook = Arc::new(Webhook::new(secret).unwrap());
        self.shared.secrets.lock().unwrap().insert(path.to_owned(), webhook);
    }

    /// Answers like this from now on.
    pub(super) fn answer(&self, answers: impl Fn(&Post) -> Reply + Send + Sync + 'static) {
        *self.shared.answers.lock().unwrap() = Arc::new(answers);
    }

    /// All that came.
    pub(super) fn posts(&self) -> Vec<Post> {
        self.shared.posts.lock().unwrap().clone()
    }

    pub(super) fn count(&self) -> usize {
        self.shared.posts.lock().unwrap().len()
    }

    /// How many requests are neither answered nor given up.
    pub(super) fn under_way(&self) -> usize {
        self.shared.under_way.load(Ordering::Relaxed)
    }
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

async fn answer(shared: Arc<Shared>, request: Request<Incoming>) -> Result<Response<Empty<Bytes>>, hyper::Error> {
    let _under_way = UnderWay::at(&shared);
    let (head, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let path = head.uri.path().to_owned();
    let webhook = shared.secrets.lock().unwrap().get(&path).cloned();
    let header = |headers: &HeaderMap, name: &str| {
        headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
    };
    let (event, request) = (header(&head.headers, "webhook-id"), header(&head.headers, "x-request-id"));
    let genuine = webhook.is_some_and(|webhook| webhook.verify(&body, &head.headers).is_ok());
    let nth = {
        let mut counts = shared.counts.lock().unwrap();
        let count = counts.entry((path.clone(), event.clone())).or_default();
        *count += 1;
        *count
    };
    let post = Post { path, event, request, body, genuine, nth, answered: None };
    let number = {
        let mut posts = shared.posts.lock().unwrap();
        posts.push(post.clone());
        posts.len() - 1
    };
    let reply = {
        let answers = shared.answers.lock().unwrap().clone();
        answers(&post)
    };
    let status = match reply {
        Reply::Status(status) => status,
        Reply::Late(after) => {
            tokio::time::sleep(after).await;
            204
        }
        Reply::Never => std::future::pending().await,
    };
    shared.posts.lock().unwrap()[number].answered = Some(status);
    Ok(Response::builder().status(status).body(Empty::new()).unwrap())
}

//! What the API says of deliveries, held against what a receiver counted.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};

use hedgerow_tests::app::{Caller, id};
use hedgerow_tests::receiver::{Arrived, Receiver};
use serde_json::{Value, json};

/// A webhook, and the path that its deliveries go to.
#[derive(Clone)]
pub(crate) struct Hook {
    pub(crate) id: String,
    pub(crate) path: String,
    /// What it is told of.
    events: Vec<&'static str>,
}

/// What a ledger comes to.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Sum {
    pub(crate) deliveries: usize,
    pub(crate) posts: usize,
    /// Attempts of which nobody knows what became.
    pub(crate) unknown: usize,
}

impl Hook {
    /// A webhook that is told of everything.
    pub(crate) async fn make(key: &Caller, receiver: &Receiver, path: &str) -> Self {
        Self::of(key, receiver, path, &["*"]).await
    }

    /// A webhook that is told of these events.
    pub(crate) async fn of(key: &Caller, receiver: &Receiver, path: &str, events: &[&'static str]) -> Self {
        static MADE: AtomicU64 = AtomicU64::new(0);
        // Known beforehand: what happened just before a webhook is made may be sent to it before its answer is read.
        let secret = format!("whsec_{:0>44}", MADE.fetch_add(1, Ordering::Relaxed));
        receiver.expect(path, &secret);
        let body = json!({ "url": receiver.at(path), "events": events, "secret": secret });
        let made = key.post("/api/v1/webhooks").json(&body).await.data(201);
        Self { id: id(&made).to_owned(), path: path.to_owned(), events: events.to_vec() }
    }

    pub(crate) fn wants(&self, event: &str) -> bool {
        self.events.iter().any(|wanted| *wanted == "*" || *wanted == event)
    }

    pub(crate) fn place(&self) -> String {
        format!("/api/v1/webhooks/{}", self.id)
    }

    /// All of its deliveries, newest first.
    pub(crate) async fn deliveries(&self, key: &Caller) -> Vec<Value> {
        let (mut all, mut cursor) = (Vec::new(), String::new());
        loop {
            let (page, next) = key.get(&format!("{}/deliveries?limit=100{cursor}", self.place())).await.page();
            all.extend(page);
            let Some(next) = next else { return all };
            cursor = format!("&cursor={next}");
        }
    }

    /// Those that are on their way.
    pub(crate) async fn on_their_way(&self, key: &Caller) -> Vec<Value> {
        let mut all = self.deliveries(key).await;
        all.retain(|delivery| matches!(delivery["status"].as_str(), Some("pending" | "retrying")));
        all
    }
}

/// A delivery with its attempts.
pub(crate) async fn delivery(key: &Caller, id: &str) -> Value {
    key.get(&format!("/api/v1/deliveries/{id}")).await.data(200)
}

/// Holds all deliveries against all requests: each was delivered; each attempt that is recorded came as one request, and
/// what came beyond them is recorded as `unknown`; there is one body under one `eventId`, and each request was of an
/// event that has a delivery. (Whether a signature is genuine is the caller's to look at: clocks may be wrong.)
pub(crate) async fn balance(key: &Caller, hooks: &[Hook], posts: &[Arrived]) -> Sum {
    let mut bodies: HashMap<&str, &Arrived> = HashMap::new();
    let mut came: HashMap<(String, String), Vec<&Arrived>> = HashMap::new();
    for post in posts {
        let first = bodies.entry(post.event_id()).or_insert(post);
        assert!(first.body == post.body, "two bodies of {}: {} {}", post.event_id(), first.json(), post.json());
        assert_eq!(post.json()["eventId"], post.event_id());
        came.entry((post.path.clone(), post.event_id().to_owned())).or_default().push(post);
    }
    let mut sum = Sum::default();
    for hook in hooks {
        for listed in hook.deliveries(key).await {
            let event = listed["eventId"].as_str().unwrap().to_owned();
            let posts = came.remove(&(hook.path.clone(), event)).unwrap_or_default();
            assert_eq!(listed["status"], "delivered", "{:#}", delivery(key, id(&listed)).await);
            sum.deliveries += 1;
            sum.posts += posts.len();
            // One that was delivered at the first attempt has nothing more to tell.
            if listed["attemptCount"] == 1 && posts.len() == 1 {
                continue;
            }
            let whole = delivery(key, id(&listed)).await;
            let attempts = whole["attempts"].as_array().unwrap();
            let (unknown, known): (Vec<_>, Vec<_>) = attempts.iter().partition(|attempt| attempt["error"] == "unknown");
            let answers: Vec<_> = posts.iter().map(|post| post.answered).collect();
            let fits = known.len() <= posts.len() && posts.len() <= known.len() + unknown.len();
            assert!(fits, "at {}: {answers:?} came of {whole:#}", hook.path);
            assert_eq!(listed["attemptCount"], attempts.len());
            let mut left = answers.clone();
            for attempt in known {
                let status = attempt["statusCode"].as_u64().and_then(|status| u16::try_from(status).ok());
                let place = left.iter().position(|answered| *answered == status);
                let place = place.unwrap_or_else(|| panic!("at {}: {answers:?} was answered to {whole:#}", hook.path));
                left.remove(place);
            }
            sum.unknown += unknown.len();
        }
    }
    let strays: Vec<_> = came.keys().collect();
    assert!(strays.is_empty(), "no delivery tells of {strays:?}");
    sum
}

//! Against real listeners on loopback.

mod connections;
mod dialling;
mod failures;
mod heads;
mod receiver;
mod wire;

use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use receiver::Receiver;

/// Long enough for a busy machine, for tests that don't wait for the deadline.
const LONG: Duration = Duration::from_secs(20);
/// For those that do.
const SHORT: Duration = Duration::from_millis(300);

fn open() -> Settings {
    Settings { deadline: LONG, body: LONG, ..Settings::new(Rules::open()) }
}

/// Public addresses alone, by http on every port.
fn public() -> Settings {
    let rules = Rules { addresses: auth::target::Addresses::Public, ..Rules::open() };
    Settings { deadline: SHORT, ..Settings::new(rules) }
}

fn sender(settings: Settings) -> Sender {
    Sender::new(settings).unwrap()
}

fn to(url: impl Into<String>) -> Request {
    Request { url: url.into(), headers: HeaderMap::new(), body: Bytes::from_static(b"{}") }
}

async fn post(settings: Settings, url: impl Into<String>) -> Exchange {
    sender(settings).send(to(url)).await
}

/// A resolver that gives one answer after the other, and then the last one for ever.
struct Answers {
    answers: Vec<Vec<&'static str>>,
    asked: AtomicUsize,
}

impl Answers {
    fn new(answers: &[&[&'static str]]) -> Arc<Self> {
        let answers = answers.iter().map(|answer| answer.to_vec()).collect();
        Arc::new(Self { answers, asked: AtomicUsize::new(0) })
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

impl Resolve for Answers {
    fn resolve(&self, _: String) -> Resolving {
        let asked = self.asked.fetch_add(1, Ordering::SeqCst).min(self.answers.len() - 1);
        let found = self.answers[asked].iter().map(|text| text.parse::<IpAddr>().unwrap()).collect();
        Box::pin(async move { Ok(found) })
    }
}

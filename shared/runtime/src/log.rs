//! Logs: JSON, one line a request. Never a secret, a cookie, a query or a body. Every line of a process goes out by
//! [`Lines`], which cuts whatever has the form of a credential: a key may have been pasted into any text.

use std::io::{self, Write};
use std::time::Instant;

use contract::Error;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::request::RequestContext;

/// Writes the line of a request that began then: what was a fault of ours or of what lies below, at `ERROR`.
pub(crate) fn request(started: Instant, context: &RequestContext, status: u16, error: Option<&Error>) {
    let RequestContext { route, caller, incoming, .. } = context;
    let first = |text: &str, most| text.chars().take(most).collect::<String>();
    let tenant = incoming.parameters.iter().find(|(name, _)| name == "tenantId");
    let scope = caller.scope();
    // The level is part of what the macro makes.
    macro_rules! line {
        ($level:ident) => {
            tracing::$level!(
                operation = route.id,
                method = incoming.method,
                route = route.path,
                path = first(&incoming.path, 1024),
                status,
                millis = started.elapsed().as_micros() as f64 / 1000.0,
                request_id = incoming.info.request_id,
                gateway_request_id = incoming.gateway_request_id,
                client = scope.map(|scope| scope.client().to_string()),
                actor = scope.map(|_| caller.actor()),
                key = caller.key().map(|key| key.to_string()),
                tenant = tenant.map(|(_, tenant)| first(tenant, 128)),
                error = error.map(|error| error.code().name()),
                cause = error.and_then(Error::cause).map(ToString::to_string),
                "request"
            )
        };
    }
    if status >= 500 { line!(error) } else { line!(info) }
}

/// Standard error behind the mask. Each call of `write` is a line, whole.
struct Lines;

impl Write for Lines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        io::stderr().lock().write_all(auth::mask(&String::from_utf8_lossy(line)).as_bytes())?;
        Ok(line.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

/// Writes a line beside the log.
pub(crate) fn line(text: &str) {
    // A log that can't be written to is nothing to fail for.
    let _ = Lines.write_all(format!("{text}\n").as_bytes());
}

/// Sends the log to standard error as JSON lines, from `INFO` up, and what is said of panics with it.
pub fn init() {
    let lines = tracing_subscriber::fmt().json().flatten_event(true).with_current_span(false).with_span_list(false);
    // A second call, as from tests that share a process, changes nothing.
    let lines = lines.with_target(false).with_max_level(tracing::Level::INFO).with_writer(|| Lines).finish();
    if lines.try_init().is_ok() {
        std::panic::set_hook(Box::new(|panic| {
            let (at, said) = (panic.location().map(ToString::to_string), panic.payload_as_str());
            tracing::error!(at, said, "a panic, which is a bug: one request or batch failed, the instance goes on");
        }));
    }
}

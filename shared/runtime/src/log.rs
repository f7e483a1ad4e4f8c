//! Logs: JSON, one line a request. Never a secret, a cookie, a query or a body.

use std::time::Instant;

use contract::Error;
use contract::route::Meta;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::incoming::Incoming;

/// What the line of a request will say.
pub(crate) struct LogLine {
    started: Instant,
    meta: &'static Meta,
    method: String,
    path: String,
    request_id: String,
    tenant: Option<String>,
    pub(crate) client: Option<String>,
    pub(crate) actor: Option<String>,
}

impl LogLine {
    pub(crate) fn begin(meta: &'static Meta, incoming: &Incoming) -> Self {
        let tenant = incoming.parameters.iter().find(|(name, _)| name == "tenantId");
        Self {
            started: Instant::now(),
            meta,
            method: incoming.method.clone(),
            path: incoming.path.chars().take(1024).collect(),
            request_id: incoming.origin.request_id.clone(),
            tenant: tenant.map(|(_, tenant)| tenant.chars().take(128).collect()),
            client: None,
            actor: None,
        }
    }

    pub(crate) fn write(&self, status: u16, error: Option<&Error>) {
        let millis = self.started.elapsed().as_micros() as f64 / 1000.0;
        let cause = error.and_then(Error::cause).map(ToString::to_string);
        tracing::info!(
            operation = self.meta.id,
            method = self.method,
            route = self.meta.path,
            path = self.path,
            status,
            millis,
            request_id = self.request_id,
            client = self.client,
            actor = self.actor,
            tenant = self.tenant,
            error = error.map(|error| error.code().name()),
            cause,
            "request"
        );
    }
}

/// Sends the log to standard error as JSON lines, from `INFO` up.
pub fn init() {
    let lines = tracing_subscriber::fmt().json().flatten_event(true).with_current_span(false).with_span_list(false);
    // A second call, as from tests that share a process, changes nothing.
    let _ =
        lines.with_target(false).with_max_level(tracing::Level::INFO).with_writer(std::io::stderr).finish().try_init();
}

//! The line of a request.

use std::fmt::Write as _;
use std::net::IpAddr;
use std::time::Instant;

use contract::{Error, Time};
use serde::Serialize;
use serde_json::{Value, json};
use store::calls::Used;
use store::tables::Table;

use super::{FORM, Form, line, time_of_day};
use crate::metric;
use crate::request::RequestContext;

/// A line. What is not known is left out.
#[derive(Serialize)]
struct Line<'a> {
    timestamp: Time,
    level: &'static str,
    message: &'static str,
    operation: &'static str,
    method: &'a str,
    route: &'static str,
    /// Without the query, which may hold what is searched for.
    path: String,
    status: u16,
    millis: f64,
    request_id: &'a str,
    /// What the gateway's access log has it under.
    #[serde(skip_serializing_if = "Option::is_none")]
    gateway_request_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    actor: Option<String>,
    /// The API key that it was done with, or that made the token.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<IpAddr>,
    read_units: f64,
    write_units: f64,
    retries: u64,
    /// The gate that refused it.
    #[serde(skip_serializing_if = "Option::is_none")]
    gate: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<String>,
    /// None of a function that has no table to be told apart by.
    #[serde(flatten)]
    metrics: Option<Metrics>,
}

/// What CloudWatch counts of a line (its embedded metric format). By operation it has Lambda's own metrics, which cost
/// nothing; these are for all of a deployment, which is told from others by its main table, and refusals by gate.
#[derive(Serialize)]
struct Metrics {
    #[serde(rename = "_aws")]
    about: Value,
    table: String,
    #[serde(rename = "Requests")]
    requests: u8,
    #[serde(rename = "Latency")]
    latency: f64,
    #[serde(rename = "Refusals", skip_serializing_if = "Option::is_none")]
    refusals: Option<u8>,
}

impl Metrics {
    fn of(table: &str, at: Time, millis: f64, is_refused: bool) -> Self {
        let all = json!([{ "Name": "Requests", "Unit": "Count" }, { "Name": "Latency", "Unit": "Milliseconds" }]);
        let mut sets = vec![metric::set(&["table"], &all)];
        if is_refused {
            sets.push(metric::set(&["table", "gate"], &json!([{ "Name": "Refusals", "Unit": "Count" }])));
        }
        let (about, table) = (metric::about(at, &sets), table.to_owned());
        Self { about, table, requests: 1, latency: millis, refusals: is_refused.then_some(1) }
    }
}

/// Writes the line of a request that began then: what was a fault of ours or of what lies below, at `ERROR`.
pub(crate) fn request(started: Instant, context: &RequestContext, status: u16, error: Option<&Error>, used: Used) {
    let Some(form) = FORM.get() else { return };
    let RequestContext { route, caller, incoming, .. } = context;
    let first = |text: &str, most| text.chars().take(most).collect::<String>();
    let tenant = incoming.parameters.iter().find(|(name, _)| name == "tenantId");
    let (scope, timestamp) = (caller.scope(), context.app.clock().now());
    let millis = started.elapsed().as_micros() as f64 / 1000.0;
    let of_request = Line {
        timestamp,
        level: if status >= 500 { "ERROR" } else { "INFO" },
        message: "request",
        operation: route.id,
        method: &incoming.method,
        route: route.path,
        path: first(&incoming.path, 1024),
        status,
        millis,
        request_id: &incoming.info.request_id,
        gateway_request_id: incoming.gateway_request_id.as_deref(),
        client: scope.map(|scope| scope.client().to_string()),
        actor: scope.map(|_| caller.actor()),
        key: caller.key().map(|key| key.to_string()),
        tenant: tenant.map(|(_, tenant)| first(tenant, 128)),
        address: incoming.info.address,
        read_units: used.read_units,
        write_units: used.write_units,
        retries: used.retries,
        gate: context.refused_by,
        error: error.map(|error| error.code().name()),
        cause: error.and_then(Error::cause).map(ToString::to_string),
        metrics: context.app.store.as_ref().map(|store| {
            let table = store.names().of(Table::Main);
            Metrics::of(table, timestamp, millis, context.refused_by.is_some())
        }),
    };
    match form {
        Form::Json => line(&serde_json::to_string(&of_request).unwrap_or_default()),
        Form::Readable { colour } => line(&of_request.readable(*colour)),
    }
}

impl Line<'_> {
    /// The line for a person: `12:34:56.789 GET /api/v1/tenants 200 3.2 ms key_… req_…`.
    fn readable(&self, colour: bool) -> String {
        // What is decoded may hold line breaks, which would make another line of it.
        let plain = |text: &str| text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect::<String>();
        let time = self.timestamp.to_string();
        let status = match (colour, self.status) {
            (true, 500..) => format!("\x1b[31m{}\x1b[0m", self.status),
            (true, 400..) => format!("\x1b[33m{}\x1b[0m", self.status),
            (true, _) => format!("\x1b[32m{}\x1b[0m", self.status),
            (false, _) => self.status.to_string(),
        };
        let who = self.actor.as_deref().unwrap_or("anonymous");
        let mut text = format!(
            "{} {:<6} {} {status} {:.1} ms {who} {}",
            time_of_day(&time),
            self.method,
            plain(&self.path),
            self.millis,
            self.request_id
        );
        for said in [self.error, self.cause.as_deref()].into_iter().flatten() {
            let _ = write!(text, ": {}", plain(said));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line_of(status: u16) -> Line<'static> {
        let at = Time::from_millis(1_767_225_600_789);
        Line {
            timestamp: at,
            level: "INFO",
            message: "request",
            operation: "get-values",
            method: "GET",
            route: "/api/v1/tenants/{tenantId}",
            path: "/api/v1/tenants/a\n12:00:00.000 GET".to_owned(),
            status,
            millis: 3.21,
            request_id: "req_1",
            gateway_request_id: None,
            client: None,
            actor: Some("key_1".to_owned()),
            key: None,
            tenant: None,
            address: None,
            read_units: 4.5,
            write_units: 0.0,
            retries: 0,
            gate: Some("subscription"),
            error: Some("unavailable"),
            cause: Some("GetItem:\nno".to_owned()),
            metrics: Some(Metrics::of("hedgerow-main", at, 3.21, true)),
        }
    }

    #[test]
    fn a_person_reads_one_line() {
        let text =
            "00:00:00.789 GET    /api/v1/tenants/a 12:00:00.000 GET 503 3.2 ms key_1 req_1: unavailable: GetItem: no";
        assert_eq!(line_of(503).readable(false), text);
        assert_eq!(line_of(503).readable(true), text.replace("503", "\x1b[31m503\x1b[0m"));
        assert!(line_of(404).readable(true).contains("\x1b[33m404\x1b[0m"));
        assert!(line_of(200).readable(true).contains("\x1b[32m200\x1b[0m"));
    }

    /// Every metric that a set names is a number of the line, and every dimension a text.
    #[test]
    fn a_metric_is_in_the_line_that_tells_of_it() {
        let line = serde_json::to_value(line_of(403)).unwrap();
        assert_eq!(line["_aws"]["Timestamp"], 1_767_225_600_789_i64);
        let sets = line["_aws"]["CloudWatchMetrics"].as_array().unwrap();
        assert_eq!(sets.len(), 2);
        for set in sets {
            assert_eq!(set["Namespace"], "Hedgerow");
            assert!(
                set["Metrics"].as_array().unwrap().iter().all(|one| line[one["Name"].as_str().unwrap()].is_number())
            );
            let dimensions = set["Dimensions"].as_array().unwrap().iter().flat_map(|set| set.as_array().unwrap());
            assert!(dimensions.into_iter().all(|name| line[name.as_str().unwrap()].is_string()));
        }
    }
}

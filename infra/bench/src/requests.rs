//! Requests through the local gateway, with 1,000 entities stored: how many a second, and the server's CPU for each.

use std::time::Instant;

use bytes::Bytes;

use crate::server::{Connection, Server};
use crate::{Failure, row};

const ENTITIES: usize = 1_000;
const CONNECTIONS: usize = 8;
pub(crate) const PRODUCT: &str = "/api/v1/tenants/acme/field-groups/product/entities";

/// Prints requests a second and CPU-milliseconds a request.
pub(crate) async fn run() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let server = Server::start(folder.path()).await?;
    let again = |n: usize| (server.request("POST", &values(n % ENTITIES)), body(n));
    let read = |n: usize| (server.request("GET", &values(n * 7 % ENTITIES)), Bytes::new());

    load(&server, "first save of an entity", ENTITIES, None, |n| save(&server, n)).await?;
    load(&server, "read of values", 20_000, Some(0.25), read).await?;
    load(&server, "save of values", 10_000, Some(0.7), again).await?;
    row("resident memory after that", server.resident_mib()?, "MiB", None);
    Ok(())
}

/// The save of an entity of this number.
pub(crate) fn save(server: &Server, n: usize) -> (http::request::Builder, Bytes) {
    (server.request("POST", &values(n)), body(n))
}

fn values(n: usize) -> String {
    format!("{PRODUCT}/entity-{n:06}/values")
}

fn body(n: usize) -> Bytes {
    Bytes::from(format!("{{\"title\": \"Table {n}\", \"color\": \"green\", \"weight\": {n}}}"))
}

/// Sends `count` requests over some connections at once, prints what they cost, and gives the CPU-milliseconds of one.
pub(crate) async fn load(
    server: &Server,
    what: &str,
    count: usize,
    aim: Option<f64>,
    make: impl Fn(usize) -> (http::request::Builder, Bytes),
) -> Result<f64, Failure> {
    let (cpu, started) = (server.cpu_millis()?, Instant::now());
    let mut workers = Vec::new();
    for worker in 0..CONNECTIONS {
        let mine: Vec<_> = (worker..count).step_by(CONNECTIONS).map(&make).collect();
        workers.push(tokio::spawn(send_all(server.address.clone(), mine)));
    }
    for worker in workers {
        worker.await??;
    }
    let total = count as f64;
    row(&format!("{what}: rate"), total / started.elapsed().as_secs_f64(), "/s", None);
    let each = (server.cpu_millis()? - cpu) / total;
    row(&format!("{what}: CPU"), each, "ms", aim);
    Ok(each)
}

async fn send_all(address: String, requests: Vec<(http::request::Builder, Bytes)>) -> Result<(), Failure> {
    let mut connection = Connection::open(&address).await?;
    for (request, body) in requests {
        connection.send(request, body).await?;
    }
    Ok(())
}

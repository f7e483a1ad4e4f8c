//! What others wait while one client reads groups at the limit of schemas, more of them than a cache holds.

use std::time::{Duration, Instant};

use bytes::Bytes;
use serde_json::{Value, json};

use crate::server::{Connection, Server, request};
use crate::{Failure, row};

const GROUPS: usize = 40;
/// Of 16 KB each: together a little less than a group may have.
const FIELDS: usize = 60;
const READERS: usize = 4;
const ASKED: usize = 200;
const PAUSE: Duration = Duration::from_millis(20);

/// Prints how long `GET /api/health` takes, alone and beside such readers.
pub(crate) async fn run() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let server = Server::start(folder.path()).await?;
    let mut connection = Connection::open(&server.address).await?;
    let mut groups: Vec<Value> = Vec::new();
    for n in 0..GROUPS {
        let body = json!({ "key": format!("large-{n}"), "name": "Large" });
        let made = connection.send(server.request("POST", "/api/v1/field-groups"), body.to_string().into()).await?;
        groups.push(serde_json::from_slice::<Value>(&made)?["data"]["id"].take());
    }
    for n in 0..FIELDS {
        let options: Vec<String> = (0..500).map(|n| format!("an option of some length {n:04}")).collect();
        let schema = json!({ "type": "select", "validation": { "options": options } });
        let body = json!({ "key": format!("f{n}"), "label": "Field", "schema": schema, "fieldGroupIds": groups });
        connection.send(server.request("POST", "/api/v1/global-fields"), body.to_string().into()).await?;
    }
    health("health alone", &server).await?;
    let path = |n: usize| format!("/api/v1/tenants/acme/field-groups/large-{}/fields?limit=1", n % GROUPS);
    let mut readers = tokio::task::JoinSet::new();
    for reader in 0..READERS {
        let mut connection = Connection::open(&server.address).await?;
        // Each begins at another group.
        let begin = reader * GROUPS / READERS;
        let circle: Vec<_> = (begin..begin + GROUPS).map(path).collect();
        let (address, key) = (server.address.clone(), server.key.clone());
        readers.spawn(async move {
            for path in circle.iter().cycle() {
                connection.send(request(&address, &key, "GET", path), Bytes::new()).await?;
            }
            Ok::<_, Failure>(())
        });
    }
    tokio::select! {
        measured = health("health beside large definitions", &server) => measured,
        ended = readers.join_next() => ended.ok_or("no reader")??,
    }
}

async fn health(what: &str, server: &Server) -> Result<(), Failure> {
    let mut connection = Connection::open(&server.address).await?;
    let mut took: Vec<Duration> = Vec::new();
    for _ in 0..ASKED {
        let asked = Instant::now();
        connection.send(server.request("GET", "/api/health"), Bytes::new()).await?;
        took.push(asked.elapsed());
        tokio::time::sleep(PAUSE).await;
    }
    took.sort_unstable();
    let millis = |at: usize| took[at].as_secs_f64() * 1000.0;
    row(&format!("{what}: half within"), millis(ASKED / 2), "ms", None);
    row(&format!("{what}: 99% within"), millis(ASKED * 99 / 100), "ms", None);
    Ok(())
}

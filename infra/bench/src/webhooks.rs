//! Webhooks, from the write to the receiver's 204, by `hedgerow dev` and a receiver in another process.
//!
//! CPU is the server's for saves and what they announce, less its CPU for as many saves that nobody is told of (for
//! which `fan-out` runs too, and finds no webhook): so it is what `fan-out` and `dispatcher` spend on a webhook, with the
//! embedded store and queues below them. Latency is from before the save is sent until the receiver has the delivery,
//! at a steady pace that leaves the machine room.

use std::collections::HashMap;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use tokio::process::Child;
use tokio::time::{MissedTickBehavior, interval};

use crate::server::{Connection, Server, start};
use crate::{Failure, row};

const PRODUCT: &str = "/api/v1/tenants/acme/field-groups/product/entities";
/// Webhooks that each measurement of cost sends.
const SENT: usize = 5_000;
const CONNECTIONS: usize = 4;
/// Webhooks a second at which latency is measured, and for how long.
const PACE: usize = 100;
const SPAN: Duration = Duration::from_secs(20);
const PATIENCE: Duration = Duration::from_secs(120);

pub(crate) async fn run() -> Result<(), Failure> {
    let silent = Bench::new(&[]).await?.cost(SENT, 0).await?;
    let silent_hundred = Bench::new(&[]).await?.cost(SENT / 100, 0).await?;
    for (endpoints, baseline) in [(1, silent), (100, silent_hundred)] {
        let paths = vec!["/ok"; endpoints];
        let bench = Bench::new(&paths).await?;
        let started = Instant::now();
        let cost = bench.cost(SENT / endpoints, endpoints).await?;
        let what = if endpoints == 1 { "one endpoint" } else { "100 endpoints" };
        row(&format!("webhooks to {what}: rate"), SENT as f64 / started.elapsed().as_secs_f64(), "/s", None);
        let per_webhook = (cost - baseline) / SENT as f64;
        row(&format!("webhooks to {what}: CPU each"), per_webhook, "ms", Some(0.33));
    }
    let (p50, p99) = Bench::new(&["/ok"]).await?.latency(1).await?;
    row("write to receipt, one endpoint: p50", p50, "ms", None);
    row("write to receipt, one endpoint: p99", p99, "ms", None);
    let (p50, p99) = Bench::new(&["/ok"; 100]).await?.latency(100).await?;
    row("write to receipt, 100 endpoints: p50", p50, "ms", None);
    row("write to receipt, 100 endpoints: p99", p99, "ms", None);
    let mut paths = vec!["/ok"; 99];
    paths.push("/hang");
    let (p50, hanging) = Bench::new(&paths).await?.latency(99).await?;
    row("the same of 99 with one that hangs: p50", p50, "ms", None);
    row("the same of 99 with one that hangs: p99", hanging, "ms", None);
    row("p99 with the hanging one, of p99 without", hanging / p99, "x", Some(1.2));
    Ok(())
}

struct Bench {
    server: Server,
    receiver: String,
    _process: Child,
    _folder: tempfile::TempDir,
}

impl Bench {
    /// A server with a webhook to each of these paths of a receiver.
    async fn new(paths: &[&str]) -> Result<Self, Failure> {
        let folder = tempfile::tempdir()?;
        let server = Server::start(folder.path()).await?;
        let (process, mut lines) = start("bench-receiver", &[])?;
        let receiver = lines.next_line().await?.ok_or("the receiver ended")?;
        let bench = Self { server, receiver, _process: process, _folder: folder };
        let mut connection = Connection::open(&bench.server.address).await?;
        for (at, path) in paths.iter().enumerate() {
            let url = format!("http://{}{path}/{at}", bench.receiver);
            let body = serde_json::json!({ "url": url, "events": ["field_value.saved"] }).to_string();
            connection.send(bench.server.request("POST", "/api/v1/webhooks"), Bytes::from(body)).await?;
        }
        // What the account's own making announces is not measured.
        bench.save(&mut connection, "first").await?;
        bench.arrived(paths.iter().filter(|path| **path == "/ok").count()).await?;
        Ok(bench)
    }

    async fn save(&self, connection: &mut Connection, entity: &str) -> Result<(), Failure> {
        let path = format!("{PRODUCT}/{entity}/values");
        let body = Bytes::from_static(b"{\"title\": \"Walnut table\", \"color\": \"green\", \"weight\": 12}");
        connection.send(self.server.request("POST", &path), body).await.map(|_| ())
    }

    /// Waits for so many deliveries, and gives them: entity and microseconds since 1970.
    async fn arrived(&self, count: usize) -> Result<Vec<(String, u128)>, Failure> {
        let mut connection = Connection::open(&self.receiver).await?;
        let (mut all, started) = (Vec::new(), Instant::now());
        while all.len() < count {
            if started.elapsed() > PATIENCE {
                return Err(format!("{} of {count} deliveries came", all.len()).into());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
            let request = http::Request::builder().uri("/arrivals").header("host", &self.receiver);
            let lines = connection.send(request, Bytes::new()).await?;
            for line in String::from_utf8_lossy(&lines).lines() {
                let (entity, at) = line.split_once(' ').ok_or("a line of arrivals")?;
                all.push((entity.to_owned(), at.parse()?));
            }
        }
        Ok(all)
    }

    /// The server's CPU, in milliseconds, for so many saves and all that they announce.
    async fn cost(self, saves: usize, endpoints: usize) -> Result<f64, Failure> {
        let before = self.server.cpu_millis()?;
        let mut connections = Vec::new();
        for _ in 0..CONNECTIONS {
            connections.push(Connection::open(&self.server.address).await?);
        }
        let bench = &self;
        let savers = connections.iter_mut().enumerate().map(|(worker, connection)| async move {
            for n in (worker..saves).step_by(CONNECTIONS) {
                bench.save(connection, &format!("entity-{n}")).await?;
            }
            Ok::<(), Failure>(())
        });
        for saved in futures_util::future::join_all(savers).await {
            saved?;
        }
        self.arrived(saves * endpoints).await?;
        // What is left to do: completions, deletions, the stream's last records.
        tokio::time::sleep(Duration::from_secs(1)).await;
        Ok(self.server.cpu_millis()? - before)
    }

    /// Half and 99 of a hundred deliveries came within these milliseconds.
    async fn latency(self, endpoints: usize) -> Result<(f64, f64), Failure> {
        let every = Duration::from_secs(1).mul_f64(endpoints as f64 / PACE as f64);
        let saves = usize::try_from(SPAN.as_millis() / every.as_millis())?;
        let mut connection = Connection::open(&self.server.address).await?;
        let mut ticks = interval(every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut sent: HashMap<String, u128> = HashMap::new();
        for n in 0..saves {
            ticks.tick().await;
            let entity = format!("timed-{n}");
            sent.insert(entity.clone(), SystemTime::now().duration_since(UNIX_EPOCH)?.as_micros());
            self.save(&mut connection, &entity).await?;
        }
        let arrived = self.arrived(saves * endpoints).await?;
        let taken = |(entity, at): &(String, u128)| Some(at.saturating_sub(*sent.get(entity)?) as f64 / 1000.0);
        let mut millis: Vec<f64> = arrived.iter().filter_map(taken).collect();
        millis.sort_by(f64::total_cmp);
        let at = |share: f64| millis[((millis.len() - 1) as f64 * share) as usize];
        Ok((at(0.5), at(0.99)))
    }
}

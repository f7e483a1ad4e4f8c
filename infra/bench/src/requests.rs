//! Requests through the local gateway, with 1,000 entities stored: how many a second, and the server's CPU for each.

use std::process::Stdio;
use std::time::Instant;

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

use crate::{Failure, row};

const ENTITIES: usize = 1_000;
const CONNECTIONS: usize = 8;
const PRODUCT: &str = "/api/v1/tenants/acme/field-groups/product/entities";

/// Prints requests a second and CPU-milliseconds a request.
pub(crate) async fn run() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let server = Server::start(folder.path()).await?;
    let save = |n: usize| (server.request("POST", &values(n % ENTITIES)), body(n));
    let read = |n: usize| (server.request("GET", &values(n * 7 % ENTITIES)), Bytes::new());
    let list = |_| (server.request("GET", &format!("{PRODUCT}?limit=25")), Bytes::new());

    server.load("first save of an entity", ENTITIES, None, save).await?;
    server.load("read of values", 20_000, Some(0.25), read).await?;
    server.load("list of 25", 5_000, Some(0.4), list).await?;
    server.load("save of values", 10_000, Some(0.7), save).await?;
    row("resident memory after that", server.resident_mib()?, "MiB", None);
    Ok(())
}

fn values(n: usize) -> String {
    format!("{PRODUCT}/entity-{n:04}/values")
}

fn body(n: usize) -> Bytes {
    Bytes::from(format!("{{\"title\": \"Table {n}\", \"color\": \"green\", \"weight\": {n}}}"))
}

struct Server {
    child: Child,
    address: String,
    key: String,
}

impl Server {
    async fn start(folder: &std::path::Path) -> Result<Self, Failure> {
        let program = std::env::current_exe()?.with_file_name("hedgerow");
        let mut command = Command::new(program);
        command.arg("dev").arg("--listen").arg("127.0.0.1:0").arg("--data").arg(folder);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true).spawn()?;
        let mut lines = BufReader::new(child.stdout.take().ok_or("no output")?).lines();
        let (mut address, mut key) = (None, None);
        while address.is_none() || key.is_none() {
            let line = lines.next_line().await?.ok_or("the server ended")?;
            if let Some((_, found)) = line.split_once("http://").filter(|_| address.is_none()) {
                address = Some(found.to_owned());
            }
            key = key.or_else(|| line.strip_prefix("demo key").map(|key| key.trim().to_owned()));
        }
        Ok(Self { child, address: address.ok_or("no address")?, key: key.ok_or("no key")? })
    }

    fn request(&self, method: &str, path: &str) -> http::request::Builder {
        let request = Request::builder().method(method).uri(path).header("host", &self.address);
        request.header("x-api-key", &self.key).header("content-type", "application/json")
    }

    /// Sends `count` requests over some connections at once and prints what they cost.
    async fn load(
        &self,
        what: &str,
        count: usize,
        aim: Option<f64>,
        make: impl Fn(usize) -> (http::request::Builder, Bytes),
    ) -> Result<(), Failure> {
        let (cpu, started) = (self.cpu_millis()?, Instant::now());
        let mut workers = Vec::new();
        for worker in 0..CONNECTIONS {
            let mine: Vec<_> = (worker..count).step_by(CONNECTIONS).map(&make).collect();
            workers.push(tokio::spawn(send_all(self.address.clone(), mine)));
        }
        for worker in workers {
            worker.await??;
        }
        let total = count as f64;
        row(&format!("{what}: rate"), total / started.elapsed().as_secs_f64(), "/s", None);
        row(&format!("{what}: CPU"), (self.cpu_millis()? - cpu) / total, "ms", aim);
        Ok(())
    }

    fn proc(&self, file: &str) -> Result<String, Failure> {
        Ok(std::fs::read_to_string(format!("/proc/{}/{file}", self.child.id().ok_or("the server ended")?))?)
    }

    /// User and system time of the server in milliseconds, from the scheduler's accounting in ticks of 10 ms.
    fn cpu_millis(&self) -> Result<f64, Failure> {
        let stat = self.proc("stat")?;
        let (_, rest) = stat.rsplit_once(')').ok_or("the form of /proc/pid/stat")?;
        let ticks: Vec<f64> = rest.split_whitespace().skip(11).take(2).filter_map(|t| t.parse().ok()).collect();
        Ok(ticks.iter().sum::<f64>() * 10.0)
    }

    fn resident_mib(&self) -> Result<f64, Failure> {
        let status = self.proc("status")?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
        Ok(line.trim().trim_end_matches("kB").trim().parse::<f64>()? / 1024.0)
    }
}

async fn send_all(address: String, requests: Vec<(http::request::Builder, Bytes)>) -> Result<(), Failure> {
    let (mut sender, connection): (SendRequest<Full<Bytes>>, _) =
        handshake(TokioIo::new(TcpStream::connect(&address).await?)).await?;
    tokio::spawn(connection);
    for (request, body) in requests {
        sender.ready().await?;
        let response = sender.send_request(request.body(Full::new(body))?).await?;
        let status = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        if !status.is_success() {
            return Err(format!("{status}: {}", String::from_utf8_lossy(&body)).into());
        }
    }
    Ok(())
}

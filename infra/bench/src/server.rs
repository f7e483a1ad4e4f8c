//! `hedgerow dev` as a process, and what it costs.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use bytes::Bytes;
use contract::rate_limit::LimitName;
use http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::net::TcpStream;
use tokio::process::{Child, ChildStdout, Command};

use crate::Failure;

/// A program of this build, running, and what it prints.
pub(crate) fn start(name: &str, arguments: &[&str]) -> Result<(Child, Lines<BufReader<ChildStdout>>), Failure> {
    let program = std::env::current_exe()?.with_file_name(name);
    let mut command = Command::new(program);
    let mut child = command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true).spawn()?;
    let lines = BufReader::new(child.stdout.take().ok_or("no output")?).lines();
    Ok((child, lines))
}

/// A running `hedgerow dev`.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: String,
    pub(crate) key: String,
}

impl Server {
    /// With no rate limit that a measurement runs into.
    pub(crate) async fn start(folder: &Path) -> Result<Self, Failure> {
        let limits = LimitName::ALL.iter().map(|name| format!("{}=1000000/1", name.name()));
        Self::limited(folder, &limits.collect::<Vec<_>>()).await
    }

    /// With these rate limits: `management=30/1`.
    pub(crate) async fn limited(folder: &Path, limits: &[String]) -> Result<Self, Failure> {
        let folder = folder.to_str().ok_or("the folder's path")?;
        let mut arguments = vec!["dev", "--listen", "127.0.0.1:0", "--data", folder];
        arguments.extend(limits.iter().flat_map(|limit| ["--limit", limit]));
        let (child, mut lines) = start("hedgerow", &arguments)?;
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

    pub(crate) fn request(&self, method: &str, path: &str) -> http::request::Builder {
        request(&self.address, &self.key, method, path)
    }

    fn id(&self) -> Result<String, Failure> {
        Ok(self.child.id().ok_or("the server ended")?.to_string())
    }

    /// Of the server, as [`cpu_millis`].
    pub(crate) fn cpu_millis(&self) -> Result<f64, Failure> {
        cpu_millis(&self.id()?)
    }

    /// Waits until what was written has been announced, and nothing goes on.
    pub(crate) async fn quiet(&self) -> Result<(), Failure> {
        loop {
            let before = self.cpu_millis()?;
            tokio::time::sleep(Duration::from_secs(1)).await;
            if self.cpu_millis()? - before < 30.0 {
                return Ok(());
            }
        }
    }

    pub(crate) fn resident_mib(&self) -> Result<f64, Failure> {
        let status = proc(&self.id()?, "status")?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
        Ok(line.trim().trim_end_matches("kB").trim().parse::<f64>()? / 1024.0)
    }
}

fn proc(process: &str, file: &str) -> Result<String, Failure> {
    Ok(std::fs::read_to_string(format!("/proc/{process}/{file}"))?)
}

/// User and system time of a process in milliseconds, from the scheduler's accounting in ticks of 10 ms.
pub(crate) fn cpu_millis(process: &str) -> Result<f64, Failure> {
    let stat = proc(process, "stat")?;
    let (_, rest) = stat.rsplit_once(')').ok_or("the form of /proc/pid/stat")?;
    let ticks: Vec<f64> = rest.split_whitespace().skip(11).take(2).filter_map(|t| t.parse().ok()).collect();
    Ok(ticks.iter().sum::<f64>() * 10.0)
}

pub(crate) fn request(address: &str, key: &str, method: &str, path: &str) -> http::request::Builder {
    let request = Request::builder().method(method).uri(path).header("host", address);
    request.header("x-api-key", key).header("content-type", "application/json")
}

/// A connection that requests go over, one after the other.
pub(crate) struct Connection(SendRequest<Full<Bytes>>);

impl Connection {
    pub(crate) async fn open(address: &str) -> Result<Self, Failure> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(Self(sender))
    }

    /// Sends a request and gives what is answered, whatever that is.
    pub(crate) async fn ask(
        &mut self,
        request: http::request::Builder,
        body: Bytes,
    ) -> Result<(StatusCode, Bytes), Failure> {
        self.0.ready().await?;
        let response = self.0.send_request(request.body(Full::new(body))?).await?;
        let status = response.status();
        Ok((status, response.into_body().collect().await?.to_bytes()))
    }

    /// Sends a request and gives the body of a success.
    pub(crate) async fn send(&mut self, request: http::request::Builder, body: Bytes) -> Result<Bytes, Failure> {
        let (status, body) = self.ask(request, body).await?;
        if status.is_success() { Ok(body) } else { Err(format!("{status}: {}", String::from_utf8_lossy(&body)).into()) }
    }
}

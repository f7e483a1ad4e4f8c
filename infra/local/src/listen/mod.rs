//! `hedgerow listen`: a receiver of webhooks for a developer, who sees what comes.

mod delivery;
mod hook;

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;

use crate::given;
use crate::listen_on;
use crate::options::Listen;
use crate::services::StartError;
use crate::signals::interrupted;
use delivery::Secrets;
use hook::Hook;

/// More than any delivery has.
const MAX_BODY_BYTES: usize = 16 * 1024 * 1024;

/// What answers deliveries.
struct Receiver {
    secrets: Secrets,
    status: StatusCode,
    delay: Duration,
    quiet: bool,
}

/// Runs until it is interrupted.
///
/// # Errors
/// If the address is taken, a secret can't be read or the webhook can't be made.
#[expect(clippy::print_stdout, reason = "a command's output")]
pub async fn run(options: Listen) -> Result<(), StartError> {
    let listener = listen_on::bind_one(&options.listen).await?;
    let address = reachable(listener.local_addr()?);
    let mut secrets = options.secret.iter().map(|given| given::secret(given)).collect::<Result<Vec<_>, _>>()?;
    println!("Deliveries are taken on http://{address}/");
    let hook = match options.key.as_deref().filter(|_| options.create) {
        Some(key) => Some(Hook::create(&options.api, key, &format!("http://{address}/"), &options.events).await?),
        None => None,
    };
    if let Some(hook) = &hook {
        println!("The webhook {} sends them; it is deleted when this ends.", hook.id);
        secrets.push(hook.secret.clone());
    }
    if secrets.is_empty() {
        println!("They are not verified: --secret says what signs them.");
    }
    println!();
    let receiver = Receiver {
        secrets: Secrets::new(secrets)?,
        status: options.status,
        delay: options.delay,
        quiet: options.quiet,
    };
    tokio::select! {
        served = serve(listener, Arc::new(receiver)) => served?,
        stopped = interrupted() => stopped?,
    }
    if let Some(hook) = hook {
        hook.delete().await?;
        println!("\nThe webhook was deleted.");
    }
    Ok(())
}

/// Where a sender on this machine finds it.
fn reachable(listening: SocketAddr) -> SocketAddr {
    let ip = match listening.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listening.port())
}

async fn serve(listener: TcpListener, receiver: Arc<Receiver>) -> std::io::Result<()> {
    loop {
        let (stream, _) = match listener.accept().await {
            Ok(accepted) => accepted,
            // Out of file descriptors, or a caller gone again: neither ends it.
            Err(_) => {
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let receiver = receiver.clone();
        tokio::spawn(async move {
            let service = service_fn(|request| receiver.answer(request));
            let mut http = http1::Builder::new();
            http.timer(TokioTimer::new());
            // A connection that breaks off is its sender's affair.
            let _ = http.serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

impl Receiver {
    #[expect(clippy::print_stdout, reason = "a command's output")]
    async fn answer(&self, request: Request<Incoming>) -> Result<Response<Empty<Bytes>>, Infallible> {
        let (parts, body) = request.into_parts();
        let mut response = Response::new(Empty::new());
        let Ok(body) = Limited::new(body, MAX_BODY_BYTES).collect().await else {
            *response.status_mut() = StatusCode::PAYLOAD_TOO_LARGE;
            return Ok(response);
        };
        let body = body.to_bytes();
        let verified = self.secrets.verify(&parts.headers, &body);
        println!("{}", delivery::told(&parts, &body, &verified, self.quiet));
        tokio::time::sleep(self.delay).await;
        *response.status_mut() = if verified.is_refused() { StatusCode::UNAUTHORIZED } else { self.status };
        Ok(response)
    }
}

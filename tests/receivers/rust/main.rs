//! Receives webhooks on a port, 0 for any, and says what came:  WEBHOOK_SECRET=whsec_… cargo run --bin receiver 8080

#![expect(clippy::print_stdout, clippy::disallowed_methods, reason = "an example that stands alone")]

use std::error::Error;

use http_body_util::{BodyExt as _, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use standardwebhooks::Webhook;
use tokio::net::TcpListener;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let webhook: &Webhook = Box::leak(Box::new(Webhook::new(&std::env::var("WEBHOOK_SECRET")?)?));
    let port: u16 = std::env::args().nth(1).as_deref().unwrap_or("8080").parse()?;
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    println!("listening {}", listener.local_addr()?.port());
    loop {
        let (stream, _) = listener.accept().await?;
        let connection = http1::Builder::new().serve_connection(
            TokioIo::new(stream),
            service_fn(move |request| async move {
                let (status, line) = match receive(webhook, request).await {
                    Ok(envelope) => {
                        // A delivery may come twice: remember the eventId.
                        // Answer first and work later: after 30 seconds it counts as failed.
                        let (event, id) = (&envelope["event"], &envelope["eventId"]);
                        (StatusCode::NO_CONTENT, json!({ "ok": true, "event": event, "eventId": id }))
                    }
                    Err(error) => (StatusCode::UNAUTHORIZED, json!({ "ok": false, "error": error.to_string() })),
                };
                println!("{line}");
                Response::builder().status(status).body(Empty::<Bytes>::new())
            }),
        );
        tokio::spawn(connection);
    }
}

async fn receive(webhook: &Webhook, request: Request<Incoming>) -> Result<Value, Box<dyn Error + Send + Sync>> {
    // Verify the bytes that came. JSON that was parsed and written again is not what was signed.
    let (head, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    // Refuses what is not signed with the secret, and what is older than five minutes.
    webhook.verify(&body, &head.headers)?;
    Ok(serde_json::from_slice(&body)?)
}

//! The same engine over plain HTTP, for function binaries that run in processes of their own.

use std::convert::Infallible;
use std::io;

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use crate::answer::{Answer, CONTENT_TYPE, request_id};
use crate::dynamo::Dynamo;

/// DynamoDB takes no larger request.
const LARGEST: usize = 16 * 1024 * 1024;

/// Answers `POST /` with an `X-Amz-Target` on `listener`, until it is dropped or the listener fails. A client reaches
/// it by `AWS_ENDPOINT_URL`; whoever can connect may do everything.
pub async fn serve(dynamo: Dynamo, listener: TcpListener) -> io::Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        let _ = stream.set_nodelay(true);
        let dynamo = dynamo.clone();
        let service = service_fn(move |request| handle(dynamo.clone(), request));
        tokio::spawn(async move {
            // A connection that breaks off is its client's affair.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn handle(dynamo: Dynamo, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let answer = answer(&dynamo, request).await;
    let mut response = Response::new(Full::new(answer.body));
    *response.status_mut() = http::StatusCode::from_u16(answer.status).unwrap_or_default();
    let headers = response.headers_mut();
    headers.insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static(CONTENT_TYPE));
    if let Ok(id) = http::HeaderValue::from_str(&request_id()) {
        headers.insert("x-amzn-requestid", id);
    }
    Ok(response)
}

async fn answer(dynamo: &Dynamo, request: Request<Incoming>) -> Answer {
    let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    // A page in a browser can't set this header here: that takes a preflight, which is not answered.
    let Some(target) = header("x-amz-target").filter(|_| request.method() == Method::POST) else {
        return Answer { status: 404, ..Answer::unknown_operation() };
    };
    if header("authorization").is_none() {
        let kind = "com.amazon.coral.service#MissingAuthenticationTokenException";
        return Answer::error(400, kind, Some("Request is missing Authentication Token"));
    }
    match Limited::new(request.into_body(), LARGEST).collect().await {
        Ok(body) => dynamo.call(&target, body.to_bytes()).await,
        Err(_) => Answer::error(413, "com.amazon.coral.service#RequestEntityTooLargeException", None),
    }
}

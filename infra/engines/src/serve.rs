//! The same engines over plain HTTP, for function binaries that run in processes of their own.

use std::convert::Infallible;
use std::io;

use bytes::Bytes;
use http::uri::Authority;
use http::{Method, Request, Response};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use crate::answer::{Answer, request_id};
use crate::engines::Engines;
use crate::{names, s3, service};

/// DynamoDB takes no larger request.
const MAX_BODY_BYTES: usize = 16 * 1024 * 1024;

/// Answers `POST` with an `X-Amz-Target`, or with a path of SES's, and what is signed for S3, on `listener`, until it is dropped or the listener fails. A client reaches
/// it by `AWS_ENDPOINT_URL`; whoever can connect may do everything, but on loopback only under a name of loopback.
pub async fn serve(engines: Engines, listener: TcpListener) -> io::Result<()> {
    let loopback = listener.local_addr()?.ip().to_canonical().is_loopback();
    loop {
        let (stream, _) = listener.accept().await?;
        let _ = stream.set_nodelay(true);
        let engines = engines.clone();
        let service = service_fn(move |request| handle(engines.clone(), request, loopback));
        tokio::spawn(async move {
            // A connection that breaks off is its client's affair.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn handle(
    engines: Engines,
    request: Request<Incoming>,
    loopback: bool,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let answer = if loopback && !is_of_loopback(&request) {
        let why = "The Host must be localhost or a loopback address";
        Answer::error(403, "com.amazon.coral.service#AccessDeniedException", Some(why))
    } else {
        answer(&engines, request).await
    };
    let mut response = Response::new(Full::new(answer.body));
    *response.status_mut() = http::StatusCode::from_u16(answer.status).unwrap_or_default();
    let content_type = http::HeaderValue::from_str(&answer.content_type);
    let content_type = content_type.unwrap_or(http::HeaderValue::from_static("binary/octet-stream"));
    let headers = response.headers_mut();
    headers.insert(http::header::CONTENT_TYPE, content_type);
    for (name, value) in answer.headers {
        if let Ok(value) = http::HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    }
    if let Ok(id) = http::HeaderValue::from_str(&request_id()) {
        headers.insert("x-amzn-requestid", id);
    }
    Ok(response)
}

/// Whether a request names loopback as its host.
fn is_of_loopback(request: &Request<Incoming>) -> bool {
    let named = request.headers().get(http::header::HOST).and_then(|host| Authority::try_from(host.as_bytes()).ok());
    named.is_some_and(|host| names::is_loopback(host.host()))
}

async fn answer(engines: &Engines, request: Request<Incoming>) -> Answer {
    let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let authorization = header("authorization");
    let (uri, method) = (request.uri(), request.method().as_str());
    let of_path = || service::target(method, uri.path(), uri.query(), authorization.as_deref());
    let answered = |target: &String| request.method() == Method::POST || target.starts_with(s3::PREFIX);
    let Some(target) = header("x-amz-target").or_else(of_path).filter(answered) else {
        return Answer { status: 404, ..Answer::unknown_operation() };
    };
    // A page in a browser can't set this header here: that takes a preflight, which is not answered.
    let signed = uri.query().is_some_and(|query| query.contains("X-Amz-Signature="));
    if authorization.is_none() && !signed {
        let kind = "com.amazon.coral.service#MissingAuthenticationTokenException";
        return Answer::error(400, kind, Some("Request is missing Authentication Token"));
    }
    let (parts, body) = request.into_parts();
    match Limited::new(body, MAX_BODY_BYTES).collect().await {
        Ok(body) => engines.call(&target, &parts.headers, body.to_bytes()).await,
        Err(_) => Answer::error(413, "com.amazon.coral.service#RequestEntityTooLargeException", None),
    }
}

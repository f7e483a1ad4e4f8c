//! What signed addresses lead to, over plain HTTP on a port of its own: never the API's, so that no page that lies in the
//! bucket has the API's origin.

use std::convert::Infallible;
use std::io;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::header::{
    CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HeaderName, HeaderValue,
    X_CONTENT_TYPE_OPTIONS,
};
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;

use super::bucket::Object;
use super::{Refusal, S3, request, signature};
use crate::answer::Answer;

/// How long the head of a request may take.
const HEAD: Duration = Duration::from_secs(10);

/// Answers `GET` and `HEAD` of signed addresses on `listener`, until it is dropped or the listener fails.
pub async fn serve_files(s3: S3, listener: TcpListener) -> io::Result<()> {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Out of file descriptors, or a caller gone again: neither ends the server.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let _ = stream.set_nodelay(true);
        let s3 = s3.clone();
        let service = service_fn(move |request| handle(s3.clone(), request));
        tokio::spawn(async move {
            let mut server = http1::Builder::new();
            server.timer(TokioTimer::new()).header_read_timeout(HEAD);
            // A connection that breaks off is its client's affair.
            let _ = server.serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn handle(s3: S3, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let (parts, _) = request.into_parts();
    let found = tokio::task::spawn_blocking(move || file(&s3, &parts)).await;
    let found = found.unwrap_or_else(|ended| Err(Refusal::internal(ended.to_string())));
    let mut response = found.unwrap_or_else(|refusal| refused(&refusal.answer()));
    let headers = response.headers_mut();
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static("sandbox; default-src 'none'"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    Ok(response)
}

fn file(s3: &S3, parts: &http::request::Parts) -> Result<Response<Full<Bytes>>, Refusal> {
    if parts.method != Method::GET && parts.method != Method::HEAD {
        return Err(Refusal::method("The specified method is not allowed against this resource."));
    }
    let target = signature::check(parts, &s3.secret, SystemTime::now())?;
    let target = format!("{}{} {target}", super::PREFIX, parts.method);
    let nothing = Bytes::new();
    let request = request::read(&target, &parts.headers, &nothing)?;
    let Object { body, etag, content_type } = s3.object(&request.key)?;
    let said = |name: &str| request.query.get(name).map(String::as_str);
    let pinned: [(HeaderName, Option<&str>); 3] = [
        (CONTENT_TYPE, said("response-content-type").or(Some(&content_type))),
        (CONTENT_DISPOSITION, said("response-content-disposition")),
        (ETAG, Some(&etag)),
    ];
    // hyper leaves the body of an answer to HEAD out, and tells its length.
    let mut response = Response::new(Full::new(Bytes::from(body)));
    for (name, value) in pinned {
        if let Some(value) = value {
            let value =
                HeaderValue::from_str(value).map_err(|_| Refusal::argument(format!("`{name}` can't be sent.")))?;
            response.headers_mut().insert(name, value);
        }
    }
    Ok(response)
}

fn refused(answer: &Answer) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(answer.body.clone()));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/xml"));
    response
}

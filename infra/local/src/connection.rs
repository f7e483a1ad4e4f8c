//! A connection from its beginning to its end: requests by hyper, and what hyper leaves open: how long a peer may take,
//! what is answered to what can't be read, and an end that loses no answer.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::time::{Duration, SystemTime};

use contract::Code;
use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use runtime::Reply;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::time::{sleep, timeout};

use crate::answer::Body;
use crate::limits::Limits;
use crate::watched::Watched;

/// The request line and the headers together, in bytes.
const MAX_HEAD_BYTES: usize = 32 * 1024;
/// What is read ahead, and what is written before the peer has to take some of it, in bytes.
const BUFFER: usize = 64 * 1024;

/// How much of what a peer still sends at the end is read and forgotten, so that it gets to read its answer.
struct Drain {
    /// So many bytes, ...
    bytes: usize,
    /// ... for so long, ...
    whole: Duration,
    /// ... and with no longer a pause.
    pause: Duration,
}

const DRAIN: Drain = Drain { bytes: 64 * 1024 * 1024, whole: Duration::from_secs(30), pause: Duration::from_secs(5) };
/// For those who have no place: an upload is not worth waiting for.
const BRIEF: Drain = Drain { bytes: 1024 * 1024, whole: Duration::from_secs(2), pause: Duration::from_millis(500) };
/// What is read at once of what is forgotten, in bytes.
const PIECE: usize = 8 * 1024;

/// An answer to come.
pub(crate) type Answering = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

/// Serves a connection until it ends. `refuse` makes the answers to what can't be read. A stream whose peer stopped
/// reading is given back: what it was sent is not worth keeping.
pub(crate) async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    limits: &Limits,
    answer: impl Fn(Request<Incoming>) -> Answering + Unpin,
    refuse: impl Fn(Code) -> Reply,
) -> Option<S> {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(limits.idle);
    // One buffer, so that an answer of hyper's own stands at the end of what it writes.
    http.max_header_size(MAX_HEAD_BYTES).max_buf_size(BUFFER).writev(false);
    let watched = TokioIo::new(Watched::new(stream, limits.stall));
    let mut connection = http.serve_connection(watched, service_fn(answer));
    let mut life = pin!(sleep(limits.life));
    let mut old = false;
    let ended = poll_fn(|context| {
        if !old && life.as_mut().poll(context).is_ready() {
            old = true;
            Pin::new(&mut connection).graceful_shutdown();
        }
        connection.poll_without_shutdown(context)
    });
    let ended = ended.await;
    let parts = connection.into_parts();
    let mut stream = parts.io.into_inner();
    if stream.has_stalled() {
        return Some(stream.into_inner());
    }
    match ended.map_err(|error| refusal(&error, !parts.read_buf.is_empty())) {
        Ok(()) | Err(Failure::Idle) => finish(&mut stream, &DRAIN).await,
        Err(Failure::Unread(code)) => give(&mut stream, limits.stall, &refuse(code), &DRAIN).await,
        Err(Failure::Gone) => {}
    }
    None
}

/// Gives one answer to whatever is sent, and ends.
async fn give<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut S, stall: Duration, reply: &Reply, drain: &Drain) {
    if let Ok(Ok(())) = timeout(stall, stream.write_all(&written(reply))).await {
        finish(stream, drain).await;
    }
}

/// Ends a connection that has no place, with an answer to what it asks. One that asks nothing is told after a pause:
/// clients take what comes before they asked for a fault.
pub(crate) async fn turn_away<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut S, reply: &Reply) {
    let _ = timeout(BRIEF.pause, stream.read(&mut [0; PIECE])).await;
    give(stream, BRIEF.whole, reply, &BRIEF).await;
}

/// Why a connection ended before its time.
enum Failure {
    /// It sent what can't be read.
    Unread(Code),
    /// It sent nothing.
    Idle,
    /// It broke off: nobody is there to be told.
    Gone,
}

/// What hyper's failure comes to; `begun` if the peer has sent some of a head.
fn refusal(error: &hyper::Error, begun: bool) -> Failure {
    match (error, begun) {
        (error, _) if error.is_parse_too_large() => Failure::Unread(Code::HeadersTooLarge),
        (error, _) if error.is_parse() => Failure::Unread(Code::MalformedRequest),
        (error, true) if error.is_incomplete_message() => Failure::Unread(Code::MalformedRequest),
        (error, true) if error.is_timeout() => Failure::Unread(Code::RequestTimeout),
        (error, false) if error.is_timeout() => Failure::Idle,
        _ => Failure::Gone,
    }
}

/// An answer as it goes out, the last of its connection.
fn written(reply: &Reply) -> Vec<u8> {
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut head = format!("HTTP/1.1 {} {}\r\n", status.as_str(), status.canonical_reason().unwrap_or_default());
    let date = httpdate::fmt_http_date(SystemTime::now());
    let _ = write!(head, "connection: close\r\ndate: {date}\r\ncontent-length: {}\r\n", reply.body.len());
    let mut bytes = head.into_bytes();
    for (name, value) in &reply.headers {
        bytes.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(&reply.body);
    bytes
}

/// Ends a connection so that the peer can read what it was sent: a socket that is closed over unread bytes resets the
/// connection, and takes the answer away from a peer that is still sending (RFC 9112 §9.6).
async fn finish<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut S, drain: &Drain) {
    let drained = async {
        stream.shutdown().await?;
        let (mut piece, mut left) = ([0; PIECE], drain.bytes);
        while left > 0 {
            match timeout(drain.pause, stream.read(&mut piece)).await {
                Ok(Ok(count)) if count > 0 => left = left.saturating_sub(count),
                _ => break,
            }
        }
        Ok::<_, std::io::Error>(())
    };
    let _ = timeout(drain.whole, drained).await;
}

#[cfg(test)]
mod tests;

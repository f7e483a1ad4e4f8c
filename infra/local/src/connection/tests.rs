//! Connections over a pipe in memory, with a clock that runs ahead by itself.

use bytes::Bytes;
use std::time::Duration;

use contract::Error;
use http::HeaderMap;
use http::header::CONNECTION;
use runtime::{App, gates};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

use super::*;
use crate::answer::whole;
use crate::body;

/// The length of the answer to `GET /large`.
const LARGE: usize = 1024 * 1024;

/// Serves one end of a pipe that holds so many bytes; whether it was given up.
fn connected(holds: usize) -> (DuplexStream, JoinHandle<bool>) {
    let (peer, stream) = duplex(holds);
    let limits = Limits::default();
    let answer = |request: Request<Incoming>| -> Answering { Box::pin(async { Ok(answered(request).await) }) };
    let refuse = |code: Code| gates::refuse(&App::default(), &code.into(), &HeaderMap::new());
    (peer, tokio::spawn(async move { serve(stream, &limits, answer, refuse).await.is_some() }))
}

/// 200 with the body that came, or the failure of reading it.
async fn answered(request: Request<Incoming>) -> Response<Body> {
    let large = request.uri().path() == "/large";
    let (parts, body) = request.into_parts();
    let read = body::read(&parts.headers, body, &Limits::default()).await;
    let body = if large { Ok(Bytes::from(vec![b'x'; LARGE])) } else { read };
    let failed = |error: &Error| error.code().status();
    let status = body.as_ref().map_or_else(failed, |_| 200);
    let mut response = Response::new(whole(body.unwrap_or_default()));
    *response.status_mut() = StatusCode::from_u16(status).expect("a status");
    response.headers_mut().insert("x-request-id", http::HeaderValue::from_static("mine"));
    if status != 200 {
        response.headers_mut().insert(CONNECTION, http::HeaderValue::from_static("close"));
    }
    response
}

/// What comes back for these bytes, until the other side ends.
async fn exchange(sent: &[u8]) -> String {
    let (mut peer, _served) = connected(LARGE);
    peer.write_all(sent).await.expect("a pipe");
    let mut bytes = Vec::new();
    peer.read_to_end(&mut bytes).await.expect("an end");
    String::from_utf8(bytes).expect("a text")
}

/// That it is an answer of the contract's form, and nothing else.
fn is_failure(told: &str, status: u16, code: &str) {
    let (head, body) = told.split_once("\r\n\r\n").expect("a head");
    assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{told}");
    for header in
        ["\r\nconnection: close", "\r\ncontent-type: application/json", "\r\ncache-control: no-store", "\r\ndate: "]
    {
        assert!(head.contains(header), "{header:?} is missing: {told}");
    }
    assert!(head.contains(&format!("\r\ncontent-length: {}", body.len())), "{told}");
    let body: serde_json::Value = serde_json::from_str(body).expect("JSON");
    assert_eq!(body["error"], code, "{told}");
    let id = body["requestId"].as_str().expect("an identifier");
    assert!(id.starts_with("req_") && head.contains(&format!("\r\nx-request-id: {id}")), "{told}");
}

#[tokio::test(start_paused = true)]
async fn what_is_no_request_is_told_so_in_the_contracts_form() {
    let get = |lines: &str| format!("GET / HTTP/1.1\r\nhost: localhost\r\n{lines}\r\n").into_bytes();
    let malformed: Vec<Vec<u8>> = vec![
        b"GET\r\n\r\n".to_vec(),
        b"GET /\r\n\r\n".to_vec(),
        b"GET / HTTP/9.9\r\n\r\n".to_vec(),
        b"GET / HTTP/1.1 x\r\n\r\n".to_vec(),
        b"GET /a b HTTP/1.1\r\nhost: localhost\r\n\r\n".to_vec(),
        b"G(T / HTTP/1.1\r\nhost: localhost\r\n\r\n".to_vec(),
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(),
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(),
        b"{\"key\": 1}\r\n\r\n".to_vec(),
        get("no colon\r\n"),
        get("a : b\r\n"),
        get("a: b\r\n folded\r\n"),
        get("a: \0\r\n"),
        get("content-length: x\r\n"),
        get("content-length: -1\r\n"),
        get("content-length: 1\r\ncontent-length: 2\r\n"),
        get("transfer-encoding: gzip\r\n"),
        get("transfer-encoding: chunked, gzip\r\n"),
    ];
    for sent in &malformed {
        is_failure(&exchange(sent).await, 400, "malformed_request");
        // After a request that was one, its answer comes first.
        let told = exchange(&[&get(""), sent.as_slice()].concat()).await;
        let (first, second) = told.split_once("\r\n\r\n").expect("an answer");
        assert!(first.starts_with("HTTP/1.1 200 ") && first.contains("x-request-id: mine"), "{told}");
        is_failure(second, 400, "malformed_request");
    }
    let many: String = (0..101).map(|number| format!("a{number}: b\r\n")).collect();
    let large = [
        get(&many),
        get(&format!("a: {}\r\n", "x".repeat(MAX_HEAD_BYTES))),
        format!("GET /{} HTTP/1.1\r\nhost: localhost\r\n\r\n", "x".repeat(MAX_HEAD_BYTES)).into_bytes(),
        format!("GET /{} HTTP/1.1\r\nhost: localhost\r\n\r\n", "x".repeat(70_000)).into_bytes(),
        // It need not end.
        vec![b'x'; 2 * MAX_HEAD_BYTES],
    ];
    for sent in &large {
        is_failure(&exchange(sent).await, 431, "headers_too_large");
    }
}

#[tokio::test(start_paused = true)]
async fn a_head_that_stalls_or_breaks_off_is_told_so_and_silence_is_not() {
    let begun = Instant::now();
    is_failure(&exchange(b"GET / HTTP/1.1\r\nhost: loc").await, 408, "request_timeout");
    assert_eq!(begun.elapsed().as_secs(), Limits::default().idle.as_secs());
    let (mut peer, served) = connected(LARGE);
    peer.write_all(b"GET / HTTP/1.1\r\nhost: loc").await.expect("a pipe");
    peer.shutdown().await.expect("a pipe");
    let mut told = String::new();
    peer.read_to_string(&mut told).await.expect("an end");
    is_failure(&told, 400, "malformed_request");
    assert!(!served.await.expect("an end"));
    // Without a request, and after one.
    let begun = Instant::now();
    assert_eq!(exchange(b"").await, "");
    assert_eq!(begun.elapsed().as_secs(), Limits::default().idle.as_secs());
    let told = exchange(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
    assert!(told.starts_with("HTTP/1.1 200 ") && told.ends_with("\r\n\r\n"), "{told}");
}

#[tokio::test(start_paused = true)]
async fn a_body_that_stalls_is_told_so() {
    let head = b"POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1000\r\n\r\nhalf";
    let begun = Instant::now();
    let told = exchange(head).await;
    assert!(told.starts_with("HTTP/1.1 408 ") && told.contains("connection: close"), "{told}");
    assert_eq!(begun.elapsed().as_secs(), Limits::default().stall.as_secs());
    // A byte now and then does not keep it for ever.
    let (peer, _served) = connected(LARGE);
    let (mut read, mut write) = tokio::io::split(peer);
    let begun = Instant::now();
    tokio::spawn(async move {
        write.write_all(head).await.expect("a pipe");
        while write.write_all(b"x").await.is_ok() {
            sleep(Duration::from_secs(15)).await;
        }
    });
    let mut piece = [0; 12];
    read.read_exact(&mut piece).await.expect("an answer");
    assert_eq!(&piece, b"HTTP/1.1 408");
    assert_eq!(begun.elapsed().as_secs(), Limits::default().body.as_secs());
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_too_large_by_its_length_is_not_waited_for() {
    let head = "POST / HTTP/1.1\r\nhost: localhost\r\nexpect: 100-continue\r\n";
    let told = exchange(format!("{head}content-length: 1048577\r\n\r\n").as_bytes()).await;
    assert!(told.starts_with("HTTP/1.1 413 "), "{told}");
    let (mut peer, _served) = connected(LARGE);
    peer.write_all(format!("{head}content-length: 4\r\n\r\n").as_bytes()).await.expect("a pipe");
    let mut piece = [0; 25];
    peer.read_exact(&mut piece).await.expect("leave to go on");
    assert_eq!(&piece, b"HTTP/1.1 100 Continue\r\n\r\n");
}

#[tokio::test(start_paused = true)]
async fn who_goes_on_sending_can_read_the_answer() {
    let (peer, served) = connected(1024);
    let (mut read, mut write) = tokio::io::split(peer);
    let head = b"POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 5000000\r\n\r\n";
    write.write_all(head).await.expect("a pipe");
    // All of it, before a byte of the answer is looked at.
    write.write_all(&vec![b'x'; 5_000_000]).await.expect("a reader");
    let mut told = String::new();
    let _ = timeout(DRAIN.pause, read.read_to_string(&mut told)).await;
    assert!(told.starts_with("HTTP/1.1 413 "), "{told}");
    drop((read, write));
    assert!(!served.await.expect("an end"));
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_reads_nothing_is_given_up() {
    let (mut peer, served) = connected(1024);
    let begun = Instant::now();
    peer.write_all(&b"GET /large HTTP/1.1\r\nhost: localhost\r\n\r\n".repeat(3)).await.expect("a pipe");
    assert!(served.await.expect("an end"), "it was given up");
    assert_eq!(begun.elapsed().as_secs(), Limits::default().stall.as_secs());
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_reads_slowly_is_served() {
    let (mut peer, served) = connected(64 * 1024);
    peer.write_all(b"GET /large HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await.expect("a pipe");
    let (mut piece, mut length) = (vec![0; 32 * 1024], 0);
    let begun = Instant::now();
    loop {
        sleep(Duration::from_secs(19)).await;
        match peer.read(&mut piece).await.expect("a pipe") {
            0 => break,
            count => length += count,
        }
    }
    assert!(length > LARGE && begun.elapsed() > Duration::from_secs(300), "{length}");
    drop(peer);
    assert!(!served.await.expect("an end"));
}

#[tokio::test(start_paused = true)]
async fn a_connection_ends_after_an_hour_between_two_requests() {
    let (mut peer, _served) = connected(LARGE);
    let begun = Instant::now();
    let mut answers = 0;
    let mut piece = vec![0; 4096];
    loop {
        if peer.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").await.is_err() {
            break;
        }
        let count = peer.read(&mut piece).await.expect("a pipe");
        if count == 0 {
            break;
        }
        assert!(piece.starts_with(b"HTTP/1.1 200 OK\r\n") && piece[..count].ends_with(b"\r\n\r\n"));
        answers += 1;
        sleep(Duration::from_secs(60)).await;
    }
    assert_eq!((answers, begun.elapsed().as_secs() / 60), (60, 60));
}

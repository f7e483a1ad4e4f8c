//! Connections: what one caller may take of a process, and what stays for the others.

use std::net::SocketAddr;
use std::time::Duration;

use hedgerow_tests::app::{App, fields};
use hedgerow_tests::process::PATIENCE;
use hedgerow_tests::wait::until;
use local::limits::Limits;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

use crate::long_work::{self, PATTERN};
use hedgerow_tests::raw;

/// Another address of this machine.
const ELSEWHERE: &str = "127.0.0.2:0";
const HEALTH: &[u8] = b"GET /api/health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";

async fn connect(from: &str, to: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(from.parse().unwrap()).unwrap();
    socket.connect(to).await.unwrap()
}

/// A connection that asks for more than its buffers hold, and never reads.
async fn never_reads(from: &str, to: SocketAddr) -> TcpStream {
    let mut stream = connect(from, to).await;
    let asked = b"GET /api/openapi.json HTTP/1.1\r\nhost: localhost\r\n\r\n".repeat(200);
    // It may have been turned away.
    let _ = timeout(PATIENCE, stream.write_all(&asked)).await.unwrap();
    stream
}

/// What health says to a connection of its own; `None` if it was closed without a word.
async fn health(from: &str, to: SocketAddr) -> Option<String> {
    let mut stream = connect(from, to).await;
    let _ = stream.write_all(HEALTH).await;
    let mut told = Vec::new();
    let _ = timeout(PATIENCE, stream.read_to_end(&mut told)).await.unwrap();
    (!told.is_empty()).then(|| String::from_utf8(told).unwrap())
}

async fn is_served(from: &str, to: SocketAddr) -> bool {
    health(from, to).await.is_some_and(|told| told.starts_with("HTTP/1.1 200 "))
}

#[tokio::test]
async fn who_never_reads_takes_no_more_than_a_share() {
    let app = App::within(Limits { places: 40, ..Limits::default() }, 0).await;
    let mut held = Vec::new();
    for _ in 0..60 {
        held.push(never_reads(ELSEWHERE, app.address).await);
    }
    for _ in 0..50 {
        assert!(is_served("127.0.0.1:0", app.address).await);
    }
    // The address that has its share is told so.
    let mut refused = connect(ELSEWHERE, app.address).await;
    let mut told = Vec::new();
    timeout(PATIENCE, refused.read_to_end(&mut told)).await.unwrap().unwrap();
    let answer = raw::parse("too many".into(), &told);
    answer.fails(503, "unavailable");
    assert_eq!(answer.header("connection"), "close");
    // Gone, it is served again.
    drop((held, refused));
    until(PATIENCE, || is_served(ELSEWHERE, app.address)).await;
}

/// Whether they ask at once, upload something, or wait to be told: an answer, never a reset.
#[tokio::test]
async fn whoever_has_no_place_is_told_so() {
    const TOO_MANY: usize = 100;
    let app = App::within(Limits { places: 8, ..Limits::default() }, 0).await;
    let mut held = Vec::new();
    for _ in 0..2 {
        held.push(connect(ELSEWHERE, app.address).await);
    }
    let upload =
        [&b"POST /api/auth/login HTTP/1.1\r\nhost: localhost\r\ncontent-length: 200000\r\n\r\n"[..], &[b' '; 200_000]];
    let tell = |sent: Vec<u8>| async move {
        let mut stream = connect(ELSEWHERE, app.address).await;
        stream.write_all(&sent).await.unwrap();
        let mut told = Vec::new();
        timeout(PATIENCE, stream.read_to_end(&mut told)).await.unwrap().unwrap();
        let answer = raw::parse("too many".into(), &told);
        answer.fails(503, "unavailable");
        assert_eq!(answer.header("connection"), "close");
    };
    for sent in [HEALTH.to_vec(), upload.concat(), Vec::new()] {
        futures_util::future::join_all((0..TOO_MANY).map(|_| tell(sent.clone()))).await;
    }
    assert!(is_served("127.0.0.1:0", app.address).await);
}

#[tokio::test]
async fn who_never_reads_is_given_up() {
    let limits = Limits { places: 4, stall: Duration::from_millis(300), ..Limits::default() };
    let app = App::within(limits, 0).await;
    let _held = never_reads(ELSEWHERE, app.address).await;
    until(PATIENCE, || is_served(ELSEWHERE, app.address)).await;
}

#[tokio::test]
async fn who_says_nothing_is_closed_without_a_word_and_who_stalls_is_told() {
    let limits = Limits { idle: Duration::from_millis(300), stall: Duration::from_millis(300), ..Limits::default() };
    let app = App::within(limits, 0).await;
    let mut silent = connect("127.0.0.1:0", app.address).await;
    let mut told = Vec::new();
    timeout(PATIENCE, silent.read_to_end(&mut told)).await.unwrap().unwrap();
    assert!(told.is_empty());
    let half = b"POST /api/auth/login HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9\r\nx-request-id: mine\r\n\r\n{";
    let answer = raw::exchange(app.address, "half a body".into(), half).await;
    answer.fails(408, "request_timeout");
    assert_eq!((answer.header("connection"), answer.request_id()), ("close", "mine"));
    raw::exchange(app.address, "half a head".into(), &half[..30]).await.fails(408, "request_timeout");
}

#[tokio::test]
async fn a_trusted_proxy_may_have_every_place() {
    let app = App::within(Limits { places: 8, ..Limits::default() }, 1).await;
    let mut held = Vec::new();
    for _ in 0..7 {
        held.push(connect(ELSEWHERE, app.address).await);
    }
    for stream in &mut held {
        stream.write_all(b"GET /api/health HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
        let mut begin = [0; 12];
        timeout(PATIENCE, stream.read_exact(&mut begin)).await.unwrap().unwrap();
        assert_eq!(&begin, b"HTTP/1.1 200");
    }
    assert!(is_served(ELSEWHERE, app.address).await);
}

#[tokio::test]
async fn what_is_no_request_is_told_so_in_the_contracts_form() {
    let app = App::start().await;
    for (sent, status, code) in [
        (b"GET / HTTP/9.9\r\n\r\n".to_vec(), 400, "malformed_request"),
        (b"GET /\r\n\r\n".to_vec(), 400, "malformed_request"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(), 400, "malformed_request"),
        (b"GET / HTTP/1.1\r\nhost: localhost\r\ncontent-length: x\r\n\r\n".to_vec(), 400, "malformed_request"),
        (b"GET / HTTP/1.1\r\nhost: localhost\r\nno colon\r\n\r\n".to_vec(), 400, "malformed_request"),
        (format!("GET /{} HTTP/1.1\r\n\r\n", "x".repeat(100_000)).into(), 431, "headers_too_large"),
        (format!("GET / HTTP/1.1\r\nx: {}\r\n\r\n", "x".repeat(1_000_000)).into(), 431, "headers_too_large"),
    ] {
        // `Answer` looks at the headers and at the form.
        let answer = raw::exchange(app.address, format!("{status}"), &sent).await;
        answer.fails(status, code);
        assert_eq!(answer.header("connection"), "close");
    }
}

#[tokio::test]
async fn a_request_keeps_its_place_though_its_caller_has_gone() {
    let app = App::within(Limits { places: 8, ..Limits::default() }, 0).await;
    let account = app.account("ada").await;
    let hold = long_work::hold(&account).await;
    let request = format!(
        "POST {} HTTP/1.1\r\nhost: localhost\r\nx-api-key: {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{}",
        fields("t1", "g"),
        account.secret,
        PATTERN.len(),
        PATTERN
    );
    // Each begins what waits, and goes away, until there is no place for a next one.
    until(PATIENCE, async || {
        let mut stream = connect(ELSEWHERE, app.address).await;
        let _ = stream.write_all(request.as_bytes()).await;
        let mut told = [0; 12];
        let read = timeout(Duration::from_millis(100), stream.read_exact(&mut told)).await;
        drop(stream);
        read.is_ok_and(|_| &told == b"HTTP/1.1 503") && !is_served(ELSEWHERE, app.address).await
    })
    .await;
    assert!(is_served("127.0.0.1:0", app.address).await);
    hold.end().await;
    until(PATIENCE, || is_served(ELSEWHERE, app.address)).await;
}

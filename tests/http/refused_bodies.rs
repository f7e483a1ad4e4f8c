//! Bodies that are refused while they are still being sent: whoever sends one learns why.

use std::process::Stdio;

use hedgerow_tests::app::App;
use hedgerow_tests::process::PATIENCE;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::process::Command;
use tokio::time::timeout;

use hedgerow_tests::raw;

const MIB: usize = 1024 * 1024;

/// What `fetch` of Node sees of bodies that are too large, told by their length or in pieces.
const FETCH: &str = r"
const url = process.argv[1];
const headers = { 'content-type': 'application/json', 'x-request-id': 'mine' };
const pieces = (size) => new ReadableStream({
  pull(controller) {
    if (size <= 0) return controller.close();
    controller.enqueue(new Uint8Array(Math.min(size, 65536)).fill(120));
    size -= 65536;
  },
});
for (const size of [1048577, 5_000_000, 20_000_000]) {
  for (const body of [() => 'x'.repeat(size), () => Buffer.alloc(size, 120), () => pieces(size)]) {
    for (let round = 0; round < 5; round += 1) {
      const answer = await fetch(url, { method: 'POST', headers, body: body(), duplex: 'half' });
      const { error, requestId } = await answer.json();
      console.log(answer.status, error, requestId);
    }
  }
}
";

#[tokio::test]
async fn nodes_fetch_sees_the_answer() {
    let app = App::start().await;
    let mut node = Command::new("node");
    node.args(["--input-type=module", "--eval", FETCH, &format!("http://{}/api/auth/login", app.address)]);
    let output = timeout(PATIENCE, node.stdin(Stdio::null()).kill_on_drop(true).output()).await.unwrap().unwrap();
    let (said, failed) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(output.status.success(), "{said}{failed}");
    assert_eq!(said.lines().collect::<Vec<_>>(), ["413 payload_too_large mine"; 45], "{failed}");
}

/// Sends a head, and then pieces of this length until so much is sent or the other side has enough; then reads.
async fn sent_whole(app: &App, head: &str, piece: &[u8], pieces: usize) -> Vec<u8> {
    let mut stream = TcpStream::connect(app.address).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    for _ in 0..pieces {
        timeout(PATIENCE, stream.write_all(piece)).await.unwrap().unwrap();
    }
    let mut told = Vec::new();
    timeout(PATIENCE, stream.read_to_end(&mut told)).await.unwrap().unwrap();
    told
}

#[tokio::test]
async fn who_reads_only_after_the_last_byte_sees_the_answer() {
    let app = App::start().await;
    let head = "POST /api/auth/login HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n";
    let piece = [b'x'; 65536];
    let chunk = [b"10000\r\n", &piece[..], b"\r\n"].concat();
    for size in [2 * MIB, 20 * MIB] {
        let pieces = size / piece.len();
        let told = sent_whole(&app, &format!("{head}content-length: {size}\r\n\r\n"), &piece, pieces).await;
        raw::parse("a length".into(), &told).fails(413, "payload_too_large");
        let told = sent_whole(&app, &format!("{head}transfer-encoding: chunked\r\n\r\n"), &chunk, pieces).await;
        raw::parse("pieces".into(), &told).fails(413, "payload_too_large");
    }
}

#[tokio::test]
async fn who_waits_for_leave_is_refused_before_sending() {
    let app = App::start().await;
    let asks = |length: usize, host: &str| {
        format!(
            "POST /api/auth/login HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\nconnection: close\r\n\
             expect: 100-continue\r\ncontent-length: {length}\r\n\r\n"
        )
    };
    for (length, host, status, code) in [
        (MIB + 1, "localhost", 413, "payload_too_large"),
        (5 * MIB, "localhost", 413, "payload_too_large"),
        (2, "example.com", 403, "forbidden"),
    ] {
        let answer = raw::exchange(app.address, format!("{length}"), asks(length, host).as_bytes()).await;
        answer.fails(status, code);
    }
    let mut stream = TcpStream::connect(app.address).await.unwrap();
    stream.write_all(asks(2, "localhost").as_bytes()).await.unwrap();
    let mut leave = [0; 25];
    timeout(PATIENCE, stream.read_exact(&mut leave)).await.unwrap().unwrap();
    assert_eq!(&leave, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(b"{}").await.unwrap();
    let mut told = Vec::new();
    timeout(PATIENCE, stream.read_to_end(&mut told)).await.unwrap().unwrap();
    raw::parse("with leave".into(), &told).fails(422, "validation_failed");
}

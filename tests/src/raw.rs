//! Requests byte for byte: for paths that a proper client would tidy up, and for heads that it would not send.

use std::net::SocketAddr;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::answer::Answer;

/// Sends a request on a connection of its own; `lines` are header lines, each with its line break.
pub async fn send(address: SocketAddr, method: &str, path: &str, lines: &str, body: &[u8]) -> Answer {
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-length: {}\r\n{lines}\r\n",
        body.len()
    );
    let mut request = head.into_bytes();
    request.extend_from_slice(body);
    exchange(address, format!("{method} {path}"), &request).await
}

/// Sends these bytes, and reads until the other side closes.
pub async fn exchange(address: SocketAddr, asked: String, request: &[u8]) -> Answer {
    let (mut read, mut write) = TcpStream::connect(address).await.unwrap().into_split();
    let request = request.to_vec();
    // Beside the reading: an answer may come before the last byte was sent.
    let sent = tokio::spawn(async move {
        let _ = write.write_all(&request).await;
        write
    });
    let mut bytes = Vec::new();
    let ended = read.read_to_end(&mut bytes).await;
    drop(sent);
    assert!(!bytes.is_empty(), "{asked}: no answer, {ended:?}");
    parse(asked, &bytes)
}

/// The answer in these bytes.
pub fn parse(asked: String, bytes: &[u8]) -> Answer {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    let (head, body) = (std::str::from_utf8(&bytes[..end]).unwrap(), &bytes[end + 4..]);
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let mut headers = HeaderMap::new();
    for (name, value) in lines.map(|line| line.split_once(':').unwrap()) {
        headers.append(HeaderName::try_from(name).unwrap(), HeaderValue::try_from(value.trim()).unwrap());
    }
    Answer::new(asked, status, headers, body.to_vec())
}

//! A connection, plain or in TLS, that knows which address it reached and reads the head of every answer for hyper.

use std::future::Future as _;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf as _, Bytes};
use hyper_util::client::legacy::connect::{Connected, Connection};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

use super::head::HeadReader;

/// A receiver that takes nothing more of the request for this long is given up.
const STALL_TIMEOUT: Duration = Duration::from_secs(20);

/// What is remembered of a connection.
#[derive(Debug, Clone)]
pub(super) struct Dialled {
    /// The address that it reached.
    pub(super) address: IpAddr,
    used: Arc<AtomicBool>,
}

impl Dialled {
    pub(super) fn new(address: IpAddr) -> Self {
        Self { address, used: Arc::default() }
    }

    /// Whether it has carried an answer.
    pub(super) fn was_used(&self) -> bool {
        self.used.load(Ordering::Relaxed)
    }

    /// Notes that it has.
    pub(super) fn use_up(&self) {
        self.used.store(true, Ordering::Relaxed);
    }
}

pub(super) trait Io: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

pub(super) struct Stream {
    io: Box<dyn Io>,
    dialled: Dialled,
    /// While the head of an answer is to come.
    head: Option<HeadReader>,
    /// What hyper is to read before anything else.
    read: Bytes,
    /// A write failed: the receiver takes no more of the request.
    write_failed: bool,
    stalled: Option<Pin<Box<Sleep>>>,
}

impl Stream {
    pub(super) fn new(io: impl Io + 'static, address: IpAddr) -> Self {
        let dialled = Dialled::new(address);
        Self { io: Box::new(io), dialled, head: None, read: Bytes::new(), write_failed: false, stalled: None }
    }

    /// What a write comes to. One that fails says nothing about the answer, which may have been sent before: reading
    /// goes on, and tells how it ended.
    fn written(
        &mut self,
        written: Poll<io::Result<usize>>,
        all: usize,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        if written.is_pending() {
            let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep(STALL_TIMEOUT)));
            ready!(stalled.as_mut().poll(cx));
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        self.stalled = None;
        if let Poll::Ready(Err(_)) = written {
            self.write_failed = true;
            return Poll::Ready(Ok(all));
        }
        written
    }
}

impl Connection for Stream {
    fn connected(&self) -> Connected {
        Connected::new().extra(self.dialled.clone())
    }
}

impl AsyncRead for Stream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let stream = &mut *self;
        while stream.read.is_empty() {
            let Some(head) = &mut stream.head else { return Pin::new(&mut stream.io).poll_read(cx, into) };
            let mut bytes = [0; 4096];
            let mut arrived = ReadBuf::new(&mut bytes);
            let result = ready!(Pin::new(&mut stream.io).poll_read(cx, &mut arrived));
            let over = result.is_err() || arrived.filled().is_empty();
            let read = if over { head.cut() } else { head.take(arrived.filled()).map_err(io::Error::other)? };
            match read {
                Some(read) => (stream.head, stream.read) = (None, read.into()),
                None if over => return Poll::Ready(result),
                None => {}
            }
        }
        let count = stream.read.len().min(into.remaining());
        into.put_slice(&stream.read[..count]);
        stream.read.advance(count);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[io::IoSlice::new(bytes)])
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.write_failed {
            return Poll::Ready(Ok(()));
        }
        let flushed = Pin::new(&mut self.io).poll_flush(cx).map_ok(|()| 0);
        self.written(flushed, 0, cx).map_ok(|_| ())
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.write_failed {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        // What is written after an answer was read is a request, and another answer is to come.
        if self.read.is_empty() {
            self.head.get_or_insert_default();
        }
        let all = pieces.iter().map(|piece| piece.len()).sum();
        let written = Pin::new(&mut self.io).poll_write_vectored(cx, pieces);
        self.written(written, all, cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    use super::*;

    fn pair() -> (Stream, tokio::io::DuplexStream) {
        let (ours, theirs) = duplex(64);
        (Stream::new(ours, IpAddr::from([127, 0, 0, 1])), theirs)
    }

    #[tokio::test]
    async fn each_answers_head_is_made_plain_and_bodies_stay_as_they_are() {
        let (mut stream, mut theirs) = pair();
        for body in ["ok", "HTTP/1.1 500\r\nx : y\r\n\r\n"] {
            stream.write_all(b"POST").await.unwrap();
            theirs.read_exact(&mut [0; 4]).await.unwrap();
            theirs.write_all(format!("HTTP/1.1 200\r\nx : y\r\n\r\n{body}").as_bytes()).await.unwrap();
            let wanted = format!("HTTP/1.1 200 \r\n\r\n{body}");
            let mut read = vec![0; wanted.len()];
            stream.read_exact(&mut read).await.unwrap();
            assert_eq!(String::from_utf8_lossy(&read), wanted);
            theirs.write_all(b"HTTP/1.1 x : y").await.unwrap();
            stream.read_exact(&mut read[..14]).await.unwrap();
            assert_eq!(&read[..14], b"HTTP/1.1 x : y", "what goes on is the body");
        }
    }

    #[tokio::test]
    async fn a_write_that_fails_does_not_hide_the_answer() {
        let (mut stream, mut theirs) = pair();
        stream.write_all(b"POST").await.unwrap();
        theirs.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
        drop(theirs);
        stream.write_all(b" / and more").await.unwrap();
        let mut read = String::new();
        stream.read_to_string(&mut read).await.unwrap();
        assert_eq!(read, "HTTP/1.1 200 \r\n\r\n");
        assert!(stream.write_all(b"POST").await.is_err(), "it carries no other request");
    }

    #[tokio::test(start_paused = true)]
    async fn who_takes_nothing_is_left() {
        let (mut stream, _theirs) = pair();
        let began = tokio::time::Instant::now();
        let failed = stream.write_all(&[b' '; 1000]).await.unwrap_err();
        assert_eq!((failed.kind(), began.elapsed().as_secs()), (io::ErrorKind::TimedOut, STALL_TIMEOUT.as_secs()));
    }
}

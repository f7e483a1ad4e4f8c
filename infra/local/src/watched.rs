//! A connection's bytes, watched: a peer that stops reading is given up, and the answers that hyper makes by itself,
//! which have neither the contract's body nor its headers, are held back, for [`crate::connection`] to write its own.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// A stream whose writes must get on.
pub(crate) struct Watched<S> {
    stream: S,
    stall: Duration,
    /// Runs while a write waits for its peer.
    waiting: Option<Pin<Box<Sleep>>>,
    stalled: bool,
}

impl<S> Watched<S> {
    /// A write that gets nowhere for `stall` fails.
    pub(crate) fn new(stream: S, stall: Duration) -> Self {
        Self { stream, stall, waiting: None, stalled: false }
    }

    /// Whether a write got nowhere.
    pub(crate) fn has_stalled(&self) -> bool {
        self.stalled
    }

    /// The stream itself.
    pub(crate) fn into_inner(self) -> S {
        self.stream
    }

    /// What a write came to, or its failure if that has been nothing for too long.
    fn watch<T>(&mut self, context: &mut Context<'_>, wrote: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if wrote.is_ready() {
            self.waiting = None;
            return wrote;
        }
        let waiting = self.waiting.get_or_insert_with(|| Box::pin(sleep(self.stall)));
        if waiting.as_mut().poll(context).is_pending() {
            return Poll::Pending;
        }
        self.stalled = true;
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, into)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let ours = ours(bytes);
        if ours.is_empty() {
            return Poll::Ready(Ok(bytes.len()));
        }
        let wrote = Pin::new(&mut self.stream).poll_write(context, ours);
        self.watch(context, wrote)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        self.watch(context, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let shut = Pin::new(&mut self.stream).poll_shutdown(context);
        self.watch(context, shut)
    }
}

/// What hyper writes, without an answer of its own at the end: a head without a body, for a request that it could not
/// read. It is told by the header that all of ours have.
fn ours(bytes: &[u8]) -> &[u8] {
    if !bytes.ends_with(b"\r\n\r\n") {
        return bytes;
    }
    let begin = bytes.windows(10).rposition(|at| at == b"HTTP/1.1 4" || at == b"HTTP/1.0 4");
    let Some((before, answer)) = begin.and_then(|begin| bytes.split_at_checked(begin)) else { return bytes };
    if answer.windows(15).any(|at| at.eq_ignore_ascii_case(b"\r\nx-request-id:")) { bytes } else { before }
}

#[cfg(test)]
mod tests {
    use super::ours;

    #[test]
    fn an_answer_without_our_header_is_held_back() {
        let own = "HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
        let good = "HTTP/1.1 200 OK\r\nx-request-id: a\r\ncontent-length: 15\r\n\r\n\"HTTP/1.1 404\"\n ";
        let empty = "HTTP/1.1 204 No Content\r\nx-request-id: a\r\n\r\n";
        let refused = "HTTP/1.1 404 Not Found\r\nx-request-id: a\r\ncontent-length: 0\r\n\r\n";
        for (written, passed) in [
            (own.to_owned(), String::new()),
            (format!("{good}{own}"), good.to_owned()),
            (format!("{empty}{own}"), empty.to_owned()),
            (format!("{}{own}", &good[20..]), good[20..].to_owned()),
            (format!("{good}{empty}"), format!("{good}{empty}")),
            (format!("{good}{refused}"), format!("{good}{refused}")),
            ("HTTP/1.1 100 Continue\r\n\r\n".to_owned(), "HTTP/1.1 100 Continue\r\n\r\n".to_owned()),
            (refused[30..].to_owned(), refused[30..].to_owned()),
        ] {
            assert_eq!(ours(written.as_bytes()), passed.as_bytes(), "{written}");
        }
    }
}

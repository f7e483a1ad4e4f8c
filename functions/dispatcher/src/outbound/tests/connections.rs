//! Connections that are kept, and those that were closed meanwhile.

use super::receiver::{OK, Wire};
use super::*;

#[tokio::test]
async fn one_after_the_other_share_a_connection() {
    let receiver = Receiver::saying(OK).await;
    let sender = sender(open());
    for _ in 0..5 {
        let attempted = sender.clone().send(to(receiver.url())).await;
        assert_eq!((attempted.error, attempted.address), (None, Some(receiver.address.ip())));
    }
    assert_eq!((receiver.accepted(), receiver.requests().len()), (1, 5));
}

#[tokio::test]
async fn origins_do_not_share() {
    let receiver = Receiver::saying(OK).await;
    let sender = sender(open());
    for host in ["localhost", "127.0.0.1"] {
        assert!(sender.send(to(format!("http://{host}:{}/", receiver.port()))).await.delivered());
    }
    assert_eq!(receiver.accepted(), 2);
}

#[tokio::test]
async fn a_receiver_that_says_close_is_dialled_anew() {
    let receiver = Receiver::saying("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n").await;
    let sender = sender(open());
    for _ in 0..3 {
        assert!(sender.send(to(receiver.url())).await.delivered());
    }
    assert_eq!(receiver.accepted(), 3);
}

/// The receiver closes without a word after each answer. The next request follows at once, so that it finds the
/// connection open, closing or closed, as it happens.
#[tokio::test]
async fn a_connection_closed_meanwhile_is_no_failed_attempt() {
    let receiver = Receiver::start(|wire: Wire| wire.ends_after(OK)).await;
    let sender = sender(open());
    for n in 0..200 {
        let attempted = sender.send(to(receiver.url())).await;
        assert!(attempted.delivered(), "{n}: {attempted:?}");
    }
    assert_eq!((receiver.accepted(), receiver.requests().len()), (200, 200));
}

/// It is closed when the request is on its way, seen or not: once more, on a new connection, and no more than that.
#[tokio::test]
async fn a_reused_connection_that_breaks_off_is_replaced_once() {
    let script = |mut wire: Wire| async move {
        wire.request().await;
        if wire.number != 1 {
            wire.write(OK).await;
            wire.request().await;
        }
        wire.close().await;
    };
    let receiver = Receiver::start(script).await;
    let sender = sender(open());
    assert!(sender.send(to(receiver.url())).await.delivered());
    // The first connection breaks off, the second does too: that one was not reused.
    let attempted = sender.send(to(receiver.url())).await;
    assert_eq!((attempted.status, attempted.error), (None, Some(AttemptError::Connect)));
    assert_eq!((receiver.accepted(), receiver.requests().len()), (2, 3));

    assert!(sender.send(to(receiver.url())).await.delivered(), "a third connection");
    // The third breaks off, the fourth answers.
    let attempted = sender.send(to(receiver.url())).await;
    assert_eq!((attempted.status, attempted.error), (Some(200), None));
    assert_eq!(receiver.accepted(), 4);
}

/// Nothing was dialled for the second, and yet it is known where it went.
#[tokio::test]
async fn a_reused_connection_that_falls_silent() {
    let script = |mut wire: Wire| async move {
        wire.request().await;
        wire.write(OK).await;
        wire.gone().await;
    };
    let receiver = Receiver::start(script).await;
    let sender = sender(Settings { deadline: SHORT, ..open() });
    assert!(sender.send(to(receiver.url())).await.delivered());
    let attempted = sender.send(to(receiver.url())).await;
    assert_eq!((attempted.error, attempted.address), (Some(AttemptError::Timeout), Some(receiver.address.ip())));
    assert_eq!(receiver.accepted(), 1);
    receiver.ended(1).await;
}

#[tokio::test]
async fn many_at_once() {
    let receiver = Receiver::saying(OK).await;
    let sender = sender(open());
    let sends: Vec<_> = (0..50)
        .map(|_| {
            let (sender, request) = (sender.clone(), to(receiver.url()));
            tokio::spawn(async move { sender.send(request).await })
        })
        .collect();
    for send in sends {
        let attempted = send.await.unwrap();
        assert_eq!((attempted.error, attempted.address), (None, Some(receiver.address.ip())));
    }
    assert_eq!(receiver.requests().len(), 50);
}

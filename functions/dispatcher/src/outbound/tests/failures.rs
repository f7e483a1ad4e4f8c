//! Every kind of failure.

use tokio::net::TcpListener;

use super::receiver::{OK, Wire, certified};
use super::*;

#[tokio::test]
async fn a_status_that_is_no_2xx() {
    for (status, wanted) in [
        (300, AttemptError::Redirect),
        (399, AttemptError::Redirect),
        (400, AttemptError::Http),
        (404, AttemptError::Http),
        (410, AttemptError::Http),
        (500, AttemptError::Http),
        (599, AttemptError::Http),
        (999, AttemptError::Http),
    ] {
        let answer = format!("HTTP/1.1 {status} X\r\ncontent-length: 4\r\n\r\nwhy?");
        let attempted = post(open(), Receiver::saying(answer).await.url()).await;
        let seen = (attempted.status, attempted.error, attempted.response.as_deref());
        assert_eq!(seen, (Some(status), Some(wanted), Some("why?")));
    }
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let elsewhere = Receiver::saying(OK).await;
    for status in [301, 302, 303, 304, 307, 308] {
        let location = elsewhere.url();
        let answer = format!("HTTP/1.1 {status} X\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n");
        let receiver = Receiver::saying(answer).await;
        let attempted = post(open(), receiver.url()).await;
        assert_eq!((attempted.status, attempted.error), (Some(status), Some(AttemptError::Redirect)));
        assert_eq!(receiver.requests().len(), 1);
    }
    assert_eq!(elsewhere.accepted(), 0);
}

/// 101 is an answer, and none that says yes.
#[tokio::test]
async fn a_switch_of_protocols() {
    let answer = "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n";
    let attempted = post(open(), Receiver::saying(answer).await.url()).await;
    assert!(attempted.error == Some(AttemptError::Http) && !attempted.delivered(), "{attempted:?}");
}

#[tokio::test]
async fn nobody_listens() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let attempted = post(open(), format!("http://{address}/")).await;
    let seen = (attempted.status, attempted.error, attempted.address, attempted.response);
    assert_eq!(seen, (None, Some(AttemptError::Connect), Some(address.ip()), None));
    assert!(attempted.cause.is_some());
}

#[tokio::test]
async fn names_without_an_address() {
    let none = Settings { resolver: Answers::new(&[&[]]), ..open() };
    let attempted = post(none, "http://nobody.example/").await;
    assert_eq!((attempted.error, attempted.address), (Some(AttemptError::Dns), None));

    struct Fails;
    impl Resolve for Fails {
        fn resolve(&self, name: String) -> Resolving {
            Box::pin(async move { Err(std::io::Error::other(format!("{name} is not known"))) })
        }
    }
    let attempted = post(Settings { resolver: Arc::new(Fails), ..open() }, "http://nobody.example/").await;
    assert_eq!(
        (attempted.error, attempted.cause.as_deref()),
        (Some(AttemptError::Dns), Some("nobody.example is not known"))
    );
}

#[tokio::test]
async fn what_is_no_http() {
    for answer in ["SSH-2.0-OpenSSH_9.6\r\n\r\n", "HTTP/2.0 200 OK\r\n\r\n", "{}\r\n\r\n", "HTTP/1.1 2 OK\r\n\r\n"] {
        let attempted = post(open(), Receiver::saying(answer).await.url()).await;
        let seen = (attempted.status, attempted.error, attempted.address);
        assert_eq!(seen, (None, Some(AttemptError::Http), Some("127.0.0.1".parse().unwrap())), "{answer:?}");
    }
}

async fn tls_failure(settings: Settings, url: String) {
    let attempted = post(settings, url.clone()).await;
    let seen = (attempted.status, attempted.error, attempted.address);
    assert_eq!(seen, (None, Some(AttemptError::Tls), Some("127.0.0.1".parse().unwrap())), "{url} {attempted:?}");
}

#[tokio::test]
async fn certificates_and_handshakes() {
    let (tls, roots) = certified();
    let serve = |mut wire: Wire| async move { while wire.request().await.is_some() && wire.write(OK).await {} };
    let receiver = Receiver::listen(Some(tls), serve).await;
    let port = receiver.port();
    // Nobody vouches for it; it is another's; it speaks no TLS; it hangs up; it takes itself for an HTTP/1.1 client's.
    tls_failure(open(), format!("https://localhost:{port}/")).await;
    let resolver = Answers::new(&[&["127.0.0.1"]]);
    tls_failure(Settings { roots, resolver, ..open() }, format!("https://other.example:{port}/")).await;
    let plain = Receiver::start(|mut wire: Wire| async move {
        wire.write("HTTP/1.1 400 Bad Request\r\n\r\n").await;
    });
    tls_failure(open(), format!("https://127.0.0.1:{}/", plain.await.port())).await;
    let silent = Receiver::start(|wire: Wire| wire.close()).await;
    tls_failure(open(), format!("https://127.0.0.1:{}/", silent.port())).await;
    assert!(receiver.requests().is_empty());
}

/// One deadline for all of it, whatever it is that takes so long.
#[tokio::test]
async fn the_deadline_spans_everything() {
    async fn assert_late(settings: Settings, url: String) {
        let attempted = post(Settings { deadline: SHORT, ..settings }, url).await;
        assert_eq!((attempted.status, attempted.error), (None, Some(AttemptError::Timeout)), "{attempted:?}");
        assert!(attempted.duration >= SHORT && attempted.duration < SHORT * 10, "{attempted:?}");
    }
    let head = Receiver::start(|wire: Wire| wire.drips("HTTP/1.1 200 OK\r\n", "x: y\r\n")).await;
    assert_late(open(), head.url()).await;
    let hints = Receiver::start(|wire: Wire| wire.drips("", "HTTP/1.1 103 Early Hints\r\n\r\n")).await;
    assert_late(open(), hints.url()).await;
    let nothing = Receiver::start(|mut wire: Wire| async move { wire.gone().await }).await;
    assert_late(open(), nothing.url()).await;
    let no_handshake = Receiver::start(|mut wire: Wire| async move { wire.gone().await }).await;
    assert_late(open(), format!("https://127.0.0.1:{}/", no_handshake.port())).await;

    struct Never;
    impl Resolve for Never {
        fn resolve(&self, _: String) -> Resolving {
            Box::pin(std::future::pending())
        }
    }
    assert_late(Settings { resolver: Arc::new(Never), ..open() }, "http://slow.example/".to_owned()).await;
    // What was given up is let go of.
    for receiver in [&head, &hints, &nothing, &no_handshake] {
        receiver.ended(1).await;
    }
}

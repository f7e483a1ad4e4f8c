//! What goes out, and what is taken in.

use std::process::Command;

use http::HeaderValue;
use proptest::prelude::*;

use super::receiver::{OK, Wire, certified};
use super::*;

#[tokio::test]
async fn a_post_as_it_stands_on_the_wire() {
    let receiver = Receiver::saying(OK).await;
    let mut request = to(format!("{}?a=%20b", receiver.url()));
    let headers = [
        ("webhook-id", "evt_1"),
        ("authorization", "Bearer theirs"),
        // None of these is the caller's to say.
        ("host", "elsewhere.example"),
        ("content-length", "99"),
        ("transfer-encoding", "chunked"),
        ("connection", "upgrade"),
        ("upgrade", "h2c"),
        ("expect", "100-continue"),
        ("accept-encoding", "gzip"),
    ];
    for (name, value) in headers {
        request.headers.insert(name, HeaderValue::from_static(value));
    }
    let attempted = sender(open()).send(request).await;

    assert!(attempted.delivered());
    assert_eq!((attempted.status, attempted.response.as_deref()), (Some(200), Some("ok")));
    assert_eq!((attempted.address, attempted.cause), (Some(receiver.address.ip()), None));
    assert!(attempted.duration > Duration::ZERO && attempted.duration < LONG);
    let wanted = format!(
        "POST /hook?a=%20b HTTP/1.1\r\nwebhook-id: evt_1\r\nauthorization: Bearer theirs\r\nhost: {}\r\n\
         content-length: 2\r\n\r\n{{}}",
        receiver.address
    );
    assert_eq!(receiver.requests(), [wanted]);
}

#[tokio::test]
async fn every_2xx_is_delivered() {
    for status in [200, 201, 202, 204, 226, 299] {
        let receiver = Receiver::saying(format!("HTTP/1.1 {status} X\r\ncontent-length: 0\r\n\r\n")).await;
        let attempted = post(open(), receiver.url()).await;
        assert_eq!((attempted.status, attempted.error), (Some(status), None));
    }
}

#[tokio::test]
async fn by_tls_to_a_name_and_to_an_address() {
    let (tls, roots) = certified();
    let script = |mut wire: Wire| async move { while wire.request().await.is_some() && wire.write(OK).await {} };
    let receiver = Receiver::listen(Some(tls), script).await;
    let sender = sender(Settings { roots, ..open() });
    for host in ["localhost", "127.0.0.1"] {
        let attempted = sender.send(to(format!("https://{host}:{}/", receiver.port()))).await;
        assert!(attempted.delivered(), "{host}: {attempted:?}");
        assert_eq!(attempted.address, Some(receiver.address.ip()));
    }
}

#[tokio::test]
async fn four_kib_are_kept_and_no_more_than_64_read() {
    // It writes until nobody reads: the connection has to be dropped for the script to end.
    let endless = |mut wire: Wire| async move {
        wire.request().await;
        wire.write("HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n").await;
        while wire.write([b'a'; 16 * 1024]).await {}
    };
    let receiver = Receiver::start(endless).await;
    let sender = sender(open());
    let attempted = sender.send(to(receiver.url())).await;
    assert!(attempted.delivered(), "{attempted:?}");
    assert_eq!(attempted.response, Some("a".repeat(4096)));
    receiver.ended(1).await;
}

#[tokio::test]
async fn a_body_below_the_bound_keeps_its_connection() {
    let body = "ü".repeat(30 * 1024);
    let receiver = Receiver::saying(format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len())).await;
    let sender = sender(open());
    for _ in 0..3 {
        let attempted = sender.send(to(receiver.url())).await;
        assert_eq!((attempted.error, attempted.response), (None, Some("ü".repeat(2048))));
    }
    assert_eq!(receiver.accepted(), 1);
}

#[tokio::test]
async fn bodies_of_every_sort() {
    for (answer, wanted) in [
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n1;x=y\r\nc\r\n0\r\nx: y\r\n\r\n", "abc"),
        ("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\na\0b\0c", "abc"),
        ("HTTP/1.1 200 OK\r\ncontent-length: 3\r\ncontent-encoding: gzip\r\n\r\n\x1f\x08a", "\x1f\x08a"),
        ("HTTP/1.1 204 No Content\r\n\r\n", ""),
        (
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\na",
            "a",
        ),
    ] {
        let receiver = Receiver::saying(answer).await;
        let attempted = post(open(), receiver.url()).await;
        assert_eq!((attempted.error, attempted.response.as_deref()), (None, Some(wanted)), "{answer:?}");
    }
    let receiver = Receiver::saying(b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\na\xff\xfe").await;
    assert_eq!(post(open(), receiver.url()).await.response.as_deref(), Some("a\u{fffd}\u{fffd}"));
}

/// What ends with the connection: by its length, by its end, and before its end. The head has said 200 in all of them.
#[tokio::test]
async fn a_body_that_breaks_off_after_the_head_is_delivered() {
    for head in ["HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.0 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n"]
    {
        let receiver = Receiver::start(move |wire: Wire| wire.ends_after(format!("{head}part"))).await;
        let attempted = post(open(), receiver.url()).await;
        let seen = (attempted.status, attempted.error, attempted.response.as_deref());
        assert_eq!(seen, (Some(200), None, Some("part")), "{head:?}");
    }
}

#[tokio::test]
async fn a_busy_receiver_says_when() {
    for (status, wanted) in [(429, Some(7)), (503, Some(7)), (500, None)] {
        let answer = format!("HTTP/1.1 {status} X\r\nretry-after: 7\r\ncontent-length: 0\r\n\r\n");
        let attempted = post(open(), Receiver::saying(answer).await.url()).await;
        assert_eq!(attempted.retry_after, wanted.map(Duration::from_secs));
        assert_eq!((attempted.status, attempted.error), (Some(status), Some(AttemptError::Http)));
    }
}

/// The environment belongs to a process, so that the test above runs in one of its own, where every proxy is set.
#[test]
fn proxies_of_the_environment_are_ignored() {
    let proxy = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    proxy.set_nonblocking(true).unwrap();
    let url = format!("http://{}", proxy.local_addr().unwrap());
    let mut test = Command::new(std::env::current_exe().unwrap());
    test.args(["--exact", "outbound::tests::wire::a_post_as_it_stands_on_the_wire"]);
    for name in ["http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
        test.env(name, &url);
    }
    let output = test.env_remove("NO_PROXY").env_remove("no_proxy").output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
    assert_eq!(proxy.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2048, failure_persistence: None, ..ProptestConfig::default() })]

    /// Two parsers read a URL, one to check it and one to dial it: whatever the first lets through, the second reads
    /// as the same place.
    #[test]
    fn what_is_checked_is_what_hyper_reads(
        host in prop_oneof!["[a-z0-9_-]{1,9}(\\.[a-z][a-z0-9]{1,3}){0,2}", Just("[::1]".to_owned()), Just("8.8.8.8".to_owned())],
        port in prop_oneof![Just(String::new()), (1..=u16::MAX).prop_map(|port| format!(":{port}"))],
        rest in "(/[!-~]{0,12}){0,3}(\\?[!-~]{0,12})?",
    ) {
        if let Ok(target) = Rules::open().check(&format!("http://{host}{port}{rest}")) {
            prop_assert!(uri_of(&target).is_some(), "{}", target.as_str());
        }
    }
}

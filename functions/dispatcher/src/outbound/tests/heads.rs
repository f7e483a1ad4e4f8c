//! Heads as receivers write them, over raw sockets: what the head says is the verdict, whatever else is odd.

use tokio::net::TcpStream;

use super::receiver::{OK, Wire};
use super::*;

fn many(count: usize) -> String {
    (0..count).map(|n| format!("x-{n}: {n}\r\n")).collect()
}

/// What a receiver says, and whether it has taken the delivery.
fn table() -> Vec<(&'static str, Vec<u8>, Option<AttemptError>)> {
    const DELIVERED: Option<AttemptError> = None;
    const HTTP: Option<AttemptError> = Some(AttemptError::Http);
    let with = |field: &str| format!("HTTP/1.1 200 OK\r\n{field}\r\ncontent-length: 2\r\n\r\nok").into_bytes();
    let raw = |text: &str| text.as_bytes().to_vec();
    vec![
        ("a folded value", with("x: a\r\n b\r\n\tc"), DELIVERED),
        ("a folded length", raw("HTTP/1.1 200 OK\r\ncontent-length:\r\n 2\r\n\r\nok"), DELIVERED),
        ("a first line that is folded", with(" folded"), DELIVERED),
        ("a folded line of blanks", with("x: a\r\n "), DELIVERED),
        ("a blank before the colon", with("x : a"), DELIVERED),
        ("a tab before the colon", with("x\t: a"), DELIVERED),
        ("a blank in a name", with("x y: a"), DELIVERED),
        ("no colon", with("nonsense"), DELIVERED),
        ("no name", with(": a"), DELIVERED),
        ("no value", with("x:"), DELIVERED),
        ("a name that is no token", with("x(y)@\"z\": a"), DELIVERED),
        ("a name of other letters", with("größe: a"), DELIVERED),
        ("a value of other letters", with("x: größe"), DELIVERED),
        ("a value that is no UTF-8", [&b"HTTP/1.1 200 OK\r\nx: \xff\xfe\r\n\r\n"[..]].concat(), DELIVERED),
        ("a name that is no UTF-8", [&b"HTTP/1.1 200 OK\r\n\xff: x\r\n\r\n"[..]].concat(), DELIVERED),
        ("NUL in a value", with("x: a\0b"), DELIVERED),
        ("control characters", with("x\x01: \x02\x7f"), DELIVERED),
        ("CR in a value", with("x: a\rb"), DELIVERED),
        ("120 headers", with(many(120).trim_end()), DELIVERED),
        ("3,000 headers", with(many(3000).trim_end()), DELIVERED),
        ("one of 60 KiB", with(&format!("x: {}", "a".repeat(60 * 1024))), DELIVERED),
        ("one of a name of 60 KiB", with(&format!("{}: x", "a".repeat(60 * 1024))), DELIVERED),
        ("the same again and again", with("set-cookie: a=b\r\n".repeat(500).trim_end()), DELIVERED),
        ("lines that end with LF alone", raw("HTTP/1.1 200 OK\ncontent-length: 2\n\nok"), DELIVERED),
        ("empty lines before", raw("\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"), DELIVERED),
        ("no reason", raw("HTTP/1.1 200\r\ncontent-length: 2\r\n\r\nok"), DELIVERED),
        ("no reason but the blank", raw("HTTP/1.1 200 \r\ncontent-length: 2\r\n\r\nok"), DELIVERED),
        ("another reason", raw("HTTP/1.1 200 Größer als gedacht\r\ncontent-length: 2\r\n\r\nok"), DELIVERED),
        ("two blanks before the code", raw("HTTP/1.1  200 OK\r\ncontent-length: 2\r\n\r\nok"), DELIVERED),
        ("HTTP/1.0", raw("HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok"), DELIVERED),
        (
            "HTTP/1.0 in chunks",
            raw("HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"),
            DELIVERED,
        ),
        ("HTTP/1.2", raw("HTTP/1.2 200 OK\r\ncontent-length: 2\r\n\r\nok"), DELIVERED),
        ("a code of nobody's", raw("HTTP/1.1 299 X\r\ncontent-length: 2\r\n\r\nok"), DELIVERED),
        ("204 with a length and a body", raw("HTTP/1.1 204 X\r\ncontent-length: 2\r\n\r\nok"), DELIVERED),
        ("chunks that are none", raw("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n"), DELIVERED),
        (
            "a chunk too large",
            raw("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nffffffffffffffffff\r\n"),
            DELIVERED,
        ),
        ("an unknown coding", raw("HTTP/1.1 200 OK\r\ntransfer-encoding: x\r\n\r\nok"), DELIVERED),
        ("an encoding that is none", with("content-encoding: gzip"), DELIVERED),
        ("less than the length says", raw("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nok"), DELIVERED),
        ("more than the length says", raw("HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nok"), DELIVERED),
        ("lengths that differ", raw("HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nok"), DELIVERED),
        ("a length that is none", raw("HTTP/1.1 200 OK\r\ncontent-length: two\r\n\r\nok"), DELIVERED),
        ("a length below 0", raw("HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\nok"), DELIVERED),
        ("a length beyond all", raw("HTTP/1.1 200 OK\r\ncontent-length: 18446744073709551615\r\n\r\nok"), DELIVERED),
        ("a length and chunks", with("transfer-encoding: chunked"), DELIVERED),
        ("neither length nor end", raw("HTTP/1.1 200 OK\r\n\r\nok"), DELIVERED),
        (
            "100 and 103 before",
            raw("HTTP/1.1 100 X\r\n\r\nHTTP/1.1 103 X\r\nx : y\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"),
            DELIVERED,
        ),
        (
            "50 times 102 before",
            format!("{}HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 102 X\r\n\r\n".repeat(50)).into(),
            DELIVERED,
        ),
        ("a folded 500", raw("HTTP/1.1 500 X\r\nx: a\r\n b\r\n\r\n"), HTTP),
        ("410 after 100", raw("HTTP/1.1 100 X\r\n\r\nHTTP/1.1 410 X\r\n\r\n"), HTTP),
        ("an odd redirect", raw("HTTP/1.1 302\r\nlocation : /x\r\n\r\n"), Some(AttemptError::Redirect)),
        ("a head of 65 KiB", with(&format!("x: {}", "a".repeat(65 * 1024))), DELIVERED),
        ("a head of 1 MiB", with(many(80_000).trim_end()), DELIVERED),
        ("a reason of 65 KiB", raw(&format!("HTTP/1.1 200 {}\r\n\r\n", "a".repeat(65 * 1024))), HTTP),
        ("a head of 65 KiB before", raw(&format!("HTTP/1.1 103 X\r\nx: {}\r\n\r\n{OK}", "a".repeat(65 * 1024))), HTTP),
        (
            "a redirect of 65 KiB",
            raw(&format!("HTTP/1.1 302 X\r\nlocation: /{}\r\n\r\n", "a".repeat(65 * 1024))),
            Some(AttemptError::Redirect),
        ),
        ("a code of four digits", raw("HTTP/1.1 2000 OK\r\n\r\n"), HTTP),
        ("a code of letters", raw("HTTP/1.1 OK 200\r\n\r\n"), HTTP),
        ("no version", raw("HTTP 200 OK\r\n\r\n"), HTTP),
        ("another protocol", raw("ICY 200 OK\r\n\r\n"), HTTP),
        ("HTML alone", raw("<!doctype html><title>200 OK</title>\r\n\r\n"), HTTP),
    ]
}

#[tokio::test]
async fn the_head_is_the_verdict() {
    let settings = || Settings { body: SHORT / 10, ..open() };
    let post_to = |(name, answer, wanted): (&'static str, Vec<u8>, _)| async move {
        let receiver = Receiver::saying(&answer).await;
        let attempted = post(settings(), receiver.url()).await;
        assert_eq!(attempted.error, wanted, "{name}: {attempted:?}");
        assert_eq!(receiver.requests().len(), 1, "{name}");
    };
    futures_util::future::join_all(table().into_iter().map(post_to)).await;
}

/// One byte after the other, so that every cut is made.
#[tokio::test]
async fn heads_in_pieces() {
    for (name, answer, wanted) in table().into_iter().filter(|(_, answer, _)| answer.len() < 200) {
        let script = move |mut wire: Wire| {
            let answer = answer.clone();
            async move {
                wire.request().await;
                for byte in answer {
                    wire.write([byte]).await;
                    tokio::task::yield_now().await;
                }
                wire.close().await;
            }
        };
        let receiver = Receiver::start(script).await;
        let attempted = post(open(), receiver.url()).await;
        assert_eq!(attempted.error, wanted, "{name}: {attempted:?}");
    }
}

/// Oddities that leave no doubt where the answer ends are no reason to dial anew.
#[tokio::test]
async fn an_odd_head_keeps_its_connection() {
    let answer = format!("HTTP/1.1 200\r\nx : a\r\n b\r\nContent-Length : 2\r\n{}\r\nok", many(200));
    let receiver = Receiver::saying(answer).await;
    let sender = sender(open());
    for _ in 0..3 {
        let attempted = sender.send(to(receiver.url())).await;
        assert_eq!((attempted.error, attempted.response.as_deref()), (None, Some("ok")));
    }
    assert_eq!(receiver.accepted(), 1);
}

/// Bodies that never end, in each of their forms: the verdict stands, and the connection is let go of.
#[tokio::test]
async fn a_body_that_never_ends_changes_nothing() {
    for (status, wanted) in [(200, None), (410, Some(AttemptError::Http)), (302, Some(AttemptError::Redirect))] {
        for (field, drop) in
            [("content-length: 99999\r\n", "a"), ("transfer-encoding: chunked\r\n", "1\r\na\r\n"), ("", "a")]
        {
            let head = format!("HTTP/1.1 {status} X\r\n{field}\r\n");
            let receiver = Receiver::start(move |wire: Wire| wire.drips(head.clone(), drop)).await;
            let attempted = post(Settings { body: SHORT, ..open() }, receiver.url()).await;
            assert_eq!((attempted.status, attempted.error), (Some(status), wanted), "{field}");
            receiver.ended(1).await;
        }
    }
}

/// An answer before the request is all there, and then the receiver is gone, stops reading, or reads on.
#[tokio::test]
async fn an_early_answer_is_an_answer() {
    #[derive(Clone, Copy, Debug)]
    enum Then {
        Resets,
        StopsReading,
        ReadsOn,
    }
    // Of the second, more than the sockets' buffers hold.
    let bodies = [Bytes::from_static(b"{}"), Bytes::from(vec![b' '; 32 * 1024 * 1024])];
    let cases = [Then::Resets, Then::StopsReading, Then::ReadsOn]
        .into_iter()
        .flat_map(|then| bodies.iter().map(move |body| (then, body)));
    for (then, body) in cases {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let serve = async {
            let (mut tcp, _): (TcpStream, _) = listener.accept().await.unwrap();
            use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
            tcp.read_exact(&mut [0; 10]).await.unwrap();
            tcp.write_all(OK.as_bytes()).await.unwrap();
            match then {
                // What was not read makes the kernel reset the connection.
                Then::Resets => drop(tcp),
                Then::StopsReading => std::future::pending().await,
                Then::ReadsOn => while tcp.read(&mut [0; 65536]).await.is_ok_and(|read| read > 0) {},
            }
            std::future::pending::<()>().await;
        };
        let sender = sender(open());
        let attempted = tokio::select! {
            attempted = sender.send(Request { body: body.clone(), ..to(url) }) => attempted,
            () = serve => unreachable!(),
        };
        let seen = (attempted.status, attempted.error, attempted.response.as_deref());
        assert_eq!(seen, (Some(200), None, Some("ok")), "{then:?} {}", body.len());
    }
}

/// Who wrote a status line has taken the request or refused it, whatever became of the rest.
#[tokio::test]
async fn a_connection_that_ends_within_the_head() {
    let connect = (None, Some(AttemptError::Connect));
    for (part, wanted) in [
        ("", connect),
        ("\r\n", connect),
        ("HT", connect),
        ("HTTP/1.1 20", connect),
        ("HTTP/1.1 200 OK", connect),
        ("HTTP/1.1 100 Continue\r\n", connect),
        ("HTTP/1.1 100 Continue\r\n\r\n", connect),
        ("SSH-2.0", (None, Some(AttemptError::Http))),
        ("HTTP/1.1 2 OK\r\n", (None, Some(AttemptError::Http))),
        ("HTTP/1.1 200 OK\r\n", (Some(200), None)),
        ("HTTP/1.1 200 OK\r\nx: y\r\n", (Some(200), None)),
        ("HTTP/1.1 200 OK\r\nx : y\r\n z\r\n", (Some(200), None)),
        ("HTTP/1.1 200 OK\r\ncontent-length: 9\r\nx", (Some(200), None)),
        ("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 202 X\r\n", (Some(202), None)),
        ("HTTP/1.1 302 X\r\nlocation: /x\r\n", (Some(302), Some(AttemptError::Redirect))),
        ("HTTP/1.1 410 X\r\n", (Some(410), Some(AttemptError::Http))),
    ] {
        let receiver = Receiver::start(move |wire: Wire| wire.ends_after(part)).await;
        let attempted = post(open(), receiver.url()).await;
        assert_eq!((attempted.status, attempted.error), wanted, "{part:?}");
        assert_eq!(attempted.response.as_deref(), wanted.0.map(|_| ""), "{part:?}");
        assert_eq!(attempted.address, Some(receiver.address.ip()), "{part:?}");
        assert_eq!(receiver.accepted(), 1, "a connection of one's own that breaks off is a failed attempt: {part:?}");
    }
}

/// As much as the sender will take, and then more.
#[tokio::test]
async fn a_head_that_never_ends_has_its_status() {
    let script = |mut wire: Wire| async move {
        wire.request().await;
        wire.write("HTTP/1.1 503 X\r\nretry-after: 7\r\n").await;
        while wire.write("x: y\r\n".repeat(100)).await {}
    };
    let receiver = Receiver::start(script).await;
    let attempted = post(open(), receiver.url()).await;
    let seen = (attempted.status, attempted.error, attempted.retry_after, attempted.response.as_deref());
    assert_eq!(seen, (Some(503), Some(AttemptError::Http), Some(Duration::from_secs(7)), Some("")));
    receiver.ended(1).await;
}

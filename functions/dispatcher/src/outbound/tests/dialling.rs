//! Where it may go.

use auth::target::{Addresses, Ports};
use tower_service::Service as _;

use super::receiver::OK;
use super::*;

/// Nobody's address that the rules take for public: it is dialled, and nothing comes of it.
const NOBODY: &str = "2000::1";

fn public_by(resolver: &Arc<Answers>) -> Settings {
    Settings { resolver: Arc::clone(resolver) as Arc<dyn Resolve>, ..public() }
}

#[tokio::test]
async fn a_url_that_breaks_the_rules_is_not_even_resolved() {
    let resolver = Answers::new(&[&["8.8.8.8"]]);
    let settings =
        || Settings { resolver: Arc::clone(&resolver) as Arc<dyn Resolve>, ..Settings::new(Rules::production()) };
    for url in [
        "http://example.com/",
        "https://example.com:8443/",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://localhost/",
        "https://metadata.google.internal/",
        "https://user@example.com/",
        "https://EXAMPLE.com/",
        "https://2130706433/",
        "nonsense",
    ] {
        let attempted = post(settings(), url).await;
        let seen = (attempted.status, attempted.error, attempted.address);
        assert_eq!(seen, (None, Some(AttemptError::Blocked), None), "{url}");
    }
    assert_eq!(resolver.asked(), 0);
}

#[tokio::test]
async fn a_name_that_leads_inside_is_blocked() {
    let receiver = Receiver::saying(OK).await;
    for address in [
        "127.0.0.1",
        "::1",
        "::ffff:127.0.0.1",
        "::ffff:8.8.8.8",
        "10.0.0.1",
        "169.254.169.254",
        "192.168.0.1",
        "0.0.0.0",
        "fd00:ec2::254",
        "fe80::1",
        "64:ff9b::7f00:1",
        "100.64.0.1",
        "224.0.0.1",
    ] {
        let attempted =
            post(public_by(&Answers::new(&[&[address]])), format!("http://a.example:{}/", receiver.port())).await;
        assert_eq!((attempted.error, attempted.address), (Some(AttemptError::Blocked), None), "{address}");
    }
    assert_eq!(receiver.accepted(), 0);
}

/// A name that led outside when it was looked at, and inside when it is dialled.
#[tokio::test]
async fn rebinding_gains_nothing() {
    let receiver = Receiver::saying(OK).await;
    let resolver = Answers::new(&[&[NOBODY], &["127.0.0.1"]]);
    let sender = sender(public_by(&resolver));
    let url = format!("http://a.example:{}/", receiver.port());
    let first = sender.send(to(url.clone())).await;
    assert_eq!(first.address, Some(NOBODY.parse().unwrap()));
    let second = sender.send(to(url)).await;
    assert_eq!((second.error, second.address), (Some(AttemptError::Blocked), None));
    assert_eq!((receiver.accepted(), resolver.asked()), (0, 2));
}

#[tokio::test]
async fn of_mixed_answers_the_allowed_are_dialled() {
    let receiver = Receiver::saying(OK).await;
    let resolver = Answers::new(&[&["127.0.0.1", NOBODY, "::1", "127.0.0.1"]]);
    let attempted = post(public_by(&resolver), format!("http://a.example:{}/", receiver.port())).await;
    assert!(matches!(attempted.error, Some(AttemptError::Connect | AttemptError::Timeout)), "{attempted:?}");
    assert_eq!((attempted.address, receiver.accepted()), (Some(NOBODY.parse().unwrap()), 0));
}

/// The connector alone, as if nobody had looked at the URL: hyper-util would ask no resolver about these.
#[tokio::test]
async fn the_connector_checks_literals_itself() {
    let receiver = Receiver::saying(OK).await;
    let resolver = Answers::new(&[&["127.0.0.1"]]);
    let settings = public_by(&resolver);
    let mut connector = Connector::new(Rules::production(), settings.resolver, settings.roots).unwrap();
    for host in ["127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "10.0.0.1", "[fe80::1]"] {
        let uri: Uri = format!("http://{host}:{}/", receiver.port()).parse().unwrap();
        let dialling = Arc::new(Dialling::until(Instant::now() + LONG));
        let failure = dial::within(Arc::clone(&dialling), async { connector.call(uri).await }).await.err().unwrap();
        assert_eq!((failure.kind, dialling.last()), (AttemptError::Blocked, None), "{host}");
    }
    assert_eq!((receiver.accepted(), resolver.asked()), (0, 0));
    // Spellings that are no literals to us are names: what they lead to is checked like every other.
    for host in ["2130706433", "0x7f.1", "127.1"] {
        let uri: Uri = format!("http://{host}:{}/", receiver.port()).parse().unwrap();
        let dialling = Arc::new(Dialling::until(Instant::now() + LONG));
        let failure = dial::within(dialling, async { connector.call(uri).await }).await.err().unwrap();
        assert_eq!(failure.kind, AttemptError::Blocked, "{host}");
    }
    assert_eq!((receiver.accepted(), resolver.asked()), (0, 3));
}

#[tokio::test]
async fn the_system_s_resolver_is_checked_too() {
    let receiver = Receiver::saying(OK).await;
    let settings = public();
    let mut connector = Connector::new(settings.rules, settings.resolver, settings.roots).unwrap();
    let uri: Uri = format!("http://localhost:{}/", receiver.port()).parse().unwrap();
    let dialling = Arc::new(Dialling::until(Instant::now() + LONG));
    let failure = dial::within(dialling, async { connector.call(uri).await }).await.err().unwrap();
    assert_eq!((failure.kind, receiver.accepted()), (AttemptError::Blocked, 0));
    assert!(post(open(), format!("http://localhost:{}/", receiver.port())).await.delivered());
}

#[tokio::test]
async fn addresses_are_tried_in_turn() {
    let receiver = Receiver::saying(OK).await;
    let resolver = Answers::new(&[&["::1", "127.0.0.1"]]);
    let attempted = post(Settings { resolver, ..open() }, format!("http://a.example:{}/", receiver.port())).await;
    assert_eq!((attempted.error, attempted.address), (None, Some(receiver.address.ip())));

    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let resolver = Answers::new(&[&["::1", "127.0.0.1"]]);
    let attempted = post(Settings { resolver, ..open() }, format!("http://a.example:{port}/")).await;
    let seen = (attempted.error, attempted.address);
    assert_eq!(seen, (Some(AttemptError::Connect), Some(receiver.address.ip())), "the last that was tried");
}

#[tokio::test]
async fn a_deployment_s_own_ports() {
    let receiver = Receiver::saying(OK).await;
    let rules = |port| Rules { http: true, ports: Ports::Only(vec![port]), addresses: Addresses::Any };
    let settings = |port| Settings { deadline: LONG, ..Settings::new(rules(port)) };
    assert!(post(settings(receiver.port()), receiver.url()).await.delivered());
    assert_eq!(post(settings(1), receiver.url()).await.error, Some(AttemptError::Blocked));
}

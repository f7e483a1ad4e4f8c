//! The parsers by themselves.

use auth::target::Rules;
use auth::{ApiKeySecret, MailedToken, Secret, SessionToken, StripeSignature, WebhookSecret};
use contract::Time;
use contract::names::Email;
use contract::permission::KeyType;
use proptest::prelude::any;
use proptest::sample::Index;
use serde::de::IgnoredAny;
use signature::{Key, Verifier};

use crate::mutations::{each, near};

const TIMES: u32 = 16;

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What is taken is JSON to others too, means the same to them, and is read again as it is written.
#[test]
fn json_bodies() {
    let samples = &[
        r#"{"key":"product","name":"Łódź","indexes":["createdAt"],"description":null}"#,
        r#"{"label":"A","schema":{"type":"number","validation":{"min":-1.5e3,"max":9007199254740992,"integer":true}}}"#,
        r#"[[[[{"a":{"b":[1,2.0,true,"\u00e9\ud83d\ude00"]}}]]]]"#,
        "\u{feff}{\"a\":\"\"}",
    ];
    each(TIMES, &near(samples), |bytes| {
        let Ok(read) = contract::json::parse(&bytes) else { return };
        let others = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&bytes);
        serde_json::from_slice::<IgnoredAny>(others).expect("JSON");
        let written = serde_json::to_vec(read.peek()).expect("a text");
        let again = contract::json::parse(&written).expect("what was written is read");
        assert_eq!(shape(again.peek()), shape(read.peek()));
        if let Ok(other) = serde_json::from_slice::<serde_json::Value>(others) {
            assert_eq!(shape(&other), shape(read.peek()));
        }
    });
}

/// A value without its numbers: what a double does not hold as it is written is refused later, with its path.
fn shape(value: &serde_json::Value) -> serde_json::Value {
    match value {
        serde_json::Value::Number(_) => 0.into(),
        serde_json::Value::Array(elements) => elements.iter().map(shape).collect(),
        serde_json::Value::Object(members) => {
            members.iter().map(|(name, value)| (name.clone(), shape(value))).collect()
        }
        other => other.clone(),
    }
}

/// What production takes is on the public internet, and every parser takes it for the same place.
#[test]
fn webhook_urls() {
    let samples = &[
        "https://example.com/hooks/values?a=b&c=%20",
        "https://hooks.example.co.uk:443/",
        "https://[2606:4700::1111]/x",
        "https://93.184.216.34/",
        "https://xn--bcher-kva.example/ü",
    ];
    let rules = Rules::production();
    each(TIMES, &near(samples), |bytes| {
        let Ok(target) = rules.check(&text(&bytes)) else { return };
        assert!(target.is_https() && target.port() == 443 && target.address().is_none_or(auth::target::is_public));
        let other: hyper::Uri = target.as_str().parse().expect("a URL to the client that dials, too");
        assert_eq!((other.scheme_str(), other.host()), (Some("https"), Some(target.host())));
    });
}

/// Nothing that is not the signature itself verifies.
#[test]
fn signatures() {
    const BODY: &[u8] = br#"{"event":"test.ping","eventId":"evt_00000000000000000000000000000001"}"#;
    let key = || Key::parse("whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=").expect("a key");
    let right = signature::standard([&key()], "evt_1", 1_700_000_000, BODY);
    let in_hex = signature::body(&key(), signature::Format::Sha256Hex, BODY);
    let samples = &[&*right, &*in_hex, "v1,AAAA v1a,BBBB v1,CCCC"];
    each(TIMES, &near(samples), |bytes| {
        let sent = text(&bytes);
        let standard = [("webhook-id", "evt_1"), ("webhook-timestamp", "1700000000"), ("webhook-signature", &sent)];
        let at = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_700_000_000);
        let verified = Verifier::standard(key()).verify_at(standard, BODY, at);
        assert!(verified.is_err() || sent.split(' ').any(|one| one == right), "{sent}");
        let verified = Verifier::body(key()).verify([("X-Hedgerow-Signature", &*sent)], BODY);
        assert!(verified.is_err() || sent.trim().eq_ignore_ascii_case(&in_hex), "{sent}");
    });
}

/// A credential is read as it was made, or not at all.
#[test]
fn credentials() {
    let (key, mailed) = (ApiKeySecret::generate(KeyType::Management), MailedToken::generate());
    let (key, mailed) = (key.reveal(), mailed.reveal());
    let samples = &[
        key,
        "__Host-hedgerow_session=usr_00000000000000000000000000000007.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA; a=b",
        &*mailed,
        "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
    ];
    each(TIMES, &near(samples), |bytes| {
        let sent = text(&bytes);
        if let Some(key) = ApiKeySecret::parse(&sent) {
            assert_eq!(key.reveal(), sent);
        }
        if let Some(session) = SessionToken::from_cookies(&sent) {
            let again = session.set_cookie();
            let pair = again.split(';').next().expect("a pair");
            assert!(sent.contains(pair), "{sent}");
        }
        if let Some(token) = MailedToken::parse(&sent) {
            assert_eq!(token.reveal(), sent);
        }
        if let Ok(secret) = sent.parse::<WebhookSecret>() {
            assert!(secret.key().is_ok_and(|key| key.len() >= 32), "{sent}");
        }
        assert_eq!(auth::mask(&auth::mask(&sent)), auth::mask(&sent));
    });
    // Of a right key, every other one is told by its check digits.
    let right = ApiKeySecret::generate(KeyType::Management);
    each(TIMES, &any::<(Index, u8)>(), |(at, byte)| {
        let mut bytes = right.reveal().as_bytes().to_vec();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let sent = text(&bytes);
        assert_eq!(ApiKeySecret::parse(&sent).is_some(), sent == right.reveal());
    });
}

/// An address in its normal form is in its normal form, and is one in ASCII or none.
#[test]
fn e_mail_addresses() {
    let samples = &["ada@example.com", "josé+a@bücher.example", "संपर्क@डाटामेल.भारत", "o'neil@x-y.de"];
    each(TIMES, &near(samples), |bytes| {
        let Ok(address) = text(&bytes).parse::<Email>() else { return };
        assert_eq!(address.as_str().parse::<Email>().as_ref(), Ok(&address));
        assert!(!address.as_str().contains(['<', '>', '"', ',', '\r', '\n', ' ']));
        assert!(address.in_ascii().is_none_or(|ascii| ascii.as_str().bytes().all(|b| b.is_ascii_graphic())));
    });
}

/// What is read of the payment service's header is signed by nobody, however near to a right one it comes.
#[test]
fn stripe_signatures() {
    let (secret, at) = (Secret::new("whsec_sample".to_owned()), Time::from_millis(1_767_225_600_000));
    let right = StripeSignature::header(b"{}", &secret, at);
    each(TIMES, &near(&[&right, "t=1767225600,v1=00,v0=00"]), |bytes| {
        let header = text(&bytes);
        let Some(read) = StripeSignature::parse(&header) else { return };
        assert!(header.contains("v1="), "{header}");
        if read.is_of(b"{}", &secret, at) {
            // The time is signed as it stands, and one of the signatures is the right one.
            let (time, signature) = right.split_once(',').expect("two parts");
            assert!(header.contains(time) && header.to_ascii_lowercase().contains(signature), "{header}");
        }
        assert!(!read.is_of(b"{} ", &secret, at), "{header}");
    });
}

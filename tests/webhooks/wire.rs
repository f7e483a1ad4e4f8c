//! What a delivery looks like on the wire.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hedgerow_tests::app::values;
use hedgerow_tests::receiver::{Arrived, Receiver};
use serde_json::{Value, json};
use signature::{Format, Key, Verifier};

use crate::world::{SOON, World};

/// Headers as the signature crate takes them.
pub(super) fn pairs(arrived: &Arrived) -> Vec<(&str, &[u8])> {
    arrived.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect()
}

#[tokio::test]
async fn the_headers_are_those_of_the_contract() {
    let world = World::start(&[SOON]).await;
    world.product().await;
    let receiver = Receiver::start();
    let hook = world.hook_with(json!({ "url": receiver.at("/a/b?c=d%20e&f"), "events": ["*"] })).await;
    let save = world.key().post(&values("t1", "product", "sku-1")).header("x-request-id", "my.request-1");
    save.json(&json!({ "title": "Größe \u{1f333} \u{7} </script>" })).await.expect(200);
    let arrived = receiver.wait(1).await.remove(0);

    let mut names: Vec<&str> = arrived.headers.keys().map(|name| name.as_str()).collect();
    names.sort_unstable();
    let wanted = [
        "content-length",
        "content-type",
        "host",
        "user-agent",
        "webhook-id",
        "webhook-signature",
        "webhook-timestamp",
        "x-hedgerow-event",
        "x-hedgerow-signature",
        "x-request-id",
    ];
    assert_eq!(names, wanted);
    assert_eq!(arrived.path, "/a/b?c=d%20e&f");
    assert_eq!(arrived.header("content-type"), "application/json");
    assert_eq!(arrived.header("content-length"), arrived.body.len().to_string());
    assert_eq!(arrived.header("user-agent"), format!("Hedgerow-Webhooks/{}", env!("CARGO_PKG_VERSION")));
    assert_eq!(arrived.header("x-hedgerow-event"), "field_value.saved");
    assert_eq!(arrived.header("x-request-id"), "my.request-1");
    assert_eq!(arrived.header("webhook-id"), arrived.json()["eventId"]);
    let seconds: i64 = arrived.header("webhook-timestamp").parse().unwrap();
    assert!((seconds - world.now() / 1000).abs() < 60);

    hook.verify(&arrived);
    assert!(hook.secret.starts_with("whsec_") && hook.secret.len() == 50);
    let key = Key::parse(&hook.secret).unwrap();
    assert_eq!(key.len(), 32);
    let id = arrived.header("webhook-id");
    assert_eq!(arrived.header("webhook-signature"), signature::standard([&key], id, seconds, &arrived.body));
    let wanted = signature::body(&key, Format::Sha256Hex, &arrived.body);
    assert_eq!(arrived.header("x-hedgerow-signature"), wanted);
    for verifier in [Verifier::standard(key.clone()), Verifier::body(key)] {
        let envelope = verifier.tolerance(Duration::from_secs(300)).verify(pairs(&arrived), &arrived.body).unwrap();
        assert_eq!(envelope.event, "field_value.saved");
    }
    let mut forged = arrived.body.to_vec();
    let last = forged.len() - 3;
    forged[last] ^= 1;
    let webhook = standardwebhooks::Webhook::new(&hook.secret).unwrap();
    assert!(webhook.verify(&forged, &arrived.headers).is_err());
    let again: Value = arrived.json();
    assert!(webhook.verify(serde_json::to_string_pretty(&again).unwrap().as_bytes(), &arrived.headers).is_err());
}

#[tokio::test]
async fn the_time_and_its_signature_are_new_at_each_attempt_and_all_else_is_not() {
    let world = World::start(&[Duration::from_secs(600)]).await;
    let receiver =
        Receiver::answering(|one| hedgerow_tests::receiver::Reply::status(if one.number == 0 { 500 } else { 200 }));
    let hook = world.hook(&receiver).await;
    let delivery = hook.ping().await;
    hook.stands(&delivery, "retrying").await;
    world.app.advance(Duration::from_secs(700));
    hook.stands(&delivery, "delivered").await;
    let arrived = receiver.arrived();
    let [first, second] = arrived.as_slice() else { panic!("{arrived:?}") };
    assert_eq!(first.body, second.body);
    for name in ["webhook-id", "x-request-id", "x-hedgerow-event", "x-hedgerow-signature"] {
        assert_eq!(first.header(name), second.header(name));
    }
    let seconds = |one: &Arrived| one.header("webhook-timestamp").parse::<u64>().unwrap();
    assert!(seconds(second) - seconds(first) >= 600);
    assert_ne!(first.header("webhook-signature"), second.header("webhook-signature"));
    let verifier = Verifier::standard(Key::parse(&hook.secret).unwrap()).tolerance(Duration::from_secs(5));
    for one in [first, second] {
        let then = UNIX_EPOCH + Duration::from_secs(seconds(one));
        verifier.verify_at(pairs(one), &one.body, then).unwrap();
    }
    assert!(verifier.verify_at(pairs(second), &second.body, SystemTime::now()).is_err());
}

#[tokio::test]
async fn receivers_of_other_products_find_their_header_and_the_secrets_text() {
    let world = World::start(&[SOON]).await;
    for (name, format, written) in
        [("X-Kopra-Signature", Format::Hex, "hex"), ("X-Krios-Signature", Format::Sha256Hex, "sha256=hex")]
    {
        let receiver = Receiver::start();
        let header = json!({ "name": name, "format": written });
        let body = json!({ "url": receiver.url(), "events": ["*"], "signatureHeader": header });
        let mut hook = world.hook_with(body).await;
        assert_eq!(hook.made["signatureHeader"], header);
        assert!(hook.secret.len() == 43 && !hook.secret.starts_with("whsec_"));
        assert!(hook.secret.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b)));
        hook.ping().await;
        let arrived = receiver.wait(1).await.remove(0);
        assert!(!arrived.headers.contains_key("x-hedgerow-signature"));
        let key = Key::from_bytes(hook.secret.as_bytes()).unwrap();
        let signed = arrived.header(name);
        assert_eq!(signed, signature::body(&key, format, &arrived.body));
        assert_eq!(signed.len(), if written == "hex" { 64 } else { 71 });
        Verifier::renamed(name, format, key.clone()).verify(pairs(&arrived), &arrived.body).unwrap();
        Verifier::standard(key.clone()).verify(pairs(&arrived), &arrived.body).unwrap();
        let webhook = standardwebhooks::Webhook::from_bytes(hook.secret.clone().into_bytes()).unwrap();
        webhook.verify(&arrived.body, &arrived.headers).unwrap();

        let old = hook.rotate(60).await;
        assert!(hook.secret.len() == 43 && hook.secret != old);
        hook.ping().await;
        let arrived = receiver.wait(2).await.remove(1);
        assert_eq!(arrived.header(name), signature::body(&key, format, &arrived.body));
        let new = Key::from_bytes(hook.secret.as_bytes()).unwrap();
        assert_eq!(arrived.header(&format!("{name}-New")), signature::body(&new, format, &arrived.body));
        assert!(!arrived.headers.contains_key("x-hedgerow-signature-new"));
    }
}

#[tokio::test]
async fn a_secret_that_the_caller_brings_signs() {
    let world = World::start(&[SOON]).await;
    let receiver = Receiver::start();
    let bytes: &[u8] = b"0123456789abcdef0123456789abcdef";
    let text = "any text of at least 32 bytes: äöü";
    for (secret, key) in [("whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=", bytes), (text, text.as_bytes())] {
        let hook = world.hook_with(json!({ "url": receiver.url(), "events": ["*"], "secret": secret })).await;
        assert_eq!(hook.secret, secret);
        let before = receiver.count();
        hook.ping().await;
        let arrived = receiver.wait(before + 1).await.remove(before);
        let key = Key::from_bytes(key).unwrap();
        Verifier::standard(key.clone()).verify(pairs(&arrived), &arrived.body).unwrap();
        assert_eq!(arrived.header("x-hedgerow-signature"), signature::body(&key, Format::Sha256Hex, &arrived.body));
    }
    for short in ["whsec_c2hvcnQ=", "thirty-one characters of secret", "whsec_not base64 but long enough, is it not"] {
        let body = json!({ "url": receiver.url(), "events": ["*"], "secret": short });
        world.key().post("/api/v1/webhooks").json(&body).await.fails(422, "validation_failed");
    }
}

#[tokio::test]
async fn chosen_headers_are_sent_and_ours_stay_ours() {
    let world = World::start(&[SOON]).await;
    let receiver = Receiver::start();
    let headers = json!({ "Authorization": "Bearer abc", "X-Team": "hedge", "accept": "text/x", "X-Empty": "" });
    let hook = world.hook_with(json!({ "url": receiver.url(), "events": ["*"], "headers": headers })).await;
    hook.ping().await;
    let arrived = receiver.wait(1).await.remove(0);
    for (name, value) in headers.as_object().unwrap() {
        assert_eq!(arrived.header(name), value.as_str().unwrap());
    }
    hook.verify(&arrived);
    let refused = [
        "webhook-id",
        "Webhook-Signature",
        "X-Hedgerow-Signature",
        "x-hedgerow-event",
        "X-Request-Id",
        "User-Agent",
        "Content-Type",
        "Host",
        "Content-Length",
        "Transfer-Encoding",
        "Connection",
    ];
    for name in refused {
        let change = json!({ "headers": { name: "x" } });
        world.key().patch(&hook.path()).json(&change).await.wrong(&[&format!("headers.{name}")]);
    }
    // What is answered may be sent back: `null` keeps a value, and what is left out goes.
    let mut shown = hook.get().await["headers"].clone();
    assert_eq!(shown, json!({ "Authorization": null, "X-Team": null, "accept": null, "X-Empty": null }));
    shown["X-Team"] = json!("other");
    shown.as_object_mut().unwrap().remove("accept");
    hook.patch(json!({ "headers": shown })).await;
    hook.ping().await;
    let arrived = receiver.wait(2).await.remove(1);
    assert_eq!((arrived.header("authorization"), arrived.header("x-team")), ("Bearer abc", "other"));
    assert!(arrived.headers.contains_key("x-empty") && !arrived.headers.contains_key("accept"));
    // A name that was free may become the signature's, but not while it is chosen.
    hook.patch(json!({ "headers": { "X-Kopra-Signature": "mine" } })).await;
    let taken = json!({ "signatureHeader": { "name": "x-kopra-signature", "format": "hex" } });
    world.key().patch(&hook.path()).json(&taken).await.fails(422, "validation_failed");
    hook.patch(json!({ "headers": {} })).await;
    hook.patch(taken).await;
    hook.ping().await;
    let arrived = receiver.wait(3).await.remove(2);
    assert_eq!(arrived.header("x-kopra-signature").len(), 64);
    assert!(!arrived.headers.contains_key("authorization"));
    hook.verify(&arrived);
}

/// Values are kept by the identifiers of fields, and announced by their keys, which may be twice as long, and once more
/// as what has changed.
#[tokio::test]
async fn the_largest_values_arrive_whole() {
    const FIELDS: usize = 200;
    let world = World::start(&[SOON; 5]).await;
    let group = world.key().group("product").await;
    let key = |number: usize| format!("k{number:063}");
    for number in 0..FIELDS {
        world.key().global(&key(number), json!({ "type": "string" }), &[&group]).await;
    }
    let receiver = Receiver::start();
    let hook = world.hook_with(json!({ "url": receiver.url(), "events": ["field_value.saved"] })).await;
    let value = "ä".repeat(620);
    let whole: Value = (0..FIELDS).map(|number| (key(number), json!(value))).collect::<serde_json::Map<_, _>>().into();
    let saved = world.key().put(&values("t1", "product", "sku-1")).json(&whole).await.data(200);
    let arrived = receiver.wait(1).await.remove(0);
    assert!(arrived.body.len() > 270_000, "{}", arrived.body.len());
    hook.verify(&arrived);
    let mut data = arrived.json()["data"].clone();
    assert_eq!(data.as_object_mut().unwrap().remove("changed").unwrap().as_array().unwrap().len(), FIELDS);
    assert!(data == saved && data["values"] == whole);
}

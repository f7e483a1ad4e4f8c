//! What other people's implementations make of our signatures, and we of theirs.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hedgerow_signature::{Envelope, Format, Refusal, Verifier, body, header, standard};
use http::{HeaderMap, HeaderValue};
use standardwebhooks::Webhook;

use crate::{BODY, ID, NEW_SECRET, SECRET, TEXT_SECRET, key};

#[test]
fn makes_the_specifications_vector() {
    let key = key("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD");
    let body = br#"{"email":"test@example.com","username":"test_user"}"#;
    let signature = standard([&key], "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk", 1_649_367_553, body);
    assert_eq!(signature, "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=");

    let headers = [
        ("webhook-id", "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk"),
        ("webhook-timestamp", "1649367553"),
        ("webhook-signature", &signature),
    ];
    let refused = Verifier::standard(key).verify(headers, body);
    assert!(matches!(refused, Err(Refusal::NotAnEnvelope(_))), "genuine, but not from us: {refused:?}");
}

// By Python: hmac.new(key, body, hashlib.sha256).hexdigest()
#[test]
fn makes_the_headers_of_other_products() {
    let (kopra, krios) = (key(TEXT_SECRET), key(&"1234567890".repeat(13)));
    assert_eq!((kopra.len(), krios.len()), (43, 130));

    let signature = body(&kopra, Format::Hex, BODY.as_bytes());
    assert_eq!(signature, "ff1925076f5c911e85bc98f4e12d3d8ca08a926a5f07b9c2ac509dfbdb8d895f");
    let verifier = Verifier::renamed("X-Kopra-Signature", Format::Hex, kopra);
    assert_eq!(
        verifier.verify([("x-kopra-signature", &signature)], BODY.as_bytes()).map(|e| e.event_id),
        Ok(ID.into())
    );

    let signature = body(&krios, Format::Sha256Hex, BODY.as_bytes());
    assert_eq!(signature, "sha256=7be30a092e7e32b4ca4e8141f6b09faa91328abc1d15cd139fd95dd225260646");
    let verifier = Verifier::renamed("X-Krios-Signature", Format::Sha256Hex, krios);
    assert_eq!(
        verifier.verify([("X-KRIOS-SIGNATURE", &signature)], BODY.as_bytes()).map(|e| e.event_id),
        Ok(ID.into())
    );
}

fn seconds_now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs().try_into().expect("this century")
}

fn headers(timestamp: i64, signature: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(header::ID, HeaderValue::from_static(ID));
    headers.insert(header::TIMESTAMP, timestamp.into());
    headers.insert(header::SIGNATURE, signature.parse().expect("a value"));
    headers
}

#[test]
fn others_verify_ours_with_either_secret_of_a_rotation() {
    let now = seconds_now();
    let ours = headers(now, &standard([&key(NEW_SECRET), &key(SECRET)], ID, now, BODY.as_bytes()));
    for secret in [SECRET, NEW_SECRET] {
        let theirs = Webhook::new(secret).expect("a secret");
        theirs.verify(BODY.as_bytes(), &ours).expect("genuine");
        assert!(theirs.verify(&BODY.as_bytes()[1..], &ours).is_err());
    }
    let theirs = Webhook::from_bytes(TEXT_SECRET.as_bytes().to_vec()).expect("a secret");
    theirs
        .verify(BODY.as_bytes(), &headers(now, &standard([&key(TEXT_SECRET)], ID, now, BODY.as_bytes())))
        .expect("genuine");
}

#[test]
fn we_verify_theirs() {
    let now = seconds_now();
    let theirs = Webhook::new(SECRET).and_then(|them| them.sign(ID, now, BODY.as_bytes())).expect("a signature");
    let headers = headers(now, &format!("v1a,AAAA {theirs}"));
    let envelope = Envelope::parse(BODY.as_bytes()).map_err(Refusal::from);
    for verifier in [Verifier::standard(key(SECRET)), Verifier::standard(key(NEW_SECRET)).or(key(SECRET))] {
        let verifier = verifier.tolerance(Duration::from_mins(5));
        assert_eq!(verifier.verify(&headers, BODY.as_bytes()), envelope);
    }
    assert_eq!(Verifier::standard(key(NEW_SECRET)).verify(&headers, BODY.as_bytes()), Err(Refusal::NoMatch));
}

//! What a verifier refuses, and what it says.

use std::collections::HashMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hedgerow_signature::{Format, Refusal, Verifier, body, header};

use crate::{BODY, ID, NEW_SECRET, SECRET, TEXT_SECRET, THEN, delivery, key, value, with};

fn sentence(verifier: &Verifier, headers: Vec<(String, String)>, body: &str) -> String {
    match verifier.verify(headers, body.as_bytes()) {
        Ok(envelope) => envelope.event_id,
        Err(refusal) => refusal.to_string(),
    }
}

#[test]
fn says_which_header_is_wrong() {
    let verifier = Verifier::standard(key(SECRET));
    let good = delivery(SECRET);
    let refused = |name: &str, value: Option<&str>| sentence(&verifier, with(good.clone(), name, value), BODY);
    assert_eq!(refused("x", None), ID);
    assert_eq!(refused(header::ID, None), "The header `webhook-id` is missing.");
    assert_eq!(refused(header::TIMESTAMP, None), "The header `webhook-timestamp` is missing.");
    assert_eq!(refused(header::SIGNATURE, None), "The header `webhook-signature` is missing.");
    for id in ["", "evt.1", "evt 1", "é"] {
        assert_eq!(
            refused(header::ID, Some(id)),
            "The header `webhook-id` should hold an identifier without a full stop."
        );
    }
    for timestamp in ["", "+1769860800", "01769860800", " 1769860800", "-1", "1e9", "99999999999999999999"] {
        let wanted = "The header `webhook-timestamp` should hold seconds since 1970.";
        assert_eq!(refused(header::TIMESTAMP, Some(timestamp)), wanted, "{timestamp}");
    }
    for signature in ["", "v1", "v1a,AAAA", "v2,AAAA v1a,AAAA"] {
        let wanted = "The header `webhook-signature` holds no `v1` signature.";
        assert_eq!(refused(header::SIGNATURE, Some(signature)), wanted, "{signature}");
    }
    let not_text = [(header::ID, ID.as_bytes()), (header::TIMESTAMP, b"1"), (header::SIGNATURE, b"v1,\xff")];
    assert_eq!(
        verifier.verify(not_text, BODY.as_bytes()),
        Err(Refusal::MalformedHeader { name: header::SIGNATURE.to_owned(), expected: "`v1,` and base64" })
    );
}

#[test]
fn says_how_the_bodys_signature_is_wrong() {
    let verifier = Verifier::body(key(SECRET));
    let digits = body(&key(SECRET), Format::Hex, BODY.as_bytes());
    let refused = |value: &str| sentence(&verifier, vec![(header::BODY_SIGNATURE.to_owned(), value.to_owned())], BODY);
    assert_eq!(refused(&format!("sha256={digits}")), ID);
    for bad in [digits.clone(), format!("sha256={}", digits.to_uppercase()), format!("sha256={digits}0"), String::new()]
    {
        assert_eq!(
            refused(&bad),
            "The header `X-Hedgerow-Signature` should hold `sha256=` and 64 lower-case hexadecimal digits."
        );
    }
    assert_eq!(
        refused(&format!("sha256={}", "0".repeat(64))),
        "No signature matches: the secret is another, or the delivery was altered."
    );
    assert_eq!(sentence(&verifier, vec![], BODY), "The header `X-Hedgerow-Signature` is missing.");
}

#[test]
fn takes_either_secret_during_a_rotation() {
    let old = delivery(SECRET);
    let new = value(&delivery(NEW_SECRET), header::BODY_SIGNATURE);
    let both = with(old, "x-hedgerow-signature-new", Some(&new));
    for verifier in [
        Verifier::body(key(SECRET)),
        Verifier::body(key(NEW_SECRET)),
        Verifier::body(key(TEXT_SECRET)).or(key(NEW_SECRET)),
    ] {
        assert_eq!(sentence(&verifier, both.clone(), BODY), ID);
    }
    assert_eq!(Verifier::body(key(TEXT_SECRET)).verify(both.clone(), BODY.as_bytes()), Err(Refusal::NoMatch));
    let later = with(both, header::BODY_SIGNATURE, None);
    assert_eq!(sentence(&Verifier::body(key(NEW_SECRET)), later, BODY), ID);
}

#[test]
fn minds_age_only_when_asked_to() {
    let headers: HashMap<String, String> = delivery(SECRET).into_iter().collect();
    for verifier in [Verifier::standard(key(SECRET)), Verifier::body(key(SECRET))] {
        let verify = |verifier: &Verifier, now: i64| {
            let now = UNIX_EPOCH + Duration::from_secs(now.try_into().expect("after 1970"));
            verifier.verify_at(&headers, BODY.as_bytes(), now).map(|envelope| envelope.event_id)
        };
        assert_eq!(verify(&verifier, 0), Ok(ID.to_owned()));
        let strict = verifier.tolerance(Duration::from_mins(5));
        for now in [THEN - 300, THEN, THEN + 300] {
            assert_eq!(verify(&strict, now), Ok(ID.to_owned()));
        }
        assert_eq!(verify(&strict, THEN + 301), Err(Refusal::TooOld { seconds: 301, tolerance: 300 }));
        let early = Refusal::TooNew { seconds: 301, tolerance: 300 };
        assert_eq!(early.to_string(), "The delivery is 301 seconds ahead of the clock; 300 are tolerated.");
        assert_eq!(verify(&strict, THEN - 301), Err(early));
        assert!(
            matches!(strict.verify(&headers, b"{}"), Err(Refusal::NoMatch)),
            "what is not genuine learns nothing of clocks"
        );
        let before_1970 = UNIX_EPOCH.checked_sub(Duration::from_secs(9)).unwrap_or(SystemTime::UNIX_EPOCH);
        assert!(matches!(strict.verify_at(&headers, BODY.as_bytes(), before_1970), Err(Refusal::TooNew { .. })));
    }
}

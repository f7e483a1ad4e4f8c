//! What holds for every delivery.

use hedgerow_signature::{Format, Key, Refusal, Verdict, Verifier, body, explain, header, standard};
use proptest::prelude::*;

use crate::{BODY, ID, SECRET, THEN, delivery, key, value, with};

/// A text with one byte altered to another that headers may hold.
fn altered(text: &str, at: usize, to: u8) -> String {
    let mut bytes = text.as_bytes().to_vec();
    let at = at % bytes.len();
    bytes[at] = if bytes[at] == to { b'~' } else { to };
    String::from_utf8(bytes).expect("ASCII")
}

proptest! {
    #[test]
    fn an_altered_body_is_refused(at in 0..BODY.len(), by in 1..=u8::MAX) {
        let mut content = BODY.as_bytes().to_vec();
        content[at] ^= by;
        for verifier in [Verifier::standard(key(SECRET)), Verifier::body(key(SECRET))] {
            prop_assert_eq!(verifier.verify(delivery(SECRET), &content), Err(Refusal::NoMatch));
        }
    }

    #[test]
    fn a_longer_or_shorter_body_is_refused(more in any::<u8>(), cut in 0..BODY.len()) {
        for content in [[BODY.as_bytes(), &[more]].concat(), BODY.as_bytes()[..cut].to_vec()] {
            for verifier in [Verifier::standard(key(SECRET)), Verifier::body(key(SECRET))] {
                prop_assert_eq!(verifier.verify(delivery(SECRET), &content), Err(Refusal::NoMatch));
            }
        }
    }

    #[test]
    fn an_altered_header_is_refused(at in any::<usize>(), to in b' '..=b'}') {
        let good = delivery(SECRET);
        for name in header_names() {
            let bad = with(good.clone(), name, Some(&altered(&value(&good, name), at, to)));
            let verifier = match name {
                header::BODY_SIGNATURE => Verifier::body(key(SECRET)),
                _ => Verifier::standard(key(SECRET)),
            };
            prop_assert!(verifier.verify(bad.clone(), BODY.as_bytes()).is_err(), "{}", name);
            prop_assert_ne!(explain(SECRET, bad, BODY.as_bytes()).verdict, Verdict::Genuine);
        }
    }

    #[test]
    fn no_part_passes_for_another(id in "[a-z.]{1,9}", more in "[0-9.]{1,9}") {
        // The same bytes are signed, cut elsewhere.
        let content = format!("{more}.{BODY}");
        let signature = standard([&key(SECRET)], &id, THEN, content.as_bytes());
        let shifted = [
            (header::ID, format!("{id}.{THEN}")),
            (header::TIMESTAMP, more),
            (header::SIGNATURE, signature),
        ];
        prop_assert!(Verifier::standard(key(SECRET)).verify(shifted, BODY.as_bytes()).is_err());
    }

    #[test]
    fn another_key_is_refused(secret in "[ -~]{1,80}") {
        prop_assume!(secret != SECRET);
        for verifier in [Verifier::standard(key(&secret)), Verifier::body(key(&secret))] {
            prop_assert_eq!(verifier.verify(delivery(SECRET), BODY.as_bytes()), Err(Refusal::NoMatch));
        }
    }

    #[test]
    fn what_is_made_is_verified(secret in prop::collection::vec(any::<u8>(), 1..200), seconds in 0..i64::MAX) {
        let key = Key::from_bytes(&secret).expect("not empty");
        let content = BODY.as_bytes();
        let headers = [
            ("Webhook-Id", ID.to_owned()),
            ("WEBHOOK-TIMESTAMP", seconds.to_string()),
            ("webhook-Signature", standard([&key], ID, seconds, content)),
            ("x-other", body(&key, Format::Hex, content)),
        ];
        prop_assert!(Verifier::standard(key.clone()).verify(headers.clone(), content).is_ok());
        prop_assert!(Verifier::renamed("X-Other", Format::Hex, key).verify(headers, content).is_ok());
    }

    #[test]
    fn nothing_from_outside_is_too_strange(
        secret in ".{0,20}",
        values in prop::collection::vec((prop::sample::select(header_names().to_vec()), prop::collection::vec(any::<u8>(), 0..70)), 0..5),
        content in prop::collection::vec(any::<u8>(), 0..70),
    ) {
        prop_assert_ne!(explain(&secret, values.clone(), &content).verdict, Verdict::Genuine);
        prop_assert!(Verifier::standard(key(SECRET)).verify(values.clone(), &content).is_err());
        prop_assert!(Verifier::body(key(SECRET)).verify(values, &content).is_err());
    }
}

const fn header_names() -> [&'static str; 4] {
    [header::ID, header::TIMESTAMP, header::SIGNATURE, header::BODY_SIGNATURE]
}

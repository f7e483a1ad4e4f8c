//! What is said about a delivery that does not match.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hedgerow_signature::{Encoding, Finding, Format, Verdict, body, explain, header, standard};
use serde_json::Value;

use crate::{BODY, ID, NEW_SECRET, SECRET, TEXT_SECRET, THEN, delivery, key, value, with};

/// Asserts that these findings explain the delivery, by either header and by both.
#[track_caller]
fn explained(secret: &str, signed_by: &str, body: &str, findings: &[Finding]) {
    let all = delivery(signed_by);
    let standard = with(all.clone(), header::BODY_SIGNATURE, None);
    let bare = all.iter().filter(|(name, _)| name == header::BODY_SIGNATURE).cloned().collect();
    for headers in [all, standard, bare] {
        let found = explain(secret, headers, body.as_bytes());
        assert_eq!(found.findings, findings);
        assert_eq!(found.verdict, if findings.is_empty() { Verdict::Genuine } else { Verdict::Explained });
    }
}

#[test]
fn a_genuine_delivery() {
    explained(SECRET, SECRET, BODY, &[]);
    explained(TEXT_SECRET, TEXT_SECRET, BODY, &[]);
    assert_eq!(
        explain(SECRET, delivery(SECRET), BODY.as_bytes()).to_string(),
        "The delivery is genuine: its signatures match."
    );
}

#[test]
fn a_body_that_is_not_what_came() {
    let value: Value = serde_json::from_str(BODY).expect("JSON");
    explained(SECRET, SECRET, &format!("{BODY}\n"), &[Finding::BodyLineEnd]);
    explained(SECRET, SECRET, &format!("{BODY}\r\n"), &[Finding::BodyLineEnd]);
    explained(SECRET, SECRET, &format!("\u{feff}{BODY}"), &[Finding::BodyMark]);
    explained(SECRET, SECRET, &STANDARD.encode(BODY), &[Finding::BodyBase64]);
    explained(SECRET, SECRET, &serde_json::to_string(BODY).expect("JSON"), &[Finding::BodyQuoted]);
    // As Python's json.dumps writes it.
    let python = BODY.replace("\":", "\": ").replace(",\"", ", \"").replace('ö', "\\u00f6").replace('ß', "\\u00df");
    explained(SECRET, SECRET, &python, &[Finding::BodyRespaced]);
    // The order is lost, and with it what was signed: all that is left is a hint.
    for lost in [value.to_string(), format!("{value:#}"), BODY.replace("1.50", "1.5 ")] {
        let found = explain(SECRET, delivery(SECRET), lost.as_bytes());
        assert_eq!(found.verdict, Verdict::Unexplained);
        assert!(found.findings.contains(&Finding::BodyRewritten), "{found}");
    }
    for (content, hint) in [("", Finding::BodyEmpty), (&BODY[..99], Finding::BodyNotJson)] {
        assert!(explain(SECRET, delivery(SECRET), content.as_bytes()).findings.contains(&hint));
    }
}

#[test]
fn a_body_whose_members_are_in_another_order() {
    let key = key(SECRET);
    let sent = r#"{"event":"test.ping","eventId":"e","timestamp":"2026-01-31T12:00:00Z","clientId":"c","project":"p","tenantId":null,"data":{"a":1,"b":[]}}"#;
    let value: Value = serde_json::from_str(sent).expect("JSON");
    for (signed, came, finding) in [
        (sent.to_owned(), value.to_string(), Finding::BodyReordered),
        (sent.to_owned(), format!("{value:#}"), Finding::BodyReordered),
        (value.to_string(), sent.to_owned(), Finding::BodyReordered),
        (format!("{value:#}"), value.to_string(), Finding::BodyCompacted),
    ] {
        let headers = [(header::BODY_SIGNATURE, body(&key, Format::Sha256Hex, signed.as_bytes()))];
        assert_eq!(explain(SECRET, headers, came.as_bytes()).findings, [finding]);
    }
}

#[test]
fn a_secret_that_is_not_what_was_handed_out() {
    let (bare, text) = (SECRET.trim_start_matches("whsec_"), format!("whsec_{TEXT_SECRET}"));
    explained(&format!(" {SECRET}\n"), SECRET, BODY, &[Finding::SecretWhitespace]);
    explained(&format!("{TEXT_SECRET}\n"), TEXT_SECRET, BODY, &[Finding::SecretWhitespace]);
    explained(&format!("\"{SECRET}\""), SECRET, BODY, &[Finding::SecretQuoted]);
    explained(bare, SECRET, BODY, &[Finding::SecretLacksPrefix]);
    explained(&text, TEXT_SECRET, BODY, &[Finding::SecretPrefixed]);
    explained(SECRET, bare, BODY, &[Finding::SecretPrefixed]);
    explained(&NEW_SECRET.replace('/', "_"), NEW_SECRET, BODY, &[Finding::SecretUrlSafe]);
    explained(
        &format!("'{bare}'"),
        SECRET,
        &format!("{BODY}\n"),
        &[Finding::SecretQuoted, Finding::SecretLacksPrefix, Finding::BodyLineEnd],
    );
    let as_text = hedgerow_signature::Key::from_bytes(SECRET.as_bytes()).expect("a key");
    let headers = [(header::BODY_SIGNATURE, body(&as_text, Format::Sha256Hex, BODY.as_bytes()))];
    assert_eq!(explain(SECRET, headers, BODY.as_bytes()).findings, [Finding::SecretIsText]);
    assert_eq!(explain("", delivery(SECRET), BODY.as_bytes()).findings[0], Finding::SecretEmpty);
}

#[test]
fn a_signature_that_is_written_differently() {
    let good = delivery(SECRET);
    let header = || header::SIGNATURE.to_owned();
    let base64 = value(&good, header::SIGNATURE)[3..].to_owned();
    let mac = STANDARD.decode(&base64).expect("base64");
    let hex = mac.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let encoded = |encoding| Finding::HeaderEncoding { header: header(), encoding };
    for (signature, finding) in [
        (base64.clone(), Finding::HeaderShape { header: header() }),
        (format!("\"v1,{base64}\""), Finding::HeaderShape { header: header() }),
        (format!("v1={base64}"), Finding::HeaderShape { header: header() }),
        (format!("v1,{}", base64.trim_end_matches('=')), encoded(Encoding::Unpadded)),
        (format!("v1,{hex}"), encoded(Encoding::Hex)),
        ("v1,".to_owned(), Finding::HeaderUnreadable { header: header() }),
    ] {
        let found = explain(SECRET, with(good.clone(), header::SIGNATURE, Some(&signature)), BODY.as_bytes());
        assert_eq!((found.verdict, found.findings), (Verdict::Explained, vec![finding]), "{signature}");
    }
    // Another secret, whose signature shows the difference.
    let good = delivery(NEW_SECRET);
    let url_safe = value(&good, header::SIGNATURE).replace('+', "-").replace('/', "_");
    let found = explain(NEW_SECRET, with(good, header::SIGNATURE, Some(&url_safe)), BODY.as_bytes());
    assert_eq!(found.findings, [encoded(Encoding::UrlSafe)]);
}

#[test]
fn a_signature_of_the_body_that_is_written_differently() {
    let digits = body(&key(SECRET), Format::Hex, BODY.as_bytes());
    let check = |name: &str, value: &str| explain(SECRET, [(name, value)], BODY.as_bytes()).findings;
    let header = || header::BODY_SIGNATURE.to_owned();
    assert_eq!(check(header::BODY_SIGNATURE, &digits), [Finding::HeaderLacksSha256 { header: header() }]);
    assert_eq!(
        check(header::BODY_SIGNATURE, &format!("sha256={}", digits.to_uppercase())),
        [Finding::HeaderEncoding { header: header(), encoding: Encoding::UpperHex }]
    );
    assert_eq!(
        check(header::BODY_SIGNATURE, &format!(" sha256={digits}")),
        [Finding::HeaderShape { header: header() }]
    );
    assert_eq!(check("X-Kopra-Signature", &digits), []);
    assert_eq!(check("X-Krios-Signature", &format!("sha256={digits}")), []);
    assert_eq!(check("X-Content-Sha256", &digits), [Finding::NoSignature]);
    assert_eq!(check("Signature", "sig1=:abc:"), [Finding::NoSignature]);
}

#[test]
fn an_identifier_or_a_timestamp_that_was_altered() {
    let good = delivery(SECRET);
    let found = |name: &str, value: Option<&str>| {
        let found = explain(SECRET, with(good.clone(), name, value), BODY.as_bytes());
        assert_eq!(found.verdict, Verdict::Explained);
        found.findings
    };
    assert_eq!(found(header::ID, Some("evt_other")), [Finding::IdAltered]);
    assert_eq!(found(header::ID, None), [Finding::MissingHeader { header: header::ID }]);
    assert_eq!(found(header::TIMESTAMP, None), [Finding::MissingHeader { header: header::TIMESTAMP }]);
    assert_eq!(found(header::TIMESTAMP, Some(&format!("{THEN}000"))), [Finding::TimestampInMilliseconds]);
    assert_eq!(
        found(header::TIMESTAMP, Some(&format!("+{THEN}"))),
        [Finding::HeaderUntidy { header: header::TIMESTAMP }]
    );
    assert_eq!(found(header::TIMESTAMP, Some("1")), [Finding::MetadataAltered]);
    let altered = body(&key(NEW_SECRET), Format::Sha256Hex, BODY.as_bytes());
    assert_eq!(
        found(header::BODY_SIGNATURE, Some(&altered)),
        [Finding::BodySignatureAltered { header: header::BODY_SIGNATURE.to_owned() }]
    );
}

#[test]
fn a_rotation() {
    let mut headers = with(
        delivery(SECRET),
        header::SIGNATURE,
        Some(&standard([&key(NEW_SECRET), &key(SECRET)], ID, THEN, BODY.as_bytes())),
    );
    headers.push(("x-hedgerow-signature-new".to_owned(), value(&delivery(NEW_SECRET), header::BODY_SIGNATURE)));
    for (secret, other) in [(SECRET, "x-hedgerow-signature-new"), (NEW_SECRET, header::BODY_SIGNATURE)] {
        let found = explain(secret, headers.clone(), BODY.as_bytes());
        assert_eq!(found.verdict, Verdict::Genuine);
        assert_eq!(found.findings, [Finding::Rotation { header: other.to_owned() }]);
    }
}

#[test]
fn nothing_that_can_be_explained() {
    let found = explain(NEW_SECRET, delivery(SECRET), BODY.as_bytes());
    assert_eq!(
        found.to_string(),
        "The delivery does not match, and nothing that was tried makes it match:\n\
         - `webhook-signature` does not match: the secret is another endpoint's, or the body was altered.\n\
         - `X-Hedgerow-Signature` does not match: the secret is another endpoint's, or the body was altered."
    );
    let unsigned = explain(SECRET, [("content-type", "application/json")], BODY.as_bytes());
    assert_eq!((unsigned.verdict, unsigned.findings), (Verdict::Unsigned, vec![Finding::NoSignature]));
    let unsigned = explain(SECRET, [(header::ID, ID), (header::TIMESTAMP, "1")], BODY.as_bytes());
    assert_eq!(unsigned.findings, [Finding::MissingHeader { header: header::SIGNATURE }, Finding::NoSignature]);
}

//! Our signatures against the specification's, other people's and all that can go wrong with one.

#![expect(clippy::expect_used, reason = "a test that cannot go on fails")]

mod explanations;
mod interoperation;
mod properties;
mod refusals;

use hedgerow_signature::{Format, Key, body, header, standard};

/// A body as it is sent: not in the alphabet's order, with a letter beyond ASCII and a number that does not survive.
const BODY: &str = concat!(
    r#"{"event":"field_value.saved","eventId":"evt_0198c0de000070008000000000000001","#,
    r#""timestamp":"2026-01-31T12:00:00.000Z","clientId":"cl_0198c0de000070008000000000000002","#,
    r#""project":"garden","tenantId":"acme","#,
    r#""data":{"values":{"größe":1.50,"name":"Hedge \"row\""},"entityId":"e1","changed":["name"]}}"#
);
const ID: &str = "evt_0198c0de000070008000000000000001";
/// The body's `timestamp`.
const THEN: i64 = 1_769_860_800;
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=";
const NEW_SECRET: &str = "whsec_plJ3nmyCDGBKInavdOK15jsl/y3gnYXuSmRKjX0h9QE=";
/// A secret of an endpoint with a renamed header.
const TEXT_SECRET: &str = "q3Zk8vYH2xP0d-5sT_uWnB7cRfJmLgE1aVoXiKyQ4w9";

fn key(secret: &str) -> Key {
    Key::parse(secret).expect("a key")
}

/// The headers of a delivery.
fn delivery(secret: &str) -> Vec<(String, String)> {
    let key = key(secret);
    [
        ("content-type", "application/json".to_owned()),
        (header::ID, ID.to_owned()),
        (header::TIMESTAMP, THEN.to_string()),
        (header::SIGNATURE, standard([&key], ID, THEN, BODY.as_bytes())),
        (header::BODY_SIGNATURE, body(&key, Format::Sha256Hex, BODY.as_bytes())),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .to_vec()
}

/// The same headers, with one of them changed, added, or taken away.
fn with(mut headers: Vec<(String, String)>, name: &str, value: Option<&str>) -> Vec<(String, String)> {
    headers.retain(|(known, _)| known != name);
    headers.extend(value.map(|value| (name.to_owned(), value.to_owned())));
    headers
}

fn value(headers: &[(String, String)], name: &str) -> String {
    headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone()).expect("the header")
}

//! The signature of the payment service's events: `Stripe-Signature: t=…,v1=…`, an HMAC-SHA256 by the endpoint's secret over
//! `<t>.<body>`, in hexadecimal digits (Stripe's documentation, "Verify webhook signatures manually"). While the secret is
//! rotated there are several.

use std::time::Duration;

use contract::Time;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::Secret;

/// How far the signature's time may lie from ours: what Stripe's own libraries take.
pub const TOLERANCE: Duration = Duration::from_secs(300);
/// More than a header of theirs has.
const MAX_HEADER: usize = 4_096;
/// More signatures than secrets that sign at once.
const MAX_SIGNATURES: usize = 16;

/// A header, read and not yet believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StripeSignature {
    /// Seconds since 1970, as the header has them: they are signed as they stand.
    seconds: String,
    at: Time,
    signatures: Vec<[u8; 32]>,
}

impl StripeSignature {
    /// Reads a header; nothing, if it has no time, another than one, or no signature of this scheme. Other schemes are
    /// passed over: `v0` is for tests of theirs alone.
    #[must_use]
    pub fn parse(header: &str) -> Option<Self> {
        if header.len() > MAX_HEADER {
            return None;
        }
        let (mut seconds, mut signatures) = (None, Vec::new());
        for part in header.split(',') {
            match part.trim().split_once('=')? {
                ("t", text) if seconds.is_none() => seconds = Some(text.to_owned()),
                ("t", _) => return None,
                ("v1", text) => signatures.push(digest(text)?),
                _ => {}
            }
        }
        let seconds = seconds.filter(|text| (1..=12).contains(&text.len()))?;
        if !seconds.bytes().all(|digit| digit.is_ascii_digit()) || !(1..=MAX_SIGNATURES).contains(&signatures.len()) {
            return None;
        }
        let at = Time::from_millis(seconds.parse::<i64>().ok()?.checked_mul(1_000)?);
        Some(Self { seconds, at, signatures })
    }

    /// Whether the secret's holder signed this body, lately. Every signature is compared, each in constant time.
    #[must_use]
    pub fn is_of(&self, body: &[u8], secret: &Secret<String>, now: Time) -> bool {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes()) else { return false };
        mac.update(self.seconds.as_bytes());
        mac.update(b".");
        mac.update(body);
        let right = |signature: &[u8; 32]| mac.clone().verify_slice(signature).is_ok();
        let any = self.signatures.iter().map(right).fold(false, |any, one| any | one);
        any && now.millis().abs_diff(self.at.millis()) <= u64::try_from(TOLERANCE.as_millis()).unwrap_or(0)
    }

    /// The header by which a body is signed at a time, as the payment service would: for tests and for whoever stands in
    /// for it.
    #[must_use]
    pub fn header(body: &[u8], secret: &Secret<String>, at: Time) -> String {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes()) else { return String::new() };
        mac.update(format!("{}.", at.seconds()).as_bytes());
        mac.update(body);
        format!("t={},v1={}", at.seconds(), crate::hex(&mac.finalize().into_bytes()))
    }
}

/// 64 hexadecimal digits.
fn digest(text: &str) -> Option<[u8; 32]> {
    let digits: Option<Vec<u8>> = text.chars().map(|c| u8::try_from(c.to_digit(16)?).ok()).collect();
    let bytes: Vec<u8> = digits?.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect();
    if text.len() == 64 { bytes.try_into().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BODY: &[u8] = b"{\"id\": \"evt_1\"}";

    fn secret(text: &str) -> Secret<String> {
        Secret::new(text.to_owned())
    }

    fn is_right(header: &str, body: &[u8], now: i64) -> bool {
        StripeSignature::parse(header)
            .is_some_and(|signature| signature.is_of(body, &secret("whsec_test"), Time::from_millis(now)))
    }

    /// Made by `printf '1700000000.{"id": "evt_1"}' | openssl dgst -sha256 -hmac whsec_test`.
    #[test]
    fn a_known_signature_is_right_for_five_minutes() {
        let header = StripeSignature::header(BODY, &secret("whsec_test"), Time::from_millis(1_700_000_000_000));
        assert_eq!(header, format!("t=1700000000,v1={KNOWN}"));
        for (now, right) in [(0, true), (300_000, true), (-300_000, true), (300_001, false), (-300_001, false)] {
            assert_eq!(is_right(&header, BODY, 1_700_000_000_000 + now), right, "{now}");
        }
        assert!(!is_right(&header, b"{\"id\": \"evt_2\"}", 1_700_000_000_000));
        let (zeros, other) = ("0".repeat(64), StripeSignature::header(BODY, &secret("other"), Time::from_millis(0)));
        for one_of_several in
            [format!("t=1700000000,v1={zeros},v1={KNOWN},v0={zeros}"), format!(" v1={KNOWN} , t=1700000000")]
        {
            assert!(is_right(&one_of_several, BODY, 1_700_000_000_000), "{one_of_several}");
        }
        for bad in [
            "",
            "t=1700000000",
            &format!("v1={KNOWN}"),
            &format!("t=1700000000,v0={KNOWN}"),
            &format!("t=1700000000,t=1700000000,v1={KNOWN}"),
            &format!("t=+1700000000,v1={KNOWN}"),
            &format!("t=01700000000,v1={KNOWN}"),
            &format!("t=1700000000,v1={}", &KNOWN[1..]),
            &format!("t=1700000000,v1={KNOWN}00"),
            &format!("t=1700000000;v1={KNOWN}"),
            &format!("t=1700000000,v1={zeros}"),
            &format!("t=1700000000{}", format!(",v1={KNOWN}").repeat(17)),
            &other,
        ] {
            assert!(!is_right(bad, BODY, 1_700_000_000_000), "{bad}");
        }
    }

    const KNOWN: &str = "a0c091828640f0b68061abc7c03981ad1100ff7160c5dba6b656239494a2b537";

    proptest! {
        #[test]
        fn whatever_comes_is_read_without_harm_and_not_believed(header in ".{0,200}", body: Vec<u8>) {
            prop_assert!(!is_right(&header, &body, 0));
        }

        #[test]
        fn no_other_body_has_the_signature(body: Vec<u8>, other: Vec<u8>, seconds in 0..9_999_999_999_i64) {
            let at = Time::from_millis(seconds * 1_000);
            let header = StripeSignature::header(&body, &secret("whsec_test"), at);
            prop_assert!(is_right(&header, &body, at.millis()));
            prop_assert_eq!(is_right(&header, &other, at.millis()), body == other);
        }
    }
}

//! Signatures in headers, read more generously than a verifier does.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::guesses::Guess;
use super::{Claim, Encoding, Finding, Kind, formats};
use crate::key::{BASE64, URL_SAFE};
use crate::{Format, header};

/// What the headers claim, and what is missing for it.
pub(super) fn claims(headers: &[(String, String)], body: &[u8]) -> (Vec<Claim>, Vec<Finding>) {
    let [id, timestamp, signature] = header::find(headers.iter().map(|(name, value)| (name, value)), header::STANDARD)
        .map(|value| value.map(|value| String::from_utf8_lossy(&value).into_owned()));
    let (mut claims, mut findings) = (Vec::new(), Vec::new());
    // Who has none of the three does not use them.
    if id.is_some() || timestamp.is_some() || signature.is_some() {
        for (name, value) in header::STANDARD.into_iter().zip([&id, &timestamp, &signature]) {
            if value.is_none() {
                findings.push(Finding::MissingHeader { header: name });
            }
        }
    }
    if let Some(signature) = signature {
        claims.push(Claim {
            name: header::SIGNATURE.to_owned(),
            signatures: standard_signatures(&signature),
            before: before(id.as_deref(), timestamp.as_deref(), body),
            kind: Kind::Standard,
        });
    }
    for (name, value) in headers {
        if name.to_ascii_lowercase().contains("signature") && !name.eq_ignore_ascii_case(header::SIGNATURE) {
            let signatures = body_signatures(name, value);
            let ours = formats(name) == [Format::Sha256Hex];
            // Another header may be anything, a signature of another kind among it.
            if ours || !signatures.is_empty() {
                let before = vec![Guess::new(Vec::new(), String::new())];
                claims.push(Claim { name: name.clone(), signatures, before, kind: Kind::Body });
            }
        }
    }
    (claims, findings)
}

fn standard_signatures(value: &str) -> Vec<Guess<[u8; 32]>> {
    let header = || header::SIGNATURE.to_owned();
    fragments(value)
        .map(|(fragment, mac, encoding)| {
            let changes = match encoding {
                Encoding::Base64 if value.split(' ').any(|part| part.strip_prefix("v1,") == Some(fragment)) => vec![],
                Encoding::Base64 => vec![Finding::HeaderShape { header: header() }],
                _ => vec![Finding::HeaderEncoding { header: header(), encoding }],
            };
            Guess::new(changes, mac)
        })
        .collect()
}

fn body_signatures(name: &str, value: &str) -> Vec<Guess<[u8; 32]>> {
    let header = || name.to_owned();
    let good = formats(name).iter().any(|format| header::body_signature(value, *format).is_some());
    fragments(value)
        .map(|(fragment, mac, encoding)| {
            let changes = match encoding {
                Encoding::Hex if good => vec![],
                Encoding::Hex if fragment == value => vec![Finding::HeaderLacksSha256 { header: header() }],
                Encoding::Hex => vec![Finding::HeaderShape { header: header() }],
                _ => vec![Finding::HeaderEncoding { header: header(), encoding }],
            };
            Guess::new(changes, mac)
        })
        .collect()
}

/// The parts of a value that are 32 bytes in some encoding.
fn fragments(value: &str) -> impl Iterator<Item = (&str, [u8; 32], Encoding)> {
    value.split([' ', '\t', ',', ';', '"', '\'']).filter_map(|part| {
        let part = part.strip_prefix("v1=").or_else(|| part.strip_prefix("sha256=")).unwrap_or(part);
        decode(part).map(|(mac, encoding)| (part, mac, encoding))
    })
}

fn decode(text: &str) -> Option<([u8; 32], Encoding)> {
    if text.len() == 64 {
        let mut mac = [0; 32];
        for (at, byte) in mac.iter_mut().enumerate() {
            let digits = text.get(at * 2..at * 2 + 2).filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))?;
            *byte = u8::from_str_radix(digits, 16).ok()?;
        }
        let upper = text.bytes().any(|b| b.is_ascii_uppercase());
        return Some((mac, if upper { Encoding::UpperHex } else { Encoding::Hex }));
    }
    let of = |bytes: Vec<u8>, encoding| bytes.try_into().ok().map(|mac| (mac, encoding));
    STANDARD
        .decode(text)
        .ok()
        .and_then(|bytes| of(bytes, Encoding::Base64))
        .or_else(|| BASE64.decode(text).ok().and_then(|bytes| of(bytes, Encoding::Unpadded)))
        .or_else(|| URL_SAFE.decode(text).ok().and_then(|bytes| of(bytes, Encoding::UrlSafe)))
}

/// What may have been signed before the body.
fn before(id: Option<&str>, timestamp: Option<&str>, body: &[u8]) -> Vec<Guess<String>> {
    let mut ids = Vec::new();
    if let Some(id) = id {
        let good = header::id(id).is_some();
        ids.push(Guess::new(
            if good { vec![] } else { vec![Finding::HeaderUntidy { header: header::ID }] },
            id.to_owned(),
        ));
    }
    let event =
        serde_json::from_slice::<Value>(body).ok().and_then(|body| Some(body.get("eventId")?.as_str()?.to_owned()));
    if let Some(event) = event.filter(|event| Some(event.as_str()) != id) {
        ids.push(Guess::new(if id.is_some() { vec![Finding::IdAltered] } else { vec![] }, event));
    }
    let mut timestamps = Vec::new();
    if let Some(timestamp) = timestamp {
        let untidy = vec![Finding::HeaderUntidy { header: header::TIMESTAMP }];
        let good = header::timestamp(timestamp);
        timestamps.push(Guess::new(if good.is_some() { vec![] } else { untidy.clone() }, timestamp.to_owned()));
        if let Some(millis) = good {
            timestamps.push(Guess::new(vec![Finding::TimestampInMilliseconds], (millis / 1_000).to_string()));
        }
        // `+5` or ` 5`: receivers read the number and verify what they write for it.
        if let Some(seconds) = timestamp.trim().parse::<i64>().ok().filter(|_| good.is_none()) {
            timestamps.push(Guess::new(untidy, seconds.to_string()));
        }
    }
    ids.iter()
        .flat_map(|id| {
            timestamps.iter().map(|timestamp| {
                let changes = [&id.changes[..], &timestamp.changes].concat();
                Guess::new(changes, format!("{}.{}.", id.value, timestamp.value))
            })
        })
        .collect()
}

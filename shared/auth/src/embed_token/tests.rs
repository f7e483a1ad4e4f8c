//! What is taken and what is refused: made by hand, part by part, and signed with the right key, so that nothing but the
//! fault in question is wrong.

use aws_lc_rs::hmac;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::{TokenKeys, hex};

const TEXT: &str = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWX";
const NOW: u64 = 1_800_000_000;

fn kid() -> String {
    "0193a1b2-c3d4-4e5f-8123-456789abcdef".to_owned()
}

fn key() -> TokenKey {
    TokenKey::parse(&kid(), Time::from_millis(0), TEXT).unwrap()
}

fn deployment() -> Origin {
    "https://fields.example.com".parse().unwrap()
}

fn at(seconds: u64) -> Time {
    Time::from_millis(i64::try_from(seconds * 1000).unwrap())
}

fn id(prefix: &str) -> String {
    format!("{prefix}0193a1b2c3d47ef08123456789abcdef")
}

fn header() -> Value {
    json!({ "typ": "JWT", "alg": "HS256", "kid": kid() })
}

fn claims() -> Value {
    json!({
        "iss": "https://fields.example.com", "aud": "hedgerow-embed", "clientId": id("cl_"), "keyId": id("key_"),
        "tenantId": "acme", "permissions": ["values:read"], "iat": NOW, "nbf": NOW, "exp": NOW + 900, "jti": id("tok_"),
    })
}

fn signed_by(algorithm: hmac::Algorithm, header: &str, claims: &str) -> String {
    let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let tag = hmac::sign(&hmac::Key::new(algorithm, TEXT.as_bytes()), message.as_bytes());
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(tag))
}

fn signed(header: &str, claims: &str) -> String {
    signed_by(hmac::HMAC_SHA256, header, claims)
}

fn taken(token: &str, now: u64) -> Option<EmbedClaims> {
    UnverifiedToken::parse(token)?.verify(&key(), &deployment(), at(now))
}

/// A value with other members; `null` takes one away.
fn with(mut of: Value, members: Value) -> String {
    let (map, Value::Object(members)) = (of.as_object_mut().unwrap(), members) else { unreachable!() };
    for (name, value) in members {
        if value.is_null() {
            map.remove(&name)
        } else {
            map.insert(name, value)
        };
    }
    of.to_string()
}

#[test]
fn a_token_is_what_it_was_signed_as() {
    let mut claims: EmbedClaims = serde_json::from_value(claims()).unwrap();
    let whole = EmbedClaims {
        field_group_id: Some(id("fg_").parse().unwrap()),
        field_group_key: Some("k".repeat(64).parse().unwrap()),
        entity_id: Some("e".repeat(128).parse().unwrap()),
        tenant_id: "t".repeat(128).parse().unwrap(),
        field_limit: Some(u32::MAX),
        permissions: TokenPermissions::of(contract::permission::TokenPermission::ALL.to_vec()).unwrap(),
        // The longest that there can be.
        origins: Some(
            (0..MOST_ORIGINS)
                .map(|n| {
                    let host =
                        format!("{n}{}.{}.{}.{}", "a".repeat(60), "b".repeat(63), "c".repeat(63), "d".repeat(60));
                    format!("https://{host}:65535").parse().unwrap()
                })
                .collect(),
        ),
        ..claims.clone()
    };
    claims.origins = Some(vec!["https://app.example.com".parse().unwrap()]);
    let longest = TokenKey::parse(&"k".repeat(64), Time::from_millis(0), TEXT).unwrap();
    for (claims, key) in [(claims, key()), (whole, longest)] {
        let token = claims.sign(&key).unwrap();
        let read = UnverifiedToken::parse(&token).unwrap();
        assert_eq!(read.kid(), key.kid());
        assert_eq!(read.verify(&key, &deployment(), at(NOW)), Some(claims));
    }
}

#[test]
fn a_token_made_by_hand_is_taken() {
    let token = signed(&header().to_string(), &claims().to_string());
    assert!(taken(&token, NOW).is_some());
    // Members may stand in any order, with blanks.
    let spaced = format!("{{ \"kid\" : \"{}\",\n\"alg\":\"HS256\", \"typ\":\"JWT\" }}", kid());
    assert!(taken(&signed(&spaced, &serde_json::to_string_pretty(&claims()).unwrap()), NOW).is_some());
    let first = &[0x01, 0x93, 0xa1, 0xb2, 0xc3, 0xd4];
    let millis = i64::from_str_radix(&hex(first), 16).unwrap();
    assert_eq!(taken(&token, NOW).unwrap().jti.made_at(), Time::from_millis(millis));
}

#[test]
fn a_header_is_ours_to_the_letter() {
    for (what, members) in [
        ("no algorithm", json!({ "alg": null })),
        ("none", json!({ "alg": "none" })),
        ("None", json!({ "alg": "None" })),
        ("RS256", json!({ "alg": "RS256" })),
        ("HS384", json!({ "alg": "HS384" })),
        ("HS512", json!({ "alg": "HS512" })),
        ("small letters", json!({ "alg": "hs256" })),
        ("a list", json!({ "alg": ["HS256"] })),
        ("no type", json!({ "typ": null })),
        ("another type", json!({ "typ": "at+jwt" })),
        ("small letters", json!({ "typ": "jwt" })),
        ("a number for a type", json!({ "typ": 1 })),
        ("no key", json!({ "kid": null })),
        ("an empty key", json!({ "kid": "" })),
        ("a path for a key", json!({ "kid": "../../../../../../../../../dev/null" })),
        ("another key", json!({ "kid": "0".repeat(36) })),
        ("a list of keys", json!({ "kid": [kid()] })),
        ("crit", json!({ "crit": ["exp"] })),
        ("an empty crit", json!({ "crit": [] })),
        ("b64", json!({ "b64": true })),
        ("jwk", json!({ "jwk": { "kty": "oct", "k": "AAAA" } })),
        ("jku", json!({ "jku": "https://evil.example/keys" })),
        ("x5u", json!({ "x5u": "https://evil.example/cert" })),
        ("x5c", json!({ "x5c": [] })),
        ("cty", json!({ "cty": "JWT" })),
        ("zip", json!({ "zip": "DEF" })),
        ("enc", json!({ "enc": "A256GCM" })),
        ("anything else", json!({ "x": 1 })),
    ] {
        assert_eq!(taken(&signed(&with(header(), members), &claims().to_string()), NOW), None, "{what}");
    }
    let (kid, claims) = (kid(), claims().to_string());
    for (what, header) in [
        ("twice alg", format!(r#"{{"typ":"JWT","alg":"HS256","alg":"HS256","kid":"{kid}"}}"#)),
        ("twice kid", format!(r#"{{"typ":"JWT","kid":"{kid}","alg":"HS256","kid":"{kid}"}}"#)),
        ("an escaped duplicate", format!(r#"{{"typ":"JWT","alg":"HS256","kid":"{kid}","\u0061lg":"none"}}"#)),
        ("a list", format!(r#"["JWT","HS256","{kid}"]"#)),
        ("a text", "\"JWT\"".to_owned()),
        ("nothing", String::new()),
        ("more behind it", format!("{} {{}}", header())),
        ("a BOM", format!("\u{feff}{}", header())),
        ("cut short", header().to_string()[..20].to_owned()),
    ] {
        assert_eq!(taken(&signed(&header, &claims), NOW), None, "{what}");
    }
}

#[test]
fn the_header_does_not_choose_the_algorithm() {
    let claims = claims().to_string();
    for (alg, algorithm) in [("HS384", hmac::HMAC_SHA384), ("HS512", hmac::HMAC_SHA512), ("HS256", hmac::HMAC_SHA512)] {
        let header = with(header(), json!({ "alg": alg }));
        assert_eq!(taken(&signed_by(algorithm, &header, &claims), NOW), None, "{alg}");
    }
}

#[test]
fn claims_are_ours_to_the_letter() {
    let missing = ["iss", "aud", "clientId", "keyId", "tenantId", "permissions", "iat", "nbf", "exp", "jti"];
    let missing = missing.map(|name| ("missing", json!({ name: null })));
    let wrong = [
        ("another issuer", json!({ "iss": "https://evil.example" })),
        ("the issuer at another port", json!({ "iss": "https://fields.example.com:8443" })),
        ("issuers", json!({ "iss": ["https://fields.example.com", "https://evil.example"] })),
        ("another audience", json!({ "aud": "hedgerow" })),
        ("audiences", json!({ "aud": ["hedgerow-embed"] })),
        ("no audience", json!({ "aud": [] })),
        ("another identifier for a client", json!({ "clientId": id("usr_") })),
        ("a tenant that is a path", json!({ "tenantId": "../acme" })),
        ("a tenant with a separator", json!({ "tenantId": "acme#fg_1" })),
        ("a tenant that is a number", json!({ "tenantId": 1 })),
        ("a group without its key", json!({ "fieldGroupId": id("fg_") })),
        ("a group's key without it", json!({ "fieldGroupKey": "product" })),
        ("an entity that is none", json!({ "entityId": "" })),
        ("a permission that tokens lack", json!({ "permissions": ["schema:write"] })),
        ("permissions as a text", json!({ "permissions": "values:read values:write" })),
        ("a limit below nought", json!({ "fieldLimit": -1 })),
        ("origins that are none", json!({ "origins": ["*"] })),
        ("a time as a text", json!({ "exp": (NOW + 900).to_string() })),
        ("a time with a fraction", json!({ "exp": (NOW + 900) as f64 + 0.5 })),
        ("a time below nought", json!({ "iat": -1 })),
        ("another kind of identifier", json!({ "jti": "1" })),
        ("something else", json!({ "admin": true })),
    ];
    for (what, members) in missing.into_iter().chain(wrong) {
        let claims = with(claims(), members.clone());
        assert_eq!(taken(&signed(&header().to_string(), &claims), NOW), None, "{what}: {members}");
    }
    let whole = claims().to_string();
    let body = whole.trim_end_matches('}');
    for (what, claims) in [
        ("a tenant twice", format!("{body},\"tenantId\":\"acme\"}}")),
        ("another tenant as well", format!("{body},\"tenantId\":\"globex\"}}")),
        ("an escaped duplicate", format!("{body},\"tenant\\u0049d\":\"globex\"}}")),
        ("a list", format!("[{whole}]")),
        ("more behind it", format!("{whole}{whole}")),
        ("nothing", String::new()),
    ] {
        assert_eq!(taken(&signed(&header().to_string(), &claims), NOW), None, "{what}");
    }
}

#[test]
fn a_token_lives_from_its_making_to_its_end_give_or_take_the_skew() {
    let times = |iat: u64, nbf: u64, exp: u64| {
        signed(&header().to_string(), &with(claims(), json!({ "iat": iat, "nbf": nbf, "exp": exp })))
    };
    for (what, (iat, nbf, exp), lives) in [
        ("now", (NOW, NOW, NOW + 60), true),
        ("over for 29 seconds", (NOW - 900, NOW - 900, NOW - 29), true),
        ("over for 30 seconds", (NOW - 900, NOW - 900, NOW - 30), false),
        ("over for 31 seconds", (NOW - 900, NOW - 900, NOW - 31), false),
        ("made in 30 seconds", (NOW + 30, NOW, NOW + 900), true),
        ("made in 31 seconds", (NOW + 31, NOW, NOW + 900), false),
        ("begins in 30 seconds", (NOW, NOW + 30, NOW + 900), true),
        ("begins in 31 seconds", (NOW, NOW + 31, NOW + 900), false),
        ("an hour", (NOW, NOW, NOW + 3_600), true),
        ("an hour and a second", (NOW, NOW, NOW + 3_601), false),
        ("an hour and a second, begun before", (NOW - 3_000, NOW, NOW + 601), false),
        ("no time at all", (NOW, NOW, NOW), false),
        ("over before it began", (NOW, NOW, NOW - 1), false),
        ("for ever", (NOW, NOW, u64::MAX), false),
        ("at the end of time", (u64::MAX - 1, 0, u64::MAX), false),
        ("at the beginning of time", (0, 0, 3_600), false),
    ] {
        assert_eq!(taken(&times(iat, nbf, exp), NOW).is_some(), lives, "{what}");
    }
}

#[test]
fn what_is_no_token_is_refused_as_text() {
    let token = signed(&header().to_string(), &claims().to_string());
    let parts: Vec<&str> = token.split('.').collect();
    let (first, second, third) = (parts[0], parts[1], parts[2]);
    for (what, text) in [
        ("nothing", String::new()),
        ("dots", "..".to_owned()),
        ("one part", first.to_owned()),
        ("two parts", format!("{first}.{second}")),
        ("no signature", format!("{first}.{second}.")),
        ("no claims", format!("{first}..{third}")),
        ("no header", format!(".{second}.{third}")),
        ("four parts", format!("{token}.{third}")),
        ("four parts, the first empty", format!(".{token}")),
        ("a dot behind it", format!("{token}.")),
        ("five parts", format!("{first}.{second}.{third}.{third}.{third}")),
        ("padding", format!("{token}=")),
        ("padding in the middle", format!("{first}=.{second}.{third}")),
        ("a blank before it", format!(" {token}")),
        ("a blank behind it", format!("{token} ")),
        ("a blank within", format!("{first} .{second}.{third}")),
        ("a line's end", format!("{token}\n")),
        ("NUL", format!("{token}\0")),
        ("other letters", format!("{first}.{second}.{}é", &third[..41])),
        ("letters that look alike", token.replacen('e', "е", 1)),
        ("the other base64", format!("{first}.{second}.+{}", &third[1..])),
        ("a shorter signature", format!("{first}.{second}.{}", &third[1..])),
        ("a longer signature", format!("{first}.{second}.{third}A")),
        ("a long header", signed(&format!("{}{}", header(), " ".repeat(100)), &claims().to_string())),
        ("long claims", signed(&header().to_string(), &format!("{}{}", claims(), " ".repeat(6_000)))),
        ("huge", format!("{}.{second}.{third}", "e".repeat(10_000_000))),
        ("JSON", json!({ "payload": second, "protected": first, "signature": third }).to_string()),
    ] {
        assert!(UnverifiedToken::parse(&text).is_none(), "{what}");
    }
    // The last digit of 43 holds two bits that count for nothing.
    let spare = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let at = spare.find(&third[42..]).unwrap();
    for other in (at / 4 * 4..at / 4 * 4 + 4).filter(|other| *other != at) {
        let text = format!("{first}.{second}.{}{}", &third[..42], &spare[other..=other]);
        assert_eq!(taken(&text, NOW), None, "{text}");
    }
}

#[test]
fn another_key_under_the_same_name_does_not_verify() {
    let token = signed(&header().to_string(), &claims().to_string());
    let token = UnverifiedToken::parse(&token).unwrap();
    let other = TokenKey::parse(&kid(), Time::from_millis(0), &TEXT.replace('0', "1")).unwrap();
    assert_eq!(token.verify(&other, &deployment(), at(NOW)), None);
    let renamed = TokenKey::parse(&"0".repeat(36), Time::from_millis(0), TEXT).unwrap();
    assert_eq!(token.verify(&renamed, &deployment(), at(NOW)), None);
    let keys = TokenKeys::new(key(), None);
    assert!(
        keys.verifying(token.kid(), at(NOW)).is_some_and(|key| token.verify(key, &deployment(), at(NOW)).is_some())
    );
}

proptest! {
    /// Whatever is sent: an answer, and it is no.
    #[test]
    fn no_text_is_a_token(text in "\\PC*|[A-Za-z0-9_.=-]{0,400}|eyJ[A-Za-z0-9_-]{10,140}\\.[A-Za-z0-9_-]{0,300}\\.[A-Za-z0-9_-]{43}") {
        prop_assert_eq!(taken(&text, NOW), None);
    }

    /// Parts of JSON, rightly signed.
    #[test]
    fn no_other_json_is_a_token(header in "\\PC{0,100}", claims in "\\PC{0,300}") {
        prop_assert_eq!(taken(&signed(&header, &claims), NOW), None);
    }

    #[test]
    fn one_bit_makes_it_another(at in any::<prop::sample::Index>(), bit in 0_u8..8) {
        let token = signed(&header().to_string(), &claims().to_string());
        let mut bytes = token.into_bytes();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        prop_assert_eq!(taken(&String::from_utf8_lossy(&bytes), NOW), None);
    }

    /// Claims altered under an old signature, and a signature under other claims.
    #[test]
    fn a_signature_is_of_its_claims_alone(tenant in "[a-z]{1,10}") {
        let (mine, other) = (claims().to_string(), with(claims(), json!({ "tenantId": tenant })));
        prop_assume!(mine != other);
        let (mine, other) = (signed(&header().to_string(), &mine), signed(&header().to_string(), &other));
        let (message, signature) = (other.rsplit_once('.').unwrap().0, mine.rsplit_once('.').unwrap().1);
        let forged = format!("{message}.{signature}");
        prop_assert_eq!(taken(&forged, NOW), None);
    }
}

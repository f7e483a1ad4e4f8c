//! Texts that others wrote, before they are logged or said back: what has the form of a credential is cut short.

use std::borrow::Cow;

use contract::id::UserId;

use crate::api_key;

/// What stands in place of a secret.
const CUT: char = '…';
/// What stands before the token in the link of a mail.
const LINKED: &[u8] = b"token=";
/// How much of an API key its lists show.
const KEY_SHOWN: usize = 12;
/// Hexadecimal digits of an identifier.
const UNIQUE: usize = 32;

/// The text without the secrets in it: API keys keep the 12 characters that tell them apart, webhooks' secrets their
/// prefix, session tokens their user; of JSON Web Tokens, and of what a link has as its `token`, nothing stays. Percent-encoded ones are seen too, however
/// often they were encoded. What is not whole, or longer than whole, is cut as well: it may be a slip of the mouse.
#[must_use]
pub fn mask(text: &str) -> Cow<'_, str> {
    let decoded = Decoded::of(text);
    let (mut masked, mut kept, mut at) = (String::new(), 0, 0);
    while let Some(rest) = decoded.bytes.get(at..).filter(|rest| !rest.is_empty()) {
        let Some(Found { shown, whole }) = credential(rest) else {
            at += 1;
            continue;
        };
        // Both offsets are next to an ASCII character, and so between characters.
        masked.push_str(text.get(kept..decoded.offset(at + shown)).unwrap_or_default());
        masked.push(CUT);
        at += whole;
        kept = decoded.offset(at);
    }
    if kept == 0 {
        return Cow::Borrowed(text);
    }
    masked.push_str(text.get(kept..).unwrap_or_default());
    Cow::Owned(masked)
}

/// Whether a text holds what has the form of a credential.
#[must_use]
pub fn has_credential(text: &str) -> bool {
    matches!(mask(text), Cow::Owned(_))
}

/// Bytes with the percent-encoding taken off, and where in the text each begins.
struct Decoded {
    bytes: Vec<u8>,
    offsets: Vec<usize>,
    end: usize,
}

impl Decoded {
    fn of(text: &str) -> Self {
        let all = text.as_bytes();
        let mut decoded =
            Self { bytes: Vec::with_capacity(all.len()), offsets: Vec::with_capacity(all.len()), end: all.len() };
        let mut at = 0;
        while let Some(byte) = all.get(at) {
            let (byte, length) = encoded(&all[at..]).unwrap_or((*byte, 1));
            decoded.bytes.push(byte);
            decoded.offsets.push(at);
            at += length;
        }
        decoded
    }

    /// Where in the text a byte begins, or where the text ends.
    fn offset(&self, at: usize) -> usize {
        self.offsets.get(at).copied().unwrap_or(self.end)
    }
}

/// The byte that `%5F` stands for, or `%255F`, and so on; and how long that is.
fn encoded(text: &[u8]) -> Option<(u8, usize)> {
    let mut digits = text.strip_prefix(b"%")?;
    let pair = |digits: &[u8]| -> Option<u8> {
        let digit = |at: usize| char::from(*digits.get(at)?).to_digit(16);
        u8::try_from(digit(0)? * 16 + digit(1)?).ok()
    };
    while digits.starts_with(b"25") && pair(&digits[2..]).is_some() {
        digits = &digits[2..];
    }
    // Letters of other alphabets stay as they are: no credential has one.
    let byte = pair(digits).filter(u8::is_ascii)?;
    Some((byte, text.len() - digits.len() + 2))
}

/// Whether a prefix of a key is meant: in any case, with dashes for underscores.
fn is_spelling(text: &[u8], prefix: &str) -> bool {
    let meant = |b: &u8| if *b == b'-' { b'_' } else { b.to_ascii_lowercase() };
    text.iter().map(meant).eq(prefix.bytes())
}

/// Of a credential, how many bytes may be shown, and how many it has.
struct Found {
    shown: usize,
    whole: usize,
}

/// The credential that a text begins with.
fn credential(text: &[u8]) -> Option<Found> {
    match text.first()? {
        b'h' | b'H' => {
            let written = |prefix: &&str| text.get(..prefix.len()).is_some_and(|start| is_spelling(start, prefix));
            let prefix = api_key::PREFIXES.into_iter().find(written)?;
            // What else stands there without a break may be another key.
            let mut whole = prefix.len() + run(&text[prefix.len()..], is_url_safe);
            // A key that was pasted over the end of a line.
            while let gap @ 1.. = run(&text[whole..], |b| matches!(b, b'\r' | b'\n')) {
                whole += gap + run(&text[whole + gap..], is_url_safe);
            }
            (whole > KEY_SHOWN).then_some(Found { shown: KEY_SHOWN, whole })
        }
        b'w' | b'W' => {
            let shown = signature::PREFIX.len();
            let (_, rest) = text.split_at_checked(shown).filter(|(start, _)| is_spelling(start, signature::PREFIX))?;
            let base64 = run(rest, |b| is_url_safe(b) || matches!(b, b'+' | b'/' | b'='));
            (base64 > 0).then_some(Found { shown, whole: shown + base64 })
        }
        b't' => {
            let token = run(text.strip_prefix(LINKED)?, is_url_safe);
            (token > 0).then_some(Found { shown: LINKED.len(), whole: LINKED.len() + token })
        }
        b'u' => {
            let unique = text.strip_prefix(UserId::PREFIX.as_bytes())?;
            let digits = run(unique, |b| b.is_ascii_hexdigit());
            let secret = unique.get(UNIQUE..)?.strip_prefix(b".").filter(|_| digits == UNIQUE)?;
            let shown = UserId::PREFIX.len() + UNIQUE + 1;
            let secret = run(secret, is_url_safe);
            (secret > 0).then_some(Found { shown, whole: shown + secret })
        }
        // RFC 7519 §3.1: a header in base64url, which is an object and so begins `{"`; then the other parts.
        b'e' if text.starts_with(b"eyJ") => {
            let mut whole = run(text, is_url_safe);
            let mut parts = 1;
            while let Some(part) = text[whole..].strip_prefix(b".") {
                whole += 1 + run(part, is_url_safe);
                parts += 1;
            }
            (parts >= 2).then_some(Found { shown: 0, whole })
        }
        _ => None,
    }
}

/// How many bytes at the beginning are of a kind.
fn run(text: &[u8], of: impl Fn(u8) -> bool) -> usize {
    text.iter().position(|b| !of(*b)).unwrap_or(text.len())
}

const fn is_url_safe(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_')
}

#[cfg(test)]
mod tests {
    use contract::permission::KeyType;
    use proptest::prelude::*;

    use super::*;
    use crate::{ApiKeySecret, MailedToken, SessionToken, WebhookSecret};

    const JWT: &str = "eyJhbGciOiJIUzI1NiIsImtpZCI6IjEifQ.eyJpc3MiOiJodHRwczovL2EuZXhhbXBsZSJ9.c2lnbmF0dXJlLW9mLTMy";

    /// One of each, with what must not be told of it.
    fn credentials() -> Vec<(String, String)> {
        let mut all = Vec::new();
        for key_type in [KeyType::Management, KeyType::Delivery, KeyType::Preview] {
            let key = ApiKeySecret::generate(key_type).reveal().to_owned();
            all.push((key.clone(), key[12..].to_owned()));
        }
        let secret = WebhookSecret::generate().reveal().to_owned();
        all.push((secret.clone(), secret[6..].to_owned()));
        let user = "usr_00000000000000000000000000000007".parse().expect("an identifier");
        let cookie = SessionToken::generate(user).set_cookie();
        let session = cookie.split(['=', ';']).nth(1).expect("a value").to_owned();
        all.push((session.clone(), session.split_once('.').expect("two parts").1.to_owned()));
        all.push((JWT.to_owned(), JWT.to_owned()));
        let token = MailedToken::generate().reveal();
        all.push((format!("token={token}"), token));
        all
    }

    fn percent(text: &str, of: impl Fn(char) -> bool) -> String {
        text.chars().map(|c| if of(c) { format!("%{:02X}", u32::from(c)) } else { c.to_string() }).collect()
    }

    /// Without the percent-encoding, as whoever reads a log would take it off.
    fn decode(text: &str) -> String {
        String::from_utf8_lossy(&Decoded::of(text).bytes).into_owned()
    }

    #[test]
    fn keys_are_seen_beside_one_another_and_in_other_spellings() {
        let (one, two) = (ApiKeySecret::generate(KeyType::Management), ApiKeySecret::generate(KeyType::Delivery));
        let (one, two) = (one.reveal(), two.reveal());
        let spelt = format!("HR_LIVE_{}", &one["hr_live_".len()..]);
        let dashed = format!("hr-live-{}", &one["hr_live_".len()..]);
        for text in [format!("{one}{one}"), format!("{one}{two}"), format!("{one}-{two}"), spelt, dashed] {
            let masked = mask(&format!("/q/{text}/r")).into_owned();
            assert!(!masked.contains(&one[12..]) && !masked.contains(&two[12..]), "{masked}");
            assert!(masked.starts_with("/q/") && masked.ends_with("…/r"), "{masked}");
        }
    }

    #[test]
    fn a_slip_is_cut_as_well() {
        for (text, masked) in [
            ("/q/whsec-QUJD?r", "/q/whsec-…?r"),
            ("WHSEC_QUJD", "WHSEC_…"),
            ("/q/hr_live_AbCdEfGh%0D%0AIjKl/r", "/q/hr_live_AbCd…/r"),
            ("hr_live_AbCdEfGh is wrong", "hr_live_AbCd… is wrong"),
        ] {
            assert_eq!(mask(text), masked);
        }
    }

    #[test]
    fn every_credential_is_cut_however_it_is_wrapped() {
        for (credential, secret) in credentials() {
            let all = percent(&credential, |_| true);
            let signs = percent(&credential, |c| !c.is_ascii_alphanumeric());
            for form in
                [credential.clone(), signs.clone(), percent(&signs, |c| c == '%'), all.clone(), all.to_lowercase()]
            {
                for (before, after) in [
                    ("", ""),
                    ("/api/v1/field-groups/", "?restore"),
                    ("?apiKey=", "&limit=1"),
                    ("%22", "%22"),
                    ("é", "é"),
                    ("\"Bearer ", "\\n\""),
                    ("Basic%20eyJ", "…"),
                ] {
                    let text = format!("{before}{form}{after}");
                    let masked = mask(&text);
                    assert!(masked.contains('…') && !decode(&masked).contains(&secret), "{text}: {masked}");
                    assert!(masked.ends_with(after) && has_credential(&text), "{text}: {masked}");
                    assert_eq!(mask(&masked), masked, "once is enough");
                }
            }
            // Cut off somewhere, as a long path is: nothing but what may be shown.
            for end in 1..credential.len() {
                let masked = mask(&credential[..end]).into_owned();
                let told = masked.trim_end_matches('…').len();
                assert!(told <= end.min(credential.len() - secret.len()) || credential == JWT, "{masked}");
            }
        }
    }

    #[test]
    fn several_in_a_text_and_what_is_told_of_them() {
        let text =
            "a hr_live_AbCdEfGh b whsec_QUJD+/8= c usr_00000000000000000000000000000007.s-_ d eyJ.a.b e v1,whsec_x";
        let masked = "a hr_live_AbCd… b whsec_… c usr_00000000000000000000000000000007.… d … e v1,whsec_…";
        assert_eq!(mask(text), masked);
    }

    #[test]
    fn all_else_stays_as_it_is() {
        for text in [
            "",
            "hr_live_",
            "hr_live_AbCd",
            "hr_",
            "`whsec_` and base64",
            "usr_00000000000000000000000000000007",
            "{\"actor\":\"usr_00000000000000000000000000000007\",\"path\":\"/a.b\"}",
            "eyJhbGciOiJIUzI1NiJ9",
            "Łódź 100% 日本 %ZZ %e9 %",
            "req_0197.eyelet.json",
        ] {
            assert!(matches!(mask(text), Cow::Borrowed(same) if same == text), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_goes_through(before in "\\PC{0,20}", after in "\\PC{0,20}") {
            let key = ApiKeySecret::generate(KeyType::Management).reveal().to_owned();
            let text = format!("{before}{key}{after}");
            let masked = mask(&text);
            prop_assert!(!masked.contains(&key[12..]));
            prop_assert!(masked.starts_with(&*mask(&before)) || has_credential(&before));
        }
    }
}

//! Secrets of webhooks (contract: Webhooks).

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use contract::Broken;
use contract::patterns::any_case;
use signature::Key;

use crate::random;

const LEAST_BYTES: usize = 32;
const MOST_BYTES: usize = 512;

/// A webhook's secret. Prints as `…`.
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookSecret(String);

impl WebhookSecret {
    /// A new one in the form of Standard Webhooks: `whsec_` and the base64 of the 32 bytes that are the key.
    #[must_use]
    pub fn generate() -> Self {
        Self(format!("whsec_{}", STANDARD.encode(random::bytes::<32>())))
    }

    /// A new one for receivers whose key is the text itself: 43 URL-safe characters.
    #[must_use]
    pub fn generate_text() -> Self {
        Self(URL_SAFE_NO_PAD.encode(random::bytes::<32>()))
    }

    /// The text, to be shown once or sealed.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// The key that signs.
    ///
    /// # Errors
    /// If it is no secret that [`FromStr`] takes.
    pub fn key(&self) -> Result<Key, Broken> {
        key_of(&self.0)
    }
}

/// Forms of a secret that are a slip: read as text they would sign, and nobody's library would verify it.
fn check_form(text: &str) -> Result<(), Broken> {
    let folded = text.to_ascii_lowercase();
    let refused = |message: &str| Err(Broken::new("invalid_secret", message));
    // Standard Webhooks' asymmetric keys; a `v1a,` before one is what its signatures begin with.
    if folded.starts_with("v1a,") || folded.contains("whsk_") || folded.contains("whpk_") {
        return refused("Asymmetric keys are not known here: send text, or `whsec_` and the base64 of the key.");
    }
    // The version that some products show before a secret, quotes, a variable's name, another case.
    if folded.starts_with("v1,") || (folded.contains(signature::PREFIX) && !text.starts_with(signature::PREFIX)) {
        return refused("Send what begins with `whsec_`, without anything before it.");
    }
    Ok(())
}

fn key_of(text: &str) -> Result<Key, Broken> {
    let bad = || Broken::new("invalid_secret", "Must be text, or `whsec_` and the base64 of the key.");
    // Text that begins like the other form is a slip, and nobody's library would read it as text.
    if text.strip_prefix(signature::PREFIX).is_some_and(|base64| STANDARD.decode(base64).is_err()) {
        return Err(bad());
    }
    Key::parse(text).map_err(|_| Broken::new("invalid_secret", "Must be text, or `whsec_` and the base64 of the key."))
}

impl FromStr for WebhookSecret {
    type Err = Broken;
    fn from_str(text: &str) -> Result<Self, Broken> {
        if text.len() > MOST_BYTES {
            return Err(Broken::new("too_long", format!("Must have at most {MOST_BYTES} bytes.")));
        }
        if text.chars().any(char::is_control) || text.trim() != text {
            let message = "Must hold no control characters, and no space at either end.";
            return Err(Broken::new("invalid_secret", message));
        }
        check_form(text)?;
        if key_of(text)?.len() < LEAST_BYTES {
            return Err(Broken::new("too_short", format!("The key must have at least {LEAST_BYTES} bytes.")));
        }
        Ok(Self(text.to_owned()))
    }
}

/// What [`FromStr`] takes, but for text beyond ASCII, whose bytes no pattern counts.
fn pattern() -> String {
    let [v1, v1a, public, secret, key] = ["v1,", "v1a,", "whpk_", "whsk_", "whsec_"].map(any_case);
    let text = format!("(?!{v1}|{v1a}|.*({public}|{secret}|{key}))[!-~][ -~]{{30,510}}[!-~]");
    let (digit, one_byte, two_bytes) = ("[A-Za-z0-9+/]", "[AQgw]==", "[AEIMQUYcgkosw048]=");
    let rest = format!("{digit}{{2}}{two_bytes}|({digit}{{4}}){{1,115}}({digit}{one_byte}|{digit}{{2}}{two_bytes})?");
    format!("^({text}|whsec_({digit}{{4}}){{10}}({rest}))$")
}

contract::parsed_from_text!(WebhookSecret, {
    "type": "string", "description": "Text, or `whsec_` and the base64 of the key.", "pattern": pattern(), "writeOnly": true
});

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn described(text: &str) -> bool {
        fancy_regex::Regex::new(&pattern()).unwrap().is_match(text).unwrap()
    }

    #[test]
    fn what_we_make_is_what_we_take() {
        for made in [WebhookSecret::generate(), WebhookSecret::generate_text()] {
            assert_eq!(made.reveal().parse(), Ok(made.clone()));
        }
        assert_eq!(WebhookSecret::generate().key().map(|key| key.len()), Ok(32));
        assert_eq!(WebhookSecret::generate_text().key().map(|key| key.len()), Ok(43));
        assert_eq!(format!("{:?}", WebhookSecret::generate()), "…");
    }

    #[test]
    fn a_key_has_at_least_32_bytes() {
        let whsec = |bytes: usize| format!("whsec_{}", STANDARD.encode(vec![7; bytes]));
        for good in [whsec(32), whsec(64), "x".repeat(32), "é".repeat(16)] {
            assert!(good.parse::<WebhookSecret>().is_ok(), "{good}");
        }
        let control = format!("{}\n{}", "x".repeat(20), "x".repeat(20));
        let spaced = format!(" {}", "x".repeat(40));
        for bad in [whsec(31), whsec(0), "whsec_!!!".into(), "x".repeat(31), "x".repeat(513), control, spaced] {
            assert!(bad.parse::<WebhookSecret>().is_err() && !described(&bad), "{bad}");
        }
    }

    #[test]
    fn forms_that_are_a_slip_are_refused_with_a_hint() {
        let whsec = format!("whsec_{}", STANDARD.encode([7; 32]));
        let base64 = STANDARD.encode([7; 64]);
        for slip in [
            format!("v1,{whsec}"),
            format!("V1,{whsec}"),
            format!("v1, {whsec}"),
            format!("v1,{base64}"),
            format!("\"{whsec}\""),
            format!("'{whsec}'"),
            format!("`{whsec}`"),
            format!("WEBHOOK_SECRET={whsec}"),
            format!("Bearer {whsec}"),
            whsec.replace("whsec_", "WHSEC_"),
            format!("{whsec} {whsec}"),
            format!("{whsec},"),
            format!("{whsec}\""),
        ] {
            let refused = slip.parse::<WebhookSecret>().unwrap_err();
            assert!(!described(&slip), "{slip}");
            assert!(refused.code == "invalid_secret" && refused.message.contains("`whsec_`"), "{slip}: {refused:?}");
            assert!(!refused.message.contains(&base64[..20]), "{refused:?}");
        }
        for asymmetric in
            [format!("whsk_{base64}"), format!("whpk_{base64}"), format!("v1a,whsk_{base64}"), format!("v1a,{base64}")]
        {
            let refused = asymmetric.parse::<WebhookSecret>().unwrap_err();
            assert!(refused.message.starts_with("Asymmetric"), "{asymmetric}: {refused:?}");
            assert!(!described(&asymmetric), "{asymmetric}");
        }
        // Texts that only look a little like one.
        for text in ["whsec", "v1", "v1.", "\"", "v2,"].map(|start| format!("{start}{base64}")) {
            assert!(text.parse::<WebhookSecret>().is_ok() && described(&text), "{text}");
        }
    }
}

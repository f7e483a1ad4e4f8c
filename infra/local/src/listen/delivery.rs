//! One delivery: whether it is genuine, and how a person reads it.

use std::time::Duration;

use http::HeaderMap;
use http::request::Parts;
use signature::{EmptyKey, Envelope, Key, Refusal, Verdict, Verifier, explain};
use store::author::Clock;

/// How far a delivery's time may be from now, as receivers should have it.
const TOLERANCE: Duration = Duration::from_secs(300);

/// What signs.
pub(super) struct Secrets {
    texts: Vec<String>,
    verifier: Option<Verifier>,
}

/// What came of a verification.
pub(super) enum Verified {
    Genuine,
    /// There is no secret to verify by.
    Unknown,
    Refused(String),
}

impl Secrets {
    pub(super) fn new(texts: Vec<String>) -> Result<Self, EmptyKey> {
        let mut verifier: Option<Verifier> = None;
        for text in &texts {
            let key = Key::parse(text)?;
            verifier = Some(match verifier {
                Some(verifier) => verifier.or(key),
                None => Verifier::standard(key).tolerance(TOLERANCE),
            });
        }
        Ok(Self { texts, verifier })
    }

    pub(super) fn verify(&self, headers: &HeaderMap, body: &[u8]) -> Verified {
        let Some(verifier) = &self.verifier else { return Verified::Unknown };
        match verifier.verify(headers, body) {
            Ok(_) => Verified::Genuine,
            Err(refusal) => Verified::Refused(self.reason(&refusal, headers, body)),
        }
    }

    /// Why it was refused: what went wrong, if that can be found out.
    fn reason(&self, refusal: &Refusal, headers: &HeaderMap, body: &[u8]) -> String {
        let mut explained = self.texts.iter().map(|secret| explain(secret, headers, body));
        match explained.find(|found| found.verdict == Verdict::Explained) {
            Some(found) => found.findings.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
            None => refusal.to_string(),
        }
    }
}

impl Verified {
    pub(super) const fn is_refused(&self) -> bool {
        matches!(self, Self::Refused(_))
    }
}

/// One line, and the data below it.
pub(super) fn told(parts: &Parts, body: &[u8], verified: &Verified, quiet: bool) -> String {
    let now = Clock::default().now().to_string();
    let time = now.get(11..19).unwrap_or_default();
    let verdict = match verified {
        Verified::Genuine => "✓ verified".to_owned(),
        Verified::Unknown => "not verified".to_owned(),
        Verified::Refused(reason) => format!("✗ {reason}"),
    };
    let (what, data) = match Envelope::parse(body) {
        Ok(Envelope { event, event_id, tenant_id, data, .. }) => {
            let tenant = tenant_id.unwrap_or_else(|| "no tenant".to_owned());
            (format!("{event}  {event_id}  {tenant}"), serde_json::to_string_pretty(&data).unwrap_or_default())
        }
        Err(no) => (format!("{} {}  {no}", parts.method, parts.uri.path()), String::new()),
    };
    let line = plain(&format!("{time}  {what}  {verdict}"));
    if quiet || data.is_empty() { line } else { format!("{line}\n{}", plain(&data)) }
}

/// Without what would steer a terminal, and without credentials: anybody may have sent it.
fn plain(text: &str) -> String {
    auth::mask(text).chars().map(|c| if c.is_control() && c != '\n' { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
    const BODY: &str = r#"{"event":"test.ping","eventId":"evt_1","timestamp":"2026-01-31T12:00:00.000Z","clientId":"cl_1","project":"p","tenantId":null,"data":{"a":"\u001b[31m\u009b","b":"hr_live_AbCdEfGh"}}"#;

    fn parts(secret: &str) -> Parts {
        let now = Clock::default().now().seconds();
        let key = Key::parse(secret).expect("a key");
        let request = http::Request::post("/")
            .header("webhook-id", "evt_1")
            .header("webhook-timestamp", now)
            .header("webhook-signature", signature::standard([&key], "evt_1", now, BODY.as_bytes()));
        request.body(()).expect("a request").into_parts().0
    }

    fn seen(secrets: &[&str], parts: &Parts, quiet: bool) -> (String, bool) {
        let secrets = secrets.iter().map(|&text| text.to_owned()).collect();
        let verified = Secrets::new(secrets).expect("secrets").verify(&parts.headers, BODY.as_bytes());
        // Without the time.
        (told(parts, BODY.as_bytes(), &verified, quiet)[10..].to_owned(), verified.is_refused())
    }

    #[test]
    fn a_delivery_is_one_line_and_its_data() {
        let (told, refused) = seen(&["another", SECRET], &parts(SECRET), false);
        let (line, data) = told.split_once('\n').expect("data");
        assert_eq!((line, refused), ("test.ping  evt_1  no tenant  ✓ verified", false));
        assert_eq!(data, "{\n  \"a\": \"\\u001b[31m\u{fffd}\",\n  \"b\": \"hr_live_AbCd…\"\n}");
        assert_eq!(seen(&[], &parts(SECRET), true), ("test.ping  evt_1  no tenant  not verified".to_owned(), false));
    }

    #[test]
    fn what_is_not_genuine_is_explained() {
        let (line, refused) = seen(&[SECRET], &parts("another"), true);
        assert!(refused && line.contains("✗ No signature matches"), "{line}");
        let (line, refused) = seen(&[&SECRET["whsec_".len()..]], &parts(SECRET), true);
        assert!(refused && line.contains("has lost its `whsec_`"), "{line}");
        assert!(Secrets::new(vec![String::new()]).is_err());
    }
}

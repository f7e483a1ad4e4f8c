//! Why a signature does not match: tries what commonly goes wrong between sender and receiver.

mod finding;
mod guesses;
mod reading;

use subtle::ConstantTimeEq as _;

use crate::{Format, Key, header};
use guesses::Guess;

pub use finding::{Encoding, Explanation, Finding, Verdict};

/// Explains a delivery that was refused, to someone who holds its secret.
///
/// Takes `webhook-signature` and every header with a signature of the body: `X-Hedgerow-Signature`, or one whose name
/// has `signature` in it. It asks for much more work than a [`Verifier`](crate::Verifier), and does not mind a
/// delivery's age.
///
/// ```
/// use hedgerow_signature::{Finding, Verdict, explain};
///
/// let signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
/// let found = explain("It's a Secret to Everybody", [("X-Hedgerow-Signature", signature)], b"Hello, World!\n");
/// assert_eq!(found.verdict, Verdict::Explained);
/// assert_eq!(found.findings, [Finding::BodyLineEnd]);
/// ```
pub fn explain<N, V>(secret: &str, headers: impl IntoIterator<Item = (N, V)>, body: &[u8]) -> Explanation
where
    N: AsRef<str>,
    V: AsRef<[u8]>,
{
    let headers: Vec<(String, String)> = headers
        .into_iter()
        .map(|(name, value)| (name.as_ref().to_owned(), String::from_utf8_lossy(value.as_ref()).into_owned()))
        .collect();
    let (claims, mut findings) = reading::claims(&headers, body);
    if claims.is_empty() {
        findings.push(Finding::NoSignature);
        return Explanation { verdict: Verdict::Unsigned, findings };
    }
    let keys = guesses::keys(secret);
    if keys.is_empty() {
        findings.push(Finding::SecretEmpty);
    }
    let bodies = guesses::bodies(body);
    let judged: Vec<Judged> = claims.iter().map(|claim| (claim, claim.matches(&keys, &bodies))).collect();

    let any = judged.iter().any(|(_, changes)| changes.is_some());
    findings.extend(judged.iter().flat_map(|(claim, changes)| match changes {
        Some(changes) => changes.clone(),
        None => claim.mismatch(&judged),
    }));
    // A rotation is as it should be.
    let genuine = any && findings.iter().all(|finding| matches!(finding, Finding::Rotation { .. }));
    if !any {
        findings.extend(guesses::rewritten(body));
    }
    let mut once = Vec::new();
    for finding in findings {
        if !once.contains(&finding) {
            once.push(finding);
        }
    }
    let verdict = match (genuine, any) {
        (true, _) => Verdict::Genuine,
        (_, true) => Verdict::Explained,
        _ => Verdict::Unexplained,
    };
    Explanation { verdict, findings: once }
}

/// A claim, and the changes with which it holds.
type Judged<'a> = (&'a Claim, Option<Vec<Finding>>);

/// A header's claim: one of these signatures is of something and the body.
struct Claim {
    name: String,
    signatures: Vec<Guess<[u8; 32]>>,
    /// What is signed before the body: nothing, or the identifier and the timestamp as they may have been.
    before: Vec<Guess<String>>,
    kind: Kind,
}

enum Kind {
    Standard,
    Body,
}

impl Claim {
    /// The fewest changes with which a signature matches.
    fn matches(&self, keys: &[Guess<Key>], bodies: &[Guess<Vec<u8>>]) -> Option<Vec<Finding>> {
        let mut best: Option<Vec<Finding>> = None;
        for key in keys {
            for body in bodies {
                for before in &self.before {
                    let made = key.value.sign(&[before.value.as_bytes(), &body.value]);
                    for signature in self.signatures.iter().filter(|given| given.value.ct_eq(&made).into()) {
                        let changes = [&signature.changes[..], &key.changes, &body.changes, &before.changes].concat();
                        if changes.is_empty() {
                            return Some(changes);
                        }
                        if best.as_ref().is_none_or(|best| changes.len() < best.len()) {
                            best = Some(changes);
                        }
                    }
                }
            }
        }
        best
    }

    /// What it means that this claim does not hold, in view of those that do.
    fn mismatch(&self, judged: &[Judged<'_>]) -> Vec<Finding> {
        let header = self.name.clone();
        let holds = |name: &str| {
            judged.iter().any(|(claim, changes)| changes.is_some() && claim.name.eq_ignore_ascii_case(name))
        };
        let there = |name: &str| judged.iter().any(|(claim, _)| claim.name.eq_ignore_ascii_case(name));
        vec![match self.kind {
            _ if self.signatures.is_empty() => Finding::HeaderUnreadable { header },
            // A header is missing, which was said.
            Kind::Standard if self.before.is_empty() => return Vec::new(),
            Kind::Body if holds(&self.sibling()) => Finding::Rotation { header },
            // Of three secrets or more, these headers have the oldest and the newest.
            Kind::Body if there(&self.sibling()) && holds(header::SIGNATURE) => Finding::Rotation { header },
            _ if judged.iter().all(|(_, changes)| changes.is_none()) => Finding::NoMatch { header },
            Kind::Standard => Finding::MetadataAltered,
            Kind::Body => Finding::BodySignatureAltered { header },
        }]
    }

    /// The header that has the other secret's signature during a rotation.
    fn sibling(&self) -> String {
        let length = self.name.len().saturating_sub(header::NEW.len());
        match self.name.split_at_checked(length) {
            Some((name, end)) if end.eq_ignore_ascii_case(header::NEW) => name.to_owned(),
            _ => format!("{}{}", self.name, header::NEW),
        }
    }
}

/// The formats that a header's signature of the body may have.
fn formats(name: &str) -> &'static [Format] {
    let ours = name.get(..header::BODY_SIGNATURE.len());
    if ours.is_some_and(|name| name.eq_ignore_ascii_case(header::BODY_SIGNATURE)) {
        &[Format::Sha256Hex]
    } else {
        &[Format::Hex, Format::Sha256Hex]
    }
}

//! IAM, enforced on this machine as AWS would: an engine that accepts more hides bugs.

use std::future::Future;
use std::sync::Arc;

use crate::answer::Answer;
use crate::dynamo::{Dynamo, Operation, Touched};

tokio::task_local! {
    static GRANTS: Arc<[Grant]>;
}

/// One statement of a policy: these actions on this table, for items whose partition key is like one of these patterns
/// (IAM's `ForAllValues:StringLike` on `dynamodb:LeadingKeys`).
///
/// As in IAM, one statement has to allow an action on a table for *all* the keys that a call names there: two
/// statements with half of them each don't add up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The table's name, or `table/index/name` for queries of an index.
    pub table: String,
    /// IAM actions, such as `GetItem` or `dynamodb:GetItem`.
    pub actions: Vec<&'static str>,
    /// Patterns with `*` and `?`. None at all allows only calls that name no key, such as `DescribeTable`.
    pub leading_keys: Vec<String>,
}

/// Runs `future` with no more rights than `grants`: the connector refuses every other call that it makes. Tasks that it
/// spawns are not held to them.
pub fn permitted<F: Future>(grants: impl Into<Arc<[Grant]>>, future: F) -> impl Future<Output = F::Output> {
    GRANTS.scope(grants.into(), future)
}

/// The grants in force for the task, if any are.
pub(crate) fn in_force() -> Option<Arc<[Grant]>> {
    GRANTS.try_with(Arc::clone).ok()
}

/// AWS's refusal of a call that the grants don't allow.
pub(crate) fn refuse(grants: &[Grant], operation: Operation, body: &[u8], dynamo: &Dynamo) -> Option<Answer> {
    let Some(all) = Touched::by(operation, body, dynamo) else {
        return Some(Answer::denied(operation.name(), "*", &[]));
    };
    let refused = all.into_iter().find(|touched| !grants.iter().any(|grant| grant.allows(touched)))?;
    Some(Answer::denied(refused.action, refused.table.as_deref().unwrap_or("*"), &refused.keys))
}

impl Grant {
    fn allows(&self, touched: &Touched) -> bool {
        let action = |a: &&str| a.strip_prefix("dynamodb:").unwrap_or(a) == touched.action;
        self.actions.iter().any(action)
            && touched.table.as_ref().is_none_or(|table| *table == self.table)
            && touched.keys.iter().all(|key| self.leading_keys.iter().any(|p| like(p.as_bytes(), key.as_bytes())))
    }
}

/// IAM's `StringLike`: `*` is any text, `?` any one character; case counts.
fn like(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    // Where the last `*` stands, and where the text that it covers ends for now.
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(&c) if c == b'?' || c == text[t] => {
                p += 1;
                t += 1;
            }
            _ => match star {
                Some((at, end)) => {
                    star = Some((at, end + 1));
                    p = at + 1;
                    t = end + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == b'*')
}

#[cfg(test)]
mod tests {
    use super::like;

    #[test]
    fn patterns_are_those_of_string_like() {
        for (pattern, text, expected) in [
            ("C#*", "C#one", true),
            ("C#*", "C#", true),
            ("C#*", "c#one", false),
            ("C#*", "D#one", false),
            ("C#one", "C#one", true),
            ("C#one", "C#one2", false),
            ("*", "", true),
            ("", "", true),
            ("", "a", false),
            ("F#?#*", "F#a#b", true),
            ("F#?#*", "F#ab#b", false),
            ("*#a*b", "x#aab#ab", true),
            ("a*b*c", "abcbd", false),
        ] {
            assert_eq!(like(pattern.as_bytes(), text.as_bytes()), expected, "{pattern} {text}");
        }
    }
}

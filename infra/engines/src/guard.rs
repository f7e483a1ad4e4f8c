//! IAM, enforced on this machine as AWS would: an engine that accepts more hides bugs.

use crate::answer::Answer;
use crate::dynamo::{Dynamo, Operation, Touched};
use crate::role::{Role, Use};
use crate::secrets;

/// One statement of a policy. Actions are IAM's, such as `GetItem` or `dynamodb:GetItem`.
///
/// As in IAM, one statement has to allow an action on a table for *all* the keys that a call names there: two
/// statements with half of them each don't add up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Grant {
    /// These actions on a table, for items whose partition key is like one of these patterns (IAM's
    /// `ForAllValues:StringLike` on `dynamodb:LeadingKeys`).
    Items {
        /// The table's name, or `table/index/name` for queries of an index.
        table: String,
        /// What may be done.
        actions: Vec<&'static str>,
        /// Patterns with `*` and `?`. None at all allows only calls that name no key, such as `DescribeTable`.
        leading_keys: Vec<String>,
    },
    /// These actions on a queue.
    Queue {
        /// The queue's name, in which `*` and `?` are patterns.
        name: String,
        /// What may be done. `SendMessage` allows `SendMessageBatch` too, and so on, as in IAM.
        actions: Vec<&'static str>,
    },
    /// These actions on a secret.
    Secret {
        /// The secret's name, in which `*` and `?` are patterns.
        name: String,
        /// What may be done.
        actions: Vec<&'static str>,
    },
}

/// AWS's refusal of a call that the grants don't allow.
pub(crate) fn refuse(grants: &[Grant], operation: Operation, body: &[u8], dynamo: &Dynamo) -> Option<Answer> {
    let Some(all) = Touched::by(operation, body, dynamo) else {
        return Some(Answer::denied(operation.name(), "*", &[]));
    };
    let refused = all.into_iter().find(|touched| !grants.iter().any(|grant| grant.allows(touched)))?;
    Some(Answer::denied(refused.action, refused.table.as_deref().unwrap_or("*"), &refused.keys))
}

/// What a call that is let through makes of a role.
pub(crate) fn uses(role: &Role, operation: Operation, body: &[u8], dynamo: &Dynamo) -> Vec<Use> {
    let all = Touched::by(operation, body, dynamo).unwrap_or_default();
    let of_key = |touched: &Touched, key: &str| {
        let mut allowing = role.grants().iter().filter(|grant| grant.allows(touched));
        allowing.find_map(|grant| grant.of_item(touched.table.as_deref(), touched.action, key))
    };
    let keys = all.iter().flat_map(|touched| touched.keys.iter().map(move |key| (touched, key)));
    keys.filter_map(|(touched, key)| of_key(touched, key)).map(|grant| role.made_of(grant)).collect()
}

/// The name in the grant that allows an action on a queue. A call that names none needs a grant of all.
pub(crate) fn allow_queue<'g>(grants: &'g [Grant], action: &str, queue: Option<&str>) -> Option<&'g str> {
    grants.iter().find_map(|grant| match grant {
        Grant::Queue { name, actions } if has(actions, action) && named_like(name, queue) => Some(name.as_str()),
        _ => None,
    })
}

/// The name in the grant that allows an action on a secret, which may be named by its ARN.
pub(crate) fn allow_secret<'g>(grants: &'g [Grant], action: &str, id: Option<&str>) -> Option<&'g str> {
    grants.iter().find_map(|grant| match grant {
        Grant::Secret { name, actions } if has(actions, action) => {
            let known = id.map(secrets::name_in);
            // The six letters of chance that an ARN ends with aren't the name's.
            let whole = format!("{name}-??????");
            let named = named_like(name, known) || (known != id && named_like(&whole, known));
            named.then_some(name.as_str())
        }
        _ => None,
    })
}

/// An action without its service.
pub(crate) fn plain(action: &str) -> &str {
    action.rsplit(':').next().unwrap_or(action)
}

fn has(actions: &[&'static str], action: &str) -> bool {
    actions.iter().any(|known| plain(known) == action)
}

fn named_like(pattern: &str, name: Option<&str>) -> bool {
    name.map_or(pattern == "*", |name| like(pattern.as_bytes(), name.as_bytes()))
}

impl Grant {
    /// Adds one action on items of a table to a policy: to the statement that already allows it there, so that one call
    /// may name all of the keys, or as a new one.
    pub fn add_items(policy: &mut Vec<Self>, on: &str, action: &'static str, keys: impl IntoIterator<Item = String>) {
        let known = policy.iter_mut().find_map(|grant| match grant {
            Self::Items { table, actions, leading_keys } if table == on && *actions == [action] => Some(leading_keys),
            _ => None,
        });
        match known {
            Some(leading_keys) => leading_keys.extend(keys),
            None => policy.push(Self::Items {
                table: on.to_owned(),
                actions: vec![action],
                leading_keys: keys.into_iter().collect(),
            }),
        }
    }

    fn allows(&self, touched: &Touched) -> bool {
        let Self::Items { table, actions, leading_keys } = self else { return false };
        has(actions, touched.action)
            && touched.table.as_ref().is_none_or(|touched| touched == table)
            && touched.keys.iter().all(|key| leading_keys.iter().any(|p| like(p.as_bytes(), key.as_bytes())))
    }
}

/// IAM's `StringLike`: `*` is any text, `?` any one character; case counts.
pub(crate) fn like(pattern: &[u8], text: &[u8]) -> bool {
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

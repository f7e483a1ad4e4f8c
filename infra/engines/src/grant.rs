//! Grants: the statements of a policy, and what they allow.

use crate::dynamo::ItemAccess;

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
    /// These actions of SES, from one address (IAM's `ses:FromAddress`).
    Mail {
        /// The address.
        from: String,
        /// What may be done.
        actions: Vec<&'static str>,
    },
    /// These actions on objects of S3; of `ListBucket`, on lists below such a prefix (IAM's `s3:prefix`).
    Objects {
        /// The bucket and the key, in which `*` and `?` are patterns: `bucket/prefix/*`.
        path: String,
        /// What may be done.
        actions: Vec<&'static str>,
    },
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

    pub(crate) fn allows(&self, access: &ItemAccess) -> bool {
        let Self::Items { table, actions, leading_keys } = self else { return false };
        has(actions, access.action)
            && access.table.as_ref().is_none_or(|accessed| accessed == table)
            && access.keys.iter().all(|key| leading_keys.iter().any(|p| like(p.as_bytes(), key.as_bytes())))
    }

    /// An action, a resource and a pattern of keys at a time.
    pub(crate) fn each(&self) -> Vec<(&str, &str, Option<&str>)> {
        match self {
            Self::Items { table, actions, leading_keys } => {
                let each =
                    |action| leading_keys.iter().map(move |keys| (plain(action), table.as_str(), Some(keys.as_str())));
                actions.iter().copied().flat_map(each).collect()
            }
            Self::Queue { name, actions }
            | Self::Secret { name, actions }
            | Self::Mail { from: name, actions }
            | Self::Objects { path: name, actions } => {
                actions.iter().map(|action| (plain(action), name.as_str(), None)).collect()
            }
        }
    }

    /// The first of [`Grant::each`] that allows an action on an item.
    pub(crate) fn of_item(&self, on: Option<&str>, action: &str, key: &str) -> Option<(&str, &str, Option<&str>)> {
        self.each().into_iter().find(|(known, table, keys)| {
            *known == action
                && on.is_none_or(|on| on == *table)
                && keys.is_some_and(|keys| like(keys.as_bytes(), key.as_bytes()))
        })
    }
}

/// An action without its service.
pub(crate) fn plain(action: &str) -> &str {
    action.rsplit(':').next().unwrap_or(action)
}

pub(crate) fn has(actions: &[&'static str], action: &str) -> bool {
    actions.iter().any(|known| plain(known) == action)
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

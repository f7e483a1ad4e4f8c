//! The chain of the audit log (`docs/audit.md`): each line of a client's day says the hash of the one before it, so that none
//! can be taken out or altered unseen. A line is hashed as it stands, byte for byte, without its last member, which is the
//! hash: `sed` and `sha256sum` are enough to see whether it is right.

mod verify;

pub use verify::{Day, Fault, Report, Verifier};

/// Whose log the deployment's own is: of what happened to no client.
pub const DEPLOYMENT: &str = "deployment";

/// What stands before the hash in a line.
const HASH: &str = ",\"hash\":\"";
/// What stands after it.
const END: &str = "\"}";
/// Hexadecimal digits of a hash.
const DIGITS: usize = 64;

/// What the first line of a day has as `previous`; `whose` is the client's identifier, or [`DEPLOYMENT`].
#[must_use]
pub fn beginning(whose: &str, day: &str) -> String {
    crate::sha256_hex(format!("hedgerow audit 1\n{whose}\n{day}\n").as_bytes())
}

/// The hash of a line, without that member.
#[must_use]
pub fn hash(text: &str) -> String {
    crate::sha256_hex(text.as_bytes())
}

/// A line with its hash. `text` is a JSON object, without it.
#[must_use]
pub fn line(text: &str, hash: &str) -> String {
    format!("{}{HASH}{hash}{END}", text.strip_suffix('}').unwrap_or(text))
}

/// A line's text without its hash, and the hash; nothing, if it has none at its end.
fn split(line: &str) -> Option<(String, &str)> {
    let rest = line.strip_suffix(END)?;
    let at = rest.len().checked_sub(DIGITS)?;
    let (before, hash) = rest.split_at_checked(at)?;
    let text = before.strip_suffix(HASH)?;
    hash.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')).then(|| (format!("{text}}}"), hash))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_split_as_it_was_made() {
        let text = "{\"a\":\"é\"}";
        let made = line(text, &hash(text));
        assert_eq!(split(&made), Some((text.to_owned(), hash(text).as_str())));
        for bad in ["", "}", "\"}", text, &made[1..made.len() - 1], &made.replace("hash", "hush"), "é\"}"] {
            assert_eq!(split(bad), None, "{bad}");
        }
    }

    #[test]
    fn days_and_clients_begin_differently() {
        let all = [beginning("cl_1", "2026-01-31"), beginning("cl_2", "2026-01-31"), beginning("cl_1", "2026-02-01")];
        assert!(all[0] != all[1] && all[0] != all[2] && all[1] != all[2]);
        assert_eq!(all[0].len(), DIGITS);
    }
}

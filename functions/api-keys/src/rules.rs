//! What holds for the members of an API key, when it is made and when it is changed.

use contract::permission::{KeyType, Permissions};
use contract::{Problems, Time};

/// What a key of this type may do: everything, or what is named; nothing is said of those that are not for management.
pub(crate) fn permissions(
    key_type: KeyType,
    named: Option<Permissions>,
    problems: &mut Problems,
) -> Option<Permissions> {
    if key_type == KeyType::Management {
        return Some(named.unwrap_or_else(Permissions::all));
    }
    if named.is_some() {
        problems.add("permissions", "not_for_type", "Only a management key has permissions.");
    }
    None
}

/// An expiry lies in the future.
pub(crate) fn future(expires_at: Option<Time>, now: Time, problems: &mut Problems) {
    if expires_at.is_some_and(|end| end <= now) {
        problems.add("expiresAt", "in_the_past", "Must lie in the future.");
    }
}

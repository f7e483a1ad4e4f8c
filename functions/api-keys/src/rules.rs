//! What holds for the members of an API key, when it is made and when it is changed.

use contract::permission::{KeyType, Permissions};
use contract::{Problems, Time};

/// Only a management key has permissions.
pub(crate) fn for_type(key_type: Option<KeyType>, named: Option<&Permissions>, problems: &mut Problems) {
    if named.is_some() && key_type.is_some_and(|known| known != KeyType::Management) {
        problems.add("permissions", "not_for_type", "Only a management key has permissions.");
    }
}

/// What a key has whose permissions are not named.
pub(crate) fn unnamed(key_type: KeyType) -> Option<Permissions> {
    (key_type == KeyType::Management).then(Permissions::all)
}

/// An expiry lies in the future.
pub(crate) fn future(expires_at: Option<Time>, now: Time, problems: &mut Problems) {
    if expires_at.is_some_and(|end| end <= now) {
        problems.add("expiresAt", "in_the_past", "Must lie in the future.");
    }
}

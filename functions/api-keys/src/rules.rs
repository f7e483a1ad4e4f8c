//! What holds for the members of an API key, when it is made and when it is changed.

use contract::names::IpBlock;
use contract::permission::{KeyType, Permission};
use contract::{Problems, Time};
use deserr::Deserr;
use schemars::JsonSchema;

const MAX_ADDRESSES: usize = 100;

/// The permissions of a key of this type: all, or those that are named, each once; none but for management keys.
pub(crate) fn permissions(
    key_type: KeyType,
    named: Option<Vec<Permission>>,
    problems: &mut Problems,
) -> Vec<Permission> {
    let management = key_type == KeyType::Management;
    if !management && named.as_ref().is_some_and(|named| !named.is_empty()) {
        problems.add("permissions", "not_for_type", "Only a management key has permissions.");
    }
    let mut permissions = named.unwrap_or_else(|| if management { Permission::ALL.to_vec() } else { Vec::new() });
    permissions.sort_unstable();
    permissions.dedup();
    permissions
}

/// An expiry lies in the future.
pub(crate) fn future(expires_at: Option<Time>, now: Time, problems: &mut Problems) {
    if expires_at.is_some_and(|end| end <= now) {
        problems.add("expiresAt", "in_the_past", "Must lie in the future.");
    }
}

/// At most 100 addresses and CIDR blocks: the member `allowedIps`.
#[derive(Default, Deserr, JsonSchema)]
#[deserr(error = Problems, try_from(Vec<IpBlock>) = Self::checked -> Problems)]
#[schemars(inline, transparent)]
pub(crate) struct Addresses(#[schemars(length(max = 100))] pub(crate) Vec<IpBlock>);

impl Addresses {
    fn checked(allowed: Vec<IpBlock>) -> Result<Self, Problems> {
        if allowed.len() > MAX_ADDRESSES {
            let message = format!("Must have at most {MAX_ADDRESSES} elements.");
            return Err(Problems::one("allowedIps", "too_many", message));
        }
        Ok(Self(allowed))
    }
}

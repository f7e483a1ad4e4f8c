//! What holds for the members of an API key, when it is made and when it is changed.

use contract::names::IpBlock;
use contract::permission::{KeyType, Permission};
use contract::{Problems, Time};
use deserr::Deserr;
use schemars::JsonSchema;

const MAX_ADDRESSES: usize = 100;
/// A list that narrows and is empty could mean all or nothing.
const AT_LEAST_ONE: &str = "Must have at least 1 element.";

/// The permissions of a key of this type: all, or those that are named, each once; none but for management keys.
pub(crate) fn permissions(
    key_type: KeyType,
    named: Option<Vec<Permission>>,
    problems: &mut Problems,
) -> Vec<Permission> {
    let management = key_type == KeyType::Management;
    match &named {
        Some(named) if named.is_empty() => problems.add("permissions", "too_few", AT_LEAST_ONE),
        Some(_) if !management => {
            problems.add("permissions", "not_for_type", "Only a management key has permissions.");
        }
        _ => {}
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

/// 1 to 100 addresses and CIDR blocks: the member `allowedIps`.
#[derive(Default, Deserr, JsonSchema)]
#[deserr(error = Problems, try_from(Vec<IpBlock>) = Self::checked -> Problems)]
#[schemars(inline, transparent)]
pub(crate) struct Addresses(#[schemars(length(min = 1, max = 100))] pub(crate) Vec<IpBlock>);

impl Addresses {
    fn checked(allowed: Vec<IpBlock>) -> Result<Self, Problems> {
        if allowed.is_empty() {
            return Err(Problems::one("allowedIps", "too_few", AT_LEAST_ONE));
        }
        if allowed.len() > MAX_ADDRESSES {
            let message = format!("Must have at most {MAX_ADDRESSES} elements.");
            return Err(Problems::one("allowedIps", "too_many", message));
        }
        Ok(Self(allowed))
    }
}

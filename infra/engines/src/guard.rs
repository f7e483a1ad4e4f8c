//! IAM, enforced on this machine as AWS would: an engine that accepts more hides bugs.

use crate::answer::Answer;
use crate::dynamo::{Dynamo, ItemAccess, Operation};
use crate::grant::{Grant, has, like};
use crate::role::{Role, Use};
use crate::secrets;

/// AWS's refusal of a call that the grants don't allow.
pub(crate) fn refuse(grants: &[Grant], operation: Operation, body: &[u8], dynamo: &Dynamo) -> Option<Answer> {
    let Some(all) = ItemAccess::by(operation, body, dynamo) else {
        return Some(Answer::denied(operation.name(), "*", &[]));
    };
    let refused = all.into_iter().find(|access| !grants.iter().any(|grant| grant.allows(access)))?;
    Some(Answer::denied(refused.action, refused.table.as_deref().unwrap_or("*"), &refused.keys))
}

/// What a call that is let through makes of a role.
pub(crate) fn uses(role: &Role, operation: Operation, body: &[u8], dynamo: &Dynamo) -> Vec<Use> {
    let all = ItemAccess::by(operation, body, dynamo).unwrap_or_default();
    let of_key = |access: &ItemAccess, key: &str| {
        let mut allowing = role.grants().iter().filter(|grant| grant.allows(access));
        allowing.find_map(|grant| grant.of_item(access.table.as_deref(), access.action, key))
    };
    let keys = all.iter().flat_map(|access| access.keys.iter().map(move |key| (access, key)));
    keys.filter_map(|(access, key)| of_key(access, key)).map(|grant| role.made_of(grant)).collect()
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

/// The address in the grant that allows an action of SES from there.
pub(crate) fn allow_mail<'g>(grants: &'g [Grant], action: &str, sender: Option<&str>) -> Option<&'g str> {
    grants.iter().find_map(|grant| match grant {
        Grant::Mail { from, actions } if has(actions, action) && sender == Some(from) => Some(from.as_str()),
        _ => None,
    })
}

/// The path in the grant that allows an action on an object, or on the list below a prefix.
pub(crate) fn allow_object<'g>(grants: &'g [Grant], action: &str, path: Option<&str>) -> Option<&'g str> {
    grants.iter().find_map(|grant| match grant {
        Grant::Objects { path: granted, actions } if has(actions, action) && named_like(granted, path) => {
            Some(granted.as_str())
        }
        _ => None,
    })
}

fn named_like(pattern: &str, name: Option<&str>) -> bool {
    name.map_or(pattern == "*", |name| like(pattern.as_bytes(), name.as_bytes()))
}

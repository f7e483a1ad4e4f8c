//! Who may call an operation.

use contract::permission::{Permission, Role};
use contract::route::Meta;

use crate::map;
use crate::node::Node;

/// The roles, least first.
const ROLES: [(Role, &str); 4] =
    [(Role::Viewer, "viewer"), (Role::Editor, "editor"), (Role::Admin, "admin"), (Role::Owner, "owner")];

/// What a route asks for.
pub(super) struct Asked {
    /// The credentials, any one of which does.
    pub(super) security: Node,
    /// A sentence.
    pub(super) sentence: String,
    /// The permission that an API key needs.
    pub(super) permission: Option<&'static str>,
    /// The least role that a member needs.
    pub(super) role: Option<&'static str>,
}

pub(super) fn asked(meta: &Meta) -> Asked {
    let (schemes, permission, role) = runtime::credential::describe(meta.access);
    let least = permission.map(least).or_else(|| role.map(name));
    let or_higher = if least == Some("owner") { "" } else { " or a higher one" };
    let sentence = match (permission, least) {
        (Some(permission), Some(role)) => format!(
            "Needs a management key with the permission `{}`, or the session of a member with the role {role}{or_higher}.",
            permission.name()
        ),
        (_, Some(role)) => format!("Needs the session of a member with the role {role}{or_higher}; no API key may."),
        _ if schemes.is_empty() => "Needs no credential.".to_owned(),
        _ => "Needs a session.".to_owned(),
    };
    let security = schemes.iter().map(|scheme| map! { *scheme => Vec::<Node>::new() }).collect();
    Asked { security, sentence, permission: permission.map(Permission::name), role: least }
}

/// The least role that may do what a key needs this permission for.
fn least(permission: Permission) -> &'static str {
    ROLES.iter().find(|(role, _)| role.allows(permission)).map_or("owner", |(_, name)| name)
}

fn name(role: Role) -> &'static str {
    ROLES.iter().find(|(known, _)| *known == role).map_or("owner", |(_, name)| name)
}

//! Who may call an operation.

use contract::permission::{Permission, Role};
use runtime::Access;
use runtime::spec::access::{KeyAccess, SessionAccess, TokenAccess};

use crate::map;
use crate::node::Node;

/// The roles, least first.
const ROLES: [Role; 4] = [Role::Viewer, Role::Editor, Role::Admin, Role::Owner];

/// What a route asks for.
pub(super) struct Asked {
    /// The credentials, any one of which does.
    pub(super) security: Node,
    /// A sentence.
    pub(super) sentence: String,
    /// The permission that an API key needs; with several, any of them.
    pub(super) permission: Option<Node>,
    /// The least role that a member needs.
    pub(super) role: Option<&'static str>,
}

pub(super) fn asked(access: Access) -> Asked {
    let schemes: Vec<&str> = match access {
        Access::Public => Vec::new(),
        Access::Credential { key, session, token } => {
            let keys: &[&str] = if key == KeyAccess::Refused { &[] } else { &["apiKey", "bearer"] };
            let session = (session != SessionAccess::Refused).then_some("session");
            let token = (token != TokenAccess::Refused).then_some("embedToken");
            keys.iter().copied().chain(session).chain(token).collect()
        }
    };
    let no_session = matches!(access, Access::Credential { session: SessionAccess::Refused, .. });
    let permissions = access.permissions();
    let least = least(permissions).filter(|_| !no_session).or_else(|| access.role().map(Role::name));
    let or_higher = if least == Some("owner") { "" } else { " or a higher one" };
    let names: Vec<_> = permissions.iter().map(|permission| permission.name()).collect();
    let any_key = permissions == Permission::ALL;
    let sentence = match least {
        Some(_) if any_key => "Needs a management key, or a session.".to_owned(),
        Some(role) if !names.is_empty() => format!(
            "Needs a management key with the permission `{}`, or the session of a member with the role {role}{or_higher}.",
            names.join("` or `")
        ),
        Some(role) => format!("Needs the session of a member with the role {role}{or_higher}; no API key may."),
        None if no_session => {
            format!("Needs a management key with the permission `{}`; no session may.", names.join("` or `"))
        }
        _ if schemes.is_empty() => "Needs no credential.".to_owned(),
        _ => "Needs a session.".to_owned(),
    };
    let sentence = match access.token() {
        TokenAccess::Refused => sentence,
        TokenAccess::Fields(None) => format!("{sentence} Any embed token of the tenant may, too."),
        TokenAccess::Values(of) | TokenAccess::Fields(Some(of)) => {
            format!("{sentence} An embed token of the tenant may, too, with `{}`.", of.name())
        }
    };
    let security = schemes.iter().map(|scheme| map! { *scheme => Vec::<Node>::new() }).collect();
    let permission = match names.as_slice() {
        [] => None,
        _ if any_key => None,
        [one] => Some((*one).into()),
        any => Some(any.iter().copied().collect()),
    };
    Asked { security, sentence, permission, role: least }
}

/// The least role that may do what a key needs one of these permissions for; none if none are named.
fn least(permissions: &[Permission]) -> Option<&'static str> {
    let allows = |role: Role| permissions.iter().any(|permission| role.allows(*permission));
    ROLES.into_iter().find(|role| allows(*role)).map(Role::name)
}

//! The credential gate: who asks, and whether such a one may enter the route.

use auth::{ApiKeySecret, SessionToken};
use contract::permission::{KeyType, Permission, Role};
use contract::route::Access;
use contract::{Code, Error};
use http::header::{AUTHORIZATION, COOKIE, HeaderName};
use store::Store;
use store::credentials::{KeyCredential, SessionCredential};
use store::grant::Grant;
use store::scope::ClientScope;

use crate::app::App;
use crate::handler::{Admitted, FromRequest};
use crate::incoming::Incoming;

const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// Who asks.
#[derive(Debug, Clone)]
pub enum Caller {
    /// Nobody in particular.
    Anonymous,
    /// A user of the dashboard.
    Session(SessionCredential),
    /// An API key.
    Key(KeyCredential),
}

impl Caller {
    /// Whose data may be touched.
    #[must_use]
    pub fn scope(&self) -> Option<&ClientScope> {
        match self {
            Self::Anonymous => None,
            Self::Session(session) => Some(&session.scope),
            Self::Key(key) => Some(&key.scope),
        }
    }

    /// `usr_…`, `key_…` or `anonymous`.
    #[must_use]
    pub fn actor(&self) -> String {
        match self {
            Self::Anonymous => "anonymous".to_owned(),
            Self::Session(session) => session.user_id().to_string(),
            Self::Key(key) => key.id.to_string(),
        }
    }
}

/// What was sent as a credential. An explicit one wins over a cookie.
enum Sent {
    Nothing,
    Explicit(String),
    Cookie(SessionToken),
}

fn sent(incoming: &Incoming) -> Result<Sent, Error> {
    let explicit: Vec<_> =
        incoming.headers.get_all(&API_KEY).iter().chain(incoming.headers.get_all(AUTHORIZATION)).collect();
    let two = || Error::saying(Code::MalformedRequest, "More than one explicit credential was sent.");
    match explicit.as_slice() {
        // API Gateway joins headers of one name; no credential has a comma in it.
        [one] if one.as_bytes().contains(&b',') => Err(two()),
        [] => Ok(session_cookie(incoming).map_or(Sent::Nothing, Sent::Cookie)),
        [one] if incoming.headers.contains_key(&API_KEY) => {
            Ok(Sent::Explicit(one.to_str().unwrap_or_default().to_owned()))
        }
        [one] => {
            // RFC 9110 §11.1: the scheme's name has no case.
            let (scheme, token) = one.to_str().unwrap_or_default().split_once(' ').unwrap_or_default();
            let token = if scheme.eq_ignore_ascii_case("bearer") { token.trim() } else { "" };
            Ok(Sent::Explicit(token.to_owned()))
        }
        _ => Err(two()),
    }
}

fn session_cookie(incoming: &Incoming) -> Option<SessionToken> {
    let cookies = incoming.headers.get(COOKIE)?;
    SessionToken::from_cookies(&String::from_utf8_lossy(cookies.as_bytes()))
}

/// Verifies what was sent, and holds it against what the route asks for.
pub(crate) async fn admit(app: &App, access: Access, incoming: &Incoming) -> Result<Caller, Error> {
    let sent = sent(incoming)?;
    if access == Access::Public {
        return Ok(Caller::Anonymous);
    }
    let caller = match sent {
        Sent::Nothing => None,
        Sent::Explicit(text) => match ApiKeySecret::parse(&text) {
            Some(secret) => app.store()?.verify_key(&secret).await?.map(Caller::Key),
            None => None,
        },
        Sent::Cookie(token) => app.store()?.verify_session(&token).await?.map(Caller::Session),
    };
    let caller = caller.ok_or(Code::Unauthenticated)?;
    may_enter(&caller, access, incoming)?;
    Ok(caller)
}

fn may_enter(caller: &Caller, access: Access, incoming: &Incoming) -> Result<(), Error> {
    match (access, caller) {
        (Access::Public, _) | (Access::Session, Caller::Session(_)) => Ok(()),
        (Access::Member(least), Caller::Session(session)) => {
            if session.role() < least {
                return forbidden(format!("This needs the role `{}` or a higher one.", least.name()));
            }
            Ok(())
        }
        (Access::Management(_) | Access::ManagementAny(_), Caller::Session(session)) => {
            has_any(access, |permission| session.role().allows(permission), "Your role")
        }
        (Access::Management(_) | Access::ManagementAny(_), Caller::Key(key)) => {
            if key.key_type != KeyType::Management {
                return Err(Code::WrongKeyType.into());
            }
            if !key.allows_address(incoming.origin.address) {
                return Err(Code::IpNotAllowed.into());
            }
            has_any(access, |permission| key.may(permission), "This API key")
        }
        (Access::Session | Access::Member(_), Caller::Key(_)) => {
            forbidden("An API key may not do that: it needs a session of the dashboard.".to_owned())
        }
        (_, Caller::Anonymous) => Err(Code::Unauthenticated.into()),
    }
}

fn has_any(access: Access, has: impl Fn(Permission) -> bool, who: &str) -> Result<(), Error> {
    let permissions = permissions(access);
    if permissions.iter().any(|permission| has(*permission)) {
        return Ok(());
    }
    let names: Vec<String> = permissions.iter().map(|permission| format!("`{}`", permission.name())).collect();
    forbidden(format!("{who} lacks the permission {}.", names.join(" or ")))
}

fn forbidden(message: String) -> Result<(), Error> {
    Err(Error::saying(Code::Forbidden, message))
}

/// The permissions any one of which lets a key or a role in.
fn permissions(access: Access) -> Vec<Permission> {
    match access {
        Access::Management(permission) => vec![permission],
        Access::ManagementAny(any) => any.to_vec(),
        Access::Public | Access::Session | Access::Member(_) => Vec::new(),
    }
}

/// What this gate may do in DynamoDB for a route.
pub(crate) fn grants(access: Access) -> Vec<Grant> {
    match access {
        Access::Public => Vec::new(),
        // A key is looked up even where none may enter: an unknown one is told 401, not 403.
        Access::Session | Access::Member(_) | Access::Management(_) | Access::ManagementAny(_) => {
            [Store::KEY_GRANTS, Store::SESSION_GRANTS].concat()
        }
    }
}

/// How the API's description names what an access takes: credentials, permissions any one of which does, a role.
#[must_use]
pub fn describe(access: Access) -> (&'static [&'static str], Vec<Permission>, Option<Role>) {
    let (schemes, role): (&[_], _) = match access {
        Access::Public => (&[], None),
        Access::Session => (&["session"], None),
        Access::Member(role) => (&["session"], Some(role)),
        Access::Management(_) | Access::ManagementAny(_) => (&["apiKey", "bearer", "session"], None),
    };
    (schemes, permissions(access), role)
}

/// The session that a request came with: an argument of handlers on routes that only a session enters.
pub struct LoggedIn(pub SessionCredential);

impl FromRequest for LoggedIn {
    fn take(request: &mut Admitted) -> Result<Self, Error> {
        match &request.caller {
            Caller::Session(session) => Ok(Self(session.clone())),
            Caller::Anonymous | Caller::Key(_) => Err(Code::Forbidden.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use contract::routes::ROUTES;

    use super::*;

    #[test]
    fn no_route_under_the_management_path_lets_just_anyone_in() {
        for meta in ROUTES.iter().filter(|meta| meta.path.starts_with("/api/v1")) {
            assert!(
                matches!(meta.access, Access::Member(_) | Access::Management(_) | Access::ManagementAny(_)),
                "{}",
                meta.id
            );
        }
    }
}

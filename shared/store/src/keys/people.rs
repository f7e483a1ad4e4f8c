//! Keys of a client and of its people: settings, accounts, sessions, invitations, API keys.

use auth::KeyHash;
use contract::Origin;
use contract::id::{ClientId, InvitationId, KeyId, UserId};
use contract::names::Slug;

use super::{CARD, DELETED, Key, Kind, log, main};
use crate::scope::ClientScope;

pub(crate) fn client(client: ClientId) -> Key {
    main(Kind::Client, client, CARD)
}

/// What a client sets for itself.
pub(crate) fn settings(client: ClientId) -> Key {
    main(Kind::Client, client, "settings")
}

/// That a client lets pages of this origin call.
pub(crate) fn origin(origin: &Origin, client: ClientId) -> Key {
    main(Kind::Origin, origin, client.to_string())
}

pub(crate) fn origin_pk(origin: &Origin) -> String {
    format!("{}{origin}", Kind::Origin.prefix())
}

/// That an account has been opened, where only the first may be.
pub(crate) fn first_account() -> Key {
    main(Kind::Counts, "deployment", "first-account")
}

/// How many of these a client has.
pub(crate) fn count(client: ClientId, of: &str) -> Key {
    main(Kind::Counts, client, of)
}

pub(crate) fn member(client: ClientId, user: UserId) -> Key {
    main(Kind::Members, client, user.to_string())
}

pub(crate) fn members_pk(scope: &ClientScope) -> String {
    format!("{}{}", Kind::Members.prefix(), scope.client())
}

pub(crate) fn invitation(client: ClientId, invitation: InvitationId) -> Key {
    main(Kind::Invitations, client, invitation.to_string())
}

pub(crate) fn invitations_pk(scope: &ClientScope) -> String {
    format!("{}{}", Kind::Invitations.prefix(), scope.client())
}

/// What an invitation's token leads to.
pub(crate) fn invitation_token(hash: &str) -> Key {
    main(Kind::InvitationTokens, hash, CARD)
}

pub(crate) fn slug(slug: &Slug) -> Key {
    main(Kind::Slug, slug, CARD)
}

pub(crate) fn email(hash: &str) -> Key {
    main(Kind::Email, hash, CARD)
}

pub(crate) fn user(user: UserId) -> Key {
    main(Kind::User, user, CARD)
}

/// The hash of a user's password.
pub(crate) fn password(user: UserId) -> Key {
    main(Kind::Password, user, CARD)
}

/// The second factor of a user.
pub(crate) fn second_factor(user: UserId) -> Key {
    main(Kind::SecondFactor, user, CARD)
}

pub(crate) fn session(user: UserId, hash: &str) -> Key {
    log(Kind::User, user, format!("{SESSIONS}{hash}"))
}
pub(crate) const SESSIONS: &str = "s#";

pub(crate) fn sessions_pk(user: UserId) -> String {
    format!("{}{user}", Kind::User.prefix())
}

/// What the token of a password's reset leads to.
pub(crate) fn password_reset(hash: &str) -> Key {
    log(Kind::PasswordReset, hash, CARD)
}

/// The one that counts of a user's.
pub(crate) fn newest_password_reset(user: UserId) -> Key {
    log(Kind::User, user, "password-reset")
}

/// Wrong passwords at an address.
pub(crate) fn login_attempts(email_hash: &str) -> Key {
    log(Kind::Email, email_hash, "login-attempts")
}

pub(crate) fn key_card(hash: &KeyHash) -> Key {
    main(Kind::Key, hash.as_str(), CARD)
}

pub(crate) fn api_key(scope: &ClientScope, key: KeyId) -> Key {
    main(Kind::ApiKeys, scope.client(), key.to_string())
}

/// The same by what a token says whose signature is right, before it has a scope.
pub(crate) fn api_key_of_token(client: ClientId, key: KeyId) -> Key {
    main(Kind::ApiKeys, client, key.to_string())
}

/// What is left of an API key that was deleted: who did it, until the purge.
pub(crate) fn deleted_api_key(scope: &ClientScope, key: KeyId) -> Key {
    main(Kind::ApiKeys, scope.client(), format!("{DELETED}{key}"))
}

/// When an API key was last used.
pub(crate) fn key_uses(client: ClientId, key: KeyId) -> Key {
    log(Kind::KeyUses, client, key.to_string())
}

pub(crate) fn key_uses_pk(scope: &ClientScope) -> String {
    format!("{}{}", Kind::KeyUses.prefix(), scope.client())
}

pub(crate) fn api_keys_pk(scope: &ClientScope) -> String {
    format!("{}{}", Kind::ApiKeys.prefix(), scope.client())
}

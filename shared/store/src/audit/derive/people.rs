//! What the items of a user say.

use contract::Error;
use contract::audit::Action::{
    LoginSucceeded, MemberDeleted, PasswordUpdated, SecondFactorCreated, SecondFactorDeleted, SecondFactorStarted,
    SessionsEnded,
};
use contract::id::UserId;
use serde_json::json;

use super::Seen;
use super::draft::{Draft, Stamp};
use super::members::object;
use crate::audit::note::Whose;
use crate::dynamo::{Item, get_text};
use crate::users::UserCard;

impl Seen<'_> {
    /// The user's card: logins, the end of sessions, the second factor, and memberships that ended.
    pub(super) fn user(&self, new: &Item, user: UserId) -> Result<Vec<Draft>, Error> {
        let Some(old) = &self.0.old else { return Ok(Vec::new()) };
        if self.is_beside(new) {
            return Ok(Vec::new());
        }
        let (stamp, was, is) = (Stamp::of(new)?, UserCard::read(old)?, UserCard::read(new)?);
        let path = format!("members/{user}");
        let mut drafts = Vec::new();
        for (client, membership) in was.memberships.iter().filter(|(client, _)| !is.memberships.contains_key(client)) {
            let before = object(&json!({ "id": user, "email": was.person.email, "role": membership.role }))?;
            drafts.push(stamp.of_client(*client, MemberDeleted, path.as_str()).before(before));
        }
        if self.was("loggedInAt") != get_text(new, "loggedInAt")
            && let Some(client) = get_text(new, "lastClient").and_then(|id| id.parse().ok())
        {
            drafts.push(stamp.of_client(client, LoginSucceeded, path.as_str()));
        }
        let everywhere = [
            (is.epoch != was.epoch, SessionsEnded),
            (is.has_second_factor && !was.has_second_factor, SecondFactorCreated),
            (!is.has_second_factor && was.has_second_factor, SecondFactorDeleted),
        ];
        for (_, action) in everywhere.into_iter().filter(|(happened, _)| *happened) {
            drafts.extend(is.memberships.keys().map(|client| stamp.of_client(*client, action, path.as_str())));
        }
        Ok(drafts)
    }

    /// A first password is told by the account, or the member, that it is of.
    pub(super) fn password(&self, new: &Item, user: UserId) -> Result<Option<Draft>, Error> {
        if self.0.old.is_none() || self.is_beside(new) {
            return Ok(None);
        }
        Ok(Some(Stamp::of(new)?.draft(Whose::User(user), PasswordUpdated, format!("members/{user}"))))
    }

    /// That it is in force, or not any more, stands on the user's card.
    pub(super) fn second_factor(&self, new: &Item, user: UserId) -> Result<Option<Draft>, Error> {
        if get_text(new, "pending").is_none() || self.was("pending") == get_text(new, "pending") {
            return Ok(None);
        }
        Ok(Some(Stamp::of(new)?.draft(Whose::User(user), SecondFactorStarted, format!("members/{user}"))))
    }
}

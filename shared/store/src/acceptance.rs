//! Accepting invitations: whoever has a mail's token becomes a member, with an account that there is or a new one.

use std::sync::Arc;

use auth::{Keyring, MailedToken, Password, PasswordHash, SecondFactorAttempt, SessionToken};
use contract::id::UserId;
use contract::permission::Role;
use contract::resource::{Member, SessionInfo};
use contract::{Code, Error, Problems};

use crate::Store;
use crate::accounts::{email_row, hashed, refuse_easy, user_at};
use crate::author::Author;
use crate::change::{Change, Outcome};
use crate::document::{from_doc, holding};
use crate::dynamo::{Item, must, number, text};
use crate::grant::granted;
use crate::invitations::Stored;
use crate::keys;
use crate::limits::{COUNTED_INVITATIONS, COUNTED_MEMBERS, reached};
use crate::login_attempts::{self, LoginError};
use crate::members::{self, joined};
use crate::scope::ClientScope;
use crate::second_factor_check::{self, Shown};
use crate::sessions;
use crate::standing::still_open;
use crate::users::{MAX_MEMBERSHIPS, Membership, Person, UserCard};

/// Accepting an invitation, before a client is known.
pub struct Acceptance {
    store: Store,
    author: Arc<Author>,
}

granted! {
    Acceptance {
        Main GetItem [InvitationTokens, Email, Client, Members];
        Main BatchGetItem [Client, User, SecondFactor];
        Main ConditionCheckItem [Client];
        Main PutItem [User, Email, Password, Members];
        Main UpdateItem [User, Password, SecondFactor, Counts];
        Main DeleteItem [Invitations, InvitationTokens];
        Log BatchGetItem [Email];
        Log UpdateItem [Email];
        Log PutItem [User, Email];
        Log DeleteItem [Email];
    }
}

impl Acceptance {
    /// For a request of nobody's.
    #[must_use]
    pub fn open(store: &Store, author: Arc<Author>) -> Self {
        Self { store: store.clone(), author }
    }

    /// Makes whoever has the token a member, and starts a session there: an address without an account gets one with
    /// this password.
    ///
    /// # Errors
    /// `unauthenticated` for a token that is none, has run out or was used; `validation_failed` where a password is
    /// needed and not there; `totp_required` where the account has a second factor and none is sent,
    /// `invalid_credentials` for a wrong one, which counts towards the lock; `limit_reached`.
    pub async fn accept(
        &self,
        token: &MailedToken,
        password: Option<Password>,
        totp: Option<&SecondFactorAttempt>,
        ring: &Keyring,
    ) -> Result<(SessionInfo, SessionToken), LoginError> {
        let (store, author) = (&self.store, &self.author);
        let item = store.get(&keys::invitation_token(&token.hash())).await?.ok_or_else(Error::dead_link)?;
        let stored = Stored::read(&item)?;
        if stored.invitation.expires_at <= author.at() {
            return Err(Error::dead_link().into());
        }
        // Nobody comes into a client that is closed.
        if self.store.standing(stored.client).await?.is_none_or(|standing| standing.is_closed) {
            return Err(Error::dead_link().into());
        }
        // Who could not invite today has not invited.
        let inviter = store.get(&keys::member(stored.client, stored.invitation.invited_by)).await?;
        let inviter: Option<Member> = inviter.as_ref().map(from_doc).transpose()?;
        if !inviter.is_some_and(|member| member.role.may_give(stored.invitation.role)) {
            return Err(Error::dead_link().into());
        }
        let Some(user) = user_at(store, &stored.invitation.email).await? else {
            let hash = self.new_password(&stored, password).await?;
            return Ok(self.enter(&stored, &hash).await?);
        };
        let [card, factor] = store.batch_get([&keys::user(user), &keys::second_factor(user)]).await?;
        let card = UserCard::read(&must(card, "user")?)?;
        // `straße@` and `strasse@` can't both have accounts, and may be two mailboxes: the mail went to this one.
        if !card.person.email.is_spelt_as(&stored.invitation.email) {
            return Err(Error::dead_link().into());
        }
        // Whoever opened the account may not be who reads this mail. What is wrong with the password is told before the code
        // is looked at, or it would tell whether that is right.
        let hash = if card.is_proven { None } else { Some(self.new_password(&stored, password).await?) };
        let used = self.used(&card, factor.as_ref(), totp, ring).await?;
        Ok(self.join(&stored, card, hash, used).await?)
    }

    /// That a user has shown the second factor, if there is one; what shows it once.
    async fn used(
        &self,
        card: &UserCard,
        factor: Option<&Item>,
        totp: Option<&SecondFactorAttempt>,
        ring: &Keyring,
    ) -> Result<Vec<Change>, LoginError> {
        let (store, email, now) = (&self.store, &card.person.email, self.author.at());
        match second_factor_check::shown(card.person.id, factor, totp, ring, now)? {
            Shown::NotNeeded => Ok(Vec::new()),
            Shown::Missing => Err(Code::TotpRequired.into()),
            // As at a login, a right one is a wrong one while the address is locked.
            Shown::Right(used) if !login_attempts::is_locked(store, email, now).await? => {
                Ok(vec![login_attempts::succeeded(email, now), *used])
            }
            Shown::Right(_) | Shown::Wrong => Err(login_attempts::refusal(store, email, now).await),
        }
    }

    async fn new_password(&self, stored: &Stored, password: Option<Password>) -> Result<PasswordHash, Error> {
        let missing =
            || Problems::one("password", "required", "Choose a password: nobody has shown yet to read this mail.");
        let password = password.ok_or_else(missing)?;
        let client = self.store.client_card(stored.client).await?;
        refuse_easy("password", &password, &stored.invitation.email, vec![client.name]).await?;
        hashed(password).await
    }

    /// An account that there is becomes a member, and maybe has a new password, which ends what the old one began.
    async fn join(
        &self,
        stored: &Stored,
        mut card: UserCard,
        hash: Option<PasswordHash>,
        mut changes: Vec<Change>,
    ) -> Result<(SessionInfo, SessionToken), Error> {
        if card.memberships.contains_key(&stored.client) {
            return Err(Error::dead_link());
        }
        if card.memberships.len() >= MAX_MEMBERSHIPS {
            return Err(reached("A user", MAX_MEMBERSHIPS as u64, "clients"));
        }
        let membership = self.membership(stored, &card.person);
        let client = stored.client.to_string();
        let user = Change::update(keys::user(card.person.id)).set("lastClient", text(client.clone()));
        let mut user = membership.on(user, stored.client)?.when(&format!("attribute_not_exists(#{client})"));
        user = user.when("#sessionEpoch = :epoch").with(":epoch", number(card.epoch));
        if let Some(hash) = hash {
            let password = Change::update(keys::password(card.person.id)).set("hash", text(hash.stored()));
            changes.push(password.when_present());
            card.epoch += 1;
            user = UserCard::proven(user).set("sessionEpoch", number(card.epoch));
        }
        changes.push(user);
        card.memberships.insert(stored.client, membership);
        self.commit(stored, card, changes).await
    }

    /// An address gets an account, and is a member.
    async fn enter(&self, stored: &Stored, hash: &PasswordHash) -> Result<(SessionInfo, SessionToken), Error> {
        let author = &self.author;
        let person = Person {
            id: UserId::new(author.unique()),
            email: stored.invitation.email.clone(),
            created_at: author.at(),
        };
        let membership = self.membership(stored, &person);
        let changes = vec![
            UserCard::proven(membership.on(UserCard::new_change(&person, author.info())?, stored.client)?),
            email_row(&person),
            Change::put(keys::password(person.id)).set("hash", text(hash.stored())).when_absent(),
        ];
        self.commit(stored, UserCard::new(person, stored.client, membership), changes).await
    }

    fn membership(&self, stored: &Stored, person: &Person) -> Membership {
        Membership::of(&joined(person, stored.invitation.role, self.author.at()), &stored.seal)
    }

    async fn commit(
        &self,
        stored: &Stored,
        card: UserCard,
        mut changes: Vec<Change>,
    ) -> Result<(SessionInfo, SessionToken), Error> {
        let (store, author) = (&self.store, &self.author);
        let (event, at) = (author.event(), author.at());
        let scope = ClientScope::verified(stored.client, stored.seal.clone());
        let role = stored.invitation.role;
        let member = joined(&card.person, role, at);
        changes.push(holding(Change::put(keys::member(stored.client, card.person.id)), &member, 1)?.when_absent());
        let limits = store.plan_limits(stored.client).await?;
        changes.push(COUNTED_MEMBERS.within(limits.members).one_more(&scope));
        changes.push(still_open(stored.client));
        if role == Role::Owner {
            changes.push(members::owners(stored.client, 1));
        }
        changes.push(COUNTED_INVITATIONS.one_less(&scope));
        changes.extend(stored.gone());
        let token = SessionToken::generate(card.person.id);
        let membership = must(card.memberships.get(&stored.client), "membership")?;
        let started = sessions::start(store, author, at, &token, (card.epoch, stored.client, membership));
        changes.push(started.change);
        let changes = changes.into_iter().map(|change| change.stamped(author, event)).collect();
        match store.commit(changes, event).await? {
            Outcome::Done => Ok((store.session_info(&card, stored.client, started.expires_at).await?, token)),
            // Used, taken back, or the account was opened meanwhile: the mail's reader tries again.
            Outcome::Stale => Err(Error::dead_link()),
        }
    }
}

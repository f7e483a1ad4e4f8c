//! Passwords: changed by their owner, or set anew by whoever reads the mailbox.

use std::sync::Arc;

use auth::mailed_token::RESET_LIFETIME;
use auth::{MailedToken, Password, PasswordAttempt};
use contract::id::{EventId, UserId};
use contract::names::Email;
use contract::{Code, Error, Time};

use crate::Store;
use crate::accounts::{blocking, hash_of, hashed, refuse_easy, set_hash, user_at};
use crate::author::{Author, unique};
use crate::change::{Change, Outcome};
use crate::dynamo::{get_text, must, must_parse, number, text};
use crate::grant::granted;
use crate::keys;
use crate::login_attempts::{self, LoginError};
use crate::retry::{Step, update_with_retry};
use crate::sessions::{SessionCredential, next_epoch};
use crate::users::{Person, UserCard};

/// The password of the user whose session asks.
pub struct OwnPassword {
    store: Store,
    author: Arc<Author>,
}

/// Setting a password anew, by a mailed token.
pub struct PasswordReset {
    store: Store,
    author: Arc<Author>,
}

/// Whether there are accounts behind addresses that strangers name. Of the mail's worker: a request that asked itself
/// would tell by its time.
pub struct Mailboxes {
    store: Store,
}

granted! {
    OwnPassword {
        Main GetItem [User];
        Main BatchGetItem [User, Password, Client];
        Main UpdateItem [User, Password];
        Log BatchGetItem [Email];
        Log UpdateItem [User, Email];
        Log PutItem [Email];
        Log DeleteItem [Email];
    }
    Mailboxes {
        Main GetItem [Email, User];
        Log GetItem [User];
        Log PutItem [PasswordReset, User];
    }
    PasswordReset {
        Main BatchGetItem [User, Client];
        Main UpdateItem [User, Password];
        Log GetItem [PasswordReset];
        Log BatchGetItem [User];
        Log UpdateItem [User];
        Log DeleteItem [PasswordReset, Email];
    }
}

/// Refuses a password that is too easily guessed by who knows the user.
async fn check(store: &Store, path: &'static str, password: &Password, card: &UserCard) -> Result<(), Error> {
    let clients = store.clients_of(card).await?;
    refuse_easy(path, password, &card.person.email, clients.into_iter().map(|client| client.name).collect()).await
}

/// What has been compared.
pub(crate) struct Confirmed {
    pub(crate) card: UserCard,
    /// The hash as it is kept.
    pub(crate) was: String,
}

/// Whether a password is that of the user whose session asks. What is done with it then has to be so under the condition of
/// [`login_attempts::succeeded`].
///
/// # Errors
/// `invalid_credentials` for a wrong one, which counts towards the lock, and while the address is locked.
pub(crate) async fn confirm(
    store: &Store,
    asking: &SessionCredential,
    password: PasswordAttempt,
    now: Time,
) -> Result<Confirmed, LoginError> {
    let (user, email) = (asking.user_id(), &asking.user.email);
    let [card, kept] = store.batch_get([&keys::user(user), &keys::password(user)]).await?;
    let card = UserCard::read(&must(card, "user")?)?;
    let hash = hash_of(kept.as_ref());
    let right = blocking(move || hash.matches(&password)).await?;
    let locked = login_attempts::is_locked(store, email, now).await?;
    if !right || locked {
        let LoginError { error, locked } = login_attempts::refusal(store, email, now).await;
        let error = match error.code() {
            Code::InvalidCredentials => Error::saying(Code::InvalidCredentials, "The password is wrong."),
            _ => error,
        };
        return Err(LoginError { error, locked });
    }
    let was = must(kept.as_ref().and_then(|kept| get_text(kept, "hash")), "hash")?.to_owned();
    Ok(Confirmed { card, was })
}

impl OwnPassword {
    /// Of a request that came with a session.
    #[must_use]
    pub fn open(store: &Store, author: Arc<Author>) -> Self {
        Self { store: store.clone(), author }
    }

    /// Changes the password and ends all other sessions of the user.
    ///
    /// # Errors
    /// `invalid_credentials` for a wrong one, which counts towards the lock; `validation_failed` for a new one that is
    /// easily guessed.
    pub async fn change(
        &self,
        asking: &SessionCredential,
        current: PasswordAttempt,
        new: Password,
    ) -> Result<(), LoginError> {
        let (store, author) = (&self.store, &self.author);
        let (user, email) = (asking.user_id(), &asking.user.email);
        let Confirmed { card, was } = confirm(store, asking, current, author.at()).await?;
        check(store, "newPassword", &new, &card).await?;
        let hash = hashed(new).await?;
        let event = author.event();
        let changed: Result<(), Error> = update_with_retry!({
            let card = store.user_card(user).await?;
            // Changed by another session meanwhile, which has ended this one.
            let own = set_hash(user, &hash, &was).or(Code::InvalidCredentials);
            let mut changes = vec![login_attempts::succeeded(email, author.at()), own];
            changes.extend(next_epoch(&card, Some(asking))?);
            let changes = changes.into_iter().map(|change| change.stamped(author, event)).collect();
            match store.commit(changes, event).await? {
                Outcome::Done => Ok(Step::Done(())),
                Outcome::Stale => Ok(Step::Stale { base: card.epoch }),
            }
        });
        Ok(changed?)
    }
}

impl Mailboxes {
    /// Those of a deployment.
    #[must_use]
    pub fn open(store: &Store) -> Self {
        Self { store: store.clone() }
    }

    /// The address as its account has it, if it has one: what a stranger spelt in another way may be another mailbox.
    ///
    /// # Errors
    /// `unavailable`, `internal`.
    pub async fn of_account(&self, email: &Email) -> Result<Option<Email>, Error> {
        Ok(self.person(email).await?.map(|person| person.email))
    }

    async fn person(&self, email: &Email) -> Result<Option<Person>, Error> {
        let Some(user) = user_at(&self.store, email).await? else { return Ok(None) };
        self.store.get(&keys::user(user)).await?.map(|card| UserCard::read(&card).map(|card| card.person)).transpose()
    }

    /// Lets a token set the password of an address's account, from `at` on for [`RESET_LIFETIME`] and in place of an
    /// earlier one; the address as the account has it, if there is one.
    ///
    /// # Errors
    /// `unavailable`, `internal`.
    pub async fn start_reset(&self, email: &Email, token: &MailedToken, at: Time) -> Result<Option<Email>, Error> {
        let Some(Person { id: user, email, .. }) = self.person(email).await? else { return Ok(None) };
        let (ends, newest) = (at.plus(RESET_LIFETIME), keys::newest_password_reset(user));
        let until = |change: Change| change.set("expiresAt", text(ends.to_string())).set("ttl", number(ends.seconds()));
        let changes = vec![
            until(Change::put(keys::password_reset(&token.hash()))).set("user", text(user.to_string())),
            // Whose hash stands here is the one that counts: a second request ends the first link.
            until(Change::put(newest.clone()))
                .set("hash", text(token.hash()))
                .set("sentAt", text(at.to_string()))
                .when("(attribute_not_exists(#pk) OR #sentAt < :at)")
                .with(":at", text(at.to_string())),
        ];
        if let Outcome::Done = self.store.commit(changes, EventId::new(unique(at))).await? {
            return Ok(Some(email));
        }
        // Handed out again: to be mailed if it was not used, and no later one was asked for.
        let last = self.store.get(&newest).await?;
        let is_newest = last.as_ref().and_then(|last| get_text(last, "hash")) == Some(&token.hash());
        Ok(is_newest.then_some(email))
    }
}

impl PasswordReset {
    /// For a request of nobody's.
    #[must_use]
    pub fn open(store: &Store, author: Arc<Author>) -> Self {
        Self { store: store.clone(), author }
    }

    /// Sets a password anew, once, ends all sessions of the user and unlocks the account. Whose it was.
    ///
    /// # Errors
    /// `unauthenticated` for a token that is none, has run out or was used; `validation_failed` for a password that is
    /// easily guessed.
    pub async fn confirm(&self, token: &MailedToken, password: Password) -> Result<Email, Error> {
        let (store, author) = (&self.store, &self.author);
        let found = store.get(&keys::password_reset(&token.hash())).await?.ok_or_else(Error::dead_link)?;
        let user: UserId = must_parse(&found, "user")?;
        let newest = keys::newest_password_reset(user);
        let [card, last] = store.batch_get([&keys::user(user), &newest]).await?;
        let last = last.ok_or_else(Error::dead_link)?;
        let ends: Time = must_parse(&last, "expiresAt")?;
        if get_text(&last, "hash") != Some(&token.hash()) || ends <= author.at() {
            return Err(Error::dead_link());
        }
        let card = UserCard::read(&must(card, "user")?)?;
        check(store, "password", &password, &card).await?;
        let hash = hashed(password).await?;
        let mut changes = vec![
            // What is left says until its time that the link was used: its mail may be handed out again.
            Change::update(newest).remove("hash").when("#hash = :hash").with(":hash", text(token.hash())).unstamped(),
            Change::delete(keys::password_reset(&token.hash())),
            Change::update(keys::password(user)).set("hash", text(hash.stored())).when_present(),
            UserCard::proven(Change::update(keys::user(user)).add("sessionEpoch", 1)).when_present(),
        ];
        // Whoever reads the mailbox could guess codes without end, if wrong ones were forgotten too.
        if !card.has_second_factor {
            changes.push(login_attempts::forgotten(&card.person.email));
        }
        let event = author.event();
        let changes = changes.into_iter().map(|change| change.stamped(author, event)).collect();
        match store.commit(changes, event).await? {
            Outcome::Done => Ok(card.person.email),
            Outcome::Stale => Err(Error::dead_link()),
        }
    }
}

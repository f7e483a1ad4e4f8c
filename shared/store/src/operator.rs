//! What only whoever runs the deployment may do. It is reached by a command with the deployment's own credentials, never by
//! a function.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use auth::audit_chain::DEPLOYMENT;
use auth::{Password, SealKey};
use contract::audit::Action;
use contract::id::ClientId;
use contract::names::{Email, Name, Slug};
use contract::{Error, Time};

use crate::accounts::{Opened, Signup, user_at};
use crate::audit::{Lines, Note, Whose};
use crate::author::Author;
use crate::change::{Change, Outcome};
use crate::dynamo::{get_text, must, must_parse};
use crate::grant::Update;
use crate::keys;
use crate::login_attempts;
use crate::scope::ClientScope;
use crate::settings::ClientSettings;
use crate::users::UserCard;
use crate::{OpContext, Store};

/// Whoever runs the deployment.
pub struct Operator {
    store: Store,
    author: Arc<Author>,
}

impl Operator {
    /// Of a store.
    #[must_use]
    pub fn open(store: &Store, author: Arc<Author>) -> Self {
        Self { store: store.clone(), author }
    }

    /// Opens an account with its client, whoever else may sign up. Where the first alone may, that was it.
    ///
    /// # Errors
    /// `email_taken`; `validation_failed` for a password that is easily guessed.
    pub async fn open_account(&self, email: Email, password: Password, name: Name) -> Result<Opened, Error> {
        Signup::open(&self.store, self.author.clone()).open_first(email, password, name).await
    }

    /// A client by its identifier or its slug.
    ///
    /// # Errors
    /// `unavailable`, `internal`.
    pub async fn client(&self, named: &str) -> Result<Option<ClientId>, Error> {
        if let Ok(id) = named.parse() {
            return Ok(Some(id));
        }
        let Ok(slug) = named.parse::<Slug>() else { return Ok(None) };
        self.store.get(&keys::slug(&slug)).await?.map(|row| must_parse(&row, "client")).transpose()
    }

    /// Puts a client's allow-list out of force, of which its members have shut themselves out; false, if there is no such client.
    ///
    /// # Errors
    /// `unavailable`, `internal`.
    pub async fn turn_off_allowlist(&self, client: ClientId) -> Result<bool, Error> {
        let Some(card) = self.store.get(&keys::client(client)).await? else { return Ok(false) };
        let seal = must(get_text(&card, "seal").and_then(SealKey::from_stored), "seal")?;
        let op = OpContext::new(self.store.clone(), ClientScope::verified(client, seal), self.author.clone());
        let off = |settings: &mut contract::settings::Settings| {
            settings.ip_allowlist.enabled = false;
            Ok(())
        };
        ClientSettings::<Update>::open(&op).update([None, None], off).await.map(|_| true)
    }

    /// Ends all sessions of an address's user, wherever they are; false, if it has no account.
    ///
    /// # Errors
    /// `unavailable`, `internal`.
    pub async fn end_sessions(&self, email: &Email) -> Result<bool, Error> {
        let Some(user) = user_at(&self.store, email).await? else { return Ok(false) };
        let event = self.author.event();
        let next = Change::update(keys::user(user)).add("sessionEpoch", 1).when_present().stamped(&self.author, event);
        Ok(matches!(self.store.commit(vec![next], event).await?, Outcome::Done))
    }

    /// Turns off the second factor of an address's user, who has neither the app nor a recovery code any more; false, if it
    /// has no account.
    ///
    /// # Errors
    /// `unavailable`, `internal`.
    pub async fn turn_off_second_factor(&self, email: &Email) -> Result<bool, Error> {
        let Some(user) = user_at(&self.store, email).await? else { return Ok(false) };
        let event = self.author.event();
        let card = UserCard::without_second_factor(Change::update(keys::user(user))).when_present();
        let changes = vec![card.stamped(&self.author, event), Change::delete(keys::second_factor(user))];
        Ok(matches!(self.store.commit(changes, event).await?, Outcome::Done))
    }

    /// Forgets the wrong passwords of an address, whether or not it has an account.
    ///
    /// # Errors
    /// `unavailable`, `internal`.
    pub async fn unlock(&self, email: &Email) -> Result<(), Error> {
        let mut changes = vec![login_attempts::forgotten(email)];
        let event = self.author.event();
        if let Some(user) = user_at(&self.store, email).await? {
            let note = Note::new(Whose::User(user), Action::LockDeleted, format!("members/{user}")).change(event)?;
            changes.push(note.stamped(&self.author, event));
        }
        self.store.commit(changes, event).await.map(|_| ())
    }

    /// A client's audit log as lines, or the deployment's own.
    ///
    /// # Errors
    /// `unavailable`, `internal`.
    pub async fn audit_lines(
        &self,
        client: Option<ClientId>,
        from: Option<Time>,
        to: Option<Time>,
    ) -> Result<Lines, Error> {
        Lines::of(&self.store, client, &self.author, from, to).await
    }

    /// Whose audit logs there are, none for the deployment's own, and of which days.
    ///
    /// # Errors
    /// `unavailable`, `internal`.
    pub async fn audit_logs(&self) -> Result<BTreeMap<Option<ClientId>, BTreeSet<String>>, Error> {
        let mut logs: BTreeMap<_, BTreeSet<String>> = BTreeMap::new();
        for (day, whose) in self.store.audit_days().await? {
            let client =
                if whose == DEPLOYMENT { None } else { Some(whose.parse().map_err(|_| Error::internal("whose"))?) };
            logs.entry(client).or_default().insert(day);
        }
        Ok(logs)
    }
}

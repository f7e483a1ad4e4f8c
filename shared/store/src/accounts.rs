//! Accounts: signup and login, before a client is known.

use std::sync::Arc;

use auth::{Keyring, Password, PasswordAttempt, PasswordHash, SealKey, SecondFactorAttempt, SessionToken};
use contract::id::{ClientId, SessionId, UserId};
use contract::names::{Email, Name, Slug};
use contract::permission::Role;
use contract::resource::{Client, SessionInfo, User};
use contract::{Code, Error};
use tokio::sync::Semaphore;

use crate::apart::apart;
use crate::author::Author;
use crate::change::{Change, Outcome};
use crate::document::holding;
use crate::dynamo::{Item, get_text, must_parse, number, text};
use crate::grant::granted;
use crate::keys::{self, Key};
use crate::limits::COUNTED_MEMBERS;
use crate::login_attempts::{self, LoginError, email_hash};
use crate::members;
use crate::scope::ClientScope;
use crate::second_factor_check::{self, Shown};
use crate::sessions;
use crate::standing::still_open;
use crate::users::{Membership, Person, UserCard};
use crate::{OpContext, Store};

/// Opening accounts.
pub struct Signup {
    store: Store,
    author: Arc<Author>,
}

/// Who may open an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SignupPolicy {
    /// Anyone.
    #[default]
    Anyone,
    /// Nobody: people come in by invitations, into clients that there are.
    Invited,
    /// Whoever is the first.
    First,
}

/// Logging in.
pub struct Login {
    store: Store,
    author: Arc<Author>,
}

granted! {
    Signup {
        Main GetItem [Email, Counts];
        Main PutItem [Client, Counts, Members, Slug, Email, User, Password];
        Main UpdateItem [Counts];
        Log PutItem [User];
    }
    Login {
        Main GetItem [Email];
        Main BatchGetItem [User, Password, SecondFactor, Client];
        Main UpdateItem [User, Password, SecondFactor];
        Main PutItem [AuditNotes];
        Main ConditionCheckItem [Client];
        Log BatchGetItem [Email];
        Log UpdateItem [Email];
        Log PutItem [User, Email];
        Log DeleteItem [Email];
    }
}

impl Signup {
    /// For a request of nobody's.
    #[must_use]
    pub fn open(store: &Store, author: Arc<Author>) -> Self {
        Self { store: store.clone(), author }
    }

    /// Opens a client with its owner, who is logged in at once.
    ///
    /// # Errors
    /// `email_taken`; `validation_failed` for a password that is easily guessed; `forbidden` where the deployment lets
    /// nobody, or nobody else, sign up.
    pub async fn sign_up(
        &self,
        email: Email,
        password: Password,
        name: Name,
    ) -> Result<(SessionInfo, SessionToken), Error> {
        let policy = self.store.signup_policy();
        let is_closed = match policy {
            SignupPolicy::Anyone => false,
            // Asked first, or the answer would tell of the address; the condition decides.
            SignupPolicy::First => self.store.get(&keys::first_account()).await?.is_some(),
            SignupPolicy::Invited => true,
        };
        if is_closed {
            return Err(closed());
        }
        refuse_easy("password", &password, &email, vec![name.clone()]).await?;
        // Asked first to spare the hash; the condition on the address decides.
        if self.store.get(&email_key(&email)).await?.is_some() {
            return Err(Code::EmailTaken.into());
        }
        let only_first = policy == SignupPolicy::First;
        let first = || only_first.then(|| Change::put(keys::first_account()).when_absent().or(closed()));
        let opened = self.open_under(first, email, &hashed(password).await?, name).await?;
        let token = SessionToken::generate(opened.user.id);
        Ok((self.start_known(&opened, &token).await?.1, token))
    }

    /// Opens a client with its owner, and gives hold of its data.
    ///
    /// # Errors
    /// `email_taken`.
    pub async fn open_account(&self, email: Email, hash: &PasswordHash, name: Name) -> Result<Opened, Error> {
        self.open_under(|| None, email, hash, name).await
    }

    /// Opens a client with its owner by whoever runs the deployment. Where the first alone may sign up, that was it.
    pub(crate) async fn open_first(&self, email: Email, password: Password, name: Name) -> Result<Opened, Error> {
        refuse_easy("password", &password, &email, vec![name.clone()]).await?;
        let first = || Some(Change::put(keys::first_account()));
        self.open_under(first, email, &hashed(password).await?, name).await
    }

    async fn open_under(
        &self,
        first: impl Fn() -> Option<Change>,
        email: Email,
        hash: &PasswordHash,
        name: Name,
    ) -> Result<Opened, Error> {
        let (store, author) = (&self.store, &self.author);
        let (event, at) = (author.event(), author.at());
        let person = Person { id: UserId::new(author.unique()), email, created_at: at };
        author.turned_out(person.id);
        let wished = Slug::from_name(&name);
        let id = ClientId::new(author.unique());
        let mut client = Client {
            id,
            name,
            slug: wished.clone(),
            require_totp: false,
            closed_at: None,
            version: 1,
            created_at: at,
            updated_at: at,
        };
        let scope = ClientScope::verified(id, SealKey::generate());
        let member = members::joined(&person, Role::Owner, at);
        let membership = Membership::of(&member, scope.seal());
        for _ in 0..8 {
            let client_card = holding(Change::put(keys::client(id)), &client, 1)?;
            let mut changes = vec![
                email_row(&person).or(Code::EmailTaken),
                Change::put(keys::slug(&client.slug)).set("client", text(id.to_string())).when_absent(),
                client_card.set("seal", text(scope.seal().stored())).when_absent(),
                membership.on(UserCard::new_change(&person, author.info())?, id)?,
                Change::put(keys::password(person.id)).set("hash", text(hash.stored())).when_absent(),
                holding(Change::put(keys::member(id, person.id)), &member, 1)?.when_absent(),
                members::owners(id, 1),
                COUNTED_MEMBERS.one_more(&scope),
            ];
            changes.extend(first());
            let changes = changes.into_iter().map(|change| change.stamped(author, event)).collect();
            if let Outcome::Done = store.commit(changes, event).await? {
                let op = OpContext { store: store.clone(), scope, author: author.clone() };
                return Ok(Opened { user: person.in_role(Role::Owner, false), client, op, membership });
            }
            // The slug is taken, if anything is.
            client.slug = wished.with_suffix(&auth::hex(&auth::random::bytes::<4>()));
        }
        Err(Error::unavailable("no free slug was found"))
    }

    /// Starts the first session of an account, whose token is known beforehand, as that of the sample events is.
    ///
    /// # Errors
    /// None of the contract's.
    pub async fn start_known(&self, opened: &Opened, token: &SessionToken) -> Result<(SessionId, SessionInfo), Error> {
        let (store, Opened { user, client, membership, .. }) = (&self.store, opened);
        let started = sessions::start(store, &self.author, store.clock().now(), token, (0, client.id, membership));
        store.conditional_write(started.change).await?;
        let (expires_at, clients) = (started.expires_at, vec![client.of_user(user.role)]);
        Ok((started.id, SessionInfo { user: user.clone(), client: client.clone(), clients, expires_at }))
    }
}

/// An account that has just been opened.
pub struct Opened {
    /// Its owner.
    pub user: User,
    /// The client.
    pub client: Client,
    /// The hold on its data.
    pub op: OpContext,
    membership: Membership,
}

impl Login {
    /// For a request of nobody's.
    #[must_use]
    pub fn open(store: &Store, author: Arc<Author>) -> Self {
        Self { store: store.clone(), author }
    }

    /// Starts a session in a client: the one that is named, or the one that was used last. An unknown address, a wrong
    /// password, a wrong code, a client that the user is no member of and a locked address read alike; all but the code
    /// take as long.
    ///
    /// # Errors
    /// `invalid_credentials`; `totp_required` for the right password alone of someone who has a second factor; `forbidden` for the right password of someone who is a member of no client any more.
    pub async fn log_in(
        &self,
        email: &Email,
        password: PasswordAttempt,
        totp: Option<&SecondFactorAttempt>,
        client: Option<ClientId>,
        ring: &Keyring,
    ) -> Result<NewSession, LoginError> {
        let (store, author) = (&self.store, &self.author);
        // For an unknown address a card that is nobody's is read, which takes as long.
        let known = user_at(store, email).await?;
        let user = known.unwrap_or(UserId::new(uuid::Uuid::nil()));
        let wanted = [keys::user(user), keys::password(user), keys::second_factor(user)];
        let [card, kept, factor] = store.batch_get(wanted.each_ref()).await?;
        let hash = hash_of(kept.as_ref());
        let (right, rehashed) = blocking(move || hash.verify(&password)).await?;
        // While it is locked a right one is a wrong one, in what it does too.
        let locked = login_attempts::is_locked(store, email, author.at()).await?;
        let Some(card) = card.filter(|_| right && !locked) else {
            return Err(login_attempts::refusal(store, email, known, author).await);
        };

        // Only who has the right password learns that there is a second factor; the failures before it stay counted.
        let used = match second_factor_check::shown(user, factor.as_ref(), totp, ring, author.at())? {
            Shown::NotNeeded => None,
            Shown::Right(used) => Some(*used),
            Shown::Missing => return Err(Code::TotpRequired.into()),
            Shown::Wrong => return Err(login_attempts::refusal(store, email, known, author).await),
        };
        let card = UserCard::read(&card)?;
        let clients = store.clients_of(&card).await?;
        let nowhere = || if card.memberships.is_empty() { no_member() } else { closed_client() };
        let client = client.or_else(|| card.usual_client(&clients)).ok_or_else(nowhere)?;
        let (_, membership) = card.in_client(client).ok_or(Code::InvalidCredentials)?;
        if !clients.iter().any(|open| open.id == client) {
            return Err(closed_client().into());
        }
        let token = SessionToken::generate(user);
        let started = sessions::start(store, author, author.at(), &token, (card.epoch, client, membership));
        let mut changes = vec![login_attempts::succeeded(email, author.at()), started.change];
        changes.extend(used);
        // A password that is changed meanwhile ends this session, too.
        author.turned_out(user);
        let event = author.event();
        let card_change = card.logs_in(client, author.info(), author.at()).when("#sessionEpoch = :epoch");
        changes.push(card_change.with(":epoch", number(card.epoch)).stamped(author, event));
        if membership.role != Role::Owner {
            changes.push(still_open(client));
        }
        match store.commit(changes, event).await? {
            Outcome::Done => {
                if let (Some(hash), Some(was)) = (rehashed, kept.as_ref().and_then(|kept| get_text(kept, "hash"))) {
                    store.conditional_write(set_hash(user, &hash, was)).await?;
                }
                let info = sessions::info(&card, clients, client, started.expires_at)?;
                Ok(NewSession { info, token, is_from_elsewhere: !card.knows(author.info()) })
            }
            Outcome::Stale => Err(Code::InvalidCredentials.into()),
        }
    }
}

/// A session that has just been started.
pub struct NewSession {
    /// What it is.
    pub info: SessionInfo,
    /// Its secret.
    pub token: SessionToken,
    /// Whether the user has not logged in from there before.
    pub is_from_elsewhere: bool,
}

fn closed() -> Error {
    Error::saying(Code::Forbidden, "Accounts are not opened here. Ask an owner or an admin for an invitation.")
}

fn closed_client() -> Error {
    Error::saying(Code::Forbidden, "This client is closed. Only an owner may enter it, and restore it.")
}

fn no_member() -> Error {
    Error::saying(Code::Forbidden, "You are a member of no client any more. Ask one of its owners for an invitation.")
}

fn email_key(email: &Email) -> Key {
    keys::email(&email_hash(email))
}

/// The user of an address, if it has an account.
pub(crate) async fn user_at(store: &Store, email: &Email) -> Result<Option<UserId>, Error> {
    store.get(&email_key(email)).await?.map(|row| must_parse(&row, "user")).transpose()
}

/// That an address is a person's, if it is nobody's yet.
pub(crate) fn email_row(person: &Person) -> Change {
    Change::put(email_key(&person.email)).set("user", text(person.id.to_string())).when_absent()
}

/// The hash of a user's password; nobody's where there is none, which takes as long to compare.
pub(crate) fn hash_of(kept: Option<&Item>) -> PasswordHash {
    let hash = kept.and_then(|kept| get_text(kept, "hash"));
    hash.map_or_else(PasswordHash::of_nobody, |hash| PasswordHash::from_stored(hash.to_owned()))
}

/// The write of a new hash in place of the one that was compared.
pub(crate) fn set_hash(user: UserId, hash: &PasswordHash, was: &str) -> Change {
    let change = Change::update(keys::password(user)).set("hash", text(hash.stored()));
    change.when("#hash = :was").with(":was", text(was))
}

/// Hashes take turns anyway: who waits, waits here, without a thread; whom the queue has no place for is told so.
static TURN: Semaphore = Semaphore::const_new(1);
static QUEUE: Semaphore = Semaphore::const_new(500);

/// Makes or compares a hash off the async threads.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Error> {
    let _place = QUEUE.try_acquire().map_err(Error::unavailable)?;
    apart(&TURN, work).await
}

pub(crate) async fn hashed(password: Password) -> Result<PasswordHash, Error> {
    let hash = blocking(move || PasswordHash::of(&password)).await?;
    hash.ok_or_else(|| Error::internal("a password could not be hashed"))
}

/// Refuses a password that is too easily guessed by who knows these names. That may take long.
pub(crate) async fn refuse_easy(
    path: &'static str,
    password: &Password,
    email: &Email,
    names: Vec<Name>,
) -> Result<(), Error> {
    let (password, email) = (password.clone(), email.clone());
    let checked = blocking(move || {
        let names: Vec<&str> = names.iter().map(Name::as_str).collect();
        password.check(path, &email, &names)
    });
    Ok(checked.await??)
}

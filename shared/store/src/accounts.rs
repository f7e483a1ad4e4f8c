//! Accounts: signup, login and logout, before and after a client is known.

use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use auth::session::LIFETIME_SECONDS;
use auth::{Password, PasswordAttempt, PasswordHash, SealKey, SessionToken};
use contract::id::{ClientId, UserId};
use contract::names::{Email, Name, Slug};
use contract::permission::Role;
use contract::resource::{Client, SessionInfo, User};
use contract::{Code, Error, Time};
use tokio::sync::Semaphore;

use crate::OpContext;
use crate::Store;
use crate::apart::apart;
use crate::author::Author;
use crate::change::{Change, Outcome};
use crate::credentials::SessionCredential;
use crate::document::{from_doc, holding, to_doc};
use crate::dynamo::{get_number, get_text, must, number, text};
use crate::grant::{Delete, Get, granted};
use crate::keys::{self, Key};
use crate::scope::ClientScope;

/// Opening accounts.
pub struct Signup {
    store: Store,
    author: Arc<Author>,
}

/// Logging in.
pub struct Login {
    store: Store,
    author: Arc<Author>,
}

/// The running session: what it is, and its end.
pub struct Sessions<A> {
    store: Store,
    access: PhantomData<A>,
}

granted! {
    Signup {
        Main GetItem [Email];
        Main PutItem [Client, Members, Slug, Email, User, Password];
        Log PutItem [User];
    }
    Login {
        Main GetItem [Email, Client];
        Main BatchGetItem [User, Password];
        Log PutItem [User];
    }
    Sessions<Get> { Main GetItem [Client]; }
    Sessions<Delete> { Log DeleteItem [User]; }
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
    /// `email_taken`.
    pub async fn sign_up(
        &self,
        email: Email,
        password: Password,
        name: Name,
    ) -> Result<(SessionInfo, SessionToken), Error> {
        // Asked first to spare the hash; the condition on the address decides.
        if self.store.get(&email_key(&email)).await?.is_some() {
            return Err(Code::EmailTaken.into());
        }
        let (info, op) = self.open_account(email, &hashed(password).await?, name).await?;
        let token = SessionToken::generate(info.user.id);
        start_session(&self.store, &token, 0, op.author.at()).await?;
        Ok((info, token))
    }

    /// Opens a client with its owner, and gives hold of its data.
    ///
    /// # Errors
    /// `email_taken`.
    pub async fn open_account(
        &self,
        email: Email,
        hash: &PasswordHash,
        name: Name,
    ) -> Result<(SessionInfo, OpContext), Error> {
        let (store, author) = (&self.store, &self.author);
        let email_key = email_key(&email);
        let seal = SealKey::generate();
        let (event, at) = (author.event(), author.at());
        let user = User { id: UserId::new(author.unique()), email, role: Role::Owner, created_at: at };
        let wished = Slug::from_name(&name);
        let mut client = Client {
            id: ClientId::new(author.unique()),
            name,
            slug: wished.clone(),
            version: 1,
            created_at: at,
            updated_at: at,
        };
        for _ in 0..8 {
            let user_card = Change::put(keys::user(user.id))
                .set("doc", text(to_doc(&user)?))
                .set("client", text(client.id.to_string()))
                .set("seal", text(seal.stored()))
                .set("sessionEpoch", number(0));
            let client_card =
                holding(Change::put(keys::client(client.id)), &client, 1)?.set("seal", text(seal.stored()));
            let email_row = Change::put(email_key.clone()).set("user", text(user.id.to_string()));
            let changes = vec![
                email_row.when_absent().or(Code::EmailTaken),
                Change::put(keys::slug(&client.slug)).set("client", text(client.id.to_string())).when_absent(),
                client_card.when_absent(),
                user_card.when_absent(),
                Change::put(keys::password(user.id)).set("hash", text(hash.stored())).when_absent(),
                Change::put(keys::member(client.id, user.id)).set("doc", text(to_doc(&user)?)),
            ];
            let changes = changes.into_iter().map(|change| change.stamped(author, event)).collect();
            if let Outcome::Done = store.commit(changes, event).await? {
                let scope = ClientScope::verified(client.id, seal);
                let op = OpContext { store: store.clone(), scope, author: author.clone() };
                return Ok((SessionInfo { user, client }, op));
            }
            // The slug is taken, if anything is.
            client.slug = wished.with_suffix(&auth::hex(&auth::random::bytes::<4>()));
        }
        Err(Error::unavailable("no free slug was found"))
    }
}

impl Signup {
    /// Starts the first session of a user whose token is known beforehand, as that of the sample events is.
    ///
    /// # Errors
    /// None of the contract's.
    pub async fn start_known(&self, token: &SessionToken) -> Result<(), Error> {
        start_session(&self.store, token, 0, self.store.clock().now()).await
    }
}

impl Login {
    /// For a request of nobody's.
    #[must_use]
    pub fn open(store: &Store, author: Arc<Author>) -> Self {
        Self { store: store.clone(), author }
    }

    /// Starts a session. An unknown address and a wrong password take as long and read alike.
    ///
    /// # Errors
    /// `invalid_credentials`.
    pub async fn log_in(&self, email: &Email, password: PasswordAttempt) -> Result<(SessionInfo, SessionToken), Error> {
        let store = &self.store;
        let owner = store.get(&email_key(email)).await?;
        let owner: Option<UserId> = owner.as_ref().and_then(|row| get_text(row, "user")).and_then(|id| id.parse().ok());
        // For an unknown address a card that is nobody's is read, which takes as long.
        let user = owner.unwrap_or(UserId::new(uuid::Uuid::nil()));
        let [card, kept] = store.batch_get([&keys::user(user), &keys::password(user)]).await?;
        let hash = kept.as_ref().and_then(|kept| get_text(kept, "hash"));
        let hash = hash.map_or_else(PasswordHash::of_nobody, |hash| PasswordHash::from_stored(hash.to_owned()));
        let right = blocking(move || hash.matches(&password)).await?;
        let Some(card) = card.filter(|_| right) else { return Err(Code::InvalidCredentials.into()) };

        let user: User = from_doc(&card)?;
        let client = must(get_text(&card, "client").and_then(|text| text.parse().ok()), "client")?;
        let client: Client = from_doc(&must(store.get(&keys::client(client)).await?, "client")?)?;
        let epoch = must(get_number(&card, "sessionEpoch"), "sessionEpoch")?;
        let token = SessionToken::generate(user.id);
        start_session(store, &token, epoch, self.author.at()).await?;
        Ok((SessionInfo { user, client }, token))
    }
}

impl<A> Sessions<A> {
    /// The sessions of a request that came with one.
    #[must_use]
    pub fn open(store: &Store) -> Self {
        Self { store: store.clone(), access: PhantomData }
    }
}

impl Sessions<Get> {
    /// Who is logged in, and where.
    ///
    /// # Errors
    /// None of the contract's.
    pub async fn info(&self, session: &SessionCredential) -> Result<SessionInfo, Error> {
        let card = self.store.get(&keys::client(session.scope.client())).await?;
        Ok(SessionInfo { user: session.user.clone(), client: from_doc(&must(card, "client")?)? })
    }
}

impl Sessions<Delete> {
    /// Ends a session.
    ///
    /// # Errors
    /// None of the contract's.
    pub async fn end(&self, session: &SessionCredential) -> Result<(), Error> {
        self.store.conditional_write(Change::delete(keys::session(session.user_id(), &session.hash))).await.map(|_| ())
    }
}

fn email_key(email: &Email) -> Key {
    keys::email(&auth::sha256_hex(email.folded().as_bytes()))
}

async fn start_session(store: &Store, token: &SessionToken, epoch: u64, at: Time) -> Result<(), Error> {
    let ends = at.plus(Duration::from_secs(LIFETIME_SECONDS.into()));
    let session = Change::put(keys::session(token.user(), &token.hash()))
        .set("expiresAt", text(ends.to_string()))
        .set("sessionEpoch", number(epoch))
        .set("ttl", number(ends.seconds()));
    store.conditional_write(session).await.map(|_| ())
}

/// Hashes take turns anyway: who waits, waits here, without a thread; whom the queue has no place for is told so.
static TURN: Semaphore = Semaphore::const_new(1);
static QUEUE: Semaphore = Semaphore::const_new(500);

/// Makes or compares a hash off the async threads.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Error> {
    let _place = QUEUE.try_acquire().map_err(Error::unavailable)?;
    apart(&TURN, work).await
}

async fn hashed(password: Password) -> Result<PasswordHash, Error> {
    let hash = blocking(move || PasswordHash::of(&password)).await?;
    hash.ok_or_else(|| Error::internal("a password could not be hashed"))
}

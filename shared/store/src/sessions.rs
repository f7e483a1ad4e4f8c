//! Sessions of the dashboard: their start, the look at each request, their end.

use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use auth::SessionToken;
use contract::id::{ClientId, SessionId, UserId};
use contract::permission::Role;
use contract::resource::{Client, ClientOfUser, Session, SessionInfo, User};
use contract::{Code, Error, Time};

use crate::Store;
use crate::author::{Author, RequestInfo};
use crate::change::{Change, Outcome};
use crate::document::from_doc;
use crate::dynamo::{Item, KeyRange, get_number, get_text, must, must_parse, number, text};
use crate::grant::{Delete, Get, Grant, List, Update, granted, grants};
use crate::keys;
use crate::retry::{Step, update_with_retry};
use crate::scope::ClientScope;
use crate::tables::Table;
use crate::users::{Membership, UserCard};

/// The use of a session is written down no more often than this, so that a read stays a read; or twice in the time that it
/// may be idle for, if that is shorter.
const RENEWAL: Duration = Duration::from_secs(60);

/// How long sessions last.
#[derive(Debug, Clone, Copy)]
pub struct SessionLimits {
    /// Without use.
    pub idle: Duration,
    /// However they are used.
    pub absolute: Duration,
}

impl Default for SessionLimits {
    /// OWASP Session Management Cheat Sheet, "Session Expiration".
    fn default() -> Self {
        Self { idle: Duration::from_secs(30 * 60), absolute: Duration::from_secs(8 * 3600) }
    }
}

/// A verified session.
#[derive(Debug, Clone)]
pub struct SessionCredential {
    /// Its identifier.
    pub id: SessionId,
    /// Whose session it is.
    pub user: User,
    /// Whose data it reaches.
    pub scope: ClientScope,
    /// When it ends, however it is used.
    pub expires_at: Time,
    /// The hash of the session's secret.
    hash: String,
    /// The user's, when it was verified.
    epoch: u64,
}

impl SessionCredential {
    /// The user.
    #[must_use]
    pub const fn user_id(&self) -> UserId {
        self.user.id
    }

    /// Whether it is an owner's.
    #[must_use]
    pub fn is_owner(&self) -> bool {
        self.user.role == Role::Owner
    }

    /// The user's role.
    #[must_use]
    pub const fn role(&self) -> Role {
        self.user.role
    }

    /// That it has not ended meanwhile, as a condition on the change of its user's card, where everything ends that ends
    /// all sessions of a user: what waits for a hash may wait for long.
    pub(crate) fn goes_on_by(&self, card: Change) -> Change {
        let card = card.when("#sessionEpoch = :own_epoch").with(":own_epoch", number(self.epoch));
        card.or(Code::Unauthenticated)
    }

    /// That it has not ended meanwhile, where the user's card stays as it is.
    pub(crate) fn goes_on(&self) -> [Change; 2] {
        [self.goes_on_by(Change::check(keys::user(self.user_id()))), self.is_there()]
    }

    /// That nobody has ended it by itself.
    pub(crate) fn is_there(&self) -> Change {
        Change::check(keys::session(self.user_id(), &self.hash)).when_present().or(Code::Unauthenticated)
    }

    /// Its end.
    pub(crate) fn end(&self) -> Change {
        Change::delete(keys::session(self.user_id(), &self.hash))
    }
}

/// The running session: what it is, and its end.
pub struct Sessions<A> {
    store: Store,
    access: PhantomData<A>,
}

/// All sessions of the user whose session asks.
pub struct UserSessions<A> {
    store: Store,
    author: Arc<Author>,
    access: PhantomData<A>,
}

granted! {
    Sessions<Get> { Main BatchGetItem [Client]; Main GetItem [User]; }
    Sessions<Delete> { Log DeleteItem [User]; }
    UserSessions<List> {
        Main GetItem [User];
        Log Query [User];
    }
    UserSessions<Delete> {
        Main GetItem [User];
        Log Query [User];
        Log DeleteItem [User];
    }
    UserSessions<Update> {
        Main GetItem [User];
        Main UpdateItem [User];
        Log UpdateItem [User];
    }
}

/// A session that is about to start.
pub(crate) struct Started {
    pub(crate) id: SessionId,
    pub(crate) change: Change,
    pub(crate) expires_at: Time,
}

/// The write that starts a session of a user in a client.
pub(crate) fn start(
    store: &Store,
    author: &Author,
    at: Time,
    token: &SessionToken,
    (epoch, client, member): (u64, ClientId, &Membership),
) -> Started {
    let id = SessionId::new(author.unique());
    let expires_at = at.plus(store.sessions().absolute);
    let change = Change::put(keys::session(token.user(), &token.hash()))
        .set("id", text(id.to_string()))
        .set("client", text(client.to_string()))
        .set("sessionEpoch", number(epoch))
        .set("member", text(member.stamp()))
        .set("createdAt", text(at.to_string()))
        .set("expiresAt", text(expires_at.to_string()))
        .set("ttl", number(expires_at.seconds()));
    Started { id, change: used(change, at, author.info()).unstamped(), expires_at }
}

fn used(change: Change, at: Time, by: &RequestInfo) -> Change {
    let address = by.address.map(|address| address.to_string()).unwrap_or_default();
    change.set("lastUsedAt", text(at.to_string())).set("address", text(address)).set("agent", text(by.agent.clone()))
}

/// A session as it is stored.
struct Stored {
    session: Session,
    client: ClientId,
    epoch: u64,
    member: String,
    expires_at: Time,
}

impl Stored {
    fn read(item: &Item) -> Result<Self, Error> {
        let session = Session {
            id: must_parse(item, "id")?,
            created_at: must_parse(item, "createdAt")?,
            last_used_at: must_parse(item, "lastUsedAt")?,
            address: get_text(item, "address").and_then(|address| address.parse().ok()),
            agent: must(get_text(item, "agent"), "agent")?.to_owned(),
            current: false,
        };
        Ok(Self {
            session,
            client: must_parse(item, "client")?,
            epoch: must(get_number(item, "sessionEpoch"), "sessionEpoch")?,
            member: must(get_text(item, "member"), "member")?.to_owned(),
            expires_at: must_parse(item, "expiresAt")?,
        })
    }

    /// Whether it goes on: it has not run out, nothing has ended it, and the user is what it was when it began.
    fn lives(&self, card: &UserCard, now: Time, limits: SessionLimits) -> bool {
        let is_member = card.memberships.get(&self.client).is_some_and(|member| member.stamp() == self.member);
        now < self.expires_at
            && now < self.session.last_used_at.plus(limits.idle)
            && self.epoch == card.epoch
            && is_member
    }
}

/// What a session in one of the clients that a user may enter says of itself.
pub(crate) fn info(
    card: &UserCard,
    enterable: Vec<Client>,
    client: ClientId,
    expires_at: Time,
) -> Result<SessionInfo, Error> {
    let of_user = |client: &Client| Some(client.of_user(card.memberships.get(&client.id)?.role));
    let clients: Vec<ClientOfUser> = enterable.iter().filter_map(of_user).collect();
    let (user, _) = must(card.in_client(client), "membership")?;
    let client = enterable.into_iter().find(|one| one.id == client).ok_or(Code::Unauthenticated)?;
    Ok(SessionInfo { user, client, clients, expires_at })
}

impl Store {
    /// What verifying a session needs.
    pub const SESSION_GRANTS: &'static [Grant] =
        &grants![Main BatchGetItem [User]; Log BatchGetItem [User]; Log UpdateItem [User]];

    /// The credential of a session, if it is one and goes on; that it was used is written down, once a minute.
    ///
    /// # Errors
    /// `unavailable`, `internal`.
    pub async fn verify_session(
        &self,
        token: &SessionToken,
        by: &RequestInfo,
    ) -> Result<Option<SessionCredential>, Error> {
        let (hash, now) = (token.hash(), self.clock().now());
        let key = keys::session(token.user(), &hash);
        let [Some(user), Some(item)] = self.batch_get([&keys::user(token.user()), &key]).await? else {
            return Ok(None);
        };
        let (card, stored) = (UserCard::read(&user)?, Stored::read(&item)?);
        if !stored.lives(&card, now, self.sessions()) {
            return Ok(None);
        }
        let Some((user, membership)) = card.in_client(stored.client) else { return Ok(None) };
        if stored.session.last_used_at.plus(RENEWAL.min(self.sessions().idle / 2)) <= now {
            // Of several at once one writes; where it has ended meanwhile, it is not made anew.
            let seen = text(stored.session.last_used_at.to_string());
            let renewed = used(Change::update(key), now, by).when("#lastUsedAt = :seen").with(":seen", seen);
            self.conditional_write(renewed).await?;
        }
        let scope = membership.scope(stored.client)?;
        let id = stored.session.id;
        Ok(Some(SessionCredential { id, user, scope, expires_at: stored.expires_at, hash, epoch: stored.epoch }))
    }

    /// What a session says of itself: the client, and those to choose from.
    pub(crate) async fn session_info(
        &self,
        card: &UserCard,
        client: ClientId,
        expires_at: Time,
    ) -> Result<SessionInfo, Error> {
        info(card, self.clients_of(card).await?, client, expires_at)
    }

    /// The clients that a user may enter, in the order of the memberships: one that is closed is its owners' alone, and one
    /// that is being erased is nobody's.
    pub(crate) async fn clients_of(&self, card: &UserCard) -> Result<Vec<Client>, Error> {
        let keys: Vec<_> = card.memberships.keys().map(|client| keys::client(*client)).collect();
        let found = self.batch_get_all(&keys.iter().collect::<Vec<_>>()).await?;
        let mut clients = Vec::new();
        for (key, membership) in keys.iter().zip(card.memberships.values()) {
            let Some(item) = found.get(key).filter(|item| get_text(item, "erasing").is_none()) else { continue };
            let client: Client = from_doc(item)?;
            if client.closed_at.is_none() || membership.role == Role::Owner {
                clients.push(client);
            }
        }
        Ok(clients)
    }

    pub(crate) async fn client_card(&self, client: ClientId) -> Result<Client, Error> {
        from_doc(&must(self.get(&keys::client(client)).await?, "client")?)
    }

    pub(crate) async fn user_card(&self, user: UserId) -> Result<UserCard, Error> {
        UserCard::read(&must(self.get(&keys::user(user)).await?, "user")?)
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
        let card = self.store.user_card(session.user_id()).await?;
        self.store.session_info(&card, session.scope.client(), session.expires_at).await
    }
}

impl Sessions<Delete> {
    /// Ends a session.
    ///
    /// # Errors
    /// None of the contract's.
    pub async fn end(&self, session: &SessionCredential) -> Result<(), Error> {
        self.store.conditional_write(session.end()).await.map(|_| ())
    }
}

impl<A> UserSessions<A> {
    /// The sessions of the user whose session asks.
    #[must_use]
    pub fn open(store: &Store, author: Arc<Author>) -> Self {
        Self { store: store.clone(), author, access: PhantomData }
    }

    /// Those that go on, newest first, each with its key's hash.
    async fn living(&self, asking: &SessionCredential) -> Result<Vec<(Session, String)>, Error> {
        let store = &self.store;
        let card = store.user_card(asking.user_id()).await?;
        let pk = keys::sessions_pk(asking.user_id());
        let range = KeyRange { table: Table::Log, pk: &pk, prefix: keys::SESSIONS, after: None, limit: None };
        let (mut living, now) = (Vec::new(), store.clock().now());
        for item in store.query(&range).await? {
            let stored = Stored::read(&item)?;
            if stored.lives(&card, now, store.sessions()) {
                let current = stored.session.id == asking.id;
                let hash = must(get_text(&item, "sk").and_then(|sk| sk.strip_prefix(keys::SESSIONS)), "sk")?;
                living.push((Session { current, ..stored.session }, hash.to_owned()));
            }
        }
        living.sort_by_key(|(session, _)| std::cmp::Reverse(session.id));
        Ok(living)
    }
}

impl UserSessions<List> {
    /// The user's sessions, newest first.
    ///
    /// # Errors
    /// None of the contract's.
    pub async fn list(&self, asking: &SessionCredential) -> Result<Vec<Session>, Error> {
        Ok(self.living(asking).await?.into_iter().map(|(session, _)| session).collect())
    }
}

impl UserSessions<Delete> {
    /// Ends one of the user's sessions.
    ///
    /// # Errors
    /// `session_not_found`.
    pub async fn end(&self, asking: &SessionCredential, id: SessionId) -> Result<(), Error> {
        let living = self.living(asking).await?;
        let (_, hash) = living.into_iter().find(|(session, _)| session.id == id).ok_or(Code::SessionNotFound)?;
        self.store.conditional_write(Change::delete(keys::session(asking.user_id(), &hash))).await.map(|_| ())
    }
}

impl UserSessions<Update> {
    /// Ends all sessions of the user but the one that asks.
    ///
    /// # Errors
    /// `unauthenticated` if that one has ended meanwhile.
    pub async fn end_others(&self, asking: &SessionCredential) -> Result<(), Error> {
        let event = self.author.event();
        update_with_retry!({
            let card = self.store.user_card(asking.user_id()).await?;
            let changes = next_epoch(&card, Some(asking))?.into_iter();
            let changes = changes.map(|change| change.stamped(&self.author, event)).collect();
            match self.store.commit(changes, event).await? {
                Outcome::Done => Ok(Step::Done(())),
                Outcome::Stale => Ok(Step::Stale { base: card.epoch }),
            }
        })
    }
}

/// The changes that end all sessions of a user but the one that is kept.
///
/// # Errors
/// `unauthenticated` if that one has ended meanwhile.
pub(crate) fn next_epoch(card: &UserCard, kept: Option<&SessionCredential>) -> Result<Vec<Change>, Error> {
    if kept.is_some_and(|session| session.epoch != card.epoch) {
        return Err(Code::Unauthenticated.into());
    }
    let next = number(card.epoch + 1);
    let user = Change::update(keys::user(card.person.id)).set("sessionEpoch", next.clone());
    let mut changes = vec![user.when("#sessionEpoch = :epoch").with(":epoch", number(card.epoch))];
    changes.extend(kept.map(|session| {
        // One that has ended meanwhile is not made to live again.
        let change = Change::update(keys::session(session.user_id(), &session.hash)).set("sessionEpoch", next);
        let change = change.when("#sessionEpoch = :session_epoch").with(":session_epoch", number(session.epoch));
        change.or(Code::Unauthenticated).unstamped()
    }));
    Ok(changes)
}

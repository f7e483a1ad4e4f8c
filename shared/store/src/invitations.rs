//! Invitations: sent to an address, accepted once by whoever has the mail, for 72 hours.

use std::marker::PhantomData;
use std::sync::Arc;

use auth::mailed_token::INVITATION_LIFETIME;
use auth::{Keyring, MailedToken, Password, PasswordHash, SealKey, SecondFactorAttempt, SessionToken};
use contract::id::{ClientId, InvitationId, UserId};
use contract::names::{Email, Name};
use contract::permission::Role;
use contract::resource::{Invitation, Member, SessionInfo};
use contract::{Code, Error, Problems, Time};

use crate::accounts::{email_row, hashed, refuse_easy, user_at};
use crate::author::{Author, unique};
use crate::change::{Change, Outcome};
use crate::document::{from_doc, holding, to_doc};
use crate::dynamo::{Item, KeyRange, get_text, must, must_parse, number, text};
use crate::grant::{Create, Delete, List, granted};
use crate::keys;
use crate::limits::{COUNTED_INVITATIONS, COUNTED_MEMBERS, reached};
use crate::login_attempts::{self, LoginError, email_hash};
use crate::members::{self, joined};
use crate::page::{Listing, Page, PageRequest};
use crate::scope::ClientScope;
use crate::second_factor_check::{self, Shown};
use crate::sessions::{self, SessionCredential};
use crate::standing::still_open;
use crate::tables::Table;
use crate::users::{MAX_MEMBERSHIPS, Membership, Person, UserCard};
use crate::{OpContext, Store};

/// A client's open invitations.
pub struct Invitations<A> {
    op: OpContext,
    access: PhantomData<A>,
}

/// Accepting one, before a client is known.
pub struct Acceptance {
    store: Store,
    author: Arc<Author>,
}

granted! {
    Invitations<Create> {
        Main GetItem [Client, Email, Members];
        Main Query [Invitations];
        Main PutItem [Invitations, InvitationTokens];
        Main DeleteItem [Invitations, InvitationTokens];
        Main UpdateItem [Counts];
    }
    Invitations<List> { Main Query [Invitations]; }
    Invitations<Delete> {
        Main GetItem [Invitations];
        Main DeleteItem [Invitations, InvitationTokens];
        Main UpdateItem [Counts];
    }
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

/// An invitation as it is stored, under its own identifier and under its token's hash.
struct Stored {
    invitation: Invitation,
    client: ClientId,
    seal: SealKey,
    token: String,
}

impl Stored {
    fn read(item: &Item) -> Result<Self, Error> {
        Ok(Self {
            invitation: from_doc(item)?,
            client: must_parse(item, "client")?,
            seal: must(get_text(item, "seal").and_then(SealKey::from_stored), "seal")?,
            token: must(get_text(item, "token"), "token")?.to_owned(),
        })
    }

    fn puts(&self) -> Result<[Change; 2], Error> {
        let (doc, id) = (to_doc(&self.invitation)?, self.invitation.id);
        Ok([keys::invitation(self.client, id), keys::invitation_token(&self.token)].map(|key| {
            Change::put(key)
                .set("doc", text(doc.clone()))
                .set("client", text(self.client.to_string()))
                .set("seal", text(self.seal.stored()))
                .set("token", text(self.token.clone()))
                .when_absent()
        }))
    }

    /// The changes that take it away; stale if somebody else has.
    fn gone(&self) -> [Change; 2] {
        let keys = [keys::invitation_token(&self.token), keys::invitation(self.client, self.invitation.id)];
        keys.map(|key| Change::delete(key).when_present())
    }
}

impl<A> Invitations<A> {
    /// The invitations of the request's client.
    #[must_use]
    pub fn open(op: &OpContext) -> Self {
        Self { op: op.clone(), access: PhantomData }
    }
}

impl Invitations<Create> {
    /// What the client is called, into which somebody is invited.
    ///
    /// # Errors
    /// None of the contract's.
    pub async fn client_name(&self) -> Result<Name, Error> {
        Ok(self.op.store.client_card(self.op.scope.client()).await?.name)
    }

    /// Makes an invitation in place of one to the same address; the token exists only here.
    ///
    /// # Errors
    /// `validation_failed` for the address of a member; `forbidden` for a role that the asking member can't give;
    /// `limit_reached`.
    pub async fn create(
        &self,
        asking: &SessionCredential,
        email: Email,
        role: Role,
    ) -> Result<(Invitation, MailedToken), Error> {
        members::refuse_unless(asking.role(), &[role])?;
        self.refuse_member(&email).await?;
        let token = MailedToken::generate();
        Ok((self.create_known(asking.user_id(), email, role, &token, self.op.author.at()).await?, token))
    }

    /// Makes an invitation whose token is known beforehand, as that of the sample events is, at this time.
    ///
    /// # Errors
    /// `limit_reached`.
    pub async fn create_known(
        &self,
        asking: UserId,
        email: Email,
        role: Role,
        token: &MailedToken,
        at: Time,
    ) -> Result<Invitation, Error> {
        let OpContext { store, scope, author } = &self.op;
        let event = author.event_of_this_try();
        let invitation = Invitation {
            // Carried out again it takes the place of its first try, whose token died with it.
            id: InvitationId::new(if author.is_again() { unique(at) } else { author.unique() }),
            email,
            role,
            invited_by: asking,
            created_at: at,
            expires_at: at.plus(INVITATION_LIFETIME),
        };
        let new = Stored { invitation, client: scope.client(), seal: scope.seal().clone(), token: token.hash() };
        let mut over = self.all().await?;
        let same = |old: &Stored| email_hash(&old.invitation.email) == email_hash(&new.invitation.email);
        over.retain(|old| same(old) || old.invitation.expires_at <= at);
        // One change each of a transaction's hundred goes to the new one and the count; what is left ends with a later one.
        over.truncate(40);
        let mut changes = vec![COUNTED_INVITATIONS.instead_of(scope, over.len())];
        changes.extend(new.puts()?);
        changes.extend(over.iter().flat_map(Stored::gone));
        let changes = changes.into_iter().map(|change| change.stamped(author, event)).collect();
        match store.commit(changes, event).await? {
            Outcome::Done => Ok(new.invitation),
            Outcome::Stale => Err(Error::unavailable("the client's invitations were changed by others meanwhile")),
        }
    }

    async fn refuse_member(&self, email: &Email) -> Result<(), Error> {
        let OpContext { store, scope, .. } = &self.op;
        let Some(user) = user_at(store, email).await? else { return Ok(()) };
        if store.get(&keys::member(scope.client(), user)).await?.is_none() {
            return Ok(());
        }
        Err(Problems::one("email", "already_member", "Is a member already.").into())
    }
}

impl<A> Invitations<A> {
    async fn all(&self) -> Result<Vec<Stored>, Error> {
        let pk = keys::invitations_pk(&self.op.scope);
        let range = KeyRange { table: Table::Main, pk: &pk, prefix: InvitationId::PREFIX, after: None, limit: None };
        self.op.store.query(&range).await?.iter().map(Stored::read).collect()
    }
}

impl Invitations<List> {
    /// The invitations that can be accepted, oldest first.
    ///
    /// # Errors
    /// `malformed_request` for a cursor of another list.
    pub async fn list(&self, page: &PageRequest) -> Result<Page<Invitation>, Error> {
        let pk = keys::invitations_pk(&self.op.scope);
        let listing = Listing {
            table: Table::Main,
            pk: &pk,
            prefix: InvitationId::PREFIX,
            bound: &["list-invitations"],
            seal: self.op.scope.seal(),
        };
        let now = self.op.author.at();
        let open = |item: Item| {
            let invitation: Invitation = from_doc(&item)?;
            Ok((now < invitation.expires_at).then_some(invitation))
        };
        self.op.store.page(&listing, page, open).await
    }
}

impl Invitations<Delete> {
    /// Takes an invitation back.
    ///
    /// # Errors
    /// `invitation_not_found`.
    pub async fn delete(&self, id: InvitationId) -> Result<(), Error> {
        let OpContext { store, scope, author } = &self.op;
        let event = author.event();
        let item = store.get(&keys::invitation(scope.client(), id)).await?.ok_or(Code::InvitationNotFound)?;
        let mut changes = vec![COUNTED_INVITATIONS.one_less(scope).stamped(author, event)];
        changes.extend(Stored::read(&item)?.gone());
        match store.commit(changes, event).await? {
            Outcome::Done => Ok(()),
            Outcome::Stale => Err(Code::InvitationNotFound.into()),
        }
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

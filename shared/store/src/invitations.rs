//! Invitations: sent to an address, accepted once by whoever has the mail, for 72 hours.

use std::marker::PhantomData;

use auth::mailed_token::INVITATION_LIFETIME;
use auth::{MailedToken, SealKey};
use contract::id::{ClientId, InvitationId, UserId};
use contract::names::{Email, Name};
use contract::permission::Role;
use contract::resource::Invitation;
use contract::{Code, Error, Problems, Time};

use crate::OpContext;
use crate::accounts::user_at;
use crate::author::unique;
use crate::change::{Change, Outcome};
use crate::document::{from_doc, to_doc};
use crate::dynamo::{Item, KeyRange, get_text, must, must_parse, text};
use crate::grant::{Create, Delete, List, granted};
use crate::keys;
use crate::limits::COUNTED_INVITATIONS;
use crate::login_attempts::email_hash;
use crate::members::{self};
use crate::page::{Listing, Page, PageRequest};
use crate::sessions::SessionCredential;
use crate::tables::Table;

/// A client's open invitations.
pub struct Invitations<A> {
    op: OpContext,
    access: PhantomData<A>,
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
}

/// An invitation as it is stored, under its own identifier and under its token's hash.
pub(crate) struct Stored {
    pub(crate) invitation: Invitation,
    pub(crate) client: ClientId,
    pub(crate) seal: SealKey,
    token: String,
}

impl Stored {
    pub(crate) fn read(item: &Item) -> Result<Self, Error> {
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
    pub(crate) fn gone(&self) -> [Change; 2] {
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

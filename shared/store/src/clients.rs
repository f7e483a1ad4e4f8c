//! The client itself: its name, and its end. Closed, it is as good as gone for all but its owners, who can restore it for
//! 30 days; then it is erased ([`crate::erasure`]).

use std::marker::PhantomData;
use std::time::Duration;

use auth::PasswordAttempt;
use contract::id::{ClientId, JobId, UserId};
use contract::job::{Job, JobKind};
use contract::names::Email;
use contract::permission::Role;
use contract::resource::{Client, Member};
use contract::{Code, Error, Precondition};

use crate::OpContext;
use crate::change::Change;
use crate::document::{Document, check, deleted_at, from_doc, holding, to_doc};
use crate::dynamo::{KeyRange, get_text, must_parse, number, text};
use crate::grant::{Delete, Get, Restore, Update, granted};
use crate::jobs;
use crate::keys;
use crate::login_attempts::{self, LoginError};
use crate::passwords::{self, Confirmed};
use crate::retry::{Step, update_with_retry};
use crate::sessions::SessionCredential;
use crate::tables::Table;

/// How long a closed client can be restored: 30 days.
pub const RETENTION: Duration = keys::RETENTION;

/// How long the job can be asked for beside the time until it begins.
const JOB_KEPT: Duration = Duration::from_secs(30 * 24 * 3600);

/// The request's client.
pub struct Clients<A> {
    op: OpContext,
    access: PhantomData<A>,
}

granted! {
    Clients<Get> { Main GetItem [Client]; }
    Clients<Update> {
        Main GetItem [Client];
        Main UpdateItem [Client];
    }
    Clients<Delete> {
        Main GetItem [Client];
        Main BatchGetItem [User, Password];
        Main Query [Members];
        Main UpdateItem [Client];
        Main PutItem [Purge, AuditNotes];
        Main ConditionCheckItem [User, Members];
        Log ConditionCheckItem [User];
        Log BatchGetItem [Email];
        Log UpdateItem [Email];
        Log PutItem [Email, Jobs];
        Log DeleteItem [Email];
    }
    Clients<Restore> {
        Main GetItem [Client];
        Main UpdateItem [Client];
        Main DeleteItem [Purge];
        Log DeleteItem [Jobs];
    }
}

impl<A> Clients<A> {
    /// The client of the request.
    #[must_use]
    pub fn open(op: &OpContext) -> Self {
        Self { op: op.clone(), access: PhantomData }
    }

    fn id(&self) -> ClientId {
        self.op.scope.client()
    }
}

impl Clients<Get> {
    /// The client, closed or not.
    ///
    /// # Errors
    /// None of the contract's.
    pub async fn get(&self) -> Result<Client, Error> {
        self.op.store.client_card(self.id()).await
    }
}

impl Clients<Update> {
    /// Changes the client.
    ///
    /// # Errors
    /// `version_conflict`.
    pub async fn update(
        &self,
        precondition: Option<Precondition>,
        change: impl Fn(&mut Client),
    ) -> Result<Client, Error> {
        let key = keys::client(self.id());
        let plan = |current: &Document<Client>, mut next: Client| {
            change(&mut next);
            let own = holding(Change::update(key.clone()), &next, current.version + 1)?;
            Ok((next, vec![own]))
        };
        self.op.update(&key, precondition, Code::Forbidden, plan).await
    }
}

impl Clients<Delete> {
    /// Closes the client, and makes the job that erases it in 30 days.
    ///
    /// # Errors
    /// `invalid_credentials` for a wrong password, which counts towards the lock; `version_conflict`; `forbidden` if it
    /// is closed.
    pub async fn close(
        &self,
        asking: &SessionCredential,
        password: PasswordAttempt,
        precondition: Option<Precondition>,
    ) -> Result<(Client, Job), LoginError> {
        let OpContext { store, author, .. } = &self.op;
        let Confirmed { card: user, .. } = passwords::confirm(store, asking, password, author).await?;
        let membership = user.memberships.get(&self.id()).filter(|is| is.role == Role::Owner);
        let member_version = membership.ok_or(Code::Unauthenticated)?.version;
        let (at, event, key) = (author.at(), author.event(), keys::client(self.id()));
        let job = jobs::new(JobId::new(author.unique()), JobKind::ClientErasure, at);
        let member = keys::member(self.id(), asking.user_id());
        let (purge, of_job) = (keys::closed_client(at, self.id()), keys::job(self.id(), job.id));
        let closed: Result<Client, Error> = update_with_retry!({
            let current: Document<Client> = store.document(&key).await?.ok_or(Code::Forbidden)?;
            let plan = |mut next: Client| {
                next.closed_at = Some(at);
                let card = holding(Change::update(key.clone()), &next, next.version)?
                    .set("deletedAt", text(at.to_string()))
                    // Sessions may have begun while this one waited for its password to be compared.
                    .set("sessionsNotBefore", text(store.clock().now().to_string()))
                    .set("job", text(job.id.to_string()));
                let due = Change::put(purge.clone())
                    .set("client", text(self.id().to_string()))
                    .set("job", text(job.id.to_string()));
                let made = Change::put(of_job.clone())
                    .set("doc", text(to_doc(&job)?))
                    .set("ttl", number(at.plus(RETENTION + JOB_KEPT).seconds()))
                    .unstamped();
                let right = login_attempts::succeeded(&asking.user.email, at).unstamped();
                let owns = Change::check(member.clone()).when_version(member_version).or(Code::Unauthenticated);
                let mut changes = vec![card, due, made, right, owns];
                changes.extend(asking.goes_on());
                Ok(Some((next, changes)))
            };
            let done = self.op.revise_once(&current, precondition, Code::Forbidden, false, event, plan).await?;
            Ok(done.map_or(Step::Stale { base: current.version }, Step::Done))
        });
        store.forget_standing(self.id());
        Ok((closed?, job))
    }
}

impl Clients<Delete> {
    /// The addresses of the client's owners.
    ///
    /// # Errors
    /// None of the contract's.
    pub async fn owners(&self) -> Result<Vec<Email>, Error> {
        let pk = keys::members_pk(&self.op.scope);
        let all = KeyRange { table: Table::Main, pk: &pk, prefix: UserId::PREFIX, after: None, limit: None };
        let members = self.op.store.query(&all).await?;
        let members = members.iter().map(from_doc).collect::<Result<Vec<Member>, _>>()?;
        Ok(members.into_iter().filter(|member| member.role == Role::Owner).map(|owner| owner.email).collect())
    }
}

impl Clients<Restore> {
    /// Opens the client again; one that is not closed is answered as it is.
    ///
    /// # Errors
    /// `version_conflict`; `forbidden` once it is being erased.
    pub async fn restore(&self, precondition: Option<Precondition>) -> Result<Client, Error> {
        let OpContext { store, author, .. } = &self.op;
        let (event, key) = (author.event(), keys::client(self.id()));
        let restored: Result<Client, Error> = update_with_retry!({
            let item = store.get(&key).await?.ok_or(Code::Forbidden)?;
            let current = Document::<Client>::read(&item)?;
            if current.is_by(event) {
                return Ok(Step::Done(current.value));
            }
            if get_text(&item, "erasing").is_some() {
                return Err(Code::Forbidden.into());
            }
            let Some(closed) = deleted_at(&item) else {
                return check(precondition, Some(current.version)).map(|()| Step::Done(current.value));
            };
            let job: JobId = must_parse(&item, "job")?;
            let plan = |mut next: Client| {
                next.closed_at = None;
                let card = holding(Change::update(key.clone()), &next, next.version)?;
                let card = current.applied.and(author, event).on(card).remove("deletedAt").remove("job");
                let card = card.when("attribute_not_exists(#erasing)");
                let due = Change::delete(keys::closed_client(closed, self.id()));
                let job = Change::delete(keys::job(self.id(), job)).unstamped();
                Ok(Some((next, vec![card, due, job])))
            };
            let done = self.op.revise_once(&current, precondition, Code::Forbidden, true, event, plan).await?;
            Ok(done.map_or(Step::Stale { base: current.version }, Step::Done))
        });
        store.forget_standing(self.id());
        restored
    }
}

//! Members of a client: who may enter it, and as what. A change or removal ends the member's sessions there at once,
//! since the user's card says the member's version and each request looks at it.

use std::marker::PhantomData;

use contract::id::{ClientId, UserId};
use contract::permission::Role;
use contract::resource::Member;
use contract::{Code, Error, Precondition, Time};

use crate::OpContext;
use crate::change::{Change, Outcome};
use crate::document::{Document, check, holding};
use crate::dynamo::number;
use crate::grant::{Delete, List, Update, granted};
use crate::keys;
use crate::limits::COUNTED_MEMBERS;
use crate::page::{Listing, Page, PageRequest};
use crate::retry::{Step, update_with_retry};
use crate::sessions::SessionCredential;
use crate::tables::Table;
use crate::users::{Membership, Person};

/// A client's members.
pub struct Members<A> {
    op: OpContext,
    access: PhantomData<A>,
}

granted! {
    Members<List> { Main Query [Members]; }
    Members<Update> {
        Main GetItem [Members];
        Main UpdateItem [Members, User, Counts];
    }
    Members<Delete> {
        Main GetItem [Members];
        Main DeleteItem [Members];
        Main UpdateItem [User, Counts];
    }
}

/// Someone as a new member.
pub(crate) fn joined(person: &Person, role: Role, at: Time) -> Member {
    Member { id: person.id, email: person.email.clone(), role, version: 1, created_at: at, updated_at: at }
}

/// So many owners more. A client keeps one by condition, also when two leave at once.
pub(crate) fn owners(client: ClientId, more: i64) -> Change {
    let change = Change::update(keys::count(client, "owners")).add("count", more);
    if more < 0 {
        return change.when("#count > :one").with(":one", number(1)).or(Code::LastOwner);
    }
    change
}

fn change_of_owners(client: ClientId, before: Role, after: Option<Role>) -> Option<Change> {
    let more = i64::from(after == Some(Role::Owner)) - i64::from(before == Role::Owner);
    (more != 0).then(|| owners(client, more))
}

/// Refuses who may not give, or take, these roles.
pub(crate) fn refuse_unless(asking: Role, may_give: &[Role]) -> Result<(), Error> {
    if may_give.iter().all(|role| asking.may_give(*role)) {
        return Ok(());
    }
    let message = match asking {
        Role::Admin => "Only an owner makes or unmakes owners.",
        _ => "This needs the role `admin` or a higher one.",
    };
    Err(Error::saying(Code::Forbidden, message))
}

impl<A> Members<A> {
    /// The members of the request's client.
    #[must_use]
    pub fn open(op: &OpContext) -> Self {
        Self { op: op.clone(), access: PhantomData }
    }
}

impl Members<List> {
    /// The members, in the order in which their accounts were opened.
    ///
    /// # Errors
    /// `malformed_request` for a cursor of another list.
    pub async fn list(&self, page: &PageRequest) -> Result<Page<Member>, Error> {
        let pk = keys::members_pk(&self.op.scope);
        let listing = Listing {
            table: Table::Main,
            pk: &pk,
            prefix: UserId::PREFIX,
            bound: &["list-members"],
            seal: self.op.scope.seal(),
        };
        self.op.store.page(&listing, page, |item| Ok(Some(Document::read(&item)?.value))).await
    }
}

impl Members<Update> {
    /// Gives a member another role; its sessions in this client end.
    ///
    /// # Errors
    /// `member_not_found`, `version_conflict`, `forbidden`, `last_owner`.
    pub async fn give_role(
        &self,
        asking: &SessionCredential,
        id: UserId,
        precondition: Option<Precondition>,
        role: Role,
    ) -> Result<Member, Error> {
        let OpContext { scope, author, .. } = &self.op;
        let client = scope.client();
        let key = keys::member(client, id);
        let plan = |current: &Document<Member>, mut next: Member| {
            refuse_unless(asking.role(), &[current.value.role, role])?;
            next.role = role;
            next.updated_at = author.at();
            next.version = current.version + 1;
            let card = Membership::of(&next, scope.seal()).on(Change::update(keys::user(id)), client)?;
            let mut changes = vec![holding(Change::update(key.clone()), &next, next.version)?, card.when_present()];
            changes.extend(change_of_owners(client, current.value.role, Some(role)));
            Ok((next, changes))
        };
        self.op.update(&key, precondition, Code::MemberNotFound, plan).await
    }
}

impl Members<Delete> {
    /// Ends a membership, another's or one's own; its sessions in this client end.
    ///
    /// # Errors
    /// `member_not_found`, `version_conflict`, `forbidden`, `last_owner`.
    pub async fn remove(
        &self,
        asking: &SessionCredential,
        id: UserId,
        precondition: Option<Precondition>,
    ) -> Result<(), Error> {
        let OpContext { store, scope, author } = &self.op;
        let (client, event) = (scope.client(), author.event());
        update_with_retry!({
            let current: Option<Document<Member>> = store.document(&keys::member(client, id)).await?;
            let current = current.ok_or(Code::MemberNotFound)?;
            if id != asking.user_id() {
                refuse_unless(asking.role(), &[current.value.role])?;
            }
            check(precondition, Some(current.version))?;
            let mut changes = vec![
                Change::delete(keys::member(client, id)).when_version(current.version),
                Change::update(keys::user(id)).remove(&client.to_string()).when_present().stamped(author, event),
                COUNTED_MEMBERS.one_less(scope).stamped(author, event),
            ];
            changes
                .extend(change_of_owners(client, current.value.role, None).map(|owners| owners.stamped(author, event)));
            match store.commit(changes, event).await? {
                Outcome::Done => Ok(Step::Done(())),
                Outcome::Stale => Ok(Step::Stale { base: current.version }),
            }
        })
    }
}

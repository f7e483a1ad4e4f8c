//! Tenants: a card that is created on first use, and a row for the list.

use std::marker::PhantomData;

use contract::id::JobId;
use contract::job::{Job, JobKind};
use contract::resource::Tenant;
use contract::{Code, Error, Time};

use crate::OpContext;
use crate::change::{Change, Outcome};
use crate::document::{from_doc, to_doc};
use crate::dynamo::{Item, get_text, must, must_parse, number, text};
use crate::erased_tenants::Note;
use crate::grant::{Create, Delete, Get, granted};
use crate::jobs::{self, Task, TenantErasure, TenantExport, Work};
use crate::keys::{self, Kind};
use crate::limits::COUNTED_TENANTS;
use crate::page::{Listing, Page, PageRequest};
use crate::retry::{Step, update_with_retry};
use crate::scope::TenantScope;
use crate::tables::Table;

/// The client's tenants.
pub struct Tenants {
    op: OpContext,
}

/// One of them.
pub struct OneTenant<A> {
    op: OpContext,
    scope: TenantScope,
    access: PhantomData<A>,
}

granted! {
    Tenants { Main Query [Tenants]; }
    OneTenant<Get> { Main GetItem [TenantFields]; }
    // An export is a job that is made, an erasure as well.
    OneTenant<Create> {
        Main GetItem [TenantFields];
        Log PutItem [Jobs];
    }
    OneTenant<Delete> {
        Main GetItem [TenantFields];
        Main UpdateItem [TenantFields, Counts];
        Main PutItem [Tenants, Purge];
        Main DeleteItem [Tenants];
        Log GetItem [Jobs];
        Log PutItem [Jobs];
    }
}

impl<A> OneTenant<A> {
    /// A tenant of the request's client.
    #[must_use]
    pub fn open(op: &OpContext, scope: TenantScope) -> Self {
        Self { op: op.clone(), scope, access: PhantomData }
    }

    /// The card of a tenant that has been used and is not being erased.
    async fn card(&self) -> Result<Item, Error> {
        let card = self.op.store.get(&keys::tenant(&self.scope)).await?;
        let used = card.filter(|card| card.contains_key("doc") && !is_erasing(card));
        used.ok_or(Code::TenantNotFound.into())
    }
}

impl Tenants {
    /// The tenants of the request's client.
    #[must_use]
    pub fn open(op: &OpContext) -> Self {
        Self { op: op.clone() }
    }

    /// The tenants, by identifier.
    ///
    /// # Errors
    /// `malformed_request` for a cursor of another list.
    pub async fn list(&self, page: &PageRequest) -> Result<Page<Tenant>, Error> {
        let pk = format!("{}{}", Kind::Tenants.prefix(), self.op.scope.client());
        let listing =
            Listing { table: Table::Main, pk: &pk, prefix: "", bound: &["list-tenants"], seal: self.op.scope.seal() };
        self.op.store.page(&listing, page, |row| row.contains_key("doc").then(|| from_doc(&row)).transpose()).await
    }
}

impl OneTenant<Get> {
    /// The tenant.
    ///
    /// # Errors
    /// `tenant_not_found`.
    pub async fn get(&self) -> Result<Tenant, Error> {
        from_doc(&self.card().await?)
    }
}

impl OneTenant<Create> {
    /// Makes a job that writes all of the tenant into a file, and gives the task to send.
    ///
    /// # Errors
    /// `tenant_not_found`.
    pub async fn export(&self) -> Result<(Job, Task), Error> {
        self.card().await?;
        let OpContext { store, scope, author } = &self.op;
        let job = jobs::new(JobId::new(author.unique()), JobKind::TenantExport, author.at());
        let work =
            Work::ExportTenant(TenantExport { tenant: self.scope.tenant().clone(), state: serde_json::Value::Null });
        let made = jobs::made(scope.client(), &job, &work)?;
        store.conditional_write(made).await?;
        let task = Task::run(scope.client(), job.id);
        Ok((job, task))
    }
}

impl OneTenant<Delete> {
    /// Ends the tenant: what it has reads as absent and its embed tokens are dead. Makes the job that erases it, and gives
    /// the task to send; of a tenant that is being erased, its job.
    ///
    /// # Errors
    /// `tenant_not_found`.
    pub async fn delete(&self) -> Result<(Job, Task), Error> {
        let OpContext { store, scope, author } = &self.op;
        let (client, at, event, of) = (scope.client(), author.at(), author.event(), &self.scope);
        let job = jobs::new(JobId::new(author.unique()), JobKind::TenantErasure, at);
        update_with_retry!({
            let card = store.get(&keys::tenant(of)).await?.ok_or(Code::TenantNotFound)?;
            if let Some(erasing) = get_text(&card, "erasing") {
                let id: JobId = must(erasing.parse().ok(), "erasing")?;
                let job = from_doc(&must(store.get(&keys::job(client, id)).await?, "job")?)?;
                return Ok(Step::Done((job, Task::run(client, id))));
            }
            let now = store.clock().now();
            let seen: contract::id::EventId = must_parse(&card, "eventId")?;
            let ended = Change::update(keys::tenant(of))
                .add("epoch", 1)
                .set("erasing", text(job.id.to_string()))
                .set("tokensNotBefore", number(now.millis()))
                .when("#eventId = :seen")
                .with(":seen", text(seen.to_string()));
            let open = Change::put(keys::open_erasure(now, client, job.id))
                .set("client", text(client.to_string()))
                .set("job", text(job.id.to_string()));
            // It leads whoever erases the client to the card, and no list of tenants has it.
            let row = Change::put(keys::unused_tenant_row(of));
            let mut changes = vec![ended, open, row];
            if card.contains_key("doc") {
                changes.push(Change::delete(keys::tenant_row(of)));
                changes.push(COUNTED_TENANTS.one_less(scope));
            }
            changes.push(jobs::made(client, &job, &Work::EraseTenant(TenantErasure::new(of.tenant().clone(), now)))?);
            let changes = changes.into_iter().map(|change| change.stamped(author, event)).collect();
            match store.commit(changes, event).await? {
                Outcome::Done => Ok(Step::Done((job.clone(), Task::run(client, job.id)))),
                Outcome::Stale => Ok(Step::Stale { base: 0 }),
            }
        })
    }
}

/// Whether a tenant's card says that it is being erased.
pub(crate) fn is_erasing(card: &Item) -> bool {
    card.contains_key("erasing")
}

/// What goes with the first write of a tenant: `card`, a change of its card, completed by what is noted of one that was
/// erased under the identifier, its row in the list, and that there is one more.
pub(crate) async fn first_use(
    op: &OpContext,
    scope: &TenantScope,
    at: Time,
    Note { epoch, tokens_not_before }: Note,
    card: Change,
) -> Result<Vec<Change>, Error> {
    let limits = op.store.plan_limits(scope.client()).await?;
    let doc = to_doc(&Tenant { tenant_id: scope.tenant().clone(), created_at: at })?;
    let card = card.set("doc", text(doc.as_str())).set("epoch", number(epoch)).when("attribute_not_exists(#doc)");
    let card = match tokens_not_before {
        Some(millis) => card.set_once("tokensNotBefore", number(millis)),
        None => card,
    };
    let row = Change::put(keys::tenant_row(scope)).set("doc", text(doc));
    Ok(vec![card, row, COUNTED_TENANTS.within(limits.tenants).one_more(scope.client_scope())])
}

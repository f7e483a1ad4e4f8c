//! Webhooks: endpoints that events are delivered to.

mod endpoint;

pub(crate) use endpoint::Endpoint;

use std::marker::PhantomData;

use auth::{Keyring, WebhookSecret};
use contract::id::{ClientId, WebhookId};
use contract::names::Description;
use contract::webhook::{
    Disabled, DisabledReason, Events, HeaderNames, Headers, HeadersChange, SignatureHeader, TenantIds, Webhook,
};
use contract::{Code, Error, GraceSeconds, Precondition, Problems};

use crate::author::Author;
use crate::change::{Change, Outcome};
use crate::document::{Document, Versioned, check, deleted_at, holding};
use crate::dynamo::KeyRange;
use crate::grant::{Create, Delete, Get, List, Update, granted};
use crate::keys::{self, Kind};
use crate::limits::COUNTED_WEBHOOKS;
use crate::page::{Listing, Page, PageRequest};
use crate::retry::{Step, update_with_retry};
use crate::tables::Table;
use crate::{OpContext, Store};

/// The client's webhooks.
pub struct Webhooks<A> {
    op: OpContext,
    access: PhantomData<A>,
}

granted! {
    Webhooks<Get> { Main GetItem [Webhooks]; }
    Webhooks<List> { Main Query [Webhooks]; }
    // The read is of a request that is carried out again.
    Webhooks<Create> {
        Main GetItem [Webhooks];
        Main BatchGetItem [Client];
        Main PutItem [Webhooks];
        Main UpdateItem [Counts];
    }
    Webhooks<Update> {
        Main GetItem [Webhooks];
        Main UpdateItem [Webhooks];
    }
    Webhooks<Delete> {
        Main GetItem [Webhooks];
        Main UpdateItem [Counts];
        Main DeleteItem [Webhooks];
    }
}

/// What a new webhook is made of.
pub struct NewWebhook {
    /// Where deliveries are sent: checked against the deployment's rules.
    pub url: String,
    /// What people say of it.
    pub description: Option<Description>,
    /// What it is told.
    pub events: Events,
    /// The tenants whose events it is told; all, if there is none.
    pub tenant_ids: Option<TenantIds>,
    /// Headers that every delivery has.
    pub headers: Headers,
    /// The name and form of the body's signature.
    pub signature_header: Option<SignatureHeader>,
    /// Whether it is on.
    pub active: bool,
    /// What signs.
    pub secret: WebhookSecret,
}

/// A webhook, and its secret where that is to be shown.
pub type Shown = (Webhook, Option<WebhookSecret>);

impl<A> Webhooks<A> {
    /// The webhooks of the request's client.
    #[must_use]
    pub fn open(op: &OpContext) -> Self {
        Self { op: op.clone(), access: PhantomData }
    }
}

impl Webhooks<Get> {
    /// One webhook.
    ///
    /// # Errors
    /// `webhook_not_found`.
    pub async fn get(&self, id: WebhookId) -> Result<Webhook, Error> {
        let found = self.op.store.endpoint(self.op.scope.client(), id).await?;
        Ok(found.ok_or(Code::WebhookNotFound)?.webhook)
    }
}

impl Webhooks<List> {
    /// The webhooks, oldest first.
    ///
    /// # Errors
    /// `malformed_request` for a cursor of another list.
    pub async fn list(&self, page: &PageRequest) -> Result<Page<Webhook>, Error> {
        let pk = pk(self.op.scope.client());
        let seal = self.op.scope.seal();
        let listing =
            Listing { table: Table::Main, pk: &pk, prefix: WebhookId::PREFIX, bound: &["list-webhooks"], seal };
        let read = |item| Ok(Some(Document::<Endpoint>::read(&item)?.value.webhook));
        self.op.store.page(&listing, page, read).await
    }
}

impl Webhooks<Create> {
    /// Makes a webhook.
    ///
    /// # Errors
    /// `limit_reached`.
    pub async fn create(&self, new: NewWebhook, ring: &Keyring) -> Result<Shown, Error> {
        let OpContext { store, scope, author } = &self.op;
        let webhook = Webhook {
            id: WebhookId::new(author.unique()),
            url: new.url,
            description: new.description,
            events: new.events,
            tenant_ids: new.tenant_ids,
            headers: HeaderNames::default(),
            signature_header: new.signature_header,
            active: new.active,
            disabled: None,
            previous_secret_expires_at: None,
            version: 1,
            created_at: author.at(),
            updated_at: author.at(),
        };
        let mut endpoint = Endpoint::new(webhook);
        let request = author.event();
        endpoint.seal(scope.client(), &new.secret, request, ring)?;
        endpoint.set_headers(scope.client(), &new.headers, &Headers::default(), ring)?;
        // Not the request's own: another try of it has another secret.
        let event = author.event_of_this_try();
        let key = keys::webhook(scope.client(), endpoint.webhook.id);
        let put = holding(Change::put(key.clone()), &endpoint, 1)?.when_absent();
        let limits = store.plan_limits(scope.client()).await?;
        let count = COUNTED_WEBHOOKS.within(limits.webhooks).one_more(scope);
        let changes = vec![put.stamped(author, event), count.stamped(author, event)];
        if let Outcome::Done = store.commit(changes, event).await? {
            return Ok((endpoint.webhook, Some(new.secret)));
        }
        // A request that is carried out again finds its webhook made, and maybe changed since.
        let made: Document<Endpoint> = store.document(&key).await?.ok_or(Code::Internal)?;
        made.value.shown_to(scope.client(), request, ring)
    }
}

impl Webhooks<Update> {
    /// Changes a webhook: its headers, if there are any to change, and what `change` does.
    ///
    /// # Errors
    /// `webhook_not_found`, `version_conflict`, `validation_failed` for headers.
    pub async fn update(
        &self,
        id: WebhookId,
        precondition: Option<Precondition>,
        headers: Option<(&HeadersChange, &Keyring)>,
        change: impl Fn(&mut Webhook) -> Result<(), Problems>,
    ) -> Result<Webhook, Error> {
        let client = self.op.scope.client();
        let key = keys::webhook(client, id);
        let plan = |current: &Document<Endpoint>, mut next: Endpoint| {
            let mut problems = Problems::default();
            if let Some((headers, ring)) = headers {
                // Values that can't be opened can't be kept: they have to be sent.
                let before = next.headers(client, ring).unwrap_or_default();
                match headers.apply(&before) {
                    Ok(headers) => next.set_headers(client, &headers, &before, ring)?,
                    // The names that there would be may be wrong for something else.
                    Err(wrong) => (problems, next.webhook.headers) = (wrong, headers.names()),
                }
            }
            if let Err(others) = change(&mut next.webhook) {
                problems.extend_elsewhere(others);
            }
            problems.or(())?;
            if next.webhook.active {
                next.webhook.disabled = None;
            }
            let own = holding(Change::update(key.clone()), &next, current.version + 1)?;
            Ok((next, vec![own]))
        };
        Ok(self.op.update(&key, precondition, Code::WebhookNotFound, plan).await?.webhook)
    }

    /// Replaces the secret; the one before goes on signing for a while. A request that is carried out again after another
    /// has replaced its secret shows none.
    ///
    /// # Errors
    /// `webhook_not_found`, `version_conflict`, `validation_failed` while too many sign.
    pub async fn rotate_secret(
        &self,
        id: WebhookId,
        precondition: Option<Precondition>,
        grace: GraceSeconds,
        ring: &Keyring,
    ) -> Result<Shown, Error> {
        let OpContext { store, scope, author } = &self.op;
        let (client, key) = (scope.client(), keys::webhook(scope.client(), id));
        // Another try of the request has another secret: what this one writes is told from that by an event of its own.
        let (request, event) = (author.event(), author.event_of_this_try());
        let mut made = None;
        update_with_retry!({
            let current: Document<Endpoint> = store.document(&key).await?.ok_or(Code::WebhookNotFound)?;
            if current.is_by(request) {
                return current.value.shown_to(client, request, ring).map(Step::Done);
            }
            let text = current.value.webhook.signature_header.is_some();
            let secret = made
                .get_or_insert_with(|| if text { WebhookSecret::generate_text() } else { WebhookSecret::generate() });
            let plan = |mut next: Endpoint| {
                next.replace_secret(client, (secret, request), grace, self.op.first_carried_out(), ring)?;
                let own = holding(Change::update(key.clone()), &next, current.version + 1)?;
                Ok(Some((next, vec![current.applied.and(author, request).on(own)])))
            };
            let done = self.op.revise_once(&current, precondition, Code::WebhookNotFound, false, event, plan).await?;
            if let Some(done) = done {
                return Ok(Step::Done((done.webhook, Some(secret.clone()))));
            }
            Ok(Step::Stale { base: current.version })
        })
    }
}

impl Webhooks<Delete> {
    /// Deletes a webhook for good. What was to be sent to it is not sent.
    ///
    /// # Errors
    /// `webhook_not_found`, `version_conflict`.
    pub async fn delete(&self, id: WebhookId, precondition: Option<Precondition>) -> Result<(), Error> {
        let OpContext { store, scope, author } = &self.op;
        let (key, event) = (keys::webhook(scope.client(), id), author.event());
        update_with_retry!({
            let current: Document<Endpoint> = store.document(&key).await?.ok_or(Code::WebhookNotFound)?;
            check(precondition, Some(current.version))?;
            let gone = Change::delete(key.clone()).when_version(current.version);
            let count = COUNTED_WEBHOOKS.one_less(scope).stamped(author, event);
            if let Outcome::Done = store.commit(vec![gone, count], event).await? {
                return Ok(Step::Done(()));
            }
            Ok(Step::Stale { base: current.version })
        })
    }
}

fn pk(client: ClientId) -> String {
    format!("{}{client}", Kind::Webhooks.prefix())
}

impl Store {
    pub(crate) async fn endpoint(&self, client: ClientId, id: WebhookId) -> Result<Option<Endpoint>, Error> {
        let found: Option<Document<Endpoint>> = self.document(&keys::webhook(client, id)).await?;
        Ok(found.map(|found| found.value))
    }

    /// Whether a webhook is there and on, in a client that is open.
    pub(crate) async fn is_active(&self, client: ClientId, id: WebhookId) -> Result<bool, Error> {
        let [card, webhook] = self.batch_get([&keys::client(client), &keys::webhook(client, id)]).await?;
        let (Some(card), Some(webhook)) = (card, webhook) else { return Ok(false) };
        Ok(deleted_at(&card).is_none() && Document::<Endpoint>::read(&webhook)?.value.webhook.active)
    }

    /// All of a client's webhooks.
    pub(crate) async fn endpoints(&self, client: ClientId) -> Result<Vec<Endpoint>, Error> {
        self.each_endpoint(client).await?.into_iter().collect()
    }

    /// All of a client's webhooks, each as far as it can be read.
    pub(crate) async fn each_endpoint(&self, client: ClientId) -> Result<Vec<Result<Endpoint, Error>>, Error> {
        let pk = pk(client);
        let whole = KeyRange { table: Table::Main, pk: &pk, prefix: WebhookId::PREFIX, after: None, limit: None };
        let items = self.query(&whole).await?;
        Ok(items.iter().map(|item| Ok(Document::<Endpoint>::read(item)?.value)).collect())
    }

    /// Switches a webhook off because of what its endpoint answered; one that is off stays as it is.
    pub(crate) async fn disable(
        &self,
        client: ClientId,
        id: WebhookId,
        reason: DisabledReason,
        author: &Author,
    ) -> Result<(), Error> {
        let (key, event) = (keys::webhook(client, id), author.event());
        update_with_retry!({
            let Some(current) = self.document::<Endpoint>(&key).await? else { return Ok(Step::Done(())) };
            if !current.value.webhook.active {
                return Ok(Step::Done(()));
            }
            let mut next = current.value.clone();
            next.set_version(current.version + 1, author.at());
            next.webhook.active = false;
            next.webhook.disabled = Some(Disabled { reason, at: author.at() });
            let change = holding(Change::update(key.clone()), &next, current.version + 1)?;
            let change = change.when_version(current.version).stamped(author, event);
            if let Outcome::Done = self.commit(vec![change], event).await? {
                return Ok(Step::Done(()));
            }
            Ok(Step::Stale { base: current.version })
        })
    }
}

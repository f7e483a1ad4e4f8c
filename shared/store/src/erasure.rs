//! The end of a client that was closed 30 days ago: everything of it is erased, partition by partition, in pages.
//!
//! Whoever dies on the way is followed by another who begins anew: a row goes after what only it leads to, the client's
//! card after all that it owns, and what says that the client is due goes last.

use std::collections::BTreeSet;
use std::sync::Arc;

use contract::id::{ClientId, GroupId, UserId};
use contract::names::{Slug, TenantId};
use contract::resource::Client;
use contract::settings::Settings;
use contract::{Error, Time};
use tokio::time::Instant;

use crate::Store;
use crate::api_keys::StoredKey;
use crate::author::Author;
use crate::change::{Change, Outcome, Written};
use crate::document::from_doc;
use crate::dynamo::{Item, KeyRange, get_text, must, must_parse, text};
use crate::erased_tenants;
use crate::grant::granted;
use crate::jobs::Task;
use crate::keys::{self, Key, Kind, TenantPart};
use crate::login_attempts::email_hash;
use crate::retry::{Step, update_with_retry};
use crate::sweep::{Page, Range, Stopped, purges};
use crate::tables::Table;
use crate::users::UserCard;

/// Clients that one look finds at the most.
const DUE: usize = 100;

/// Erases clients.
#[derive(Clone)]
pub struct Erasure {
    store: Store,
}

granted! {
    Erasure {
        Main Query [
            ApiKeys, Counts, Definitions, GlobalFields, GroupKeys, Invitations, Members, Purge, TenantFields, Tenants,
            Values, Webhooks
        ];
        Main GetItem [Client, User];
        Main UpdateItem [Client, User];
        Main DeleteItem [Client, Email, Members, Password, Purge, SecondFactor, Slug, User];
        Main BatchWriteItem [
            ApiKeys, Client, Counts, Definitions, GlobalFields, GroupKeys, InvitationTokens, Invitations, Key, Origin,
            Purge, TenantFields, Tenants, Values, Webhooks
        ];
        Log Query [Deliveries, Events, Idempotency, Jobs, KeyUses, User];
        Log BatchWriteItem [Deliveries, Events, Idempotency, Jobs, KeyUses, User, WebhookState];
    }
}

/// A client whose time has come.
#[derive(Debug, Clone)]
pub struct DueClient {
    /// The client.
    pub client: ClientId,
    /// What says so.
    key: Key,
}

impl Erasure {
    /// Of the clients of a store.
    #[must_use]
    pub fn open(store: &Store) -> Self {
        Self { store: store.clone() }
    }

    /// The clients whose time has come, those that were closed first before the others.
    ///
    /// # Errors
    /// `unavailable`, `internal`.
    pub async fn due(&self, now: Time) -> Result<Vec<DueClient>, Error> {
        let pk = keys::closed_clients_pk();
        let range = KeyRange { table: Table::Main, pk: &pk, prefix: "", after: None, limit: Some(DUE) };
        let mut due = Vec::new();
        for item in self.store.query(&range).await? {
            let sk = must(get_text(&item, "sk"), "sk")?;
            // Times sort as texts.
            if *sk > *now.to_string() {
                break;
            }
            let key = Key { table: Table::Main, pk: pk.clone(), sk: sk.to_owned() };
            due.push(DueClient { client: must_parse(&item, "client")?, key });
        }
        Ok(due)
    }

    /// The jobs that erase tenants and are not done, of those that were asked for before then: somebody should be at work on
    /// them by now.
    ///
    /// # Errors
    /// `unavailable`, `internal`.
    pub async fn open_tenant_erasures(&self, before: Time) -> Result<Vec<Task>, Error> {
        let open = erased_tenants::open_erasures(&self.store, before).await?;
        Ok(open.into_iter().map(|(client, job)| Task::run(client, job)).collect())
    }

    /// Erases a client, or goes on with that. How many items were deleted.
    ///
    /// # Errors
    /// [`Stopped`], before all is done; what is done stays done.
    pub async fn erase(&self, due: &DueClient, until: Instant) -> Result<u64, Stopped> {
        let author = Arc::new(Author::of_no_caller("system", "erase-clients", self.store.clock().now()));
        let mut run = Run { store: &self.store, client: due.client, author, until, deleted: 0 };
        if let Some(card) = run.begin(due).await? {
            run.credentials().await?;
            run.webhooks().await?;
            run.fields().await?;
            run.tenants().await?;
            run.members().await?;
            run.drain(Table::Main, &partition(Kind::Counts, due.client), nothing).await?;
            run.settings().await?;
            run.card(&card).await?;
        }
        run.drain(Table::Log, &partition(Kind::Jobs, due.client), nothing).await?;
        run.open_erasures().await?;
        self.store.conditional_write(Change::delete(due.key.clone())).await?;
        Ok(run.deleted)
    }
}

fn partition(kind: Kind, client: ClientId) -> String {
    format!("{}{client}", kind.prefix())
}

/// One erasure.
struct Run<'s> {
    store: &'s Store,
    client: ClientId,
    author: Arc<Author>,
    until: Instant,
    deleted: u64,
}

impl Run<'_> {
    /// Says that nobody can restore the client any more; nothing, if its card is gone.
    async fn begin(&self, due: &DueClient) -> Result<Option<Client>, Stopped> {
        let key = keys::client(self.client);
        let Some(card) = self.store.get(&key).await? else { return Ok(None) };
        // It may have been closed anew, for 30 days of its own.
        let closed = get_text(&card, "deletedAt").ok_or(Stopped::Restored)?;
        if keys::closed_client(must_parse(&card, "deletedAt")?, self.client) != due.key {
            return Err(Stopped::Restored);
        }
        let mark = Change::update(key).set("erasing", text(self.author.at().to_string()));
        let mark =
            mark.when("#deletedAt = :closed").with(":closed", text(closed)).stamped(&self.author, self.author.event());
        match self.store.conditional_write(mark).await? {
            Written::Done => Ok(Some(from_doc(&card)?)),
            Written::Refused(_) => Err(Stopped::Restored),
        }
    }

    async fn credentials(&mut self) -> Result<(), Stopped> {
        let beside = |page: &Page| {
            let mut all = to_purge(page)?;
            for item in &page.items {
                all.extend(StoredKey::cards_of(item)?);
            }
            Ok(all)
        };
        self.drain(Table::Main, &partition(Kind::ApiKeys, self.client), beside).await?;
        self.drain(Table::Log, &partition(Kind::KeyUses, self.client), nothing).await?;
        let token = |item: &Item| Ok(keys::invitation_token(must(get_text(item, "token"), "token")?));
        let tokens = |page: &Page| page.items.iter().map(token).collect();
        self.drain(Table::Main, &partition(Kind::Invitations, self.client), tokens).await
    }

    async fn webhooks(&mut self) -> Result<(), Stopped> {
        let pk = partition(Kind::Webhooks, self.client);
        while let Some(page) = self.page(Table::Main, &pk).await? {
            for item in &page.items {
                let webhook = must_parse(item, "sk")?;
                self.drain(Table::Log, &keys::deliveries_pk(self.client, webhook), nothing).await?;
                self.delete(vec![keys::webhook_state(webhook)]).await?;
            }
            self.delete(page.keys).await?;
        }
        self.drain(Table::Log, &partition(Kind::Events, self.client), nothing).await
    }

    async fn fields(&mut self) -> Result<(), Stopped> {
        self.drain(Table::Main, &partition(Kind::GlobalFields, self.client), to_purge).await?;
        let pk = partition(Kind::GroupKeys, self.client);
        while let Some(page) = self.page(Table::Main, &pk).await? {
            let groups = page.items.iter().map(|row| must_parse(row, "group"));
            for group in groups.collect::<Result<BTreeSet<GroupId>, Error>>()? {
                let pk = format!("{}#{group}", partition(Kind::Definitions, self.client));
                self.drain(Table::Main, &pk, to_purge).await?;
            }
            self.delete(page.keys).await?;
        }
        Ok(())
    }

    async fn tenants(&mut self) -> Result<(), Stopped> {
        let pk = partition(Kind::Tenants, self.client);
        while let Some(page) = self.page(Table::Main, &pk).await? {
            for row in &page.items {
                let tenant = must(keys::tenant_of_row(must(get_text(row, "sk"), "sk")?), "sk")?;
                self.tenant(&tenant).await?;
            }
            self.delete(page.keys).await?;
        }
        Ok(())
    }

    /// Of its tenants that were being erased when it was closed: nothing is left to be erased.
    async fn open_erasures(&mut self) -> Result<(), Stopped> {
        let pk = keys::open_erasures_pk();
        let mut after: Option<String> = None;
        loop {
            let range = Range { after: after.as_deref(), ..Range::whole(Table::Main, &pk) };
            let Some(page) = self.store.sweep_page(&range, self.until).await? else { return Ok(()) };
            after = page.keys.last().map(|key| key.sk.clone());
            let own = |item: &Item| get_text(item, "client") == Some(&*self.client.to_string());
            let keys = page.items.iter().zip(page.keys).filter(|(item, _)| own(item)).map(|(_, key)| key).collect();
            self.delete(keys).await?;
        }
    }

    async fn tenant(&mut self, tenant: &TenantId) -> Result<(), Stopped> {
        for part in TenantPart::ALL {
            self.drain(part.table(), &part.pk(self.client, tenant), to_purge).await?;
        }
        Ok(())
    }

    /// Memberships; with its only one goes a user, who could not sign up anew with the address otherwise.
    async fn members(&mut self) -> Result<(), Stopped> {
        let pk = partition(Kind::Members, self.client);
        while let Some(page) = self.page(Table::Main, &pk).await? {
            for row in &page.items {
                let user = must_parse(row, "sk")?;
                if self.leave(user).await? {
                    self.drain(Table::Log, &keys::sessions_pk(user), nothing).await?;
                }
                self.deleted += 1;
            }
        }
        Ok(())
    }

    /// Ends a membership; whether the user ends with it.
    async fn leave(&self, user: UserId) -> Result<bool, Error> {
        let (store, event) = (self.store, self.author.event());
        update_with_retry!({
            let member = Change::delete(keys::member(self.client, user));
            let Some(item) = store.get(&keys::user(user)).await? else {
                store.conditional_write(member).await?;
                return Ok(Step::Done(true));
            };
            let card = UserCard::read(&item)?;
            let ends = card.memberships.keys().all(|of| *of == self.client);
            let changes = if ends {
                // Whoever makes it a member elsewhere meanwhile says so by another event.
                let seen = must(get_text(&item, "eventId"), "eventId")?;
                let own = Change::delete(keys::user(user)).when("#eventId = :seen").with(":seen", text(seen));
                let email = Change::delete(keys::email(&email_hash(&card.person.email)));
                let secrets = [keys::password(user), keys::second_factor(user)].map(Change::delete);
                [own, email, member].into_iter().chain(secrets).collect()
            } else {
                let left = card.leaves(self.client).when_present();
                vec![left.stamped(&self.author, event), member]
            };
            match store.commit(changes, event).await? {
                Outcome::Done => Ok(Step::Done(ends)),
                Outcome::Stale => Ok(Step::Stale { base: 0 }),
            }
        })
    }

    /// The settings, and before them the origins that they list.
    async fn settings(&mut self) -> Result<(), Stopped> {
        let key = keys::settings(self.client);
        let Some(item) = self.store.get(&key).await? else { return Ok(()) };
        let settings: Settings = from_doc(&item)?;
        let origins = settings.cors.origins.as_slice().iter().map(|origin| keys::origin(origin, self.client));
        self.delete(origins.collect()).await?;
        self.delete(vec![key]).await
    }

    /// The slug, which is free from now on, and the card.
    async fn card(&mut self, card: &Client) -> Result<(), Stopped> {
        let slug: &Slug = &card.slug;
        let own = Change::delete(keys::slug(slug)).when("#client = :client");
        self.store.conditional_write(own.with(":client", text(self.client.to_string()))).await?;
        self.store.conditional_write(Change::delete(keys::client(self.client))).await?;
        self.store.forget_standing(self.client);
        self.deleted += 2;
        Ok(())
    }

    /// Deletes a partition, and before each of its pages what that alone leads to.
    async fn drain(
        &mut self,
        table: Table,
        pk: &str,
        beside: impl Fn(&Page) -> Result<Vec<Key>, Error>,
    ) -> Result<(), Stopped> {
        self.deleted += self.store.sweep(&Range::whole(table, pk), self.until, beside).await?;
        Ok(())
    }

    /// The next items of a partition, if there are any, and time is left.
    async fn page(&self, table: Table, pk: &str) -> Result<Option<Page>, Stopped> {
        self.store.sweep_page(&Range::whole(table, pk), self.until).await
    }

    async fn delete(&mut self, keys: Vec<Key>) -> Result<(), Stopped> {
        self.deleted += u64::try_from(keys.len()).unwrap_or(0);
        Ok(self.store.batch_delete(keys).await?)
    }
}

/// What goes with every page of a partition that nothing else hangs on.
fn nothing(_: &Page) -> Result<Vec<Key>, Error> {
    Ok(Vec::new())
}

/// What says that items, which were deleted before their client was closed, are to be purged.
fn to_purge(page: &Page) -> Result<Vec<Key>, Error> {
    purges(&page.items)
}

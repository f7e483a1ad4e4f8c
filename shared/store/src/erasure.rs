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
use crate::document::{deleted_at, from_doc};
use crate::dynamo::{Item, KeyRange, get_text, must, must_parse, text};
use crate::grant::granted;
use crate::keys::{self, Key, Kind};
use crate::login_attempts::email_hash;
use crate::retry::{Step, update_with_retry};
use crate::tables::Table;
use crate::users::UserCard;

/// Items that are read, and deleted, at a time.
const PAGE: usize = 100;
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
        Log Query [Deliveries, Events, Jobs, KeyUses, User];
        Log BatchWriteItem [Deliveries, Events, Jobs, KeyUses, User, WebhookState];
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

/// Why an erasure stopped.
#[derive(Debug)]
pub enum Stopped {
    /// Its time is over: it is to be gone on with.
    TimeOver,
    /// The client was restored since it came due: nothing of it is erased.
    Restored,
    /// Something did not work.
    Failed(Error),
}

impl From<Error> for Stopped {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
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
            run.drain(Table::Main, &partition(Kind::Counts, due.client), |_| Ok(Vec::new())).await?;
            run.settings().await?;
            run.card(&card).await?;
        }
        run.drain(Table::Log, &partition(Kind::Jobs, due.client), |_| Ok(Vec::new())).await?;
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
        let beside = |item: &Item| Ok([StoredKey::cards_of(item)?, purges(item)?].concat());
        self.drain(Table::Main, &partition(Kind::ApiKeys, self.client), beside).await?;
        self.drain(Table::Log, &partition(Kind::KeyUses, self.client), |_| Ok(Vec::new())).await?;
        let tokens = |item: &Item| Ok(vec![keys::invitation_token(must(get_text(item, "token"), "token")?)]);
        self.drain(Table::Main, &partition(Kind::Invitations, self.client), tokens).await
    }

    async fn webhooks(&mut self) -> Result<(), Stopped> {
        let pk = partition(Kind::Webhooks, self.client);
        while let Some(page) = self.page(Table::Main, &pk, None).await? {
            for item in &page.items {
                let webhook = must_parse(item, "sk")?;
                self.drain(Table::Log, &keys::deliveries_pk(self.client, webhook), |_| Ok(Vec::new())).await?;
                self.delete(vec![keys::webhook_state(webhook)]).await?;
            }
            self.delete(page.keys).await?;
        }
        self.drain(Table::Log, &partition(Kind::Events, self.client), |_| Ok(Vec::new())).await
    }

    async fn fields(&mut self) -> Result<(), Stopped> {
        self.drain(Table::Main, &partition(Kind::GlobalFields, self.client), purges).await?;
        let pk = partition(Kind::GroupKeys, self.client);
        while let Some(page) = self.page(Table::Main, &pk, None).await? {
            let groups = page.items.iter().map(|row| must_parse(row, "group"));
            for group in groups.collect::<Result<BTreeSet<GroupId>, Error>>()? {
                let pk = format!("{}#{group}", partition(Kind::Definitions, self.client));
                self.drain(Table::Main, &pk, purges).await?;
            }
            self.delete(page.keys).await?;
        }
        Ok(())
    }

    async fn tenants(&mut self) -> Result<(), Stopped> {
        let pk = partition(Kind::Tenants, self.client);
        while let Some(page) = self.page(Table::Main, &pk, None).await? {
            for row in &page.items {
                let tenant = must(keys::tenant_of_row(must(get_text(row, "sk"), "sk")?), "sk")?;
                self.tenant(&tenant).await?;
            }
            self.delete(page.keys).await?;
        }
        Ok(())
    }

    async fn tenant(&mut self, tenant: &TenantId) -> Result<(), Stopped> {
        for kind in [Kind::Values, Kind::TenantFields] {
            self.drain(Table::Main, &format!("{}#{tenant}", partition(kind, self.client)), purges).await?;
        }
        Ok(())
    }

    /// Memberships; with its only one goes a user, who could not sign up anew with the address otherwise.
    async fn members(&mut self) -> Result<(), Stopped> {
        let pk = partition(Kind::Members, self.client);
        while let Some(page) = self.page(Table::Main, &pk, None).await? {
            for row in &page.items {
                let user = must_parse(row, "sk")?;
                if self.leave(user).await? {
                    self.drain(Table::Log, &keys::sessions_pk(user), |_| Ok(Vec::new())).await?;
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

    /// Deletes a partition, and before each of its items what that alone leads to.
    async fn drain(
        &mut self,
        table: Table,
        pk: &str,
        beside: impl Fn(&Item) -> Result<Vec<Key>, Error>,
    ) -> Result<(), Stopped> {
        let mut after: Option<String> = None;
        while let Some(page) = self.page(table, pk, after.as_deref()).await? {
            let others = page.items.iter().map(&beside).collect::<Result<Vec<_>, _>>()?;
            self.delete(others.into_iter().flatten().collect()).await?;
            after = page.keys.last().map(|key| key.sk.clone());
            self.delete(page.keys).await?;
        }
        Ok(())
    }

    /// The next items of a partition, if there are any, and time is left.
    async fn page(&self, table: Table, pk: &str, after: Option<&str>) -> Result<Option<Page>, Stopped> {
        if Instant::now() >= self.until {
            return Err(Stopped::TimeOver);
        }
        let (items, _) = self.store.query_once(&KeyRange { table, pk, prefix: "", after, limit: Some(PAGE) }).await?;
        let key = |item: &Item| Ok(Key { table, pk: pk.to_owned(), sk: must(get_text(item, "sk"), "sk")?.to_owned() });
        let keys = items.iter().map(key).collect::<Result<Vec<_>, Error>>()?;
        Ok((!keys.is_empty()).then_some(Page { items, keys }))
    }

    async fn delete(&mut self, keys: Vec<Key>) -> Result<(), Stopped> {
        self.deleted += u64::try_from(keys.len()).unwrap_or(0);
        Ok(self.store.batch_delete(keys).await?)
    }
}

/// Some items of a partition.
struct Page {
    items: Vec<Item>,
    keys: Vec<Key>,
}

/// What says that an item, which was deleted before its client was closed, is to be purged.
fn purges(item: &Item) -> Result<Vec<Key>, Error> {
    let Some(deleted) = deleted_at(item) else { return Ok(Vec::new()) };
    let (pk, sk) = (must(get_text(item, "pk"), "pk")?, must(get_text(item, "sk"), "sk")?);
    Ok(keys::purge_of(deleted, pk, sk).into_iter().collect())
}

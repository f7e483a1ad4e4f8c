//! Tables of a test's own, accounts in them, and the shortest way to each repository.

use std::fmt::Debug;
use std::str::FromStr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use auth::{Keyring, PasswordAttempt, PasswordHash, SessionToken};
use aws_sdk_dynamodb::config::retry::{RetryConfig, RetryPartition};
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_dynamodb::{Client, Config};
use contract::id::{ClientId, FieldId, GroupId};
use contract::names::{Email, GroupRef, Name};
use contract::resource::{
    Client as ClientCard, EntityValues, Field, FieldGroup, GlobalField, Publishing, SessionInfo, TenantField, User,
};
use contract::schema::FieldSchema;
use contract::{Code, Error, Precondition};
use engines::{Connector, Engines};
use hedgerow_store::accounts::{Login, Signup};
use hedgerow_store::api_keys::ApiKeys;
use hedgerow_store::author::{Author, Clock, RequestInfo, Seed};
use hedgerow_store::field_groups::{FieldGroups, NewFieldGroup};
use hedgerow_store::global_fields::{GlobalFieldChange, GlobalFields, NewGlobalField};
use hedgerow_store::page::{Page, PageRequest};
use hedgerow_store::scope::ClientScope;
use hedgerow_store::settings::ClientSettings;
use hedgerow_store::setup::create_tables;
use hedgerow_store::tables::{Table, TableNames};
use hedgerow_store::tenant_fields::{NewTenantField, TenantFieldChange, TenantFields};
use hedgerow_store::tenants::Tenants;
use hedgerow_store::values::{Save, Values};
use hedgerow_store::{OpContext, Settings, Store};
use serde_json::{Map, Value, json};

use crate::webhooks::ring;

pub(crate) const DAY: Duration = Duration::from_secs(24 * 3600);
pub(crate) const PASSWORD: &str = "correct horse";

/// The tables of a test, and a clock of its own.
#[derive(Clone)]
pub(crate) struct Tables {
    pub(crate) dynamo: Client,
    pub(crate) names: TableNames,
    pub(crate) clock: Clock,
    connector: Option<Connector>,
}

fn config() -> aws_sdk_dynamodb::config::Builder {
    // Clients of one partition share what retries they may make, and a test of failures uses that up.
    let partition = RetryPartition::new(auth::hex(&auth::random::bytes::<6>()));
    Config::builder()
        .retry_partition(partition)
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("test", "test", None, None, "tests"))
        .retry_config(RetryConfig::standard().with_max_attempts(3).with_initial_backoff(Duration::from_millis(1)))
}

#[expect(clippy::disallowed_methods, reason = "which engine to test is said by the environment")]
fn endpoint() -> Option<String> {
    std::env::var("HEDGEROW_DYNAMODB_ENDPOINT").ok().filter(|url| !url.is_empty())
}

impl Tables {
    /// On the engine that is to be tested.
    pub(crate) async fn new() -> Self {
        let Some(url) = endpoint() else { return Self::embedded().await };
        Self::made(Client::from_conf(config().endpoint_url(url).build()), None).await
    }

    /// On the embedded engine, whose calls can be counted and broken.
    pub(crate) async fn embedded() -> Self {
        let connector = Connector::new(Engines::memory().unwrap());
        Self::made(Client::from_conf(config().http_client(connector.clone()).build()), Some(connector)).await
    }

    async fn made(dynamo: Client, connector: Option<Connector>) -> Self {
        let names = TableNames::with_prefix(&format!("test-{}", auth::hex(&auth::random::bytes::<6>())));
        create_tables(&dynamo, &names).await.unwrap();
        Self { dynamo, names, clock: Clock::default(), connector }
    }

    /// Another instance of the deployment: it shares the tables and the time, and no cache.
    pub(crate) fn store(&self) -> Store {
        self.store_with(Settings::default())
    }

    pub(crate) fn store_with(&self, settings: Settings) -> Store {
        Store::new(self.dynamo.clone(), self.names.clone(), self.clock.clone(), settings)
    }

    pub(crate) fn connector(&self) -> &Connector {
        self.connector.as_ref().unwrap()
    }

    /// All items of all tables.
    pub(crate) fn items(&self) -> Vec<String> {
        let of = |table| self.connector().engines().dynamo.items(self.names.of(table)).unwrap();
        Table::ALL.into_iter().flat_map(of).map(|item| item.to_string()).collect()
    }

    /// An account with no more than its owner.
    pub(crate) async fn account(&self) -> Account {
        self.account_of(&format!("{}@example.com", auth::hex(&auth::random::bytes::<6>()))).await
    }

    pub(crate) async fn account_of(&self, email: &str) -> Account {
        let signup = Signup::open(&self.store(), self.author());
        let opened = signup.open_account(named(email), known_hash(), named("Acme")).await.unwrap();
        let scope = opened.op.scope().clone();
        let (user, client) = (opened.user, opened.client);
        Account { tables: self.clone(), store: self.store(), scope, user, client, ring: ring() }
    }

    /// Logs in.
    pub(crate) async fn log_in(
        &self,
        email: &Email,
        password: PasswordAttempt,
        client: Option<ClientId>,
    ) -> Result<(SessionInfo, SessionToken), Error> {
        let entered =
            self.login().log_in(email, password, None, client, &ring()).await.map_err(|refused| refused.error)?;
        Ok((entered.info, entered.token))
    }

    pub(crate) fn login(&self) -> Login {
        Login::open(&self.store(), self.author())
    }

    pub(crate) fn author(&self) -> Arc<Author> {
        // A later request has a later time, and so a later place in lists.
        self.clock.advance(Duration::from_millis(1));
        Arc::new(author(Seed::new(self.clock.now())))
    }
}

/// The hash of [`PASSWORD`], made once: hashing is slow on purpose.
fn known_hash() -> &'static PasswordHash {
    static HASH: OnceLock<PasswordHash> = OnceLock::new();
    HASH.get_or_init(|| PasswordHash::of(&named(PASSWORD)).unwrap())
}

/// Where the requests of tests come from.
pub(crate) fn request_info() -> RequestInfo {
    RequestInfo { address: "192.0.2.1".parse().ok(), agent: "tests".into(), request_id: "req_test".into() }
}

/// A request's author.
pub(crate) fn author(seed: Seed) -> Author {
    Author::new("usr_test", &request_info(), seed)
}

/// A client and the instance that serves it. Each repository is that of a new request.
#[derive(Clone)]
pub(crate) struct Account {
    pub(crate) tables: Tables,
    pub(crate) store: Store,
    pub(crate) scope: ClientScope,
    pub(crate) user: User,
    pub(crate) client: ClientCard,
    pub(crate) ring: Keyring,
}

impl Account {
    /// The same account, served by another instance.
    pub(crate) fn elsewhere(&self) -> Self {
        Self { store: self.tables.store(), ..self.clone() }
    }

    pub(crate) fn op(&self) -> OpContext {
        OpContext::new(self.store.clone(), self.scope.clone(), self.tables.author())
    }

    /// A request under an idempotency key, with this seed.
    pub(crate) fn work_of(&self, seed: Seed) -> OpContext {
        OpContext::new(self.store.clone(), self.scope.clone(), Arc::new(author(seed).keyed(false)))
    }

    /// The same, carried out again by another instance.
    pub(crate) fn work_again(&self, seed: Seed) -> OpContext {
        OpContext::new(self.tables.store(), self.scope.clone(), Arc::new(author(seed).keyed(true)))
    }

    pub(crate) fn groups<A>(&self) -> FieldGroups<A> {
        FieldGroups::open(&self.op())
    }

    pub(crate) fn globals<A>(&self) -> GlobalFields<A> {
        GlobalFields::open(&self.op())
    }

    pub(crate) fn fields<A>(&self, tenant: &str) -> TenantFields<A> {
        TenantFields::open(&self.op(), self.scope.tenant(named(tenant)))
    }

    pub(crate) fn values<A>(&self, tenant: &str) -> Values<A> {
        Values::open(&self.op(), self.scope.tenant(named(tenant)))
    }

    pub(crate) fn tenants(&self) -> Tenants {
        Tenants::open(&self.op())
    }

    pub(crate) fn keys<A>(&self) -> ApiKeys<A> {
        ApiKeys::open(&self.op())
    }

    pub(crate) fn settings<A>(&self) -> ClientSettings<A> {
        ClientSettings::open(&self.op())
    }

    pub(crate) async fn group(&self, key: &str) -> FieldGroup {
        self.groups().create(new_group(key)).await.unwrap()
    }

    pub(crate) async fn global(&self, key: &str, schema: Value, groups: &[GroupId]) -> GlobalField {
        self.globals().create(new_global(key, schema, groups)).await.unwrap()
    }

    pub(crate) async fn own(&self, tenant: &str, group: GroupId, key: &str, schema: Value) -> TenantField {
        self.fields(tenant).create(&GroupRef::Id(group), new_own(key, schema)).await.unwrap()
    }

    pub(crate) async fn merge(
        &self,
        tenant: &str,
        group: GroupId,
        entity: &str,
        sent: Value,
    ) -> Result<EntityValues, Error> {
        self.save(tenant, group, entity, sent, Save::Merge, None).await
    }

    pub(crate) async fn replace(
        &self,
        tenant: &str,
        group: GroupId,
        entity: &str,
        sent: Value,
    ) -> Result<EntityValues, Error> {
        self.save(tenant, group, entity, sent, Save::Replace, None).await
    }

    pub(crate) async fn save(
        &self,
        tenant: &str,
        group: GroupId,
        entity: &str,
        sent: Value,
        how: Save,
        precondition: Option<Precondition>,
    ) -> Result<EntityValues, Error> {
        self.values(tenant).save(&GroupRef::Id(group), &named(entity), &object(sent), how, precondition).await
    }

    pub(crate) async fn read(&self, tenant: &str, group: GroupId, entity: &str) -> Result<EntityValues, Error> {
        self.values(tenant).get(&GroupRef::Id(group), &named(entity)).await
    }

    /// The merged fields of a tenant: key, whose, shadowed.
    pub(crate) async fn merged(&self, tenant: &str, group: GroupId) -> Vec<Field> {
        self.fields(tenant).list(&GroupRef::Id(group), &all()).await.unwrap().items
    }
}

/// A name of any kind.
pub(crate) fn named<T: FromStr>(text: &str) -> T
where
    T::Err: Debug,
{
    text.parse().unwrap()
}

pub(crate) fn by_key(key: &str) -> GroupRef {
    GroupRef::Key(named(key))
}

pub(crate) fn object(value: Value) -> Map<String, Value> {
    let Value::Object(map) = value else { panic!("{value} is no object") };
    map
}

pub(crate) fn schema(value: Value) -> FieldSchema {
    FieldSchema::parse(value, "schema").unwrap()
}

pub(crate) fn string() -> Value {
    json!({ "type": "string" })
}

pub(crate) fn new_group(key: &str) -> NewFieldGroup {
    NewFieldGroup { key: named(key), name: named("A group"), description: None, publishing: Publishing::Immediate }
}

pub(crate) fn new_global(key: &str, of: Value, groups: &[GroupId]) -> NewGlobalField {
    NewGlobalField { key: named(key), label: named("A field"), schema: schema(of), groups: groups.to_vec() }
}

pub(crate) fn new_own(key: &str, of: Value) -> NewTenantField {
    NewTenantField { key: named(key), label: named("A field"), schema: schema(of) }
}

/// A change of a tenant field's schema.
pub(crate) fn schema_change(to: &FieldSchema) -> TenantFieldChange {
    TenantFieldChange { schema: Some(to.clone()), ..TenantFieldChange::default() }
}

/// A change of a tenant field's label.
pub(crate) fn label_change(to: Name) -> TenantFieldChange {
    TenantFieldChange { label: Some(to), ..TenantFieldChange::default() }
}

/// `If-Match` of this version.
pub(crate) fn if_match(version: u64) -> Option<Precondition> {
    Some(Precondition::Version(version))
}

/// Another name than a group or key has.
pub(crate) fn other_name() -> Name {
    named("Another")
}

/// Another label than a global field has.
pub(crate) fn relabelled() -> GlobalFieldChange {
    GlobalFieldChange { label: Some(named("Another")), ..GlobalFieldChange::default() }
}

/// A whole list, if it is short.
pub(crate) fn all() -> PageRequest {
    first(100)
}

pub(crate) fn first(limit: usize) -> PageRequest {
    PageRequest { limit, cursor: None }
}

pub(crate) fn after(limit: usize, cursor: &str) -> PageRequest {
    PageRequest { limit, cursor: Some(cursor.to_owned()) }
}

/// All items of a list, read in pages of `limit`, none of which may be longer or, but for the last, shorter.
pub(crate) async fn paged<T, F: Future<Output = Result<Page<T>, Error>>>(
    limit: usize,
    list: impl Fn(PageRequest) -> F,
) -> Vec<T> {
    let (mut items, mut request) = (Vec::new(), first(limit));
    loop {
        let page = list(request).await.unwrap();
        let length = page.items.len();
        items.extend(page.items);
        match page.next_cursor {
            Some(cursor) => {
                assert_eq!(length, limit);
                request = after(limit, &cursor);
            }
            None => {
                assert!(length <= limit);
                return items;
            }
        }
    }
}

/// An error as its caller sees it.
pub(crate) fn body(error: &Error) -> Value {
    serde_json::to_value(error.body("req_test")).unwrap()
}

/// The code of a refusal.
pub(crate) fn refused<T>(result: Result<T, Error>) -> Code {
    match result {
        Ok(_) => panic!("was not refused"),
        Err(error) => error.code(),
    }
}

/// The `path code` of each problem of a `validation_failed`.
pub(crate) fn problems<T>(result: Result<T, Error>) -> Vec<String> {
    let Err(error) = result else { panic!("was not refused") };
    assert_eq!(error.code(), Code::ValidationFailed, "{error:?}");
    let body = body(&error);
    let fields = body["details"]["fields"].as_array().unwrap();
    fields.iter().map(|f| format!("{} {}", f["path"].as_str().unwrap(), f["code"].as_str().unwrap())).collect()
}

/// Asserts a conflict of versions, to the letter.
pub(crate) fn assert_conflict<T>(result: Result<T, Error>, sent: u64, current: u64) {
    let Err(error) = result else { panic!("was not refused") };
    let expected = json!({
        "error": "version_conflict",
        "message": format!("Version mismatch: client sent {sent}, current is {current}."),
        "details": { "currentVersion": current, "clientVersion": sent },
        "requestId": "req_test",
    });
    assert_eq!(body(&error), expected);
}

/// The names of the values and the values.
pub(crate) fn values(of: &EntityValues) -> Value {
    Value::Object(of.values.clone())
}

pub(crate) fn field_ids(fields: &[GlobalField]) -> Vec<FieldId> {
    fields.iter().map(|field| field.id).collect()
}

//! The store: DynamoDB, one module an aggregate, every key built from a scope.
//!
//! # Items
//! Every item has `pk` and `sk`. A resource is kept whole as JSON in `doc`, beside the few attributes that conditions
//! ask: `version`, `deletedAt`, `schemaVersion`, `epoch`. Every item of the main table has `by`, `at` and `eventId` of
//! its last change, for the stream. What can be changed by a `POST` has `applied` too, once one under an idempotency key has.
//!
//! | item | table, partition / sort | attributes |
//! | --- | --- | --- |
//! | client | main `C#cl` / `#` | `doc version seal subscription`, what that follows from `payments`; closed, `deletedAt sessionsNotBefore job`; at its end `erasing` |
//! | its settings; an origin that they list | main `C#cl` / `settings`; `O#origin` / cl | `doc version`; none |
//! | slug, e-mail | main `S#slug`, `E#sha256` / `#` | `client`; `user` |
//! | user | main `U#usr` / `#` | `doc sessionEpoch lastClient knownFrom proven totp`, by each client's identifier the membership |
//! | its password | main `PW#usr` / `#` | `hash` |
//! | its second factor | main `SF#usr` / `#` | `secret` (sealed) `lastStep`, `code_n` (the hash of a recovery code, until it is used); while one is set up `pending pendingUntil` |
//! | member | main `M#cl` / usr | `doc version` |
//! | session | log `U#usr` / `s#sha256` | `id client member sessionEpoch createdAt expiresAt lastUsedAt address agent ttl` |
//! | reset of a password; the one that counts | log `PR#sha256` / `#`; `U#usr` / `password-reset` | `user`; `hash`; `expiresAt ttl` |
//! | wrong passwords at an address | log `E#sha256` / `login-attempts` | `failures lastAt ttl` |
//! | invitation; by its token | main `IV#cl` / inv; `IT#sha256` / `#` | `doc client seal token` |
//! | API key; a deleted one | main `AK#cl` / key; `x#key` | `doc` (with its secrets' hashes) `version hash`; `deletedAt` too |
//! | API key's card, one a secret | main `K#sha256` / `#` | `doc` (type, permissions, activity, limit, addresses, expiry of key and secret, client, seal) |
//! | when an API key was last used | log `KU#cl` / key | of its `n`th secret `at_n address_n` |
//! | field group | main `D#cl#fg` / `#` | `doc version schemaVersion schemaAt deletedAt`, of its global fields `fields schemaBytes` |
//! | its key; the key's last deleted group; any deleted one | main `G#cl` / `k#key`; `d#key`; `x#fg` | `group doc` (for lists); `group`; `group` |
//! | global field; a deleted one | main `GF#cl` / fld; `x#fld` | `doc version`; `deletedAt` too |
//! | its copy in a group | main `D#cl#fg` / `k#key` | `doc`; its place reserves the key |
//! | tenant | main `F#cl#tenant` / `#` | `doc epoch fields` (how many, in all groups), `tokensNotBefore` (alone, where the tenant has not been used); while it is erased, `erasing` (the job) |
//! | what is left of an erased one | main `F#cl#~mac` / `#` | `epoch tokensNotBefore` |
//! | its card of a group | main `F#cl#tenant` / fg | `schemaVersion schemaAt fields schemaBytes` |
//! | its row; one whose card says nothing but that | main `T#cl` / tenant; `x#tenant` | `doc`; none |
//! | tenant field; a deleted one | main `F#cl#tenant` / `fg#fld`; `x#fg#fld` | `doc version`; `deletedAt` too |
//! | its key | main `F#cl#tenant` / `k#fg#key` | `field` |
//! | values; deleted ones | main `V#cl#tenant` / `fg#entity`; `x#fg#entity` | `doc` (by field identifier) `version epoch createdAt`; `deletedAt` too |
//! | webhook | main `W#cl` / whk | `doc` (with its sealed secrets) `version` |
//! | its endpoint | log `WS#whk` / `#` | `t_0` to `t_9` (attempts under way, until when), `failingSince timeouts openUntil probes ttl` |
//! | announcement, in pieces | log `EV#cl` / `evt#00` | `body pieces event requestId ttl`; of a tenant, `tenant webhooks` |
//! | delivery | log `DL#cl#whk` / dlv | `webhook event of` (the event) `ttl` |
//! | where it stands | log `DL#cl#whk` / `dlv#s` | `status round attempt base holder nextAt`, an attempt's `s_n` (start), `a_n` (result), `r_n` (long answer) `ttl` |
//! | an attempt's long answer | log `DL#cl#whk` / `r#dlv#n` | `response ttl` |
//! | that it is held or has failed | log `DL#cl#whk` / `x#dlv` | `of event status round attempt released ttl` |
//! | that an event of the payment service's was heard | log `BE#event` / `#` | `ttl` |
//! | job | log `J#cl` / job | `doc work` (what it is to do, and how far it is) `ttl` |
//! | how much of a rate limit is used | counters `L#name#of` / seconds | `k` (the cell), `c` in it, `s` in the ten before it, `h` those ten, `ttl` |
//! | how many of each a client has | main `N#cl` / `tenants`, `field-groups`, `global-fields`, `api-keys`, `webhooks`, `members`, `invitations`, `owners` | `count` |
//! | that an account was opened, where only the first may be | main `N#deployment` / `first-account` | |
//! | that something was done that no item tells | main `AN#whose` / event`#`action`#`resource | `doc` |
//! | line of an audit log | log `A#cl#day` / aud | `doc` (without its hash) `hash ttl` |
//! | how many lines a client's day has, and how they end | log `AH#cl` / day | `sequence hash ttl` |
//! | whose logs have lines of a day | log `AD#day` / cl | `ttl` |
//! | purge due; a closed client's | main `Z#date` / id; `Z#clients` / time`#cl` | `pk`, `sk` of the root in `root`, `after` (a tenant); `client job` |
//! | an erasure of a tenant that is not done | main `Z#tenants` / time`#cl#job` | `client job` |
//! | up to where all is purged | main `Z#purged` / `#` | `day` |
//! | idempotency; of a request about a tenant | log `I#mac` / `#`; `I#cl#tenant` / mac | `fingerprint lease holder expiresAt seedAt seed ttl`, the answer (sealed) in `body pieces` |
//! | the further pieces of a long answer | log `I#mac` / `holder#01`; `I#cl#tenant` / `mac#holder#01` | `body pieces ttl` |
//!
//! # What an operation costs
//! Read units (RU) are for strongly consistent reads of items up to 4 KB, write units (WU) for items up to 1 KB; `g`
//! is how many groups a global field has. A transaction's write counts twice. "Cold" adds what a new instance or
//! a schema that changed within the last 30 seconds costs.
//!
//! | operation | round trips | warm | cold adds |
//! | --- | --- | --- | --- |
//! | count under a rate limit | 0 or 1 | Update 1 WU, of several at once one; refused, 0 | a cell that another began: 1 WU more |
//! | credential: key; session; embed token | 0 or 1; 1; 1 | 0 RU for 5 s, else 1; 2 RU; BatchGet 1 RU for 5 s, else 4; of a tenant without a card 1 more | |
//! | revoke embed tokens | 1 | Update 1 WU; of a tenant that was not used, Update, Transact 4 WU | |
//! | where a client stands | 0 or 1 | 0 RU for 5 s, else BatchGet 2; with a token's cards 0 | |
//! | whether an origin is listed | 0 or 1 | 0 RU for 5 s, else Query 1 RU | |
//! | get, change settings (`n` origins come or go) | 1; 1 + 1 | Get 1 RU; Get 1 RU, Update 1 WU or Transact 2 + 2n WU | |
//! | get, change, close, restore client | 1; 1 + 1; 2 + 1; 1 + 1 | Get 1 RU; Update 1 WU; BatchGet 3 RU, Transact 8 WU; Transact 6 WU | |
//! | get subscription; hear of it | 1; 2 + 1 | BatchGet 5 RU; 2 RU, Transact 4 WU | |
//! | get, export tenant | 1; 1 + 1 | Get 1 RU; and Put 1 WU; a page of values: BatchGet 3 RU, Query 1 RU per 4 KB | |
//! | erase tenant | 1 + 1, then a page of 100: 1 + 2 | Get 1 RU, Transact 12 WU; Query 1 RU per 4 KB, Update 1 WU, BatchWrite 1 WU an item and KB; all that was announced of the client is gone through | |
//! | purge a group; a field | a tenant: 6; a page: 1 | 6 Query; Query 1 RU per 4 KB, Update 1 WU per KB of what has a value | |
//! | erase client | a page of 100: 1 + 1 | Query 1 RU per 4 KB, BatchWrite 1 WU an item and KB; a member: Get 1 RU, Transact 8 WU | |
//! | read values | 1 | BatchGet 4 RU | 2 Query in the same round trip |
//! | save values, first of entity or later | 1 + 1 | BatchGet 5 RU; Put 1 WU | as above |
//! | save values, first of tenant; over deleted ones | 2 + 1; 1 + 1 | BatchGet 5 RU and 1 RU; Transact 8 WU; 6 WU | as above |
//! | delete or restore values | 1 + 1 | BatchGet 5 RU; Transact 6 WU | as above |
//! | list entities | 1 | BatchGet 3 RU, Query 1 RU per 4 KB | as above |
//! | list fields | 1 | BatchGet 3 RU | as above |
//! | create, delete, restore group | 1; 1 + 1; 1 + 1 | Transact 6 WU; Get 1 RU, Transact 12; 10 WU | key to id: 1 RU |
//! | get, update group | 1; 1 + 1 | Get 1 RU; Get 1 RU, Transact 4 WU | key to id: 1 RU |
//! | create, update global field | 1; 1 + 1 | Transact 4 + 4g WU; Get 1 RU, Transact 2 + 4g WU; refused: BatchGet g RU | |
//! | delete, restore global field | 1 + 1 | BatchGet 1 RU, Transact 8 + 4g WU | |
//! | create tenant field | 1 + 1 | BatchGet 3 RU; Transact 8 WU (12 with the tenant) | 2 Query |
//! | get tenant field | 1 | BatchGet 3 RU (definitions cached) | 2 Query |
//! | update, delete, restore tenant field | 1 + 1 | BatchGet 4 RU; Transact 4; 12; 12 WU | |
//! | list groups, global fields, tenants, webhooks | 1 | Query 1 RU per 4 KB | |
//! | list API keys | 1 | 2 Query 1 RU per 4 KB each | |
//! | create, delete API key | 1; 1 + 1 | Transact 8 WU; BatchGet 2 RU, Transact 12 WU | |
//! | update, rotate API key | 1 + 1 | BatchGet 2 RU, Transact 4 to 6; 4 to 10 WU | |
//! | note the use of an API key | 1 | Update 1 WU, once a minute and secret, beside the request | |
//! | sign up; log in; log out | 3; 5; 1 | 1 RU, Transact 16 WU, 1 WU; 4 RU, Transact 4 WU; Transact 4 WU | |
//! | list one's sessions; end one; end the others | 2; 2 + 1; 1 + 1 | 1 RU, Query 1 RU; and Transact 4 WU; Get 1 RU, Transact 4 WU | |
//! | set a second factor up; confirm it; turn it off | 2 + 1; 1 + 1; 2 + 1 | BatchGet 3 RU, Transact 4 WU; 2 RU, 8 WU; 3 RU, 6 WU | |
//! | invite; accept | 3 + 1; 4 + 2 | 3 RU, Transact 6 WU; 4 RU, Transact 20 to 24 WU | |
//! | give a role; remove a member | 1 + 1 | 1 RU, Transact 4 to 6 WU | |
//! | create, change, delete webhook | 1; 1 + 1; 1 + 1 | Transact 4 WU; Get 1 RU, Update; Get 1 RU, Transact 6 WU | |
//! | get webhook; API key | 1 | Get 1 RU; BatchGet 2 RU | |
//! | get delivery; list | 2; 1 + 1 | Query of webhooks, BatchGet 2 RU a webhook; Get 1 RU, Query 1 RU per 4 KB | |
//! | announce (`e` events to `w` webhooks each) | 1 + 1 + e/25 | Query of webhooks; BatchWrite e (1 + w) WU | definitions: 2 RU a tenant and group |
//! | attempt | 1 + 1 + 1 + 1 + 1 | a batch: BatchGet 1 RU a client, webhook and event; an endpoint: Update 1 WU, before and after; an attempt: Update 1 WU, before and after | |
//! | hold, fail for good | 1 | Transact 4 WU | |
//! | release a delivery | 3 | Get 1 RU, Transact 4 WU, Delete 1 WU | |
//! | record `n` lines of a client's day | 2 | Get 1 RU, Transact 2 + 2n WU, 2 more with a day's first; values' definitions as announce | |
//! | list the audit log | 1 + 1 a day | Query 1 RU per 4 KB | |
//! | idempotency | + 2 | Put 1 WU, Update 1 WU per KB of the answer | |
//! | idempotency, an answer over 128 KB | + 3 | Put 1 WU, BatchWrite and Update 1 WU per KB; again: Put, BatchGet 1 RU per 4 KB | |

pub mod acceptance;
pub mod accounts;
pub mod apart;
pub mod api_keys;
pub mod audit;
pub mod author;
pub mod calls;
pub mod clients;
pub mod credentials;
pub mod deliveries;
pub mod embed_tokens;
pub mod endpoint_state;
mod erased_tenants;
pub mod erasure;
pub mod field_groups;
mod field_schema;
pub mod global_fields;
pub mod grant;
pub mod idempotency;
pub mod invitations;
pub mod jobs;
mod key_uses;
pub mod keys;
pub mod limits;
pub mod login_attempts;
pub mod members;
pub mod operator;
pub mod page;
pub mod passwords;
pub mod persist;
pub mod purge;
pub mod rate_limits;
pub mod scope;
pub mod second_factors;
pub mod sessions;
pub mod settings;
pub mod setup;
pub mod standing;
pub mod stream;
pub mod subscriptions;
pub mod sweep;
pub mod tables;
pub mod tenant_erasure;
pub mod tenant_fields;
pub mod tenant_reads;
pub mod tenants;
pub mod values;
pub mod webhooks;

mod applied;
mod cache;
mod change;
mod definitions;
mod document;
mod dynamo;
mod payments;
mod pieces;
mod retry;
mod second_factor_check;
mod users;

use std::sync::Arc;
use std::time::Duration;

use accounts::SignupPolicy;
use audit::AuditRetention;
use author::{Author, Clock};
use aws_sdk_dynamodb::Client;
use calls::CallObserver;
use contract::subscription::Limits;
use scope::ClientScope;
use sessions::SessionLimits;
use tables::TableNames;

/// The store of a deployment. Cheap to clone; caches are shared by clones.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

/// The bytes that all caches of a process may take together.
#[derive(Debug, Clone, Copy)]
pub struct CacheBudget(usize);

impl CacheBudget {
    /// A quarter of the memory that the process has.
    #[must_use]
    pub const fn of_memory(bytes: usize) -> Self {
        Self(bytes / 4)
    }
}

impl Default for CacheBudget {
    /// That of a process with 256 MiB.
    fn default() -> Self {
        Self::of_memory(256 * 1024 * 1024)
    }
}

/// What a deployment sets of its store.
#[derive(Debug, Clone, Copy, Default)]
pub struct Settings {
    /// What the caches of the process may take.
    pub caches: CacheBudget,
    /// How long sessions last.
    pub sessions: SessionLimits,
    /// Who may open an account.
    pub signup: SignupPolicy,
    /// How long the audit log is kept.
    pub audit: AuditRetention,
    /// How many of each a client may have at the most, whatever its plan says; where it says nothing, what is built in.
    pub caps: Limits,
}

/// Longer than any function that writes may take, so that nothing of it comes after: fan-out has 60 s.
const IN_FLIGHT: Duration = Duration::from_secs(75);
/// The same in one process over the embedded engine, where nothing waits for a network.
const IN_FLIGHT_HERE: Duration = Duration::from_secs(10);

struct Inner {
    dynamo: Client,
    names: TableNames,
    clock: Clock,
    /// How long after a change of a schema it can be read whole.
    settling: Duration,
    /// How long what has begun may still write.
    in_flight: Duration,
    keys: credentials::KeyCache,
    key_uses: key_uses::KeyUseCache,
    makers: embed_tokens::MakerCache,
    standings: standing::StandingCache,
    limiter: rate_limits::Limiter,
    origins: settings::OriginCache,
    definitions: definitions::Cache,
    sessions: SessionLimits,
    signup: SignupPolicy,
    audit: AuditRetention,
    refusals: audit::Refusals,
    caps: Limits,
}

impl Store {
    /// A store over these tables.
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "it is the store's from here on, and observed")]
    pub fn new(dynamo: Client, names: TableNames, clock: Clock, settings: Settings) -> Self {
        Self::build(&dynamo, names, clock, settings, (definitions::SETTLED, IN_FLIGHT))
    }

    /// The same over an engine whose reads see a transaction whole or not at all, as the embedded one's do: what it
    /// reads of a schema may be cached at once.
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "it is the store's from here on, and observed")]
    pub fn over_whole_reads(dynamo: Client, names: TableNames, clock: Clock, settings: Settings) -> Self {
        Self::build(&dynamo, names, clock, settings, (Duration::ZERO, IN_FLIGHT_HERE))
    }

    fn build(
        dynamo: &Client,
        names: TableNames,
        clock: Clock,
        Settings { caches, sessions, signup, audit, caps }: Settings,
        (settling, in_flight): (Duration, Duration),
    ) -> Self {
        let dynamo = Client::from_conf(dynamo.config().to_builder().interceptor(CallObserver).build());
        let share = caches.0 / 16;
        let definitions = definitions::Cache::new(caches.0 - 6 * share);
        let (keys, makers) = (credentials::KeyCache::new(share), embed_tokens::MakerCache::new(share));
        let (key_uses, standings) = (key_uses::KeyUseCache::new(share), standing::StandingCache::new(share));
        let limiter = rate_limits::Limiter::new(&dynamo, share);
        let origins = settings::OriginCache::new(share);
        Self(Arc::new(Inner {
            dynamo,
            names,
            clock,
            settling,
            in_flight,
            keys,
            key_uses,
            makers,
            standings,
            limiter,
            origins,
            definitions,
            sessions,
            signup,
            audit,
            refusals: audit::Refusals::default(),
            caps,
        }))
    }

    /// The time that the store goes by.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    fn signup_policy(&self) -> SignupPolicy {
        self.0.signup
    }

    fn audit_retention(&self) -> AuditRetention {
        self.0.audit
    }

    fn sessions(&self) -> SessionLimits {
        self.0.sessions
    }

    fn dynamo(&self) -> &Client {
        &self.0.dynamo
    }

    /// What its tables are called.
    #[must_use]
    pub fn names(&self) -> &TableNames {
        &self.0.names
    }
}

/// One request's hold on the store: whose data, and who writes. Repositories are opened from it.
#[derive(Clone)]
pub struct OpContext {
    pub(crate) store: Store,
    pub(crate) scope: ClientScope,
    pub(crate) author: Arc<Author>,
}

impl OpContext {
    /// The hold of a request whose credential gave this scope.
    #[must_use]
    pub fn new(store: Store, scope: ClientScope, author: Arc<Author>) -> Self {
        Self { store, scope, author }
    }

    /// The store.
    #[must_use]
    pub const fn store(&self) -> &Store {
        &self.store
    }

    /// Whose data.
    #[must_use]
    pub const fn scope(&self) -> &ClientScope {
        &self.scope
    }
}

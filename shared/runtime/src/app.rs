//! What a process holds for all of its requests.

use contract::rate_limit::RateLimits;
use contract::{Error, Origin};
use store::Store;
use store::author::Clock;

use crate::billing::Billing;
use crate::bucket::Bucket;
use crate::queues::Queues;
use crate::ses::Ses;
use crate::token_rotation::TokenRotation;
use crate::token_vault::TokenVault;
use crate::vault::Vault;
use crate::webhook_settings::WebhookSettings;

/// What a process holds for all of its requests. Cheap to clone.
#[derive(Clone, Default)]
pub struct App {
    /// The time.
    pub clock: Clock,
    /// The store, where anything touches it.
    pub store: Option<Store>,
    /// The queues, where anything sends to one.
    pub queues: Option<Queues>,
    /// The data keys, where anything seals or opens.
    pub vault: Option<Vault>,
    /// The keys of embed tokens, where anything makes or takes those.
    pub token_vault: Option<TokenVault>,
    /// What rotates them, in the one function that does.
    pub token_rotation: Option<TokenRotation>,
    /// Where the deployment is seen from outside.
    pub origin: Option<Origin>,
    /// What the deployment is paid by, where anything asks for it.
    pub billing: Option<Billing>,
    /// The bucket, where anything touches objects.
    pub bucket: Option<Bucket>,
    /// What sends mail, where anything does.
    pub ses: Option<Ses>,
    /// How many proxies stand before API Gateway. One machine's gateway has looked through its own.
    pub trusted_proxies: usize,
    /// What the deployment says of rate limits.
    pub rate_limits: RateLimits,
    /// What the deployment says of webhooks.
    pub webhooks: WebhookSettings,
}

impl App {
    /// For functions that touch the store alone.
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self { clock: store.clock().clone(), store: Some(store), ..Self::default() }
    }

    /// The time.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The store.
    ///
    /// # Errors
    /// `internal` if a route that says that it does not connect asks for it.
    pub fn store(&self) -> Result<&Store, Error> {
        self.store.as_ref().ok_or_else(|| Error::internal("this process was started without a store"))
    }

    /// The queues.
    ///
    /// # Errors
    /// `internal` if they were not asked for at the start.
    pub fn queues(&self) -> Result<&Queues, Error> {
        self.queues.as_ref().ok_or_else(|| Error::internal("this process was started without queues"))
    }

    /// The data keys.
    ///
    /// # Errors
    /// `internal` if they were not asked for at the start.
    pub fn vault(&self) -> Result<&Vault, Error> {
        self.vault.as_ref().ok_or_else(|| Error::internal("this process was started without data keys"))
    }

    /// The keys of embed tokens.
    ///
    /// # Errors
    /// `internal` if they were not asked for at the start.
    pub fn token_vault(&self) -> Result<&TokenVault, Error> {
        self.token_vault.as_ref().ok_or_else(|| Error::internal("this process was started without token keys"))
    }

    /// The bucket.
    ///
    /// # Errors
    /// `internal` if it was not asked for at the start.
    pub fn bucket(&self) -> Result<&Bucket, Error> {
        self.bucket.as_ref().ok_or_else(|| Error::internal("this process was started without a bucket"))
    }

    /// The deployment's own origin: what links lead to, pages are served from, and embed tokens are issued by. It is
    /// configured, and never what a request says of itself.
    ///
    /// # Errors
    /// `internal` if it is not configured; who needs it asks at the start.
    pub fn origin(&self) -> Result<&Origin, Error> {
        self.origin.as_ref().ok_or_else(|| Error::internal("this process was started without an origin"))
    }
}

//! The deployment's data keys, from Secrets Manager.

use std::sync::Arc;
use std::time::Duration;

use auth::Keyring;
use aws_config::SdkConfig;
use aws_sdk_secretsmanager::Client;
use contract::Error;

use crate::cached_secret::CachedSecret;

/// How long keys are used without asking again: a new one is known everywhere after this.
const CACHE_TTL: Duration = Duration::from_secs(300);

/// The data keys of a deployment. Cheap to clone.
#[derive(Clone)]
pub struct Vault(Arc<CachedSecret<Keyring>>);

impl Vault {
    /// The keys in the secret of this name.
    #[must_use]
    pub fn new(secrets: Client, name: String) -> Self {
        let read = |text: Option<&str>| Keyring::parse(text.unwrap_or_default()).map_err(Error::internal);
        Self(Arc::new(CachedSecret::new(secrets, name, CACHE_TTL, read)))
    }

    pub(crate) fn of_sdk(sdk: &SdkConfig, name: String) -> Self {
        Self::new(Client::new(sdk), name)
    }

    /// The keys. They are only ever added: while the secret can't be read, the ones that were known still open and seal.
    ///
    /// # Errors
    /// `unavailable` if Secrets Manager does not answer and none were known, `internal` if the secret holds none.
    pub async fn ring(&self) -> Result<Arc<Keyring>, Error> {
        self.0.get().await
    }
}

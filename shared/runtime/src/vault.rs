//! The deployment's data keys, from Secrets Manager.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use auth::Keyring;
use aws_config::SdkConfig;
use aws_sdk_secretsmanager::Client;
use contract::Error;

/// How long keys are used without asking again: a new one is known everywhere after this.
const CACHE_TTL: Duration = Duration::from_secs(300);

/// The data keys of a deployment. Cheap to clone.
#[derive(Clone)]
pub struct Vault(Arc<Inner>);

struct Inner {
    secrets: Client,
    name: String,
    known: Mutex<Option<(Instant, Arc<Keyring>)>>,
}

impl Vault {
    /// The keys in the secret of this name.
    #[must_use]
    pub fn new(secrets: Client, name: String) -> Self {
        Self(Arc::new(Inner { secrets, name, known: Mutex::new(None) }))
    }

    pub(crate) fn of_sdk(sdk: &SdkConfig, name: String) -> Self {
        Self::new(Client::new(sdk), name)
    }

    /// The keys.
    ///
    /// # Errors
    /// `unavailable` if Secrets Manager does not answer and none were known, `internal` if the secret holds none.
    pub async fn ring(&self) -> Result<Arc<Keyring>, Error> {
        let known = self.0.known.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((at, ring)) = &known
            && at.elapsed() < CACHE_TTL
        {
            return Ok(ring.clone());
        }
        match self.0.secrets.get_secret_value().secret_id(&self.0.name).send().await {
            Ok(answer) => {
                let ring =
                    Arc::new(Keyring::parse(answer.secret_string().unwrap_or_default()).map_err(Error::internal)?);
                let fresh = Some((Instant::now(), ring.clone()));
                *self.0.known.lock().unwrap_or_else(PoisonError::into_inner) = fresh;
                Ok(ring)
            }
            Err(error) => match known {
                // Keys are only ever added: the ones that were known still open and seal.
                Some((_, ring)) => Ok(ring),
                None => {
                    let cause = aws_sdk_secretsmanager::error::DisplayErrorContext(&error).to_string();
                    Err(Error::unavailable(format!("GetSecretValue: {cause}")))
                }
            },
        }
    }
}

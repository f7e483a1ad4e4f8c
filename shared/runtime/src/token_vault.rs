//! The keys that sign embed tokens, from Secrets Manager: the versions of one secret that are current and previous.

use std::sync::Arc;
use std::time::Duration;

use auth::token_key::SETTLING;
use auth::{TokenKey, TokenKeys};
use aws_config::SdkConfig;
use aws_sdk_secretsmanager::Client;
use contract::{Error, Time};
use tokio::sync::Mutex;

use crate::cached_secret;

/// How long after asking for keys it is not asked again, whatever tokens come: an unknown one costs nothing.
const PAUSE: Duration = Duration::from_secs(10);

/// The keys of a deployment's embed tokens. Cheap to clone.
#[derive(Clone)]
pub struct TokenVault(Arc<Inner>);

struct Inner {
    secrets: Client,
    name: String,
    /// Whoever asks holds it, so that of many requests one asks.
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    asked: Option<Time>,
    keys: Option<(Time, TokenKeys)>,
}

impl TokenVault {
    /// The keys in the secret of this name.
    #[must_use]
    pub fn new(secrets: Client, name: String) -> Self {
        Self(Arc::new(Inner { secrets, name, known: Mutex::default() }))
    }

    pub(crate) fn of_sdk(sdk: &SdkConfig, name: String) -> Self {
        Self::new(Client::new(sdk), name)
    }

    /// The key that signs now.
    ///
    /// # Errors
    /// `unavailable` if Secrets Manager does not answer and none is known, `internal` if the secret holds none.
    pub async fn signing(&self, now: Time) -> Result<TokenKey, Error> {
        let keys = self.keys(now, |_| true).await?;
        Ok(keys.signing(now).clone())
    }

    /// The key of this name, if there is one whose tokens may live.
    ///
    /// # Errors
    /// As above.
    pub async fn verifying(&self, kid: &str, now: Time) -> Result<Option<TokenKey>, Error> {
        let keys = self.keys(now, |keys| keys.verifying(kid, now).is_some()).await?;
        Ok(keys.verifying(kid, now).cloned())
    }

    /// The keys: as they are known, while they are fresh and `suffice`; otherwise it is asked anew, unless it just was.
    async fn keys(&self, now: Time, suffice: impl Fn(&TokenKeys) -> bool) -> Result<TokenKeys, Error> {
        let mut known = self.0.known.lock().await;
        let fresh = |keys: &&(Time, TokenKeys)| now < keys.0.plus(SETTLING) && suffice(&keys.1);
        if let Some((_, keys)) = known.keys.as_ref().filter(fresh) {
            return Ok(keys.clone());
        }
        if known.asked.is_none_or(|asked| now >= asked.plus(PAUSE)) {
            known.asked = Some(now);
            match self.ask().await {
                Ok(keys) => known.keys = Some((now, keys)),
                Err(error) if known.keys.is_none() => return Err(error),
                // What is known still signs and verifies, and by its own times what is old does not.
                Err(error) => {
                    tracing::warn!(error = ?error, "the keys of embed tokens can't be read; the known ones go on")
                }
            }
        }
        let keys = known.keys.as_ref().map(|(_, keys)| keys.clone());
        keys.ok_or_else(|| Error::unavailable("the keys of embed tokens could not be read a moment ago"))
    }

    async fn ask(&self) -> Result<TokenKeys, Error> {
        // The current one first: what is made current meanwhile is then asked for again, and none in between is missed.
        let current = self.version("AWSCURRENT").await?;
        let current = current.ok_or_else(|| Error::internal("the secret of token keys holds none"))?;
        Ok(TokenKeys::new(current, self.version("AWSPREVIOUS").await?))
    }

    async fn version(&self, stage: &str) -> Result<Option<TokenKey>, Error> {
        let Inner { secrets, name, .. } = &*self.0;
        let Some(stored) = cached_secret::version(secrets, name, stage).await? else { return Ok(None) };
        let since = stored.created_date().and_then(|at| at.to_millis().ok()).unwrap_or_default();
        let kid = stored.version_id().unwrap_or_default();
        let text = stored.secret_string().unwrap_or_default();
        TokenKey::parse(kid, Time::from_millis(since), text).map(Some).map_err(Error::internal)
    }
}

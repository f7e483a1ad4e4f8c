//! Stripe's keys, from Secrets Manager, where a deployment takes payments.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use auth::Secret;
use aws_config::SdkConfig;
use aws_sdk_secretsmanager::Client;
use contract::{Code, Error};
use serde::Deserialize;

/// Where Stripe's API is.
pub const STRIPE: &str = "https://api.stripe.com";

/// How long keys are used without asking again.
const CACHE_TTL: Duration = Duration::from_secs(60);

/// Stripe's keys: `{"secretKey": "sk_…", "webhookSecret": "whsec_…"}`, without a member where there is none.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct Keys {
    secret_key: Option<String>,
    webhook_secret: Option<String>,
}

/// What a deployment is paid by. Cheap to clone.
#[derive(Clone)]
pub struct Billing(Arc<Inner>);

struct Inner {
    secrets: Client,
    name: String,
    api: String,
    known: Mutex<Option<(Instant, Arc<Keys>)>>,
}

impl Billing {
    /// With the keys in the secret of this name, if it is there, and an API at this address, [`STRIPE`] but in tests.
    #[must_use]
    pub fn new(secrets: Client, name: String, api: String) -> Self {
        Self(Arc::new(Inner { secrets, name, api, known: Mutex::new(None) }))
    }

    pub(crate) fn of_sdk(sdk: &SdkConfig, name: String) -> Self {
        Self::new(Client::new(sdk), name, STRIPE.to_owned())
    }

    /// Where the API is.
    #[must_use]
    pub fn api(&self) -> &str {
        &self.0.api
    }

    /// What calls of the API are made with.
    ///
    /// # Errors
    /// `billing_not_configured` if there is none; `unavailable` if Secrets Manager does not answer.
    pub async fn secret_key(&self) -> Result<Secret<String>, Error> {
        given(self.keys().await?.secret_key.as_ref())
    }

    /// What events are signed by.
    ///
    /// # Errors
    /// `billing_not_configured` if there is none; `unavailable` if Secrets Manager does not answer.
    pub async fn webhook_secret(&self) -> Result<Secret<String>, Error> {
        given(self.keys().await?.webhook_secret.as_ref())
    }

    async fn keys(&self) -> Result<Arc<Keys>, Error> {
        let known = self.0.known.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((at, keys)) = known
            && at.elapsed() < CACHE_TTL
        {
            return Ok(keys);
        }
        let keys = match self.0.secrets.get_secret_value().secret_id(&self.0.name).send().await {
            Ok(answer) => {
                let read = serde_json::from_str(answer.secret_string().unwrap_or_default());
                // The parser's words could hold a key.
                read.map_err(|_| {
                    Error::internal(format!("the secret {} is not as docs/billing.md has it", self.0.name))
                })?
            }
            Err(error) if error.as_service_error().is_some_and(|e| e.is_resource_not_found_exception()) => {
                Keys::default()
            }
            Err(error) => {
                let cause = aws_sdk_secretsmanager::error::DisplayErrorContext(&error).to_string();
                return Err(Error::unavailable(format!("GetSecretValue: {cause}")));
            }
        };
        let keys = Arc::new(keys);
        let fresh = Some((Instant::now(), Arc::clone(&keys)));
        *self.0.known.lock().unwrap_or_else(PoisonError::into_inner) = fresh;
        Ok(keys)
    }
}

fn given(key: Option<&String>) -> Result<Secret<String>, Error> {
    let key = key.filter(|key| !key.is_empty()).ok_or(Code::BillingNotConfigured)?;
    Ok(Secret::new(key.clone()))
}

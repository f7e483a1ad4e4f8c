//! Stripe's keys, from Secrets Manager, where a deployment takes payments.

use std::sync::Arc;
use std::time::Duration;

use auth::Secret;
use aws_config::SdkConfig;
use aws_sdk_secretsmanager::Client;
use contract::{Code, Error};
use serde::Deserialize;

use crate::cached_secret::CachedSecret;

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
pub struct Billing {
    keys: Arc<CachedSecret<Keys>>,
    api: Arc<str>,
}

impl Billing {
    /// With the keys in the secret of this name, if it is there, and an API at this address, [`STRIPE`] but in tests.
    #[must_use]
    pub fn new(secrets: Client, name: String, api: String) -> Self {
        Self { keys: Arc::new(CachedSecret::new(secrets, name, CACHE_TTL, Keys::read)), api: api.into() }
    }

    pub(crate) fn of_sdk(sdk: &SdkConfig, name: String) -> Self {
        Self::new(Client::new(sdk), name, STRIPE.to_owned())
    }

    /// Where the API is.
    #[must_use]
    pub fn api(&self) -> &str {
        &self.api
    }

    /// What calls of the API are made with.
    ///
    /// # Errors
    /// `billing_not_configured` if there is none; `unavailable` if Secrets Manager does not answer.
    pub async fn secret_key(&self) -> Result<Secret<String>, Error> {
        given(self.keys.get().await?.secret_key.as_ref())
    }

    /// What events are signed by.
    ///
    /// # Errors
    /// `billing_not_configured` if there is none; `unavailable` if Secrets Manager does not answer.
    pub async fn webhook_secret(&self) -> Result<Secret<String>, Error> {
        given(self.keys.get().await?.webhook_secret.as_ref())
    }
}

impl Keys {
    fn read(text: Option<&str>) -> Result<Self, Error> {
        let Some(text) = text else { return Ok(Self::default()) };
        // The parser's words could hold a key.
        serde_json::from_str(text).map_err(|_| Error::internal("Stripe's secret is not as docs/billing.md has it"))
    }
}

fn given(key: Option<&String>) -> Result<Secret<String>, Error> {
    let key = key.filter(|key| !key.is_empty()).ok_or(Code::BillingNotConfigured)?;
    Ok(Secret::new(key.clone()))
}

//! A secret of Secrets Manager, kept for a while.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::error::DisplayErrorContext;
use aws_sdk_secretsmanager::operation::get_secret_value::GetSecretValueOutput;
use contract::Error;

/// What is read in a secret.
pub(crate) struct CachedSecret<T> {
    secrets: Client,
    name: String,
    /// How long it is used without asking again.
    ttl: Duration,
    read: fn(Option<&str>) -> Result<T, Error>,
    known: Mutex<Option<(Instant, Arc<T>)>>,
}

impl<T> CachedSecret<T> {
    /// The secret of a name; `read` is given its text, if there is such a secret.
    pub(crate) fn new(
        secrets: Client,
        name: String,
        ttl: Duration,
        read: fn(Option<&str>) -> Result<T, Error>,
    ) -> Self {
        Self { secrets, name, ttl, read, known: Mutex::new(None) }
    }

    /// What is in it: what was there last, while it can't be read anew.
    ///
    /// # Errors
    /// `unavailable` if Secrets Manager does not answer and nothing was known; what `read` says of it.
    pub(crate) async fn get(&self) -> Result<Arc<T>, Error> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((at, value)) = &known
            && at.elapsed() < self.ttl
        {
            return Ok(value.clone());
        }
        let stored = version(&self.secrets, &self.name, "AWSCURRENT").await;
        match stored.and_then(|stored| (self.read)(stored.as_ref().and_then(|stored| stored.secret_string()))) {
            Ok(value) => {
                let value = Arc::new(value);
                *self.known.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), value.clone()));
                Ok(value)
            }
            Err(error) => match known {
                Some((_, value)) => {
                    tracing::warn!(secret = self.name, ?error, "a secret can't be read; what was in it is used on");
                    Ok(value)
                }
                None => Err(error),
            },
        }
    }
}

/// The version of a secret at a stage, if there is one.
///
/// # Errors
/// `unavailable` if Secrets Manager does not answer.
pub(crate) async fn version(secrets: &Client, name: &str, stage: &str) -> Result<Option<GetSecretValueOutput>, Error> {
    match secrets.get_secret_value().secret_id(name).version_stage(stage).send().await {
        Ok(stored) => Ok(Some(stored)),
        Err(error) if error.as_service_error().is_some_and(|e| e.is_resource_not_found_exception()) => Ok(None),
        Err(error) => Err(Error::unavailable(format!("GetSecretValue: {}", DisplayErrorContext(&error)))),
    }
}

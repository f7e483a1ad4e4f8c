//! The rotation of the keys that sign embed tokens, in the steps of Secrets Manager: a new version is made beside the
//! current one and then made current; the one that was current becomes the previous one, and the one before that goes.

use auth::TokenKey;
use aws_config::SdkConfig;
use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::error::DisplayErrorContext;
use contract::{Error, Time};
use serde::Deserialize;

const CURRENT: &str = "AWSCURRENT";
const PENDING: &str = "AWSPENDING";

/// Rotates the keys. Cheap to clone.
#[derive(Clone)]
pub struct TokenRotation(Client);

/// What Secrets Manager asks of a rotation function.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct RotationStep {
    step: Step,
    secret_id: String,
    /// The name of the version that is made.
    client_request_token: String,
}

#[derive(Debug, Clone, Copy, Deserialize)]
enum Step {
    #[serde(rename = "createSecret")]
    Create,
    #[serde(rename = "setSecret")]
    Set,
    #[serde(rename = "testSecret")]
    Test,
    #[serde(rename = "finishSecret")]
    Finish,
}

impl TokenRotation {
    /// Over this Secrets Manager.
    #[must_use]
    pub const fn new(secrets: Client) -> Self {
        Self(secrets)
    }

    pub(crate) fn of_sdk(sdk: &SdkConfig) -> Self {
        Self(Client::new(sdk))
    }

    /// Takes a step. Each may be asked for again.
    ///
    /// # Errors
    /// `unavailable`, `internal`: Secrets Manager asks again.
    pub async fn take(&self, of: &RotationStep) -> Result<(), Error> {
        match of.step {
            Step::Create => self.create(of).await,
            // There is nowhere else to tell it.
            Step::Set => Ok(()),
            Step::Test => {
                let text = self.pending(of).await?;
                let text = text.ok_or_else(|| Error::internal("the new version of the token keys is not there"))?;
                let tried = TokenKey::parse(&of.client_request_token, Time::from_millis(0), &text);
                tried.map(|_| ()).map_err(Error::internal)
            }
            Step::Finish => self.finish(of).await,
        }
    }

    async fn create(&self, of: &RotationStep) -> Result<(), Error> {
        if self.pending(of).await?.is_some() {
            return Ok(());
        }
        let put = self.0.put_secret_value().secret_id(&of.secret_id).client_request_token(&of.client_request_token);
        let put = put.secret_string(TokenKey::generate()).version_stages(PENDING);
        put.send().await.map(|_| ()).map_err(|error| failed("PutSecretValue", &error))
    }

    /// The text of the new version, if it is there.
    async fn pending(&self, of: &RotationStep) -> Result<Option<String>, Error> {
        let get = self.0.get_secret_value().secret_id(&of.secret_id).version_id(&of.client_request_token);
        match get.send().await {
            Ok(found) => Ok(found.secret_string),
            Err(error) if error.as_service_error().is_some_and(|e| e.is_resource_not_found_exception()) => Ok(None),
            Err(error) => Err(failed("GetSecretValue", &error)),
        }
    }

    async fn finish(&self, of: &RotationStep) -> Result<(), Error> {
        let told = self.0.describe_secret().secret_id(&of.secret_id).send().await;
        let told = told.map_err(|error| failed("DescribeSecret", &error))?;
        let versions = told.version_ids_to_stages().into_iter().flatten();
        let mut current = versions.filter(|(_, stages)| stages.iter().any(|stage| stage == CURRENT));
        let (current, _) =
            current.next().ok_or_else(|| Error::internal("the secret of token keys has no current one"))?;
        if *current == of.client_request_token {
            return Ok(());
        }
        let update = self.0.update_secret_version_stage().secret_id(&of.secret_id).version_stage(CURRENT);
        let update = update.move_to_version_id(&of.client_request_token).remove_from_version_id(current);
        update.send().await.map(|_| ()).map_err(|error| failed("UpdateSecretVersionStage", &error))
    }
}

fn failed(call: &str, error: &(impl std::error::Error + 'static)) -> Error {
    Error::unavailable(format!("{call}: {}", DisplayErrorContext(error)))
}

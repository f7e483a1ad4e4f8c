//! The account of the sample events in a deployment on this machine.

use auth::Keyring;
use aws_config::BehaviorVersion;
use runtime::config::Config;
use samples::Identity;
use store::Store;
use store::author::Clock;

use crate::Failure;
use crate::seeded::told;

/// Makes it, under the data keys that the sample mail is sealed under. Its credentials are known to all: only a
/// deployment on this machine may have it.
///
/// # Errors
/// If AWS is not on this machine (`AWS_ENDPOINT_URL`), nothing is deployed there, or the account is there already.
pub async fn seed() -> Result<(), Failure> {
    let sdk = aws_config::defaults(BehaviorVersion::v2026_01_12()).load().await;
    let here = sdk.endpoint_url().is_some_and(|url| url.starts_with("http://127.0.0.1:"));
    if !here {
        return Err("AWS_ENDPOINT_URL must name a port of 127.0.0.1: the sample account is for all to enter".into());
    }
    let config = Config::from_env()?;
    let secrets = aws_sdk_secretsmanager::Client::new(&sdk);
    secrets.put_secret_value().secret_id(&config.secret).secret_string(samples::DATA_KEYS).send().await?;
    let dynamo = aws_sdk_dynamodb::Client::new(&sdk);
    let store = Store::new(dynamo, config.tables, Clock::default(), config.store);
    let ring = Keyring::parse(samples::DATA_KEYS)?;
    samples::seed(&store, &Identity::of_events(), &ring).await.map_err(|error| told(&error))?;
    Ok(())
}

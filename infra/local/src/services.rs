//! The embedded services as the deployment's template sets them up: clients, queues, and the secret of data keys.

use auth::{Keyring, TokenKey};
use aws_config::BehaviorVersion;
use aws_config::retry::RetryConfig;
use aws_sdk_dynamodb::config::{Credentials, Region};
use aws_sdk_sqs::error::DisplayErrorContext;
use aws_sdk_sqs::types::QueueAttributeName as Attribute;
use contract::names::Email;
use engines::{Connector, Engines, S3};
use functions::settings::{MAX_RECEIVES, RETENTION, visibility};
use runtime::billing::STRIPE;
use runtime::{Billing, Bucket, Queue, Queues, Ses, TokenRotation, TokenVault, Vault};
use serde_json::json;

/// Anything that can go wrong at start.
pub type StartError = Box<dyn std::error::Error>;

/// What the names of everything begin with.
pub const PREFIX: &str = "hedgerow";
/// Whom mail is from.
pub const MAIL_FROM: &str = "no-reply@hedgerow.example";

/// The name of a queue.
#[must_use]
pub fn queue_name(queue: Queue) -> String {
    format!("{PREFIX}-{}", queue.word())
}

/// The name of the secret that holds the data keys.
#[must_use]
pub fn secret_name() -> String {
    format!("{PREFIX}/data-keys")
}

/// The name of the secret that holds the keys of embed tokens.
#[must_use]
pub fn token_secret_name() -> String {
    format!("{PREFIX}/token-keys")
}

/// The name of the secret that holds Stripe's keys.
#[must_use]
pub fn billing_secret_name() -> String {
    format!("{PREFIX}/stripe")
}

/// The configuration of an SDK client over the embedded engines.
macro_rules! client {
    ($sdk:ident, $connector:expr) => {
        $sdk::Client::from_conf(
            $sdk::Config::builder()
                .behavior_version(BehaviorVersion::v2026_01_12())
                .region(Region::new("local"))
                .credentials_provider(Credentials::new("local", "local", None, None, "embedded"))
                .retry_config(RetryConfig::standard())
                .http_client($connector.clone())
                .build(),
        )
    };
}

/// The real SDK client of DynamoDB, over the embedded engine.
pub(crate) fn dynamo(connector: &Connector) -> aws_sdk_dynamodb::Client {
    client!(aws_sdk_dynamodb, connector)
}

/// The real SDK client of SQS, over the embedded engine.
pub(crate) fn sqs(connector: &Connector) -> aws_sdk_sqs::Client {
    client!(aws_sdk_sqs, connector)
}

/// What sends mail: the real SDK client of SES, over the embedded engine.
pub(crate) fn ses(connector: &Connector) -> Result<Ses, StartError> {
    let from = MAIL_FROM.parse().ok().and_then(|from: Email| from.in_ascii());
    Ok(Ses::new(client!(aws_sdk_sesv2, connector), from.ok_or("the sender is no address")?))
}

/// The bucket, whose signed addresses lead to this origin.
#[must_use]
pub fn bucket(connector: &Connector, files: &str) -> Bucket {
    let (key, secret) = connector.engines().s3.credentials();
    let client = |endpoint: &str| {
        let config = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new("local"))
            .credentials_provider(Credentials::new(key, secret, None, None, "embedded"))
            .retry_config(RetryConfig::standard())
            .force_path_style(true)
            .endpoint_url(endpoint)
            .http_client(connector.clone());
        aws_sdk_s3::Client::from_conf(config.build())
    };
    Bucket::new(client(EMBEDDED), client(files), S3::bucket())
}

/// What calls of S3 go to; nothing listens there.
const EMBEDDED: &str = "http://embedded";

/// The queues, each with its dead-letter queue. Those that are there get the settings that they should have.
///
/// # Errors
/// If SQS refuses.
pub async fn create_queues(sqs: &aws_sdk_sqs::Client) -> Result<Queues, StartError> {
    let (visibility, retention) = (visibility().as_secs().to_string(), RETENTION.as_secs().to_string());
    let mut base = String::new();
    for queue in Queue::ALL {
        let name = queue_name(queue);
        let dead =
            create_queue(sqs, &format!("{name}-dead"), &[(Attribute::MessageRetentionPeriod, &*retention)]).await?;
        let arn = Attribute::QueueArn;
        let told =
            sqs.get_queue_attributes().queue_url(dead).attribute_names(arn.clone()).send().await.map_err(whole)?;
        let arn = told.attributes().and_then(|told| told.get(&arn)).ok_or("SQS tells no ARN")?;
        let redrive = json!({ "deadLetterTargetArn": arn, "maxReceiveCount": MAX_RECEIVES }).to_string();
        let settings = [
            (Attribute::VisibilityTimeout, &*visibility),
            (Attribute::MessageRetentionPeriod, &*retention),
            (Attribute::RedrivePolicy, &redrive),
        ];
        let url = create_queue(sqs, &name, &settings).await?;
        let end = format!("-{}", queue.word());
        base = url.strip_suffix(&end).ok_or("SQS tells another queue's address")?.to_owned();
    }
    Ok(Queues::new(sqs.clone(), base))
}

async fn create_queue(
    sqs: &aws_sdk_sqs::Client,
    name: &str,
    settings: &[(Attribute, &str)],
) -> Result<String, StartError> {
    let settings = Some(settings.iter().map(|(name, value)| (name.clone(), (*value).to_owned())).collect());
    let url = match sqs.create_queue().queue_name(name).set_attributes(settings.clone()).send().await {
        Ok(made) => made.queue_url,
        // An earlier version made it with other settings.
        Err(error) if error.as_service_error().is_some_and(|e| e.is_queue_name_exists()) => {
            let url = sqs.get_queue_url().queue_name(name).send().await.map_err(whole)?.queue_url;
            let set = sqs.set_queue_attributes().set_queue_url(url.clone()).set_attributes(settings);
            set.send().await.map_err(whole)?;
            url
        }
        Err(error) => return Err(whole(error)),
    };
    Ok(url.ok_or("SQS tells no address of a queue")?)
}

/// The keys in Secrets Manager.
pub struct Keys {
    /// The data keys.
    pub vault: Vault,
    /// Stripe's, if there are any.
    pub billing: Billing,
    /// The keys of embed tokens.
    pub token_vault: TokenVault,
    /// What rotates those.
    pub token_rotation: TokenRotation,
}

/// The keys; they are made if there are none.
///
/// # Errors
/// If Secrets Manager refuses.
pub async fn create_keys(connector: &Connector) -> Result<Keys, StartError> {
    create_keys_of(connector, Keyring::generate()).await
}

/// The keys of the sample events: the data keys open the mail among them.
///
/// # Errors
/// If Secrets Manager refuses.
pub(crate) async fn create_sample_keys(engines: &Engines) -> Result<(), StartError> {
    create_keys_of(&Connector::new(engines.clone()), samples::DATA_KEYS.to_owned()).await.map(|_| ())
}

async fn create_keys_of(connector: &Connector, data_keys: String) -> Result<Keys, StartError> {
    let secrets = client!(aws_sdk_secretsmanager, connector);
    for (name, text) in [(secret_name(), data_keys), (token_secret_name(), TokenKey::generate())] {
        match secrets.create_secret().name(name).secret_string(text).send().await {
            Ok(_) => {}
            // By an earlier start, or by another process just now.
            Err(error) if error.as_service_error().is_some_and(|e| e.is_resource_exists_exception()) => {}
            Err(error) => return Err(whole(error)),
        }
    }
    Ok(Keys {
        vault: Vault::new(secrets.clone(), secret_name()),
        billing: Billing::new(secrets.clone(), billing_secret_name(), STRIPE.to_owned()),
        token_vault: TokenVault::new(secrets.clone(), token_secret_name()),
        token_rotation: TokenRotation::new(secrets),
    })
}

/// Puts Stripe's keys in place of those that there are, and gives what is paid by them at this address.
///
/// # Errors
/// If Secrets Manager refuses.
pub async fn set_billing_keys(connector: &Connector, text: &str, api: String) -> Result<Billing, StartError> {
    let (secrets, name) = (client!(aws_sdk_secretsmanager, connector), billing_secret_name());
    match secrets.create_secret().name(&name).secret_string(text).send().await {
        Ok(_) => {}
        Err(error) if error.as_service_error().is_some_and(|e| e.is_resource_exists_exception()) => {
            secrets.put_secret_value().secret_id(&name).secret_string(text).send().await.map_err(whole)?;
        }
        Err(error) => return Err(whole(error)),
    }
    Ok(Billing::new(secrets, name, api))
}

/// An SDK's error with all of its causes: by itself it says that there is one.
fn whole(error: impl std::error::Error) -> StartError {
    DisplayErrorContext(&error).to_string().into()
}

//! The sample account on embedded engines: from it the events learn its identifiers, and on it they are tried.

use auth::{Keyring, TokenKey};
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use contract::Origin;
use contract::names::Email;
use engines::{Connector, Engines, S3, SentMail};
use runtime::billing::STRIPE;
use runtime::{App, Billing, Bucket, Queue, Queues, Ses, TokenRotation, TokenVault, Vault};
use samples::{Identity, Samples};
use serde_json::Value;
use store::author::Clock;
use store::tables::{Table, TableNames};
use store::{Settings, Store};

use crate::Failure;

/// What the names of tables, queues and secrets begin with.
pub const PREFIX: &str = "hedgerow";

/// Whom mail is from.
pub const FROM: &str = "no-reply@example.com";

/// Where the deployment is seen from outside.
const ORIGIN: &str = "https://hedgerow00.execute-api.eu-central-1.amazonaws.com";

/// Engines in memory that hold the sample account.
pub struct Seeded {
    /// What was made.
    pub samples: Samples,
    /// The queues' engine.
    pub sqs: aws_sdk_sqs::Client,
    engines: Engines,
    dynamo: aws_sdk_dynamodb::Client,
    secrets: aws_sdk_secretsmanager::Client,
    queues: Queues,
    ses: Ses,
    bucket: Bucket,
    origin: Origin,
}

/// An SDK client over the embedded engines.
macro_rules! client {
    ($sdk:ident, $connector:expr) => {
        $sdk::Client::from_conf(
            $sdk::Config::builder()
                .behavior_version(BehaviorVersion::v2026_01_12())
                .region(Region::new("local"))
                .credentials_provider(Credentials::new("local", "local", None, None, "xtask"))
                .retry_config(RetryConfig::standard())
                .http_client($connector.clone())
                .build(),
        )
    };
}

impl Seeded {
    /// A new one.
    ///
    /// # Errors
    /// If an engine or the samples fail.
    pub async fn new() -> Result<Self, Failure> {
        let engines = Engines::memory()?;
        let connector = Connector::new(engines.clone());
        let dynamo = client!(aws_sdk_dynamodb, connector);
        store::setup::create_tables(&dynamo, &TableNames::with_prefix(PREFIX)).await.map_err(|error| told(&error))?;
        let sqs = client!(aws_sdk_sqs, connector);
        let queues = create_queues(sqs.clone()).await?;
        let secrets = client!(aws_sdk_secretsmanager, connector);
        secrets.create_secret().name(secret()).secret_string(samples::DATA_KEYS).send().await?;
        let token_keys = secrets.create_secret().name(token_secret());
        token_keys.secret_string(TokenKey::generate()).send().await?;
        let ring = Keyring::parse(samples::DATA_KEYS)?;
        let from = FROM.parse().ok().and_then(|from: Email| from.in_ascii()).ok_or("the sender is no address")?;
        let ses = Ses::new(client!(aws_sdk_sesv2, connector), from);
        let bucket = bucket(&connector);
        let origin = ORIGIN.parse().map_err(|_| "the origin is none")?;
        let samples =
            samples::seed(&store_over(&dynamo), &Identity::of_events(), &ring).await.map_err(|error| told(&error))?;
        Ok(Self { samples, sqs, engines, dynamo, secrets, queues, ses, bucket, origin })
    }

    /// A store that has cached nothing yet, as a new instance of a function has it.
    #[must_use]
    pub fn store(&self) -> Store {
        store_over(&self.dynamo)
    }

    /// The queues.
    #[must_use]
    pub fn queues(&self) -> Queues {
        self.queues.clone()
    }

    /// The data keys, none of which is known yet.
    #[must_use]
    pub fn vault(&self) -> Vault {
        Vault::new(self.secrets.clone(), secret())
    }

    /// All that a new instance of a function may hold, over a store.
    #[must_use]
    pub fn app(&self, store: Store) -> App {
        App {
            queues: Some(self.queues()),
            vault: Some(self.vault()),
            token_vault: Some(TokenVault::new(self.secrets.clone(), token_secret())),
            billing: Some(Billing::new(self.secrets.clone(), format!("{PREFIX}/stripe"), STRIPE.to_owned())),
            token_rotation: Some(TokenRotation::new(self.secrets.clone())),
            ses: Some(self.ses.clone()),
            bucket: Some(self.bucket.clone()),
            origin: Some(self.origin.clone()),
            ..App::new(store)
        }
    }

    /// The mails that were sent to an address.
    #[must_use]
    pub fn mails_to(&self, address: &str) -> Vec<SentMail> {
        self.engines.ses.sent_to(address)
    }

    /// The changes of the main table since its beginning, as Lambda hands them to a function.
    ///
    /// # Errors
    /// If the engine fails.
    pub fn changes(&self) -> Result<Vec<Value>, Failure> {
        let names = TableNames::with_prefix(PREFIX);
        Ok(self.engines.dynamo.stream(names.of(Table::Main))?.read(None, usize::MAX)?)
    }
}

fn store_over(dynamo: &aws_sdk_dynamodb::Client) -> Store {
    Store::new(dynamo.clone(), TableNames::with_prefix(PREFIX), Clock::default(), Settings::default())
}

fn secret() -> String {
    format!("{PREFIX}/data-keys")
}

fn token_secret() -> String {
    format!("{PREFIX}/token-keys")
}

fn bucket(connector: &Connector) -> Bucket {
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new("local"))
        .credentials_provider(Credentials::new("local", "local", None, None, "xtask"))
        .force_path_style(true)
        .endpoint_url("http://embedded")
        .http_client(connector.clone());
    let s3 = aws_sdk_s3::Client::from_conf(config.build());
    Bucket::new(s3.clone(), s3, S3::bucket())
}

async fn create_queues(sqs: aws_sdk_sqs::Client) -> Result<Queues, Failure> {
    let mut base = String::new();
    for queue in Queue::ALL {
        let made = sqs.create_queue().queue_name(format!("{PREFIX}-{}", queue.word())).send().await?;
        let url = made.queue_url().unwrap_or_default();
        base = url.strip_suffix(&format!("-{}", queue.word())).ok_or("another queue was made")?.to_owned();
    }
    Ok(Queues::new(sqs, base))
}

/// An error with its cause, which its `Display` keeps to itself.
pub(crate) fn told(error: &contract::Error) -> Failure {
    format!("{error:?}").into()
}

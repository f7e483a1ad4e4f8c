//! The sample account in a store in memory: from it the events learn its identifiers, and on it they are tried.

use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_dynamodb::{Client, Config};
use engines::{Connector, Dynamo};
use samples::{Identity, Samples};
use store::Store;
use store::author::Clock;
use store::tables::TableNames;

use crate::Failure;

/// What the tables' names begin with.
pub const PREFIX: &str = "hedgerow";

/// A store in memory that holds the sample account.
pub struct Seeded {
    /// What was made.
    pub samples: Samples,
    dynamo: Client,
}

impl Seeded {
    /// A new one.
    ///
    /// # Errors
    /// If the engine or the samples fail.
    pub async fn new() -> Result<Self, Failure> {
        let config = Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new("local"))
            .credentials_provider(Credentials::new("local", "local", None, None, "xtask"))
            .retry_config(RetryConfig::standard())
            .http_client(Connector::new(Dynamo::memory()?))
            .build();
        let dynamo = Client::from_conf(config);
        store::setup::create_tables(&dynamo, &TableNames::with_prefix(PREFIX)).await.map_err(|error| told(&error))?;
        let samples =
            samples::seed(&store_over(&dynamo), &Identity::of_events()).await.map_err(|error| told(&error))?;
        Ok(Self { samples, dynamo })
    }

    /// A store that has cached nothing yet, as a new instance of a function has it.
    #[must_use]
    pub fn store(&self) -> Store {
        store_over(&self.dynamo)
    }
}

fn store_over(dynamo: &Client) -> Store {
    Store::new(dynamo.clone(), TableNames::with_prefix(PREFIX), Clock::default())
}

/// An error with its cause, which its `Display` keeps to itself.
fn told(error: &contract::Error) -> Failure {
    format!("{error:?}").into()
}

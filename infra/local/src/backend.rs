//! What the functions run on: the embedded engine behind the SDK's connector, or whatever the SDK's settings name.

use std::path::Path;

use aws_config::BehaviorVersion;
use aws_config::retry::RetryConfig;
use aws_sdk_dynamodb::config::{Credentials, Region};
use engines::{Connector, Dynamo};
use runtime::App;
use runtime::config::Config;
use store::author::Clock;
use store::setup::create_tables;
use store::tables::TableNames;
use store::{Store, tables};

/// Anything that can go wrong at start.
pub type StartError = Box<dyn std::error::Error>;

/// A running store, with the engine below it if it is embedded.
pub struct Backend {
    /// What the functions hold.
    pub app: App,
    /// The store itself.
    pub store: Store,
    /// The tables' names.
    pub tables: TableNames,
    /// The engine.
    pub engine: Option<Engine>,
}

/// The embedded engine.
pub struct Engine {
    /// DynamoDB.
    pub dynamo: Dynamo,
    /// What the SDK client calls it through: counts calls, breaks them for tests.
    pub connector: Connector,
}

impl Backend {
    /// The embedded engine over a folder.
    ///
    /// # Errors
    /// If the folder can't be made or opened.
    pub async fn in_folder(folder: &Path, clock: Clock) -> Result<Self, StartError> {
        Self::embedded(Dynamo::open(folder)?, clock).await
    }

    /// The embedded engine.
    ///
    /// # Errors
    /// If the tables can't be made.
    pub async fn embedded(dynamo: Dynamo, clock: Clock) -> Result<Self, StartError> {
        let connector = Connector::new(dynamo.clone());
        let client = client(&connector);
        let tables = TableNames::with_prefix("hedgerow");
        create_tables(&client, &tables).await?;
        let store = Store::over_whole_reads(client, tables.clone(), clock);
        Ok(Self { app: App::new(store.clone()), store, tables, engine: Some(Engine { dynamo, connector }) })
    }

    /// What the SDK's own settings name: `AWS_ENDPOINT_URL`, or AWS. Tables that are not there are made.
    ///
    /// # Errors
    /// If the tables can't be made.
    pub async fn aws(clock: Clock) -> Result<Self, StartError> {
        let sdk = aws_config::defaults(BehaviorVersion::v2026_01_12()).load().await;
        let client = aws_sdk_dynamodb::Client::new(&sdk);
        let tables = Config::from_env().tables;
        create_tables(&client, &tables).await?;
        let store = Store::new(client, tables.clone(), clock);
        Ok(Self { app: App::new(store.clone()), store, tables, engine: None })
    }

    /// What IAM would let the function of a route do, for the engine to enforce: its grants, one for each action and
    /// table, as in the template.
    #[must_use]
    pub fn permissions(&self, described: &runtime::Described) -> Vec<engines::Grant> {
        let grants = described.grants();
        let mut permissions: Vec<engines::Grant> = Vec::new();
        for table in tables::Table::ALL {
            for grant in grants.iter().filter(|grant| grant.table == table) {
                for action in grant.actions {
                    let name = self.tables.of(table);
                    let keys = grant.kinds.iter().map(|kind| format!("{}*", kind.prefix()));
                    let known = permissions.iter_mut().find(|known| known.table == name && known.actions == [*action]);
                    match known {
                        Some(known) => known.leading_keys.extend(keys),
                        None => permissions.push(engines::Grant {
                            table: name.to_owned(),
                            actions: vec![action],
                            leading_keys: keys.collect(),
                        }),
                    }
                }
            }
        }
        permissions
    }
}

/// The real SDK client, over the embedded engine.
fn client(connector: &Connector) -> aws_sdk_dynamodb::Client {
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new("local"))
        .credentials_provider(Credentials::new("local", "local", None, None, "embedded"))
        .retry_config(RetryConfig::standard())
        .http_client(connector.clone())
        .build();
    aws_sdk_dynamodb::Client::from_conf(config)
}

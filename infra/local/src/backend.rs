//! What the functions run on: the embedded engines behind the SDK's connector, or whatever the SDK's settings name.

use std::path::{Path, PathBuf};

use auth::target::Rules;
use aws_config::BehaviorVersion;
use engines::{Connector, Engines, Grant, S3};
use runtime::billing::STRIPE;
use runtime::config::Config;
use runtime::{App, Billing, Bucket, Permissions, Queues, TokenVault, Vault, WebhookSettings};
use store::author::Clock;
use store::setup::create_tables;
use store::tables::TableNames;
use store::{Settings, Store, tables};

use crate::services::{self, Keys, PREFIX, StartError};

/// Where it is seen from outside, unless whoever listens says otherwise: where `hedgerow dev` does.
const ORIGIN: &str = "http://127.0.0.1:3000";

/// Where its signed addresses lead, unless whoever listens says otherwise.
const FILES: &str = "http://127.0.0.1:3001";

/// A running store, with the engines below it if they are embedded.
pub struct Backend {
    /// What the functions hold.
    pub app: App,
    /// The store itself.
    pub store: Store,
    /// The tables' names.
    pub tables: TableNames,
    /// The engines.
    pub engine: Option<Engine>,
}

/// The embedded engines.
pub struct Engine {
    /// DynamoDB, SQS, Secrets Manager, SES and S3.
    pub engines: Engines,
    /// What the SDK clients call them through: counts calls, breaks them for tests.
    pub connector: Connector,
    /// The SDK's client of DynamoDB.
    pub dynamo: aws_sdk_dynamodb::Client,
    /// The SDK's client of SQS.
    pub sqs: aws_sdk_sqs::Client,
    /// Where they keep their data, unless that is in memory.
    pub folder: Option<PathBuf>,
}

impl Backend {
    /// The embedded engines over a folder.
    ///
    /// # Errors
    /// If the folder can't be made or opened.
    pub async fn in_folder(folder: &Path, clock: Clock) -> Result<Self, StartError> {
        let mut backend = Self::embedded(Engines::open(folder)?, clock).await?;
        backend.engine = backend.engine.map(|engine| Engine { folder: Some(folder.to_owned()), ..engine });
        Ok(backend)
    }

    /// The embedded engines, with tables, queues and keys in them. Webhooks may go anywhere.
    ///
    /// # Errors
    /// If they can't be made.
    pub async fn embedded(engines: Engines, clock: Clock) -> Result<Self, StartError> {
        let connector = Connector::new(engines.clone());
        let (dynamo, sqs) = (services::dynamo(&connector), services::sqs(&connector));
        let tables = TableNames::with_prefix(PREFIX);
        create_tables(&dynamo, &tables).await?;
        let queues = services::create_queues(&sqs).await?;
        let Keys { vault, billing, token_vault, token_rotation } = services::create_keys(&connector).await?;
        let store = Store::over_whole_reads(dynamo.clone(), tables.clone(), clock, Settings::default());
        // A developer's receiver is on loopback.
        let webhooks = WebhookSettings { rules: Rules::open(), ..WebhookSettings::default() };
        let app = App {
            queues: Some(queues),
            vault: Some(vault),
            billing: Some(billing),
            token_vault: Some(token_vault),
            token_rotation: Some(token_rotation),
            // Whoever listens says where.
            origin: Some(ORIGIN.parse().map_err(|_| "the origin is none")?),
            ses: Some(services::ses(&connector)?),
            bucket: Some(services::bucket(&connector, FILES)),
            webhooks,
            ..App::new(store.clone())
        };
        Ok(Self { app, store, tables, engine: Some(Engine { engines, connector, dynamo, sqs, folder: None }) })
    }

    /// What the SDK's own settings name: `AWS_ENDPOINT_URL`, or AWS. Tables that are not there are made; queues and
    /// keys are the deployment's.
    ///
    /// # Errors
    /// If the tables can't be made, or a setting can't be read.
    pub async fn aws(clock: Clock) -> Result<Self, StartError> {
        let config = Config::from_env()?;
        let Config {
            tables,
            store: settings,
            queues,
            bucket,
            secret,
            token_secret,
            billing_secret,
            origin,
            mail_from: _,
            trusted_proxies: _,
            rate_limits,
            webhooks,
        } = config;
        let sdk = aws_config::defaults(BehaviorVersion::v2026_01_12()).load().await;
        let dynamo = aws_sdk_dynamodb::Client::new(&sdk);
        create_tables(&dynamo, &tables).await?;
        let store = Store::new(dynamo, tables.clone(), clock, settings);
        let queues = queues.map(|queues| Queues::new(aws_sdk_sqs::Client::new(&sdk), queues));
        let secrets = aws_sdk_secretsmanager::Client::new(&sdk);
        let billing = Some(Billing::new(secrets.clone(), billing_secret, STRIPE.to_owned()));
        let (vault, token_vault) = (Vault::new(secrets.clone(), secret), TokenVault::new(secrets, token_secret));
        let (vault, token_vault) = (Some(vault), Some(token_vault));
        let bucket = bucket.map(|name| Bucket::of_sdk(&sdk, &name));
        let app = App {
            queues,
            bucket,
            vault,
            billing,
            token_vault,
            origin,
            rate_limits,
            webhooks,
            ..App::new(store.clone())
        };
        Ok(Self { app, store, tables, engine: None })
    }

    /// What IAM would let a function do, for the engines to enforce: its grants, one for each action and table, as in
    /// the template, and the queues and the secret that it uses.
    #[must_use]
    pub fn permissions(&self, of: &Permissions) -> Vec<Grant> {
        let mut permissions: Vec<Grant> = Vec::new();
        for table in tables::Table::ALL {
            for grant in of.items.iter().filter(|grant| grant.table == table) {
                let keys = grant.kinds.iter().map(|kind| format!("{}*", kind.prefix()));
                Grant::add_items(&mut permissions, self.tables.of(table), grant.action.name(), keys);
            }
        }
        let queue = |queue, action| Grant::Queue { name: services::queue_name(queue), actions: vec![action] };
        permissions.extend(of.sends.iter().map(|on| queue(*on, "SendMessage")));
        permissions.extend(of.postpones.iter().map(|on| queue(*on, "ChangeMessageVisibility")));
        if of.data_keys {
            permissions.push(Grant::Secret { name: services::secret_name(), actions: vec!["GetSecretValue"] });
        }
        if of.billing_keys {
            permissions.push(Grant::Secret { name: services::billing_secret_name(), actions: vec!["GetSecretValue"] });
        }
        let token_keys = |actions| Grant::Secret { name: services::token_secret_name(), actions };
        if of.token_keys {
            permissions.push(token_keys(vec!["GetSecretValue"]));
        }
        if of.rotates_token_keys {
            let actions = vec!["DescribeSecret", "GetSecretValue", "PutSecretValue", "UpdateSecretVersionStage"];
            permissions.push(token_keys(actions));
        }
        if of.sends_mail {
            permissions.push(Grant::Mail { from: services::MAIL_FROM.to_owned(), actions: vec!["SendEmail"] });
        }
        permissions.extend(of.objects.iter().map(|grant| {
            let path = format!("{}/{}*", S3::bucket(), grant.prefix.word());
            Grant::Objects { path, actions: vec![grant.action.name()] }
        }));
        permissions
    }
}

//! The functions of the template, each under the role that it has there, at work on the sample account.

use std::fs::read_to_string;

use auth::target::Rules;
use contract::rate_limit::{Rate, RateLimits};
use engines::{Grant, S3};
use lambda_http::aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use runtime::lambda::consumer::{self, Batch};
use runtime::{App, Queue, Reply, WebhookSettings, gates};
use serde_json::{Value, json};
use store::Store;
use store::tables::{Table, TableNames};
use xtask::root;
use xtask::seeded::{FROM, PREFIX, Seeded};

use crate::policies::{DATA_KEYS, STRIPE_KEYS, TOKEN_KEYS, leading_keys, named, statements, texts};
use crate::{lasting, operation, resources, template};

pub(crate) struct Deployment {
    template: Value,
    pub(crate) seeded: Seeded,
}

impl Deployment {
    pub(crate) async fn new() -> Self {
        Self { template: template(), seeded: Seeded::new().await.unwrap() }
    }

    fn role(&self, id: &str) -> Vec<Grant> {
        let mut functions = resources(&self.template, "AWS::Lambda::Function");
        let function = functions.find(|function| operation(function) == id).unwrap();
        statements(&self.template, function).into_iter().flat_map(grants).collect()
    }

    fn app(&self, store: Store) -> App {
        let webhooks = WebhookSettings { rules: Rules::open(), ..WebhookSettings::default() };
        // What is tried here comes faster than anybody's limit.
        App { webhooks, rate_limits: RateLimits::uniform(Rate::per_second(1_000_000)), ..self.seeded.app(store) }
    }

    /// What a function answers that has the store, under its own role.
    pub(crate) async fn invoke(&self, store: &Store, id: &str, event: ApiGatewayV2httpRequest) -> Reply {
        let spec = functions::routes().find(|spec| spec.route().id == id).unwrap();
        engines::permitted(self.role(id), gates::answer(&self.app(store.clone()), spec.endpoint, event)).await
    }

    /// The same of an instance that has just started.
    pub(crate) async fn cold(&self, id: &str, event: ApiGatewayV2httpRequest) -> Reply {
        self.invoke(&self.seeded.store(), id, event).await
    }

    /// What becomes of a batch that a function is handed which no route reaches.
    pub(crate) async fn hand(&self, id: &str, event: Value) -> Batch {
        let consumer = functions::consumers().into_iter().find(|consumer| consumer.id == id).unwrap();
        let worker = (consumer.start)(&self.app(self.seeded.store())).unwrap();
        engines::permitted(self.role(id), consumer::run(consumer, &worker, event, consumer.timeout)).await.unwrap()
    }

    /// The messages that wait in a queue, as Lambda hands them over; they are gone.
    pub(crate) async fn take(&self, queue: Queue) -> Value {
        let url = self.seeded.queues().url(queue);
        let mut records = Vec::new();
        loop {
            let all = aws_sdk_sqs::types::MessageSystemAttributeName::All;
            let call = self.seeded.sqs.receive_message().queue_url(&url).max_number_of_messages(10);
            let taken = call.message_system_attribute_names(all).send().await.unwrap();
            if taken.messages().is_empty() {
                return json!({ "Records": records });
            }
            for message in taken.messages() {
                let attributes = message.attributes().into_iter().flatten();
                let attributes: Value =
                    attributes.map(|(name, value)| (name.as_str().to_owned(), json!(value))).collect();
                records.push(json!({
                    "messageId": message.message_id(), "receiptHandle": message.receipt_handle(),
                    "body": message.body(), "attributes": attributes,
                }));
                let handle = message.receipt_handle().unwrap();
                self.seeded.sqs.delete_message().queue_url(&url).receipt_handle(handle).send().await.unwrap();
            }
        }
    }
}

/// What the engines enforce of a statement: not what Lambda does by itself with a stream and a bucket.
fn grants(statement: &Value) -> Vec<Grant> {
    let actions: Vec<_> = texts(&statement["Action"]).into_iter().map(lasting).collect();
    let (service, _) = actions[0].split_once(':').unwrap();
    let on = &statement["Resource"];
    match service {
        "dynamodb" if statement.get("Condition").is_some() => {
            let names = TableNames::with_prefix(PREFIX);
            let (_, name) = named(on);
            let of = |table: &Table| name == format!("table/${{TablePrefix}}-{}", table.word());
            let table = Table::ALL.into_iter().find(of).unwrap();
            let leading_keys = leading_keys(statement).into_iter().map(str::to_owned).collect();
            vec![Grant::Items { table: names.of(table).to_owned(), actions, leading_keys }]
        }
        "sqs" => on
            .as_array()
            .unwrap()
            .iter()
            .map(|queue| {
                let word = named(queue).1.strip_prefix("${TablePrefix}").unwrap();
                Grant::Queue { name: format!("{PREFIX}{word}"), actions: actions.clone() }
            })
            .collect(),
        "secretsmanager" => {
            let names = [(DATA_KEYS, "data-keys"), (TOKEN_KEYS, "token-keys"), (STRIPE_KEYS, "stripe")];
            let (_, name) = names.into_iter().find(|(secret, _)| named(on).1 == *secret).unwrap();
            vec![Grant::Secret { name: format!("{PREFIX}/{name}"), actions }]
        }
        "ses" => {
            assert_eq!(statement["Condition"]["StringEquals"]["ses:FromAddress"]["Ref"], "MailFrom");
            vec![Grant::Mail { from: FROM.to_owned(), actions }]
        }
        "s3" if on["Fn::Sub"][1]["Name"]["Ref"] == "Bucket" => {
            let below = on["Fn::Sub"][0].as_str().unwrap().strip_prefix("arn:${AWS::Partition}:s3:::${Name}").unwrap();
            let listed = statement["Condition"]["StringLike"]["s3:prefix"].as_str().map(|prefix| format!("/{prefix}"));
            let path = format!("{}{}", S3::bucket(), listed.as_deref().unwrap_or(below));
            vec![Grant::Objects { path, actions }]
        }
        _ => Vec::new(),
    }
}

/// A function's sample event.
pub(crate) fn sample<T: serde::de::DeserializeOwned>(id: &str) -> T {
    let text = read_to_string(root().join(format!("events/{id}.json"))).unwrap();
    serde_json::from_str(&text).unwrap()
}

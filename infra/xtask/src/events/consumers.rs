//! Sample events of the functions that no route reaches, as Lambda hands them over: changes of the sample account from
//! its own stream, and messages about them.

use std::collections::BTreeMap;

use contract::Time;
use contract::webhook::EventName;
use md5::{Digest as _, Md5};
use runtime::lambda::consumer::scheduled;
use runtime::{Consumer, Queue, Source};
use serde_json::Value;
use store::deliveries::Message;
use store::jobs::Task;
use store::stream::{ChangeEvent, Committed, Record};
use store::tables::Table;
use uuid::Uuid;

use super::{ACCOUNT, REGION};
use crate::node::Node;
use crate::seeded::{PREFIX, Seeded};
use crate::{Failure, map};

/// The event of a consumer.
pub(super) fn event(consumer: &Consumer, seeded: &Seeded) -> Result<Node, Failure> {
    let records: Vec<Node> = match consumer.source {
        Source::TokenKeysRotation => return Ok(rotation()),
        Source::Schedule(_) => return Ok(scheduled(Time::from_millis(samples::AT_MILLIS)).into()),
        Source::Stream(table) => {
            let saves = saves(seeded)?;
            let changes = saves.iter().zip(1..).map(|((record, save), number)| change(table, number, record, save));
            changes.collect::<Result<_, _>>()?
        }
        Source::Queues(queues) => {
            let queue = queues.first().ok_or_else(|| format!("nothing feeds {}", consumer.id))?;
            sent(*queue, seeded)?.iter().zip(1..).map(|(sent, number)| message(*queue, number, sent)).collect()
        }
    };
    Ok(map! { "Records" => records })
}

/// The first step of a rotation; the secret by its name, as it is found wherever it is.
fn rotation() -> Node {
    map! {
        "Step" => "createSecret",
        "SecretId" => format!("{PREFIX}/token-keys"),
        "ClientRequestToken" => Uuid::from_u128(1).to_string(),
        "RotationToken" => Uuid::from_u128(2).to_string(),
    }
}

/// The saves of values, among all that was done to make the sample account.
fn saves(seeded: &Seeded) -> Result<Vec<(Value, Committed)>, Failure> {
    let mut saves = Vec::new();
    for record in seeded.changes()? {
        let images = &record["dynamodb"];
        let seen = Record::of_images(images.get("OldImage"), images.get("NewImage")).read();
        if let ChangeEvent::Announced(committed) = seen.map_err(|error| format!("{error:?}"))?
            && committed.event == EventName::FieldValueSaved
        {
            saves.push((record, *committed));
        }
    }
    Ok(saves)
}

/// A record of the stream, but for what the engine makes anew each time.
fn change(table: Table, number: u128, record: &Value, save: &Committed) -> Result<Node, Failure> {
    let mut change = record["dynamodb"].clone();
    change["ApproximateCreationDateTime"] = save.at.seconds().into();
    change["NewImage"]["writtenAt"]["N"] = save.at.millis().to_string().into();
    change["SequenceNumber"] = format!("1000000000000000{number:014}").into();
    change["NewImage"]["writtenAt"]["N"] = save.at.millis().to_string().into();
    // Values stand in no order.
    let values: BTreeMap<String, Value> =
        serde_json::from_str(change["NewImage"]["doc"]["S"].as_str().unwrap_or("{}"))?;
    change["NewImage"]["doc"]["S"] = serde_json::to_string(&values)?.into();
    let word = table.word();
    let source = format!("arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{PREFIX}-{word}/stream/2026-01-01T00:00:00.000");
    Ok(map! {
        "eventID" => format!("{number:032x}"),
        "eventName" => Node::from(record["eventName"].clone()),
        "eventVersion" => "1.1",
        "eventSource" => "aws:dynamodb",
        "awsRegion" => REGION,
        "dynamodb" => Node::from(change),
        "eventSourceARN" => source,
    })
}

/// A message: its text, and the group that it waits in.
struct Sent {
    text: String,
    group: Option<String>,
    at: Time,
}

fn sent(queue: Queue, seeded: &Seeded) -> Result<Vec<Sent>, Failure> {
    if queue == Queue::Mail {
        let at = Time::from_millis(samples::AT_MILLIS);
        return Ok(vec![Sent { text: samples::MAIL.to_owned(), group: None, at }]);
    }
    let saves = saves(seeded)?;
    let (_, save) = saves.first().ok_or("the sample account has no values")?;
    let [webhook, _] = seeded.samples.webhooks;
    if queue == Queue::Jobs {
        let run = Task::run(save.client, seeded.samples.job);
        let one = Task::Probe { client: save.client, webhook, due: save.at.millis() };
        let sent = |task| Ok(Sent { text: serde_json::to_string(task)?, group: None, at: save.at });
        return [&run, &one].into_iter().map(sent).collect();
    }
    let text = serde_json::to_string(&Message::first(save.client, webhook, save.id, save.event))?;
    Ok(vec![Sent { text, group: Some(webhook.to_string()), at: save.at }])
}

fn message(queue: Queue, number: u128, sent: &Sent) -> Node {
    let at = sent.at.millis().to_string();
    let sum: String = Md5::digest(&sent.text).iter().map(|byte| format!("{byte:02x}")).collect();
    let attributes = map! { "ApproximateReceiveCount" => "1", "SentTimestamp" => at.as_str() }
        .with("SenderId", "AROA00000000000000000:hedgerow")
        .with("ApproximateFirstReceiveTimestamp", at)
        .with_some("MessageGroupId", sent.group.as_deref());
    map! {
        "messageId" => Uuid::from_u128(number).to_string(),
        "receiptHandle" => format!("AQEB{number:060}=="),
        "body" => sent.text.as_str(),
        "attributes" => attributes,
        "messageAttributes" => Node::Map(Vec::new()),
        "md5OfBody" => sum,
        "eventSource" => "aws:sqs",
        "eventSourceARN" => format!("arn:aws:sqs:{REGION}:{ACCOUNT}:{PREFIX}-{}", queue.word()),
        "awsRegion" => REGION,
    }
}

//! Alarms: what a person has to look at, since it does not recover by itself. The description says what to do.

use std::time::Duration;

use runtime::{Consumer, Queue, Source};
use store::tables::Table;

use super::{attribute, logical, queues, reference, source, tables};
use crate::map;
use crate::node::Node;

/// The namespace of our own metrics, as `shared/runtime/src/metric.rs` writes it.
const NAMESPACE: &str = "Hedgerow";
const MINUTE: u64 = 60;

/// An alarm goes off when the greatest of a metric was above the threshold in each of so many periods.
struct Alarm {
    name: String,
    says: String,
    metric: Metric,
    above: u64,
    periods: u64,
}

/// What is looked at.
struct Metric {
    namespace: &'static str,
    name: &'static str,
    /// All of its dimensions.
    of: Vec<(&'static str, Node)>,
    statistic: &'static str,
    /// In seconds.
    period: u64,
}

pub(super) fn resources() -> Vec<(String, Node)> {
    let consumers = functions::consumers();
    let streams = consumers.iter().filter(|consumer| matches!(consumer.source, Source::Stream(_)));
    let scheduled = consumers.iter().filter_map(|consumer| of_schedule(consumer));
    let alarms = streams
        .flat_map(|consumer| of_stream(consumer))
        .chain([skipped_changes(), api_fails(), first_is_late()])
        .chain(scheduled);
    alarms.chain(Queue::ALL.map(dead_letters)).map(|alarm| (alarm.name.clone(), alarm.resource())).collect()
}

/// What it means that a consumer of a stream does not get on.
struct Loss {
    /// While it is behind.
    late: &'static str,
    /// Of what it gave up.
    gone: &'static str,
    /// Where it says how to replay.
    page: &'static str,
}

fn loss(consumer: &Consumer) -> Loss {
    match consumer.id {
        "recorder" => Loss {
            late: "the audit log does not tell what has changed since",
            gone: "they are not in the audit log",
            page: "docs/audit.md",
        },
        _ => Loss {
            late: "webhooks do not hear of what has changed since",
            gone: "no webhook hears of them",
            page: "docs/webhooks.md",
        },
    }
}

fn of_stream(consumer: &Consumer) -> Vec<Alarm> {
    let (function, id, Loss { late, gone, page }) = (logical(consumer.id), consumer.id, loss(consumer));
    let Source::Stream(table) = consumer.source else { return Vec::new() };
    let of_mapping = |name| Metric {
        namespace: "AWS/Lambda",
        name,
        of: vec![("EventSourceMappingUUID", reference(&source::mapping(consumer, table.word())))],
        statistic: "Sum",
        period: 5 * MINUTE,
    };
    vec![
        Alarm {
            name: format!("{function}IsLate"),
            says: format!(
                "{id} is an hour behind: {late}. Look at its log soon, since the stream forgets changes after 24 hours"
            ),
            metric: Metric {
                namespace: "AWS/Lambda",
                name: "IteratorAge",
                of: vec![("FunctionName", reference(&function))],
                statistic: "Maximum",
                period: 5 * MINUTE,
            },
            above: 60 * MINUTE * 1000,
            periods: 1,
        },
        Alarm {
            name: format!("{function}GaveUp"),
            says: format!(
                "{id} gave up on changes: {gone}. Mend the cause, then replay them from the bucket GivenUpChangesName as \
                 {page} shows"
            ),
            metric: of_mapping("OnFailureDestinationDeliveredEventCount"),
            above: 0,
            periods: 1,
        },
        Alarm {
            name: format!("{function}LostChanges"),
            says: format!(
                "{id} gave up on changes, and the bucket GivenUpChangesName could not be written to: they are lost, and \
                 {gone}. Mend the cause, and see that the role of {id} may write to the bucket"
            ),
            metric: of_mapping("DroppedEventCount"),
            above: 0,
            periods: 1,
        },
    ]
}

/// What one consumer does not know, none of the same version does: one of them tells it.
fn skipped_changes() -> Alarm {
    let id = "fan-out";
    Alarm {
        name: format!("{}SkippedChanges", logical(id)),
        says: "Changes of a kind that is not known were skipped, by webhooks and audit log: a newer version writes them. Deploy \
            that version whole"
            .to_owned(),
        metric: Metric {
            namespace: NAMESPACE,
            name: "UnknownRecords",
            // As `shared/runtime/src/metric.rs` writes them.
            of: vec![("operation", id.into()), ("table", reference(tables::logical(Table::Main)))],
            statistic: "Sum",
            period: 5 * MINUTE,
        },
        above: 0,
        periods: 1,
    }
}

/// Three periods in a row, of days two: one call that fails is made up for by the next.
fn of_schedule(consumer: &Consumer) -> Option<Alarm> {
    let Source::Schedule(period) = consumer.source else { return None };
    let function = logical(consumer.id);
    Some(Alarm {
        name: format!("{function}Fails"),
        says: match consumer.id {
            "purge-deleted" => {
                "What was deleted 30 days ago is not purged: purge-deleted fails day after day. Mend the cause that its log \
                 shows; it goes on by itself then"
            }
            _ => {
                "Clients that were closed 30 days ago are not erased: erase-clients fails again and again. Mend the cause that \
                 its log shows; it goes on by itself then"
            }
        }
        .to_owned(),
        metric: Metric {
            namespace: "AWS/Lambda",
            name: "Errors",
            of: vec![("FunctionName", reference(&function))],
            statistic: "Sum",
            period: period.as_secs(),
        },
        above: 0,
        periods: if period > Duration::from_secs(3600) { 2 } else { 3 },
    })
}

/// Single failures are told their callers, who try again; so many are a fault of ours, or of AWS.
fn api_fails() -> Alarm {
    Alarm {
        name: "ApiFails".to_owned(),
        says: "The API answered more than 10 requests within 5 minutes by 5xx. The access log says which routes and when; the \
            line of the same requestId in the log of the route's function says why, at level ERROR"
            .to_owned(),
        metric: Metric {
            namespace: "AWS/ApiGateway",
            name: "5xx",
            of: vec![("ApiId", reference("Api"))],
            statistic: "Sum",
            period: 5 * MINUTE,
        },
        above: 10,
        periods: 1,
    }
}

/// Five periods: a message whose function died lies for minutes before it is handed out again, which is no reason for an
/// alarm.
fn first_is_late() -> Alarm {
    Alarm {
        name: "FirstAttemptsAreLate".to_owned(),
        says:
            "First attempts of deliveries have been waiting for more than 5 minutes. Raise DeliveryConcurrency, if the \
            account has room"
                .to_owned(),
        metric: Metric {
            namespace: "AWS/SQS",
            name: "ApproximateAgeOfOldestMessage",
            of: vec![("QueueName", attribute(&queues::logical(Queue::FirstAttempts), "QueueName"))],
            statistic: "Maximum",
            period: MINUTE,
        },
        above: 5 * MINUTE,
        periods: 5,
    }
}

fn dead_letters(queue: Queue) -> Alarm {
    let dead = queues::dead(queue);
    Alarm {
        says: match queue {
            Queue::Mail => {
                "Mails could not be sent ten times over three hours and were set aside as dead letters. Mend the cause that \
                 the log of send-mail shows, then send them back to their queue as docs/mail.md shows"
            }
            Queue::FirstAttempts | Queue::Retries | Queue::Jobs => {
                "Messages failed ten times and were set aside as dead letters. Mend the cause that the log shows, then send \
                 them back to their queue as docs/webhooks.md shows"
            }
        }
        .to_owned(),
        metric: Metric {
            namespace: "AWS/SQS",
            name: "ApproximateNumberOfMessagesVisible",
            of: vec![("QueueName", attribute(&dead, "QueueName"))],
            statistic: "Maximum",
            period: 5 * MINUTE,
        },
        above: 0,
        periods: 1,
        name: dead + "NotEmpty",
    }
}

impl Alarm {
    fn resource(self) -> Node {
        let topic = map! {
            "Fn::If" => [Node::from("HasAlarmTopic"), vec![reference("AlarmTopicArn")].into(), reference("AWS::NoValue")],
        };
        let Metric { namespace, name, of, statistic, period } = self.metric;
        let dimensions = of.into_iter().map(|(name, value)| map! { "Name" => name, "Value" => value });
        let properties = map! {
            "AlarmDescription" => self.says,
            "AlarmActions" => topic,
            "ComparisonOperator" => "GreaterThanThreshold",
            "Threshold" => self.above,
            "EvaluationPeriods" => self.periods,
            "TreatMissingData" => "notBreaching",
            "Namespace" => namespace,
            "MetricName" => name,
            "Dimensions" => dimensions.collect::<Node>(),
            "Statistic" => statistic,
            "Period" => period,
        };
        map! { "Type" => "AWS::CloudWatch::Alarm", "Properties" => properties }
    }
}

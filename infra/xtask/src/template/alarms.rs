//! Alarms: what a person has to look at, since it does not recover by itself. The description says what to do.

use runtime::{Consumer, Queue, Source};

use super::{attribute, logical, queues, reference, source};
use crate::map;
use crate::node::Node;

/// The namespace of our own metrics: `shared/runtime/src/metric.rs`.
const NAMESPACE: &str = "Hedgerow";
const MINUTE: u64 = 60;

/// An alarm goes off when the greatest of a metric was above the threshold in each of so many periods.
struct Alarm {
    name: String,
    says: &'static str,
    metric: Metric,
    above: u64,
    periods: u64,
}

/// What is looked at.
enum Metric {
    /// One metric: its namespace, name, dimension, statistic, and the seconds of a period.
    One { namespace: &'static str, name: &'static str, of: (&'static str, Node), statistic: &'static str, period: u64 },
    /// Those of a source of events, added up over five minutes.
    Sum { names: [&'static str; 2], mapping: String },
}

pub(super) fn resources() -> Vec<(String, Node)> {
    let consumers = functions::consumers();
    let streams = consumers.iter().filter(|consumer| matches!(consumer.source, Source::Stream(_)));
    let scheduled = consumers.iter().filter_map(|consumer| of_schedule(consumer));
    let alarms = streams.flat_map(|consumer| of_stream(consumer)).chain([first_is_late()]).chain(scheduled);
    alarms.chain(Queue::ALL.map(dead_letters)).map(|alarm| (alarm.name.clone(), alarm.resource())).collect()
}

fn of_stream(consumer: &Consumer) -> Vec<Alarm> {
    let function = logical(consumer.id);
    let Source::Stream(table) = consumer.source else { return Vec::new() };
    vec![
        Alarm {
            name: format!("{function}IsLate"),
            says: "fan-out is an hour behind: webhooks do not hear of what has changed since. Look at its log soon, \
                since the stream forgets changes after 24 hours",
            metric: Metric::One {
                namespace: "AWS/Lambda",
                name: "IteratorAge",
                of: ("FunctionName", reference(&function)),
                statistic: "Maximum",
                period: 5 * MINUTE,
            },
            above: 60 * MINUTE * 1000,
            periods: 1,
        },
        Alarm {
            name: format!("{function}GaveUp"),
            says: "fan-out gave up on changes: no webhook hears of them. Mend the cause, then replay them from the \
                bucket GivenUpChangesName as docs/webhooks.md shows. If it has none, it could not be written to, and they \
                are lost",
            metric: Metric::Sum {
                names: ["OnFailureDestinationDeliveredEventCount", "DroppedEventCount"],
                mapping: source::mapping(consumer, table.word()),
            },
            above: 0,
            periods: 1,
        },
        Alarm {
            name: format!("{function}SkippedChanges"),
            says: "fan-out skipped changes of a kind that it does not know: a newer version writes them. Deploy that \
                version whole",
            metric: Metric::One {
                namespace: NAMESPACE,
                name: "UnknownRecords",
                of: ("operation", consumer.id.into()),
                statistic: "Sum",
                period: 5 * MINUTE,
            },
            above: 0,
            periods: 1,
        },
    ]
}

/// Three periods in a row: one call that fails is made up for by the next.
fn of_schedule(consumer: &Consumer) -> Option<Alarm> {
    let Source::Schedule(period) = consumer.source else { return None };
    let function = logical(consumer.id);
    Some(Alarm {
        name: format!("{function}Fails"),
        says: "Clients that were closed 30 days ago are not erased: erase-clients fails again and again. Mend the cause that \
            its log shows; it goes on by itself then",
        metric: Metric::One {
            namespace: "AWS/Lambda",
            name: "Errors",
            of: ("FunctionName", reference(&function)),
            statistic: "Sum",
            period: period.as_secs(),
        },
        above: 0,
        periods: 3,
    })
}

/// Five periods: a message whose function died lies for minutes before it is handed out again, which is no reason for an
/// alarm.
fn first_is_late() -> Alarm {
    Alarm {
        name: "FirstAttemptsAreLate".to_owned(),
        says: "First attempts of deliveries have been waiting for more than 5 minutes. Raise DeliveryConcurrency, if the \
            account has room",
        metric: Metric::One {
            namespace: "AWS/SQS",
            name: "ApproximateAgeOfOldestMessage",
            of: ("QueueName", attribute(&queues::logical(Queue::FirstAttempts), "QueueName")),
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
        },
        metric: Metric::One {
            namespace: "AWS/SQS",
            name: "ApproximateNumberOfMessagesVisible",
            of: ("QueueName", attribute(&dead, "QueueName")),
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
        let properties = map! {
            "AlarmDescription" => self.says,
            "AlarmActions" => topic,
            "ComparisonOperator" => "GreaterThanThreshold",
            "Threshold" => self.above,
            "EvaluationPeriods" => self.periods,
            "TreatMissingData" => "notBreaching",
        };
        map! { "Type" => "AWS::CloudWatch::Alarm", "Properties" => self.metric.of(properties) }
    }
}

impl Metric {
    fn of(self, alarm: Node) -> Node {
        match self {
            Self::One { namespace, name, of: (dimension, value), statistic, period } => alarm
                .with("Namespace", namespace)
                .with("MetricName", name)
                .with("Dimensions", [map! { "Name" => dimension, "Value" => value }])
                .with("Statistic", statistic)
                .with("Period", period),
            Self::Sum { names, mapping } => {
                let query = |(id, name): (&str, &str)| {
                    let dimension = map! { "Name" => "EventSourceMappingUUID", "Value" => reference(&mapping) };
                    let metric = map! {
                        "Namespace" => "AWS/Lambda",
                        "MetricName" => name,
                        "Dimensions" => [dimension],
                    };
                    let stat = map! { "Metric" => metric, "Stat" => "Sum", "Period" => 5 * MINUTE };
                    map! { "Id" => id, "ReturnData" => false, "MetricStat" => stat }
                };
                let sum = map! { "Id" => "sum", "Expression" => "FILL(a, 0) + FILL(b, 0)", "ReturnData" => true };
                let [a, b] = names;
                alarm.with("Metrics", [query(("a", a)), query(("b", b)), sum])
            }
        }
    }
}

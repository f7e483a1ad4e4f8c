//! Alarms: what somebody has to look at, since nothing mends it by itself.

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
    let alarms = streams.flat_map(|consumer| of_stream(consumer)).chain([first_is_late()]);
    alarms.chain(Queue::ALL.map(dead_letters)).map(|alarm| (alarm.name.clone(), alarm.resource())).collect()
}

fn of_stream(consumer: &Consumer) -> Vec<Alarm> {
    let function = logical(consumer.id);
    let Source::Stream(table) = consumer.source else { return Vec::new() };
    vec![
        Alarm {
            name: format!("{function}IsLate"),
            says: "Changes wait for an hour to be announced. After 24 hours the stream forgets them",
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
            says: "Changes could not be announced. They are in the bucket of changes that were given up, or lost if \
                it could not be written to",
            metric: Metric::Sum {
                names: ["OnFailureDestinationDeliveredEventCount", "DroppedEventCount"],
                mapping: source::mapping(consumer, table.word()),
            },
            above: 0,
            periods: 1,
        },
        Alarm {
            name: format!("{function}IsPuzzled"),
            says: "Changes of a kind that this version does not know were passed over",
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

/// A message whose function died is as old for two minutes, before it is handed out again: that is no news.
fn first_is_late() -> Alarm {
    Alarm {
        name: "FirstAttemptsAreLate".to_owned(),
        says: "First attempts of deliveries wait for 5 minutes",
        metric: Metric::One {
            namespace: "AWS/SQS",
            name: "ApproximateAgeOfOldestMessage",
            of: ("QueueName", attribute(&queues::logical(Queue::First), "QueueName")),
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
        says: "Messages failed again and again, and were set aside",
        metric: Metric::One {
            namespace: "AWS/SQS",
            name: "ApproximateNumberOfMessagesVisible",
            of: ("QueueName", attribute(&dead, "QueueName")),
            statistic: "Maximum",
            period: 5 * MINUTE,
        },
        above: 0,
        periods: 1,
        name: dead + "AreThere",
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

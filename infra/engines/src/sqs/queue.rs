//! A queue: its names, its attributes and its row.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, Row};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Refusal;

/// What a queue's URL is before its name.
const URL: &str = "http://sqs.local.localhost/000000000000/";
/// What a queue's ARN is before its name.
const ARN: &str = "arn:aws:sqs:us-east-1:000000000000:";

/// What a message may be at most, and a batch of them.
pub(super) const MAX_MESSAGE_BYTES: i64 = 1024 * 1024;

/// The attributes that are numbers, with what AWS allows.
const NUMBERS: [(&str, i64, i64); 5] = [
    ("DelaySeconds", 0, 900),
    ("MaximumMessageSize", 1024, MAX_MESSAGE_BYTES),
    ("MessageRetentionPeriod", 60, 1_209_600),
    ("ReceiveMessageWaitTimeSeconds", 0, 20),
    ("VisibilityTimeout", 0, 43_200),
];

/// Attributes of AWS's that aren't supported here, lest something relies on them.
const UNSUPPORTED: [&str; 10] = [
    "ContentBasedDeduplication",
    "DeduplicationScope",
    "FifoQueue",
    "FifoThroughputLimit",
    "KmsDataKeyReusePeriodSeconds",
    "KmsMasterKeyId",
    "Policy",
    "RedriveAllowPolicy",
    "SqsManagedSseEnabled",
    "ContentType",
];

/// The attributes that are only told.
const TOLD: [&str; 6] = [
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesDelayed",
    "ApproximateNumberOfMessagesNotVisible",
    "CreatedTimestamp",
    "LastModifiedTimestamp",
    "QueueArn",
];

const BY_NAME: &str = "SELECT id, name, created, modified, delay, largest, retention, wait, visibility, dead_letter, \
     max_receives, purged FROM queues WHERE name = ?1";
const SAVE: &str = "INSERT OR REPLACE INTO queues (id, name, created, modified, delay, largest, retention, wait, \
     visibility, dead_letter, max_receives, purged) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";

/// A queue as its row has it. Times are milliseconds, the attributes' numbers seconds.
#[derive(Debug, Clone)]
pub(super) struct Queue {
    pub(super) id: i64,
    pub(super) name: String,
    created: i64,
    modified: i64,
    pub(super) delay: i64,
    pub(super) largest: i64,
    pub(super) retention: i64,
    pub(super) wait: i64,
    pub(super) visibility: i64,
    /// The name of the dead-letter queue.
    pub(super) dead_letter: Option<String>,
    pub(super) max_receives: i64,
    pub(super) purged: i64,
}

impl Queue {
    /// A queue with what AWS gives one that says nothing.
    pub(super) fn new(name: String, now: i64) -> Self {
        Self {
            id: 0,
            name,
            created: now,
            modified: now,
            delay: 0,
            largest: MAX_MESSAGE_BYTES,
            retention: 345_600,
            wait: 0,
            visibility: 30,
            dead_letter: None,
            max_receives: 0,
            purged: 0,
        }
    }

    pub(super) fn of_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            name: row.get(1)?,
            created: row.get(2)?,
            modified: row.get(3)?,
            delay: row.get(4)?,
            largest: row.get(5)?,
            retention: row.get(6)?,
            wait: row.get(7)?,
            visibility: row.get(8)?,
            dead_letter: row.get(9)?,
            max_receives: row.get(10)?,
            purged: row.get(11)?,
        })
    }

    pub(super) fn named(database: &Connection, name: &str) -> Result<Option<Self>, Refusal> {
        let mut find = database.prepare_cached(BY_NAME)?;
        Ok(find.query_row([name], Self::of_row).optional()?)
    }

    /// The queue that a URL names.
    pub(super) fn at(database: &Connection, url: Option<&str>) -> Result<Self, Refusal> {
        let url = url.filter(|url| !url.is_empty()).ok_or_else(|| Refusal::missing("QueueUrl"))?;
        match name_in_url(url) {
            Some(name) => Self::named(database, name)?.ok_or_else(Refusal::no_queue),
            None => Err(Refusal::no_queue()),
        }
    }

    /// The queue that an ARN names.
    pub(super) fn by_arn(database: &Connection, arn: &str) -> Result<Option<Self>, Refusal> {
        match arn.strip_prefix(ARN) {
            Some(name) => Self::named(database, name),
            None => Ok(None),
        }
    }

    /// Writes it, as a new row if it has no number yet.
    pub(super) fn save(&self, database: &Connection) -> Result<(), Refusal> {
        let mut save = database.prepare_cached(SAVE)?;
        save.execute(rusqlite::params![
            (self.id > 0).then_some(self.id),
            self.name,
            self.created,
            self.modified,
            self.delay,
            self.largest,
            self.retention,
            self.wait,
            self.visibility,
            self.dead_letter,
            self.max_receives,
            self.purged,
        ])?;
        Ok(())
    }

    pub(super) fn url(&self) -> String {
        format!("{URL}{}", self.name)
    }

    /// Sets attributes, whose values have to be ones that AWS takes.
    pub(super) fn set(
        &mut self,
        database: &Connection,
        attributes: &BTreeMap<String, String>,
        now: i64,
    ) -> Result<(), Refusal> {
        for (name, value) in attributes {
            if let Some((_, least, most)) = NUMBERS.iter().find(|(known, ..)| known == name) {
                let number = value.parse().ok().filter(|number| (*least..=*most).contains(number));
                let wrong = || Refusal::attribute_value(format!("Invalid value for the parameter {name}."));
                *self.number(name).ok_or_else(wrong)? = number.ok_or_else(wrong)?;
            } else if name == "RedrivePolicy" {
                (self.dead_letter, self.max_receives) = redrive(database, value)?;
            } else if UNSUPPORTED.contains(&name.as_str()) {
                return Err(Refusal::unsupported(format!("The embedded SQS does not support the attribute {name}.")));
            } else {
                return Err(Refusal::attribute_name(format!("Unknown Attribute {name}.")));
            }
        }
        self.modified = now;
        Ok(())
    }

    fn number(&mut self, name: &str) -> Option<&mut i64> {
        match name {
            "DelaySeconds" => Some(&mut self.delay),
            "MaximumMessageSize" => Some(&mut self.largest),
            "MessageRetentionPeriod" => Some(&mut self.retention),
            "ReceiveMessageWaitTimeSeconds" => Some(&mut self.wait),
            "VisibilityTimeout" => Some(&mut self.visibility),
            _ => None,
        }
    }

    /// The attribute in which this queue differs from another, if it does in any.
    pub(super) fn differs(&self, other: &Self) -> Option<&'static str> {
        [
            ("DelaySeconds", self.delay != other.delay),
            ("MaximumMessageSize", self.largest != other.largest),
            ("MessageRetentionPeriod", self.retention != other.retention),
            ("ReceiveMessageWaitTimeSeconds", self.wait != other.wait),
            ("VisibilityTimeout", self.visibility != other.visibility),
            ("RedrivePolicy", (&self.dead_letter, self.max_receives) != (&other.dead_letter, other.max_receives)),
        ]
        .into_iter()
        .find_map(|(name, differs)| differs.then_some(name))
    }

    /// The attributes that were asked for.
    pub(super) fn attributes(&self, database: &Connection, names: &[String], now: i64) -> Result<Value, Refusal> {
        let known = |name: &str| {
            NUMBERS.iter().any(|(known, ..)| *known == name)
                || TOLD.contains(&name)
                || UNSUPPORTED.contains(&name)
                || matches!(name, "All" | "RedrivePolicy")
        };
        if let Some(unknown) = names.iter().find(|name| !known(name)) {
            return Err(Refusal::attribute_name(format!("Unknown Attribute {unknown}.")));
        }
        // A message whose time is over isn't there, though its row may be.
        let count: (i64, i64, i64) = database
            .prepare_cached(
                "SELECT COUNT(*) FILTER (WHERE visible <= ?2), \
                 COUNT(*) FILTER (WHERE visible > ?2 AND receipt IS NULL), \
                 COUNT(*) FILTER (WHERE visible > ?2 AND receipt IS NOT NULL) \
                 FROM messages WHERE queue = ?1 AND sent > ?3",
            )?
            .query_row([self.id, now, now - self.retention * 1000], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })?;
        let redrive = self
            .dead_letter
            .as_ref()
            .map(|name| json!({ "deadLetterTargetArn": arn(name), "maxReceiveCount": self.max_receives }).to_string());
        let all = [
            ("ApproximateNumberOfMessages", Some(count.0.to_string())),
            ("ApproximateNumberOfMessagesDelayed", Some(count.1.to_string())),
            ("ApproximateNumberOfMessagesNotVisible", Some(count.2.to_string())),
            ("CreatedTimestamp", Some((self.created / 1000).to_string())),
            ("DelaySeconds", Some(self.delay.to_string())),
            ("LastModifiedTimestamp", Some((self.modified / 1000).to_string())),
            ("MaximumMessageSize", Some(self.largest.to_string())),
            ("MessageRetentionPeriod", Some(self.retention.to_string())),
            ("QueueArn", Some(arn(&self.name))),
            ("ReceiveMessageWaitTimeSeconds", Some(self.wait.to_string())),
            ("RedrivePolicy", redrive),
            ("SqsManagedSseEnabled", Some("true".to_owned())),
            ("VisibilityTimeout", Some(self.visibility.to_string())),
        ];
        let asked = |name: &str| names.iter().any(|asked| asked == name || asked == "All");
        let told = all.into_iter().filter(|(name, _)| asked(name));
        Ok(told.filter_map(|(name, value)| Some((name.to_owned(), Value::String(value?)))).collect())
    }
}

/// A queue's ARN.
pub(super) fn arn(name: &str) -> String {
    format!("{ARN}{name}")
}

/// The name of the queue in a URL: it is the path that counts, wherever the client thinks that it goes.
pub(crate) fn name_in_url(url: &str) -> Option<&str> {
    let (_, path) = url.split_once("://")?;
    let (_, path) = path.split_once('/')?;
    path.strip_prefix("000000000000/").filter(|name| !name.is_empty())
}

/// The name of the queue in an ARN.
pub(crate) fn name_in_arn(arn: &str) -> Option<&str> {
    arn.strip_prefix(ARN)
}

/// A new queue's name has to be one that AWS takes.
pub(super) fn check_name(name: &str) -> Result<(), Refusal> {
    if name.ends_with(".fifo") {
        return Err(Refusal::unsupported("The embedded SQS has no FIFO queues."));
    }
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    if name.is_empty() || name.len() > 80 || !name.chars().all(allowed) {
        let rule = "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length";
        return Err(Refusal::value(rule));
    }
    Ok(())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RedrivePolicy {
    dead_letter_target_arn: Option<String>,
    max_receive_count: Option<Value>,
}

/// What a redrive policy says; an empty text takes it away.
fn redrive(database: &Connection, policy: &str) -> Result<(Option<String>, i64), Refusal> {
    if policy.is_empty() {
        return Ok((None, 0));
    }
    let invalid = |reason: &str| Refusal::invalid("RedrivePolicy", policy, reason);
    let read: RedrivePolicy =
        serde_json::from_str(policy).map_err(|_| invalid("Redrive policy is not a valid JSON map."))?;
    let target = read
        .dead_letter_target_arn
        .ok_or_else(|| invalid("Redrive policy does not contain mandatory attribute: deadLetterTargetArn."))?;
    let count = read
        .max_receive_count
        .ok_or_else(|| invalid("Redrive policy does not contain mandatory attribute: maxReceiveCount."))?;
    // A number, or a text of one, as CloudFormation writes it.
    let number = count.as_i64().or_else(|| count.as_str()?.parse().ok()).filter(|count| (1..=1000).contains(count));
    let number = number.ok_or_else(|| {
        let valid = "valid values are from 1 to 1000 both inclusive.";
        invalid(&format!("Invalid value for maxReceiveCount: {count}, {valid}"))
    })?;
    match Queue::by_arn(database, &target)? {
        Some(queue) => Ok((Some(queue.name), number)),
        None => Err(invalid("Dead letter target does not exist.")),
    }
}

//! Receiving, with the wait for something to receive.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, timeout};

use super::message::{Attribute, sum_of_attributes};
use super::queue::{Queue, arn};
use super::settle::Receipt;
use super::{Refusal, Sqs};

/// How often a wait looks for what other processes have sent.
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// How many groups a receive looks at for a quiet one.
const GROUPS: usize = 32;

/// The system attributes that may be asked for.
const SYSTEM: [&str; 10] = [
    "All",
    "AWSTraceHeader",
    "ApproximateFirstReceiveTimestamp",
    "ApproximateReceiveCount",
    "DeadLetterQueueSourceArn",
    "MessageDeduplicationId",
    "MessageGroupId",
    "SenderId",
    "SentTimestamp",
    "SequenceNumber",
];

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Receive {
    queue_url: Option<String>,
    max_number_of_messages: Option<i64>,
    wait_time_seconds: Option<i64>,
    visibility_timeout: Option<i64>,
    #[serde(default)]
    attribute_names: Vec<String>,
    #[serde(default)]
    message_system_attribute_names: Vec<String>,
    #[serde(default)]
    message_attribute_names: Vec<String>,
}

/// What a look at a queue found.
enum Found {
    Messages(Vec<Told>),
    /// Nothing is visible. The first that will be is at `next`, and by itself the queue waits for `wait` seconds.
    Nothing {
        next: Option<i64>,
        wait: i64,
    },
}

/// A message's row, as a receive needs it.
struct Stored {
    seq: i64,
    id: String,
    body: String,
    sum: String,
    attributes: Option<String>,
    trace: Option<String>,
    group: Option<String>,
    dead: Option<String>,
    sent: i64,
    receives: i64,
    first: Option<i64>,
}

/// When the first message of a queue is due, or was.
pub(super) const FIRST_DUE: &str = "SELECT MIN(visible) FROM messages WHERE queue = ?1";
/// The next group of a queue by its name.
pub(super) const NEXT_GROUP: &str =
    "SELECT grouped FROM messages WHERE queue = ?1 AND grouped > ?2 ORDER BY grouped LIMIT 1";
/// The oldest messages that are due, of a queue and of a group in it.
pub(super) const DUE: &str = "SELECT seq, id, body, sum, attributes, trace, grouped, dead, sent, receives, first FROM messages \
     WHERE queue = ?1 AND visible <= ?2 ORDER BY visible, seq LIMIT ?3";
pub(super) const DUE_IN_GROUP: &str = "SELECT seq, id, body, sum, attributes, trace, grouped, dead, sent, receives, first \
     FROM messages WHERE queue = ?1 AND visible <= ?2 AND grouped = ?3 ORDER BY visible, seq LIMIT 1";

/// A message as its receiver sees it.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Told {
    message_id: String,
    receipt_handle: String,
    #[serde(rename = "MD5OfBody")]
    sum: String,
    body: String,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    attributes: BTreeMap<&'static str, String>,
    #[serde(rename = "MD5OfMessageAttributes", skip_serializing_if = "Option::is_none")]
    sum_of_attributes: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    message_attributes: BTreeMap<String, Attribute>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Answered {
    messages: Vec<Told>,
}

impl Sqs {
    pub(super) async fn receive(&self, body: &[u8]) -> Result<Bytes, Refusal> {
        let request: Receive = serde_json::from_slice(body)?;
        let started = Instant::now();
        loop {
            // Before the look, or a message that is sent after it and before the wait would not end that.
            let changed = self.shared.changed.notified();
            let (next, wait) = match self.look(&request)? {
                Found::Messages(messages) => return Ok(serde_json::to_vec(&Answered { messages })?.into()),
                Found::Nothing { next, wait } => (next, request.wait_time_seconds.unwrap_or(wait)),
            };
            let left = Duration::from_secs(wait.unsigned_abs()).saturating_sub(started.elapsed());
            if left.is_zero() {
                return Ok(Bytes::from_static(b"{}"));
            }
            let due = next.map_or(left, |next| Duration::from_millis(next.saturating_sub(self.now()).max(1) as u64));
            let look = if self.shared.on_file { POLL_INTERVAL } else { left };
            let _ = timeout(left.min(due).min(look), changed).await;
        }
    }

    fn look(&self, request: &Receive) -> Result<Found, Refusal> {
        let now = self.now();
        let queue = {
            let database = self.database();
            let queue = Queue::at(&database, request.queue_url.as_deref())?;
            request.check()?;
            let next: Option<i64> = database.prepare_cached(FIRST_DUE)?.query_row([queue.id], |row| row.get(0))?;
            if next.is_none_or(|next| next > now) {
                return Ok(Found::Nothing { next, wait: queue.wait });
            }
            queue
        };
        let taken = self.write(|database| self.take(database, &queue, request, now))?;
        if taken.is_empty() { Ok(Found::Nothing { next: None, wait: queue.wait }) } else { Ok(Found::Messages(taken)) }
    }

    /// Takes what is due out of others' sight, until there is something or nothing is left.
    fn take(&self, database: &Connection, queue: &Queue, request: &Receive, now: i64) -> Result<Vec<Told>, Refusal> {
        let most = request.max_number_of_messages.unwrap_or(1).unsigned_abs() as usize;
        let hidden = now + request.visibility_timeout.unwrap_or(queue.visibility) * 1000;
        loop {
            let due = self.due(database, queue, most, now)?;
            if due.is_empty() {
                return Ok(Vec::new());
            }
            let mut living = Vec::with_capacity(due.len());
            for message in due {
                if message.sent <= now - queue.retention * 1000 {
                    database.prepare_cached("DELETE FROM messages WHERE seq = ?1")?.execute([message.seq])?;
                } else if !self.bury(database, queue, &message, now)? {
                    living.push(message);
                }
            }
            if !living.is_empty() {
                let tokens = hide(database, &living, hidden, now)?;
                self.shared.received.fetch_add(living.len() as u64, Ordering::Relaxed);
                let tell = |message: Stored| {
                    let token = tokens.get(&message.seq).copied().unwrap_or_default();
                    let receipt = Receipt { queue: queue.id, seq: message.seq, token };
                    message.tell(receipt, request, now)
                };
                return living.into_iter().map(tell).collect();
            }
        }
    }

    /// The oldest messages that are due. If there are more than are asked for, up to half of them make room for the
    /// oldest one each of groups that have none among them, so that one group's backlog doesn't hold up the others: what
    /// AWS calls fair queues.
    fn due(&self, database: &Connection, queue: &Queue, most: usize, now: i64) -> Result<Vec<Stored>, Refusal> {
        let mut due = database
            .prepare_cached(DUE)?
            .query_map(params![queue.id, now, most as i64], Stored::of_row)?
            .collect::<Result<Vec<_>, _>>()?;
        if due.len() < most || most < 2 {
            return Ok(due);
        }
        let present: HashSet<_> = due.iter().filter_map(|message| message.group.clone()).collect();
        let mut quiet = Vec::new();
        let mut turn = self.shared.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let began = turn.clone();
        let mut wrapped = began.is_empty();
        for _ in 0..GROUPS {
            let next: Option<String> = database
                .prepare_cached(NEXT_GROUP)?
                .query_row(params![queue.id, *turn], |row| row.get(0))
                .optional()?;
            let Some(group) = next else {
                turn.clear();
                if std::mem::replace(&mut wrapped, true) {
                    break;
                }
                continue;
            };
            turn.clone_from(&group);
            if !present.contains(&group) {
                quiet.extend(oldest_of(database, queue, &group, now)?);
            }
            let round = wrapped && !began.is_empty() && *turn >= began;
            if round || quiet.len() >= most / 2 {
                break;
            }
        }
        due.truncate(most - quiet.len());
        due.extend(quiet);
        Ok(due)
    }

    /// Moves a message that was received too often to the dead-letter queue, if there is one.
    fn bury(&self, database: &Connection, queue: &Queue, message: &Stored, now: i64) -> Result<bool, Refusal> {
        let Some(dead_letter) = queue.dead_letter.as_deref().filter(|_| message.receives >= queue.max_receives) else {
            return Ok(false);
        };
        let Some(grave) = Queue::named(database, dead_letter)? else { return Ok(false) };
        database
            .prepare_cached("UPDATE messages SET queue = ?2, visible = ?3, receipt = NULL, dead = ?4 WHERE seq = ?1")?
            .execute(params![message.seq, grave.id, now, queue.name])?;
        self.shared.changed.notify_waiters();
        Ok(true)
    }
}

fn oldest_of(database: &Connection, queue: &Queue, group: &str, now: i64) -> Result<Option<Stored>, Refusal> {
    let oldest =
        database.prepare_cached(DUE_IN_GROUP)?.query_row(params![queue.id, now, group], Stored::of_row).optional()?;
    Ok(oldest)
}

/// Takes at most ten messages out of others' sight, in one statement, and gives each a token that tells this receive
/// from others.
fn hide(database: &Connection, taken: &[Stored], until: i64, now: i64) -> Result<HashMap<i64, i64>, Refusal> {
    let mut hide = database.prepare_cached(
        "UPDATE messages SET visible = ?1, receives = receives + 1, first = COALESCE(first, ?2), received = ?2, \
         receipt = random() WHERE seq IN (?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12) RETURNING seq, receipt",
    )?;
    let mut values = [None; 12];
    let known = [until, now].into_iter().chain(taken.iter().map(|message| message.seq));
    for (value, known) in values.iter_mut().zip(known) {
        *value = Some(known);
    }
    let tokens = hide.query_map(values, |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(tokens.collect::<Result<_, _>>()?)
}

impl Receive {
    fn check(&self) -> Result<(), Refusal> {
        for (name, value, least, most) in [
            ("MaxNumberOfMessages", self.max_number_of_messages, 1, 10),
            ("WaitTimeSeconds", self.wait_time_seconds, 0, 20),
            ("VisibilityTimeout", self.visibility_timeout, 0, 43_200),
        ] {
            if let Some(value) = value.filter(|value| !(least..=most).contains(value)) {
                let reason = match name {
                    "MaxNumberOfMessages" => format!("Must be between {least} and {most}, if provided."),
                    _ => format!("Must be >= {least} and <= {most}, if provided."),
                };
                return Err(Refusal::invalid(name, value, &reason));
            }
        }
        let mut asked = self.attribute_names.iter().chain(&self.message_system_attribute_names);
        match asked.find(|name| !SYSTEM.contains(&name.as_str())) {
            Some(unknown) => Err(Refusal::attribute_name(format!("Unknown Attribute {unknown}."))),
            None => Ok(()),
        }
    }

    fn asks_for(&self, system: &str) -> bool {
        let mut asked = self.attribute_names.iter().chain(&self.message_system_attribute_names);
        asked.any(|name| name == system || name == "All")
    }

    fn asks_for_attribute(&self, name: &str) -> bool {
        self.message_attribute_names.iter().any(|asked| match asked.strip_suffix(".*") {
            Some(prefix) => name.starts_with(prefix),
            None => asked == name || asked == "All",
        })
    }
}

impl Stored {
    fn of_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            seq: row.get(0)?,
            id: row.get(1)?,
            body: row.get(2)?,
            sum: row.get(3)?,
            attributes: row.get(4)?,
            trace: row.get(5)?,
            group: row.get(6)?,
            dead: row.get(7)?,
            sent: row.get(8)?,
            receives: row.get(9)?,
            first: row.get(10)?,
        })
    }

    fn tell(self, receipt: Receipt, request: &Receive, now: i64) -> Result<Told, Refusal> {
        let attributes = [
            ("AWSTraceHeader", self.trace),
            ("ApproximateFirstReceiveTimestamp", Some(self.first.unwrap_or(now).to_string())),
            ("ApproximateReceiveCount", Some((self.receives + 1).to_string())),
            ("DeadLetterQueueSourceArn", self.dead.as_deref().map(arn)),
            ("MessageGroupId", self.group),
            ("SenderId", Some("AIDALOCAL".to_owned())),
            ("SentTimestamp", Some(self.sent.to_string())),
        ];
        let asked = attributes.into_iter().filter(|(name, _)| request.asks_for(name));
        let mut message_attributes: BTreeMap<String, Attribute> = match &self.attributes {
            Some(attributes) if !request.message_attribute_names.is_empty() => serde_json::from_str(attributes)?,
            _ => BTreeMap::new(),
        };
        message_attributes.retain(|name, _| request.asks_for_attribute(name));
        Ok(Told {
            message_id: self.id,
            receipt_handle: receipt.handle(),
            sum: self.sum,
            body: self.body,
            attributes: asked.filter_map(|(name, value)| Some((name, value?))).collect(),
            sum_of_attributes: sum_of_attributes(&message_attributes),
            message_attributes,
        })
    }
}

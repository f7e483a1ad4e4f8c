//! Dead letters go back to where they came from.

use rusqlite::{Connection, params};
use serde::Deserialize;
use serde_json::{Value, json};

use super::queue::{Queue, arn};
use super::send::new_id;
use super::{Refusal, Sqs};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Move {
    source_arn: Option<String>,
    destination_arn: Option<String>,
    max_number_of_messages_per_second: Option<i64>,
    max_results: Option<i64>,
}

impl Move {
    fn source(&self, database: &Connection) -> Result<Queue, Refusal> {
        let arn = self.source_arn.as_deref().ok_or_else(|| Refusal::missing("SourceArn"))?;
        let missing =
            || Refusal::resource("The resource that you specified for the SourceArn parameter doesn't exist.");
        Queue::by_arn(database, arn)?.ok_or_else(missing)
    }
}

impl Sqs {
    /// AWS takes its time; here the task is over when it is answered.
    pub(super) fn start_move(&self, body: &[u8]) -> Result<Value, Refusal> {
        let request: Move = serde_json::from_slice(body)?;
        let task = self.write(|database| {
            let now = self.now();
            let source = request.source(database)?;
            let has_sources: bool = database.query_row(
                "SELECT EXISTS (SELECT 1 FROM queues WHERE dead_letter = ?1)",
                [&source.name],
                |row| row.get(0),
            )?;
            if !has_sources {
                return Err(Refusal::value("Source queue must be configured as a Dead Letter Queue."));
            }
            if let Some(rate) = request.max_number_of_messages_per_second.filter(|rate| !(1..=500).contains(rate)) {
                return Err(Refusal::invalid("MaxNumberOfMessagesPerSecond", rate, "Must be between 1 and 500."));
            }
            let destination = match request.destination_arn.as_deref() {
                None => None,
                Some(arn) => Some(Queue::by_arn(database, arn)?.ok_or_else(|| {
                    Refusal::resource("The resource that you specified for the DestinationArn parameter doesn't exist.")
                })?),
            };
            let moved = move_visible(database, &source, destination.as_ref(), now)?;
            database.execute(
                "INSERT INTO moves (source, destination, moved, started) VALUES (?1, ?2, ?3, ?4)",
                params![source.name, request.destination_arn, moved, now],
            )?;
            Ok(json!({ "TaskHandle": format!("task-{}", database.last_insert_rowid()) }))
        });
        self.shared.changed.notify_waiters();
        task
    }

    pub(super) fn list_moves(&self, body: &[u8]) -> Result<Value, Refusal> {
        let request: Move = serde_json::from_slice(body)?;
        let most = request.max_results.unwrap_or(1);
        if !(1..=10).contains(&most) {
            return Err(Refusal::invalid("MaxResults", most, "Must be between 1 and 10."));
        }
        let database = self.database();
        let source = request.source(&database)?;
        let mut list = database.prepare_cached(
            "SELECT destination, moved, started FROM moves WHERE source = ?1 ORDER BY id DESC LIMIT ?2",
        )?;
        let moves = list.query_map(params![source.name, most], |row| {
            let (destination, moved, started): (Option<String>, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
            let mut told = json!({
                "Status": "COMPLETED",
                "SourceArn": arn(&source.name),
                "ApproximateNumberOfMessagesMoved": moved,
                "ApproximateNumberOfMessagesToMove": moved,
                "StartedTimestamp": started,
            });
            if let Some(destination) = destination {
                told["DestinationArn"] = json!(destination);
            }
            Ok(told)
        })?;
        Ok(json!({ "Results": moves.collect::<Result<Vec<_>, _>>()? }))
    }
}

/// Moves the messages that nobody has in flight, and tells how many. Each is a new message afterwards.
fn move_visible(
    database: &Connection,
    source: &Queue,
    destination: Option<&Queue>,
    now: i64,
) -> Result<usize, Refusal> {
    let mut find = database.prepare(
        "SELECT m.seq, q.id FROM messages m LEFT JOIN queues q ON q.name = m.dead \
         WHERE m.queue = ?1 AND m.visible <= ?2 AND m.sent > ?3",
    )?;
    let found = find.query_map([source.id, now, now - source.retention * 1000], |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, Option<i64>>(1)?))
    })?;
    let mut moved = 0;
    for (seq, origin) in found.collect::<Result<Vec<_>, _>>()? {
        // What was sent to the dead-letter queue itself, or whose queue is gone, has no place to go back to.
        let Some(to) = destination.map(|queue| queue.id).or(origin) else { continue };
        database
            .prepare_cached(
                "UPDATE messages SET queue = ?2, id = ?3, sent = ?4, visible = ?4, receives = 0, first = NULL, \
                 received = NULL, receipt = NULL, dead = NULL WHERE seq = ?1",
            )?
            .execute(params![seq, to, new_id()?, now])?;
        moved += 1;
    }
    Ok(moved)
}

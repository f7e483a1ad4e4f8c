//! Queues: made, looked up, changed, emptied, deleted.

use std::collections::BTreeMap;

use rusqlite::{OptionalExtension, params};
use serde::Deserialize;
use serde_json::{Value, json};

use super::queue::{Queue, check_name};
use super::{Refusal, Sqs};

/// After a deletion, and between two purges, AWS wants so many milliseconds to pass.
const PAUSE: i64 = 60_000;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    queue_name: Option<String>,
    queue_url: Option<String>,
    #[serde(default)]
    attributes: BTreeMap<String, String>,
    #[serde(default)]
    attribute_names: Vec<String>,
    queue_name_prefix: Option<String>,
    max_results: Option<i64>,
    next_token: Option<String>,
}

impl Sqs {
    pub(super) fn create_queue(&self, body: &[u8]) -> Result<Value, Refusal> {
        let request: Request = serde_json::from_slice(body)?;
        let name = request.queue_name.ok_or_else(|| Refusal::missing("QueueName"))?;
        check_name(&name)?;
        self.write(|database| {
            let now = self.now();
            if let Some(known) = Queue::named(database, &name)? {
                // Only what the request says is compared, and the same again is no conflict.
                let mut asked = known.clone();
                asked.set(database, &request.attributes, now)?;
                return match known.differs(&asked) {
                    None => Ok(json!({ "QueueUrl": known.url() })),
                    Some(attribute) => Err(Refusal::name_taken(format!(
                        "A queue already exists with the same name and a different value for attribute {attribute}"
                    ))),
                };
            }
            let deleted: Option<i64> = database
                .prepare_cached("SELECT at FROM deleted WHERE name = ?1")?
                .query_row([&name], |row| row.get(0))
                .optional()?;
            if deleted.is_some_and(|at| now < at + PAUSE) {
                return Err(Refusal::deleted_recently(
                    "You must wait 60 seconds after deleting a queue before you can create another with the same name.",
                ));
            }
            let mut queue = Queue::new(name, now);
            queue.set(database, &request.attributes, now)?;
            queue.save(database)?;
            Ok(json!({ "QueueUrl": queue.url() }))
        })
    }

    pub(super) fn get_queue_url(&self, body: &[u8]) -> Result<Value, Refusal> {
        let request: Request = serde_json::from_slice(body)?;
        let name = request.queue_name.ok_or_else(|| Refusal::missing("QueueName"))?;
        let queue = Queue::named(&self.database(), &name)?.ok_or_else(Refusal::no_queue)?;
        Ok(json!({ "QueueUrl": queue.url() }))
    }

    pub(super) fn get_queue_attributes(&self, body: &[u8]) -> Result<Value, Refusal> {
        let request: Request = serde_json::from_slice(body)?;
        let database = self.database();
        let queue = Queue::at(&database, request.queue_url.as_deref())?;
        Ok(json!({ "Attributes": queue.attributes(&database, &request.attribute_names, self.now())? }))
    }

    pub(super) fn set_queue_attributes(&self, body: &[u8]) -> Result<Value, Refusal> {
        let request: Request = serde_json::from_slice(body)?;
        let set = self.write(|database| {
            let mut queue = Queue::at(database, request.queue_url.as_deref())?;
            if request.attributes.is_empty() {
                return Err(Refusal::missing("Attribute.Name"));
            }
            queue.set(database, &request.attributes, self.now())?;
            queue.save(database)?;
            Ok(json!({}))
        });
        self.shared.changed.notify_waiters();
        set
    }

    pub(super) fn list_queues(&self, body: &[u8]) -> Result<Value, Refusal> {
        let request: Request = serde_json::from_slice(body)?;
        let most = request.max_results.unwrap_or(1000);
        if !(1..=1000).contains(&most) {
            return Err(Refusal::invalid("MaxResults", most, "Must be an integer between 1 and 1000."));
        }
        let prefix = request.queue_name_prefix.unwrap_or_default();
        let after = request.next_token.unwrap_or_default();
        let database = self.database();
        let mut list = database.prepare_cached(
            "SELECT name FROM queues WHERE name > ?1 AND substr(name, 1, length(?2)) = ?2 ORDER BY name LIMIT ?3",
        )?;
        let names = list.query_map(params![after, prefix, most + 1], |row| row.get(0))?;
        let mut names = names.collect::<Result<Vec<String>, _>>()?;
        let more = names.len() as i64 > most;
        names.truncate(most.unsigned_abs() as usize);
        let urls: Vec<_> = names.iter().map(|name| Queue::new(name.clone(), 0).url()).collect();
        let mut told = json!({ "QueueUrls": urls });
        // Without a number asked for AWS gives a thousand and no way on.
        if more && request.max_results.is_some() {
            told["NextToken"] = json!(names.last());
        }
        Ok(told)
    }

    pub(super) fn purge_queue(&self, body: &[u8]) -> Result<Value, Refusal> {
        let request: Request = serde_json::from_slice(body)?;
        self.write(|database| {
            let mut queue = Queue::at(database, request.queue_url.as_deref())?;
            let now = self.now();
            if now < queue.purged + PAUSE {
                return Err(Refusal::purging(format!(
                    "Only one PurgeQueue operation on {} is allowed every 60 seconds.",
                    queue.name
                )));
            }
            queue.purged = now;
            queue.save(database)?;
            database.execute("DELETE FROM messages WHERE queue = ?1", [queue.id])?;
            Ok(json!({}))
        })
    }

    pub(super) fn delete_queue(&self, body: &[u8]) -> Result<Value, Refusal> {
        let request: Request = serde_json::from_slice(body)?;
        let deleted = self.write(|database| {
            let queue = Queue::at(database, request.queue_url.as_deref())?;
            database.execute("DELETE FROM messages WHERE queue = ?1", [queue.id])?;
            database.execute("DELETE FROM queues WHERE id = ?1", [queue.id])?;
            database.execute("INSERT OR REPLACE INTO deleted VALUES (?1, ?2)", params![queue.name, self.now()])?;
            Ok(json!({}))
        });
        self.shared.changed.notify_waiters();
        deleted
    }
}

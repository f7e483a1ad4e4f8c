//! Batches: up to ten entries, of which each succeeds or fails by itself.

use std::collections::HashSet;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Refusal;

/// A batch of some operation.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", bound = "T: serde::de::DeserializeOwned")]
pub(super) struct Batch<T> {
    pub(super) queue_url: Option<String>,
    #[serde(default)]
    pub(super) entries: Vec<Entry<T>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", bound = "T: serde::de::DeserializeOwned")]
pub(super) struct Entry<T> {
    id: Option<String>,
    #[serde(flatten)]
    pub(super) of: T,
}

impl<T> Batch<T> {
    /// Holds the batch as a whole to AWS's rules, and gives its entries with their names.
    pub(super) fn check(self, kind: &str) -> Result<Vec<(String, T)>, Refusal> {
        if self.entries.is_empty() {
            let message = format!("There should be at least one {kind}BatchRequestEntry in the request.");
            return Err(Refusal::empty_batch(message));
        }
        let count = self.entries.len();
        if count > 10 {
            let message = format!("Maximum number of entries per request are 10. You have sent {count}.");
            return Err(Refusal::batch_size(message));
        }
        let mut seen = HashSet::new();
        let mut entries = Vec::with_capacity(count);
        for entry in self.entries {
            let id = entry.id.ok_or_else(|| Refusal::missing(&format!("{kind}BatchRequestEntry.1.Id")))?;
            let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
            if id.is_empty() || id.len() > 80 || !id.chars().all(allowed) {
                return Err(Refusal::batch_id(
                    "A batch entry id can only contain alphanumeric characters, hyphens and underscores. \
                     It can be at most 80 letters long.",
                ));
            }
            if !seen.insert(id.clone()) {
                return Err(Refusal::batch_ids(format!("Id {id} repeated.")));
            }
            entries.push((id, entry.of));
        }
        Ok(entries)
    }
}

/// What became of the entries of a batch.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    successful: Vec<Value>,
    failed: Vec<Value>,
}

impl Outcome {
    /// Notes what became of an entry. A fault of the engine is one of all of them.
    pub(super) fn note(&mut self, id: &str, done: Result<Value, Refusal>) -> Result<(), Refusal> {
        match done {
            Ok(mut told) => {
                told["Id"] = json!(id);
                self.successful.push(told);
            }
            Err(refusal) if refusal.is_senders() => self.failed.push(json!({
                "Id": id, "SenderFault": true, "Code": refusal.code, "Message": refusal.message,
            })),
            Err(broken) => return Err(broken),
        }
        Ok(())
    }

    pub(super) fn answer(self) -> Value {
        json!({ "Successful": self.successful, "Failed": self.failed })
    }
}

/// Takes every second entry out of a batch, from the first on: what is left of it, if anything is, and what to say of
/// those that were taken out. Nothing if the body is no batch.
pub(crate) fn fail_some(body: &[u8]) -> Option<(Option<Bytes>, Vec<Value>)> {
    let mut batch: Value = serde_json::from_slice(body).ok()?;
    let entries = batch.get_mut("Entries")?.as_array_mut()?;
    let mut failed = Vec::new();
    let mut nth = 0;
    entries.retain(|entry| {
        nth += 1;
        let fails = nth % 2 == 1;
        if fails {
            failed.push(json!({
                "Id": entry["Id"], "SenderFault": false, "Code": "InternalError",
                "Message": "We encountered an internal error. Please try again.",
            }));
        }
        !fails
    });
    let rest = (!entries.is_empty()).then(|| Bytes::from(batch.to_string()));
    Some((rest, failed))
}

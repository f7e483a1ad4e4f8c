//! Which requests under an idempotency key have changed a document in the last day. They stand in its own item, written
//! with it: a request that is carried out again finds itself there, and is not applied over what was saved in between.

use std::time::Duration;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use contract::Time;
use contract::id::EventId;
use uuid::Uuid;

use crate::author::Author;
use crate::change::Change;
use crate::dynamo::{Item, get_bytes};

/// As long as an idempotency key holds.
const RETENTION: Duration = Duration::from_secs(24 * 3600);
/// A document that is changed more often than this while one of its requests is tried again may forget that one.
const MAX_EVENTS: usize = 16;
/// Bytes of an event's unique part.
const ID: usize = 16;

/// The events of requests, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Applied(Vec<u8>);

impl Applied {
    pub(crate) fn of(item: &Item) -> Self {
        Self(get_bytes(item, "applied").unwrap_or_default().to_vec())
    }

    pub(crate) fn contains(&self, event: EventId) -> bool {
        self.0.chunks_exact(ID).any(|id| id == event.unique().as_bytes())
    }

    /// These and the author's own event, if the author can come again.
    pub(crate) fn and(&self, author: &Author, event: EventId) -> Self {
        if !author.is_keyed() {
            return self.clone();
        }
        let is_kept = |id: &&[u8]| made_at(id).is_some_and(|at| at.plus(RETENTION) > author.at());
        let kept: Vec<&[u8]> = self.0.chunks_exact(ID).filter(is_kept).collect();
        let newest = kept.iter().skip((kept.len() + 1).saturating_sub(MAX_EVENTS)).copied();
        Self(newest.chain([event.unique().as_bytes().as_slice()]).flatten().copied().collect())
    }

    /// These and then the `newer` ones of the same document.
    pub(crate) fn followed_by(&self, newer: &Self) -> Self {
        let all = [self.0.as_slice(), &newer.0].concat();
        let first = all.len().saturating_sub(MAX_EVENTS * ID);
        Self(all[first..].to_vec())
    }

    /// Puts them on the change of their document.
    pub(crate) fn on(&self, change: Change) -> Change {
        if self.0.is_empty() { change } else { change.set("applied", AttributeValue::B(Blob::new(self.0.clone()))) }
    }
}

/// When an event was made, as its identifier says.
fn made_at(id: &[u8]) -> Option<Time> {
    let (seconds, nanos) = Uuid::from_slice(id).ok()?.get_timestamp()?.to_unix();
    Some(Time::from_millis(i64::try_from(seconds * 1000 + u64::from(nanos) / 1_000_000).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::author::{RequestInfo, Seed};

    fn author(at: i64) -> Author {
        let info = RequestInfo { address: None, agent: String::new(), request_id: String::new() };
        Author::new("key_1", &info, Seed::new(Time::from_millis(at)))
    }

    #[test]
    fn the_newest_of_the_last_day_are_kept() {
        let (mut applied, mut events) = (Applied::default(), Vec::new());
        let day = i64::try_from(RETENTION.as_millis()).unwrap();
        for at in 0..40 {
            let author = author(day + at).keyed(false);
            events.push(author.event());
            applied = applied.and(&author, events[events.len() - 1]);
        }
        let kept: Vec<bool> = events.iter().map(|event| applied.contains(*event)).collect();
        assert_eq!(kept, [[false; 24].as_slice(), &[true; 16]].concat());
        let later = author(2 * day + 30).keyed(false);
        let applied = applied.and(&later, later.event());
        assert_eq!(events.iter().filter(|event| applied.contains(**event)).count(), 9);
    }

    #[test]
    fn who_can_not_come_again_is_not_kept() {
        let author = author(0);
        assert_eq!(Applied::default().and(&author, author.event()), Applied::default());
    }
}

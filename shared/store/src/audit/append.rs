//! Lines added to a day's chain: each in one transaction with the head, which says how many there are and how they end, by
//! condition that both are as they were read. Of several that add at once, over any number of instances, one comes first and
//! the others begin anew; a line that is there already is left out, so that what the stream repeats is written once.

use contract::Error;
use contract::audit::Entry;
use contract::id::AuditId;

use crate::Store;
use crate::change::Change;
use crate::dynamo::{back_off, get_number, get_text, must, number, text};
use crate::keys;

/// Lines in one transaction, which has a hundred parts: the head, whose day it is, and these.
const MOST: usize = 90;
/// Their bytes: a transaction has 4 MB.
const MOST_BYTES: usize = 3 * 1024 * 1024;
/// How often it is tried against others.
const ROUNDS: u32 = 20;

/// A chain, as far as it has come.
struct Head {
    sequence: u64,
    hash: String,
    is_new: bool,
}

/// A line as it is stored.
struct Line {
    id: AuditId,
    text: String,
    hash: String,
}

impl Store {
    /// Adds lines to a day of a log, in their order, each once.
    pub(super) async fn append(&self, whose: &str, day: &str, mut entries: Vec<Entry>) -> Result<(), Error> {
        let mut round = 0;
        while !entries.is_empty() {
            let head = self.audit_head(whose, day).await?;
            let (lines, changes) = self.link(whose, day, &head, &entries)?;
            match self.commit_or_see(&changes).await? {
                Ok(()) => {
                    entries.drain(..lines.len());
                    round = 0;
                }
                Err(unmet) => {
                    // The first change is the head's, then come the lines.
                    let there: Vec<_> = unmet.iter().filter_map(|unmet| lines.get(unmet.at.checked_sub(1)?)).collect();
                    entries.retain(|entry| there.iter().all(|line| line.id != entry.id));
                    round += 1;
                    if there.is_empty() {
                        back_off(round).await;
                    }
                }
            }
            if round > ROUNDS {
                return Err(Error::unavailable("others add to the same day of an audit log each time"));
            }
        }
        Ok(())
    }

    async fn audit_head(&self, whose: &str, day: &str) -> Result<Head, Error> {
        let Some(item) = self.get(&keys::audit_head(whose, day)).await? else {
            return Ok(Head { sequence: 0, hash: auth::audit_chain::beginning(whose, day), is_new: true });
        };
        let sequence = must(get_number(&item, "sequence"), "sequence")?;
        Ok(Head { sequence, hash: must(get_text(&item, "hash"), "hash")?.to_owned(), is_new: false })
    }

    /// The next lines of a chain, and the changes that write them.
    fn link(&self, whose: &str, day: &str, head: &Head, entries: &[Entry]) -> Result<(Vec<Line>, Vec<Change>), Error> {
        let (mut lines, mut bytes) = (Vec::new(), 0);
        let (mut sequence, mut previous) = (head.sequence, head.hash.clone());
        for entry in entries.iter().take(MOST) {
            let line = Line::of(entry, sequence + 1, &previous)?;
            bytes += line.text.len();
            if bytes > MOST_BYTES && !lines.is_empty() {
                break;
            }
            (sequence, previous) = (sequence + 1, line.hash.clone());
            lines.push(line);
        }
        let Some(at) = entries.first().map(|entry| entry.at) else { return Ok((lines, Vec::new())) };
        let ttl = number(self.audit_retention().ends(at).seconds());
        let next = Change::update(keys::audit_head(whose, day))
            .set("sequence", number(sequence))
            .set("hash", text(&previous))
            .set("ttl", ttl.clone());
        let mut changes = vec![if head.is_new {
            next.when_absent()
        } else {
            next.when("#hash = :before").with(":before", text(&head.hash))
        }];
        for line in &lines {
            let put = Change::put(keys::audit_entry(whose, day, line.id));
            let put = put.set("doc", text(&line.text)).set("hash", text(&line.hash)).set("ttl", ttl.clone());
            changes.push(put.when_absent());
        }
        if head.is_new {
            changes.push(Change::put(keys::audit_day(day, whose)).set("ttl", ttl));
        }
        Ok((lines, changes))
    }
}

impl Line {
    fn of(entry: &Entry, sequence: u64, previous: &str) -> Result<Self, Error> {
        let linked = Entry { sequence, previous: previous.to_owned(), hash: String::new(), ..entry.clone() };
        let text = serde_json::to_string(&linked).map_err(Error::internal)?;
        // What people wrote may hold a credential by mistake.
        let text = auth::mask(&text).into_owned();
        let hash = auth::audit_chain::hash(&text);
        Ok(Self { id: entry.id, text, hash })
    }
}

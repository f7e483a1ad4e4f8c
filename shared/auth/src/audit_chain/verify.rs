//! Whether lines of the audit log are whole: none altered, none missing, none too many.

use std::collections::BTreeMap;
use std::fmt;

use crate::Sha256;
use contract::audit::{Action, DayEnd, ExportEnd};
use serde::Deserialize;

use super::{DEPLOYMENT, beginning, hash, split};

/// What is wrong with a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// A line is none of a log.
    Unreadable {
        /// Where it is.
        line: u64,
    },
    /// A line is not as it was written.
    Altered {
        /// Where it is.
        line: u64,
        /// Its identifier, as it says.
        id: String,
    },
    /// Lines are not there.
    Missing {
        /// The day that they are of.
        day: Day,
        /// The number of the first one.
        first: u64,
        /// The number of the last one.
        last: u64,
    },
    /// A line is there again, or another one in its place.
    Repeated {
        /// Where it is.
        line: u64,
        /// The day that it is of.
        day: Day,
        /// Its number.
        number: u64,
    },
    /// A line does not follow the one before it: one of them is another than was written.
    Unlinked {
        /// Where it is.
        line: u64,
        /// The day that it is of.
        day: Day,
        /// Its number.
        number: u64,
    },
    /// A day does not end as it should: its lines were written anew.
    OtherEnd {
        /// The day.
        day: Day,
    },
    /// A day is not where it should be: it is not named at the end, or was gone on with after others.
    Misplaced {
        /// Where it begins.
        line: u64,
        /// The day.
        day: Day,
    },
    /// The last line is not there: the export was cut off.
    CutOff,
    /// Something stands after the last line.
    Beyond {
        /// Where.
        line: u64,
    },
    /// What stands before the last line is not what it was, though every line of it is right.
    OtherText,
}

/// A client's day.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day {
    /// The client's identifier, or `deployment`.
    pub whose: String,
    /// `YYYY-MM-DD`, in UTC.
    pub day: String,
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.day, self.whose)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable { line } => write!(f, "line {line} is no line of an audit log"),
            Self::Altered { line, id } => write!(f, "line {line} ({id}) was altered: its hash is another"),
            Self::Missing { day, first, last } if first == last => {
                write!(f, "a line is missing: number {first} of {day}")
            }
            Self::Missing { day, first, last } => write!(f, "lines are missing: numbers {first} to {last} of {day}"),
            Self::Repeated { line, day, number } => write!(f, "line {line}: there is another number {number} of {day}"),
            Self::Unlinked { line, day, number } => {
                write!(f, "line {line}, number {number} of {day}, does not follow the one before it: one was replaced")
            }
            Self::OtherEnd { day } => write!(f, "{day} does not end as it was recorded: its lines were written anew"),
            Self::Misplaced { line, day } => write!(f, "line {line}: {day} does not belong here"),
            Self::CutOff => f.write_str("the last line is missing, which says what was exported: it was cut off"),
            Self::Beyond { line } => write!(f, "line {line} stands after the last line"),
            Self::OtherText => f.write_str("the lines are right, and yet not those that were exported"),
        }
    }
}

/// What there is in a log, and what is wrong with it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// How many lines were right by themselves.
    pub entries: u64,
    /// How many days they are of.
    pub days: u64,
    /// What is wrong, in the order of the lines.
    pub faults: Vec<Fault>,
}

/// A line, as far as it counts here.
struct Link {
    line: u64,
    number: u64,
    previous: String,
    hash: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Facts {
    id: String,
    at: String,
    client_id: Option<String>,
    action: String,
    #[serde(default)]
    sequence: u64,
    previous: String,
}

/// Reads a log line by line. In memory it keeps the links of one day.
pub struct Verifier {
    lines: u64,
    open: Option<(Day, Vec<Link>)>,
    /// Those that were read, and how they end.
    read: BTreeMap<Day, DayEnd>,
    whole: Sha256,
    end: Option<ExportEnd>,
    report: Report,
}

impl Default for Verifier {
    fn default() -> Self {
        Self::new()
    }
}

impl Verifier {
    /// Before the first line.
    #[must_use]
    pub fn new() -> Self {
        let (read, report) = (BTreeMap::new(), Report::default());
        Self { lines: 0, open: None, read, whole: Sha256::default(), end: None, report }
    }

    /// Takes the next line, without its end of line.
    pub fn line(&mut self, text: &str) {
        self.lines += 1;
        let line = self.lines;
        if self.end.is_some() {
            return self.fault(Fault::Beyond { line });
        }
        let found = split(text)
            .and_then(|(before, sealed)| Some((serde_json::from_str::<Facts>(text).ok()?, before, sealed.to_owned())));
        let Some((facts, before, sealed)) = found else {
            self.absorb(text);
            return self.fault(Fault::Unreadable { line });
        };
        let altered = hash(&before) != sealed;
        if altered {
            self.fault(Fault::Altered { line, id: facts.id.clone() });
        }
        if facts.action == Action::AuditLogExported.name()
            && let Ok(end) = serde_json::from_str::<ExportEnd>(text)
        {
            self.close(None);
            self.check_end(&end, !altered && end.previous != self.whole.so_far());
            self.end = Some(end);
            return;
        }
        self.absorb(text);
        let day = Day {
            whose: facts.client_id.unwrap_or_else(|| DEPLOYMENT.to_owned()),
            day: facts.at.get(..10).unwrap_or_default().to_owned(),
        };
        if self.open.as_ref().is_none_or(|(open, _)| *open != day) {
            self.close(None);
            if self.read.contains_key(&day) {
                self.fault(Fault::Misplaced { line, day: day.clone() });
            }
            self.open = Some((day, Vec::new()));
        }
        if !altered {
            self.report.entries += 1;
        }
        if let Some((_, links)) = &mut self.open {
            links.push(Link { line, number: facts.sequence, previous: facts.previous, hash: sealed });
        }
    }

    /// The end of an export.
    #[must_use]
    pub fn end(mut self) -> Report {
        if self.end.is_none() {
            self.close(None);
            self.fault(Fault::CutOff);
        }
        self.report
    }

    /// The end of what is stored of one day, which is known to end so.
    #[must_use]
    pub fn end_of_day(mut self, day: Day, known: &DayEnd) -> Report {
        if self.open.is_none() {
            self.open = Some((day, Vec::new()));
        }
        self.close(Some(known));
        self.report
    }

    fn absorb(&mut self, text: &str) {
        self.whole.update(text.as_bytes());
        self.whole.update(b"\n");
    }

    fn fault(&mut self, fault: Fault) {
        self.report.faults.push(fault);
    }

    /// Looks at the links of the day that was read last.
    fn close(&mut self, known: Option<&DayEnd>) {
        let Some((day, mut links)) = self.open.take() else { return };
        links.sort_by_key(|link| (link.number, link.line));
        let (mut number, mut last) = (0, Some(beginning(&day.whose, &day.day)));
        for link in &links {
            if link.number <= number {
                self.fault(Fault::Repeated { line: link.line, day: day.clone(), number: link.number });
                continue;
            }
            if link.number > number + 1 {
                self.fault(Fault::Missing { day: day.clone(), first: number + 1, last: link.number - 1 });
                last = None;
            }
            if last.is_some_and(|last| last != link.previous) {
                self.fault(Fault::Unlinked { line: link.line, day: day.clone(), number: link.number });
            }
            (number, last) = (link.number, Some(link.hash.clone()));
        }
        let end = DayEnd { day: day.day.clone(), entries: number, hash: last.unwrap_or_default() };
        if let Some(known) = known {
            self.compare(&day, &end, known);
        }
        self.report.days += 1;
        self.read.insert(day, end);
    }

    fn compare(&mut self, day: &Day, end: &DayEnd, known: &DayEnd) {
        if end.entries < known.entries {
            self.fault(Fault::Missing { day: day.clone(), first: end.entries + 1, last: known.entries });
        } else if end != known {
            self.fault(Fault::OtherEnd { day: day.clone() });
        }
    }

    /// Holds what was read against what the last line says.
    fn check_end(&mut self, end: &ExportEnd, other_text: bool) {
        let whose = end.client_id.map_or_else(|| DEPLOYMENT.to_owned(), |client| client.to_string());
        let mut read = std::mem::take(&mut self.read);
        for known in &end.days {
            let day = Day { whose: whose.clone(), day: known.day.clone() };
            let found = read.remove(&day);
            let none = DayEnd { day: known.day.clone(), entries: 0, hash: String::new() };
            self.compare(&day, &found.unwrap_or(none), known);
        }
        for day in read.into_keys() {
            self.fault(Fault::Misplaced { line: self.lines, day });
        }
        if other_text && self.report.faults.is_empty() {
            self.fault(Fault::OtherText);
        }
    }
}

#[cfg(test)]
mod tests;

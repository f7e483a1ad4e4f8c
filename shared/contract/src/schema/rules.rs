//! The rules of a field, as they are kept: what was given and nothing else.

use std::cmp::Ordering;
use std::sync::OnceLock;

use jiff::SignedDuration;
use jiff::civil::Date;
use regex::{Regex, RegexBuilder};
use regex_automata::nfa::thompson::NFA;
use serde::{Serialize, Serializer};
use serde_json::{Number, Value};

use super::{FieldType, formats, number};
use crate::problem::Broken;

/// The order of the members is the canonical one.
#[derive(Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Rules {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) required: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) min_length: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) max_length: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) pattern: Option<Pattern>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) min: Option<Point>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) max: Option<Point>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) integer: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) options: Option<Vec<Choice>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) min_items: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) max_items: Option<usize>,
}

impl Rules {
    /// The bytes on the heap.
    pub(super) fn weight(&self) -> usize {
        let options: usize = self.options.iter().flatten().map(Choice::weight).sum();
        options + self.pattern.as_ref().map_or(0, Pattern::weight)
    }
}

/// An option, in the form in which it was given.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub(super) enum Choice {
    Bare(String),
    Labelled { value: String, label: String },
}

impl Choice {
    fn weight(&self) -> usize {
        size_of::<Self>()
            + match self {
                Self::Bare(value) => value.len(),
                Self::Labelled { value, label } => value.len() + label.len(),
            }
    }

    pub(super) fn value(&self) -> &str {
        match self {
            Self::Bare(value) | Self::Labelled { value, .. } => value,
        }
    }
}

/// A value that has an order: of a `number`, a `date` or a `datetime`. The texts are kept as they were written.
#[derive(Debug, PartialEq)]
pub(super) enum Point {
    Number(Number),
    Date(String, Date),
    Instant(String, SignedDuration),
}

impl Point {
    /// Reads a value of a type that has an order.
    pub(super) fn read(field_type: FieldType, value: &Value) -> Result<Self, Broken> {
        if field_type == FieldType::Number {
            return match value {
                Value::Number(number) if number.as_f64().is_some_and(f64::is_finite) => {
                    Ok(Self::Number(number.clone()))
                }
                _ => Err(Broken::new("wrong_type", "Must be a number.")),
            };
        }
        let Some(text) = value.as_str() else { return Err(Broken::new("wrong_type", "Must be a string.")) };
        if field_type == FieldType::Date {
            let date = formats::date(text);
            return date
                .map(|date| Self::Date(text.to_owned(), date))
                .ok_or_else(|| Broken::new("invalid_date", "Must be an existing date, written YYYY-MM-DD."));
        }
        formats::instant(text).map(|instant| Self::Instant(text.to_owned(), instant)).ok_or_else(|| {
            Broken::new("invalid_datetime", "Must be an RFC 3339 time with its offset, like 2026-01-31T09:30:00Z.")
        })
    }

    /// The order of two points of one type.
    pub(super) fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Number(left), Self::Number(right)) => number::compare(left, right),
            (Self::Date(_, left), Self::Date(_, right)) => left.cmp(right),
            (Self::Instant(_, left), Self::Instant(_, right)) => left.cmp(right),
            _ => Ordering::Equal,
        }
    }
}

impl std::fmt::Display for Point {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Number(number) => number.fmt(formatter),
            Self::Date(text, _) | Self::Instant(text, _) => text.fmt(formatter),
        }
    }
}

impl Serialize for Point {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Number(number) => number.serialize(serializer),
            Self::Date(text, _) | Self::Instant(text, _) => text.serialize(serializer),
        }
    }
}

/// A regular expression that is cheap to compile and takes linear time to match. It is compiled when it is first asked
/// for: most of what is read from the store never is.
#[derive(Debug)]
pub(super) struct Pattern {
    source: String,
    compiled: OnceLock<Result<Compiled, Broken>>,
}

#[derive(Debug)]
struct Compiled {
    regex: Regex,
    /// What a byte of a text can cost at the most.
    states: usize,
}

impl Pattern {
    /// The program's size bounds the steps that each character of a value can cost.
    const PROGRAM_BYTES: usize = 256 * 1_024;
    const NESTING: u32 = 50;
    // `\w` is Unicode's, of which a few repetitions fill the program.
    const TOO_LARGE: &str = "it is too large once compiled. Count with minLength and maxLength, or write \
        [0-9A-Za-z_] in place of \\w";

    pub(super) const fn new(source: String) -> Self {
        Self { source, compiled: OnceLock::new() }
    }

    /// Whether it can be used at all.
    pub(super) fn broken(&self) -> Option<&Broken> {
        self.compiled().as_ref().err()
    }

    fn compiled(&self) -> &Result<Compiled, Broken> {
        self.compiled.get_or_init(|| Self::compile(&self.source))
    }

    fn compile(source: &str) -> Result<Compiled, Broken> {
        let regex = RegexBuilder::new(source)
            .size_limit(Self::PROGRAM_BYTES)
            .dfa_size_limit(Self::PROGRAM_BYTES)
            .nest_limit(Self::NESTING)
            .build();
        let regex = regex.map_err(|error| {
            let why = match error {
                regex::Error::CompiledTooBig(_) => Self::TOO_LARGE.to_owned(),
                // The text draws the pattern and points at the place; its last line says what is wrong.
                other => {
                    let text = other.to_string();
                    let last = text.lines().last().unwrap_or_default();
                    last.trim_start_matches("error: ").trim_end_matches('.').to_owned()
                }
            };
            Broken::new("invalid_pattern", format!("Is not a usable pattern: {why}."))
        })?;
        let states = NFA::new(source).map_or(Self::PROGRAM_BYTES, |nfa| nfa.states().len());
        Ok(Compiled { regex, states })
    }

    /// Whether it matches anywhere in the text.
    pub(super) fn matches(&self, text: &str) -> bool {
        self.compiled().as_ref().is_ok_and(|compiled| compiled.regex.is_match(text))
    }

    /// The steps that matching a text of so many bytes takes at the most, about 10 ns each.
    pub(super) fn steps(&self, bytes: usize) -> usize {
        self.compiled().as_ref().map_or(0, |compiled| compiled.states.saturating_mul(bytes))
    }

    /// The source, and the program that it becomes when it is first matched.
    fn weight(&self) -> usize {
        self.source.len() + Self::PROGRAM_BYTES
    }

    pub(super) fn source(&self) -> &str {
        &self.source
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.source() == other.source()
    }
}

impl Serialize for Pattern {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.source().serialize(serializer)
    }
}

#[cfg(test)]
mod tests {

    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn patterns_that_cost_too_much_are_refused_quickly() {
        let nested = "(".repeat(400) + &")".repeat(400);
        for bad in [
            "(a{1000}){1000}",
            r"\w{5000}",
            "((a{100}){100}){100}",
            "(?:a?){100000}",
            "a(?=b)",
            "a(?!b)",
            "(?<=a)b",
            r"(a)\1",
            "(",
            "[",
            "a{2,1}",
            "*",
            r"\",
            r"\q",
            "(?P<a",
            "[z-a]",
            &nested,
            &r"\pL".repeat(333),
        ] {
            let start = Instant::now();
            let pattern = Pattern::new(bad.to_owned());
            let broken = pattern.broken().unwrap();
            assert_eq!(broken.code, "invalid_pattern", "{bad}");
            assert_eq!(broken.message.lines().count(), 1, "{}", broken.message);
            // Generous: a busy machine and an unoptimised build.
            assert!(start.elapsed() < Duration::from_millis(500), "{bad}: {:?}", start.elapsed());
        }
    }

    #[test]
    fn patterns_match_anywhere() {
        for (pattern, text, matches) in [
            ("b", "abc", true),
            ("^b", "abc", false),
            ("^b$", "a\nb\nc", false),
            ("^(a+)+$", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!", false),
            (r"^\w+@\w+$", "zoë@hedge", true),
            (r"^.{1,200}$", "a", true),
            (r"^[A-Z]{2}-\d{4}$", "AB-0001", true),
            (r"^[0-9A-Za-z_]{1,500}$", "a", true),
            (r"^(?-u:\w){3,20}$", "hedge_row", true),
            ("", "", true),
        ] {
            assert_eq!(Pattern::new(pattern.to_owned()).matches(text), matches, "{pattern}");
        }
    }
}

//! The rules of a field, as they are kept: what was given, but for what says nothing (`"required": false`).

use std::cmp::Ordering;

use jiff::SignedDuration;
use jiff::civil::Date;
use serde::{Serialize, Serializer};
use serde_json::{Number, Value};

use super::pattern::Pattern;
use super::{FieldType, number};
use crate::problem::Broken;
use crate::rfc3339;

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
        options + self.pattern.as_ref().map_or(0, |pattern| pattern.source().len())
    }

    /// Takes out the rules that no value can keep together: which of them is to change, and why.
    pub(super) fn take_contradictions(&mut self, options: Option<usize>) -> Vec<(&'static str, &'static str)> {
        let mut found: Vec<_> = self.bounds_apart().into_iter().collect();
        if !found.is_empty() {
            (self.min, self.max) = (None, None);
        }
        let required = self.required == Some(true);
        if self.min_length.zip(self.max_length).is_some_and(|(min, max)| min > max) {
            found.push(("minLength", "Must not be over maxLength."));
            (self.min_length, self.max_length) = (None, None);
        } else if required && self.max_length == Some(0) {
            found.push(("maxLength", "Must be at least 1 where a value is required."));
            self.max_length = None;
        }
        let before = found.len();
        if self.min_items.zip(self.max_items).is_some_and(|(min, max)| min > max) {
            found.push(("minItems", "Must not be over maxItems."));
        } else if required && self.max_items == Some(0) {
            found.push(("maxItems", "Must be at least 1 where a value is required."));
        }
        if self.min_items.zip(options).is_some_and(|(min, options)| min > options) {
            found.push(("minItems", "Must not be over the number of options."));
        }
        if found.len() > before {
            (self.min_items, self.max_items) = (None, None);
        }
        found
    }

    /// Why nothing lies between `min` and `max`, unless something does.
    fn bounds_apart(&self) -> Option<(&'static str, &'static str)> {
        if self.min.as_ref().zip(self.max.as_ref()).is_some_and(|(min, max)| min.compare(max) == Ordering::Greater) {
            return Some(("min", "Must not be over max."));
        }
        if self.integer != Some(true) {
            return None;
        }
        let number = |point: &Option<Point>| match point {
            Some(Point::Number(number)) => Some(number.clone()),
            _ => None,
        };
        let (min, max) = (number(&self.min), number(&self.max));
        if min.as_ref().is_some_and(|min| number::beyond_safe(min) == Ordering::Greater) {
            return Some(("min", "Must not be over 9007199254740992, the greatest whole number that is taken."));
        }
        if max.as_ref().is_some_and(|max| number::beyond_safe(max) == Ordering::Less) {
            return Some(("max", "Must not be under -9007199254740992, the least whole number that is taken."));
        }
        let (min, max) = min.zip(max)?;
        (!number::integer_between(&min, &max)).then_some(("min", "Must leave a whole number up to max."))
    }
}

/// An option, bare or with a label as it was given; its texts in their normal form.
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
        let Some(text) = value.as_str() else {
            let message = match field_type {
                FieldType::Date => "Must be a string, a date written YYYY-MM-DD.",
                _ => "Must be a string, an RFC 3339 time with its offset, like 2026-01-31T09:30:00Z.",
            };
            return Err(Broken::new("wrong_type", message));
        };
        if field_type == FieldType::Date {
            let date = rfc3339::date(text);
            return date
                .map(|date| Self::Date(text.to_owned(), date))
                .ok_or_else(|| Broken::new("invalid_date", "Must be an existing date, written YYYY-MM-DD."));
        }
        rfc3339::instant(text).map(|instant| Self::Instant(text.to_owned(), instant)).ok_or_else(|| {
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

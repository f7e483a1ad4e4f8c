//! What is wrong with an input, every part of it at once (contract: `validation_failed`).

use std::collections::HashSet;
use std::fmt::Write as _;
use std::ops::ControlFlow;

use deserr::{DeserializeError, ErrorKind, IntoValue, MergeWithError, ValueKind, ValuePointerRef};
use schemars::JsonSchema;
use serde::Serialize;

/// One failure: where (`schema.validation.options[2]`, or a parameter's name), which rule, and a sentence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Problem {
    /// The member, as a path from the body's root, or the name of a parameter.
    pub path: String,
    /// A stable name of the rule that was broken, for example `required` or `too_long`.
    pub code: &'static str,
    /// One sentence for a human.
    pub message: String,
}

/// An input has this many failures at the most: a body of nothing but failures costs no more than that.
const MAX_PROBLEMS: usize = 1000;
/// Characters of a path at the most.
const MAX_PATH: usize = 300;

/// One or more failures of one input, in the order in which they were found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// A list of one.
    #[must_use]
    pub fn one(path: impl Into<String>, code: &'static str, message: impl Into<String>) -> Self {
        let mut problems = Self::default();
        problems.add(path, code, message);
        problems
    }

    /// Adds a failure.
    pub fn add(&mut self, path: impl Into<String>, code: &'static str, message: impl Into<String>) {
        if self.0.len() < MAX_PROBLEMS {
            let path: String = path.into();
            // A name that the caller made up is named, not echoed whole.
            let path = if path.len() > MAX_PATH { path.chars().take(MAX_PATH).chain(['…']).collect() } else { path };
            self.0.push(Problem { path, code, message: message.into() });
        }
    }

    /// Adds all of another list.
    pub fn extend(&mut self, others: Self) {
        self.0.extend(others.0);
        self.0.truncate(MAX_PROBLEMS);
    }

    /// Adds those of another list that are of other places.
    pub fn extend_elsewhere(&mut self, others: Self) {
        let paths: HashSet<String> = self.0.iter().map(|problem| problem.path.clone()).collect();
        self.extend(Self(others.0.into_iter().filter(|other| !paths.contains(&other.path)).collect()));
    }

    /// `Ok(value)` if nothing was found.
    ///
    /// # Errors
    /// The list itself, if it holds anything.
    pub fn or<T>(self, value: T) -> Result<T, Self> {
        if self.0.is_empty() { Ok(value) } else { Err(self) }
    }

    /// Whether nothing was found.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The failures, in order.
    #[must_use]
    pub fn as_slice(&self) -> &[Problem] {
        &self.0
    }
}

/// `a.b[2]` from a base and a member's name; the base may be empty.
#[must_use]
pub fn join(base: &str, member: &str) -> String {
    if base.is_empty() { member.to_owned() } else { format!("{base}.{member}") }
}

/// `a.b[2]` of a place in a body.
pub(crate) fn path_of(location: ValuePointerRef<'_>) -> String {
    fn walk(location: ValuePointerRef<'_>, out: &mut String) {
        match location {
            ValuePointerRef::Origin => {}
            ValuePointerRef::Key { key, prev } => {
                walk(*prev, out);
                if !out.is_empty() {
                    out.push('.');
                }
                out.push_str(key);
            }
            ValuePointerRef::Index { index, prev } => {
                walk(*prev, out);
                let _ = write!(out, "[{index}]");
            }
        }
    }
    let mut out = String::new();
    walk(location, &mut out);
    out
}

fn kind_name(kind: ValueKind) -> &'static str {
    match kind {
        ValueKind::Null => "null",
        ValueKind::Boolean => "true or false",
        ValueKind::Integer | ValueKind::NegativeInteger => "a whole number",
        ValueKind::Float => "a number",
        ValueKind::String => "a string",
        ValueKind::Sequence => "a list",
        ValueKind::Map => "an object",
    }
}

fn one_of<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let mut names: Vec<&str> = names.collect();
    names.dedup();
    names.join(", ")
}

impl MergeWithError<Problems> for Problems {
    fn merge(self_: Option<Self>, other: Self, _: ValuePointerRef<'_>) -> ControlFlow<Self, Self> {
        let mut all = self_.unwrap_or_default();
        all.extend(other);
        ControlFlow::Continue(all)
    }
}

impl DeserializeError for Problems {
    fn error<V: IntoValue>(
        self_: Option<Self>,
        error: ErrorKind<'_, V>,
        location: ValuePointerRef<'_>,
    ) -> ControlFlow<Self, Self> {
        let path = path_of(location);
        let mut all = self_.unwrap_or_default();
        match error {
            ErrorKind::IncorrectValueKind { accepted, .. } => {
                let wanted = one_of(accepted.iter().map(|kind| kind_name(*kind)));
                all.add(path, "wrong_type", format!("Must be {}.", wanted.replace(", ", " or ")));
            }
            ErrorKind::MissingField { field } => {
                all.add(join(&path, field), "required", "Is required.");
            }
            ErrorKind::UnknownKey { key, accepted } => {
                let message = match accepted {
                    [] => "Can't be set here; nothing can.".to_owned(),
                    known => format!("Can't be set here. What can be: {}.", one_of(known.iter().copied())),
                };
                all.add(join(&path, key), "unknown_member", message);
            }
            ErrorKind::UnknownValue { accepted, .. } => {
                let known = one_of(accepted.iter().copied());
                all.add(path, "not_an_option", format!("Must be one of: {known}."));
            }
            ErrorKind::BadSequenceLen { expected, .. } => {
                all.add(path, "wrong_length", format!("Must have {expected} elements."));
            }
            ErrorKind::Unexpected { msg } => all.add(path, "invalid", msg),
        }
        ControlFlow::Continue(all)
    }
}

/// A rule that a text broke: what the newtypes of this crate answer to bad input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// A stable name of the rule.
    pub code: &'static str,
    /// One sentence for a human.
    pub message: String,
}

impl Broken {
    /// A broken rule.
    #[must_use]
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

impl MergeWithError<Broken> for Problems {
    fn merge(self_: Option<Self>, other: Broken, at: ValuePointerRef<'_>) -> ControlFlow<Self, Self> {
        let mut all = self_.unwrap_or_default();
        all.add(path_of(at), other.code, other.message);
        ControlFlow::Continue(all)
    }
}

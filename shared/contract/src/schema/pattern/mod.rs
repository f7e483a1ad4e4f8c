//! Patterns: ECMA-262's regular expressions (with `u`) without look-around and back-references, matched in linear time.

mod class;
mod fold;
mod parse;
mod program;

use std::sync::{Arc, LazyLock};

use quick_cache::Weighter;
use quick_cache::sync::Cache;
use serde::Serialize;

use self::program::Program;
use crate::Broken;

/// Programs of patterns that were matched lately, by their source, for the whole process.
static PROGRAMS: LazyLock<Cache<String, Arc<Program>, Weight>> =
    LazyLock::new(|| Cache::with_weighter(1_000, MAX_PROGRAMS, Weight));
/// The bytes that they may take together.
const MAX_PROGRAMS: u64 = 16 * 1_024 * 1_024;

/// The longest text that is held against any pattern, in characters.
pub(super) const MAX_MATCHED: usize = 10_000;
/// The most steps that one value may take to match, and the values of one save together: about 10 ns each.
pub const MAX_STEPS: usize = 20_000_000;

#[derive(Clone)]
struct Weight;

impl Weighter<String, Arc<Program>> for Weight {
    fn weight(&self, source: &String, program: &Arc<Program>) -> u64 {
        u64::try_from(source.len() + program.bytes()).unwrap_or(u64::MAX)
    }
}

/// A regular expression, as it was written. It is compiled when it is first asked for: most of what is read from the
/// store never is.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(transparent)]
pub(super) struct Pattern(String);

impl Pattern {
    pub(super) const fn new(source: String) -> Self {
        Self(source)
    }

    /// Why it can't be used, unless it can.
    pub(super) fn broken(&self) -> Option<Broken> {
        self.program().err()
    }

    fn program(&self) -> Result<Arc<Program>, Broken> {
        PROGRAMS.get_or_insert_with(&self.0, || {
            let program = parse::parse(&self.0).and_then(|parsed| Program::compile(&parsed));
            program
                .map(Arc::new)
                .map_err(|why| Broken::new("invalid_pattern", format!("Is not a usable pattern: {why}.")))
        })
    }

    /// Whether it matches anywhere in the text.
    pub(super) fn matches(&self, text: &str) -> bool {
        self.program().is_ok_and(|program| program.matches(text))
    }

    /// The steps that matching a text of so many characters takes at the most, about 10 ns each.
    pub(super) fn steps(&self, characters: usize) -> usize {
        self.program().map_or(0, |program| program.states().saturating_mul(characters))
    }

    /// The longest text that is held against it, in characters. Matching is linear, but what a character costs is for
    /// whoever wrote the pattern to say.
    pub(super) fn longest(&self) -> usize {
        MAX_MATCHED.min(MAX_STEPS / self.steps(1).max(1))
    }

    pub(super) fn source(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests;

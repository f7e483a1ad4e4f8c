//! Patterns: ECMA-262's regular expressions (with `u`) without look-around and back-references, matched in linear time.

mod class;
mod fold;
mod parse;
mod program;

use std::hash::Hash;
use std::sync::{Arc, LazyLock};

use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{DefaultHashBuilder, OptionsBuilder, Weighter};
use serde::Serialize;

use self::program::Program;
use crate::Broken;

/// Programs of patterns that were matched lately, by their source, for the whole process.
static PROGRAMS: LazyLock<Cache<String, Arc<Program>, Weight>> = LazyLock::new(|| cache(16 * 1_024 * 1_024));
/// Verdicts that took long, by pattern and text: a save that meets others is tried again, with the same texts.
static VERDICTS: LazyLock<Cache<(String, String), bool, Weight>> = LazyLock::new(|| cache(4 * 1_024 * 1_024));

/// The longest text that is held against any pattern, in characters.
pub(super) const MAX_MATCHED: usize = 10_000;
/// The most steps that one value may take, and the values of one save together: to compile their patterns, whether or
/// not those are at hand, and to match. About 10 ns each.
pub(super) const MAX_STEPS: usize = 20_000_000;
/// What takes more steps takes long: some milliseconds.
pub const QUICK_STEPS: usize = 200_000;

/// A cache of at most so many bytes.
fn cache<K: Eq + Hash, V: Clone>(bytes: u64) -> Cache<K, V, Weight>
where
    Weight: Weighter<K, V>,
{
    // One shard: each has its share of the bytes, and what is heavier than that is never kept.
    let options = OptionsBuilder::new().shards(1).estimated_items_capacity(1_000).weight_capacity(bytes).build();
    let options = options.unwrap_or_else(|_| unreachable!("both capacities are given"));
    Cache::with_options(options, Weight, DefaultHashBuilder::default(), DefaultLifecycle::default())
}

#[derive(Clone)]
struct Weight;

impl Weighter<String, Arc<Program>> for Weight {
    fn weight(&self, source: &String, program: &Arc<Program>) -> u64 {
        u64::try_from(source.len() + program.bytes()).unwrap_or(u64::MAX)
    }
}

impl Weighter<(String, String), bool> for Weight {
    fn weight(&self, (source, text): &(String, String), _: &bool) -> u64 {
        u64::try_from(source.len() + text.len()).unwrap_or(u64::MAX)
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
        let Ok(program) = self.program() else { return false };
        if program.states().saturating_mul(text.len()) <= QUICK_STEPS {
            return program.matches(text);
        }
        let key = (self.0.clone(), text.to_owned());
        VERDICTS.get(&key).unwrap_or_else(|| {
            let matches = program.matches(text);
            VERDICTS.insert(key, matches);
            matches
        })
    }

    /// Whether it is compiled already.
    pub(super) fn is_compiled(&self) -> bool {
        PROGRAMS.get(&self.0).is_some()
    }

    /// The steps that matching a text of so many characters takes at the most. One that is too long for it is not.
    pub(super) fn steps(&self, characters: usize) -> usize {
        if characters > self.longest() {
            return 0;
        }
        self.program().map_or(0, |program| program.states().saturating_mul(characters))
    }

    /// The steps that compiling it takes, the same if it is compiled already.
    pub(super) fn cost(&self) -> usize {
        self.program().map_or(0, |program| program.cost())
    }

    /// The longest text that is held against it, in characters. Matching is linear, but what a character costs is for
    /// whoever wrote the pattern to say.
    pub(super) fn longest(&self) -> usize {
        let Ok(program) = self.program() else { return MAX_MATCHED };
        MAX_MATCHED.min(MAX_STEPS.saturating_sub(program.cost()) / program.states().max(1))
    }

    pub(super) fn source(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests;

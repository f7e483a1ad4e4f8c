//! Characters that are one where case makes no difference: those with the same simple case folding (ECMA-262 §22.2.2.7.3).

use std::collections::BTreeMap;
use std::sync::LazyLock;

use icu_casemap::CaseMapper;
use icu_properties::CodePointSetData;
use icu_properties::props::ChangesWhenNfkcCasefolded;
use regex_syntax::hir::{ClassUnicode, ClassUnicodeRange};

/// Each character that has another case with that one, in order: a few thousand.
static PAIRS: LazyLock<Vec<(char, char)>> = LazyLock::new(|| {
    let mapper = CaseMapper::new();
    let mut same: BTreeMap<char, Vec<char>> = BTreeMap::new();
    let folding = CodePointSetData::new::<ChangesWhenNfkcCasefolded>().iter_ranges().flatten();
    for c in folding.filter_map(char::from_u32) {
        let folded = mapper.simple_fold(c);
        if folded != c {
            same.entry(folded).or_insert_with(|| vec![folded]).push(c);
        }
    }
    let pairs = |all: Vec<char>| {
        let others =
            |one: char| all.clone().into_iter().filter(move |other| *other != one).map(move |other| (one, other));
        all.iter().copied().flat_map(others).collect::<Vec<_>>()
    };
    let mut pairs: Vec<_> = same.into_values().flat_map(pairs).collect();
    pairs.sort_unstable();
    pairs
});

/// The other cases of a set's characters.
pub(super) fn others(set: &ClassUnicode) -> Vec<char> {
    let of = |range: &ClassUnicodeRange| {
        let (start, end) = (range.start(), range.end());
        let from = PAIRS.partition_point(|(one, _)| *one < start);
        PAIRS.iter().skip(from).take_while(move |(one, _)| *one <= end).map(|(_, other)| *other)
    };
    set.ranges().iter().flat_map(of).collect()
}

/// A set with more characters.
pub(super) fn with(set: &ClassUnicode, others: Vec<char>) -> ClassUnicode {
    let others = others.into_iter().map(|c| ClassUnicodeRange::new(c, c));
    ClassUnicode::new(set.ranges().iter().copied().chain(others))
}

/// A set with all cases of its characters.
pub(super) fn closed(set: &ClassUnicode) -> ClassUnicode {
    with(set, others(set))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_character_with_another_case_is_left_out() {
        let mapper = CaseMapper::new();
        let known = |one: char, other: char| PAIRS.binary_search(&(one, other)).is_ok();
        for c in '\0'..=char::MAX {
            let folded = mapper.simple_fold(c);
            assert!(folded == c || known(c, folded) && known(folded, c), "{c:?}");
        }
        assert!(PAIRS.iter().all(|(one, other)| known(*other, *one)));
        assert!(PAIRS.iter().all(|(one, other)| mapper.simple_fold(*one) == mapper.simple_fold(*other)));
    }
}

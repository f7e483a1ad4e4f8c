//! Sets of characters that have a name in ECMA-262.

use std::ops::RangeInclusive;
use std::sync::LazyLock;

use icu_properties::props::{GeneralCategory, GeneralCategoryGroup, Script};
use icu_properties::script::ScriptWithExtensions;
use icu_properties::{CodePointMapData, CodePointSetData, PropertyParser};
use regex_syntax::hir::{ClassUnicode, ClassUnicodeRange};

/// Unicode's general categories by runs of code points, in order.
static CATEGORIES: LazyLock<Vec<(RangeInclusive<u32>, GeneralCategory)>> = LazyLock::new(|| {
    CodePointMapData::<GeneralCategory>::new().iter_ranges().map(|run| (run.range, run.value)).collect()
});

/// A set of ranges, both ends in it.
pub(super) fn set(ranges: &[(char, char)]) -> ClassUnicode {
    ClassUnicode::new(ranges.iter().map(|(first, last)| ClassUnicodeRange::new(*first, *last)))
}

/// `\d`
pub(super) fn digits() -> ClassUnicode {
    set(&[('0', '9')])
}

/// `\w`
pub(super) fn word() -> ClassUnicode {
    set(&[('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')])
}

/// `\s`: ECMA-262's WhiteSpace and LineTerminator.
pub(super) fn space() -> ClassUnicode {
    set(&[
        ('\t', '\r'),
        (' ', ' '),
        ('\u{a0}', '\u{a0}'),
        ('\u{1680}', '\u{1680}'),
        ('\u{2000}', '\u{200a}'),
        ('\u{2028}', '\u{2029}'),
        ('\u{202f}', '\u{202f}'),
        ('\u{205f}', '\u{205f}'),
        ('\u{3000}', '\u{3000}'),
        ('\u{feff}', '\u{feff}'),
    ])
}

/// `.`: all but LineTerminator.
pub(super) fn no_line_end() -> ClassUnicode {
    not(set(&[('\n', '\n'), ('\r', '\r'), ('\u{2028}', '\u{2029}')]))
}

/// Every character.
pub(super) fn all() -> ClassUnicode {
    set(&[('\0', char::MAX)])
}

/// Every other character.
pub(super) fn not(mut set: ClassUnicode) -> ClassUnicode {
    set.negate();
    set
}

/// The characters from one code point to another.
pub(super) fn range(first: u32, last: u32) -> ClassUnicode {
    ranges(std::iter::once(first..=last))
}

/// The characters of all of these code points. Halves of surrogate pairs are none: no text holds one.
fn ranges(all: impl Iterator<Item = RangeInclusive<u32>>) -> ClassUnicode {
    let whole =
        all.flat_map(|one| [(*one.start(), (*one.end()).min(0xd7ff)), ((*one.start()).max(0xe000), *one.end())]);
    let ends = whole.filter(|(first, last)| first <= last);
    let ends = ends.filter_map(|(first, last)| char::from_u32(first).zip(char::from_u32(last)));
    // At once: the set is put in order each time that something joins it.
    ClassUnicode::new(ends.map(|(first, last)| ClassUnicodeRange::new(first, last)))
}

/// `\p{name}`, if ECMA-262 has such a property: its names are exact, their case too.
pub(super) fn property(name: &str) -> Option<ClassUnicode> {
    let category = |name: &str| {
        let group = PropertyParser::<GeneralCategoryGroup>::new().get_strict(name)?;
        Some(ranges(CATEGORIES.iter().filter(|(_, category)| group.contains(*category)).map(|(run, _)| run.clone())))
    };
    // Of Unicode's scripts ECMA-262 leaves out the one that no character has.
    let script = |name: &str| {
        PropertyParser::<Script>::new().get_strict(name).filter(|script| *script != Script::KatakanaOrHiragana)
    };
    match name.split_once('=') {
        Some(("General_Category" | "gc", value)) => category(value),
        Some(("Script" | "sc", value)) => {
            Some(ranges(CodePointMapData::<Script>::new().iter_ranges_for_value(script(value)?)))
        }
        Some(("Script_Extensions" | "scx", value)) => {
            Some(ranges(ScriptWithExtensions::new().get_script_extensions_ranges(script(value)?)))
        }
        Some(_) => None,
        None => match name {
            "Any" => Some(all()),
            "ASCII" => Some(range(0, 0x7f)),
            "Assigned" => category("Cn").map(not),
            // The one alias that ICU does not know.
            "space" => property("White_Space"),
            _ => CodePointSetData::new_for_ecma262(name.as_bytes())
                .map(|set| ranges(set.iter_ranges()))
                .or_else(|| category(name)),
        },
    }
}

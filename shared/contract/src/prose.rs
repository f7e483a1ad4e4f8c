//! Texts for people in one form: NFC, trimmed, with something to see and nothing hidden (contract: Conventions).

use std::borrow::Cow;
use std::ops::RangeInclusive;

use icu_normalizer::ComposingNormalizerBorrowed;
use icu_properties::props::{
    BinaryProperty as _, CanonicalCombiningClass, DefaultIgnorableCodePoint, EmojiModifier, EnumeratedProperty as _,
    ExtendedPictographic, GeneralCategory, GeneralCategoryGroup, Ideographic, IndicSyllabicCategory, JoiningType,
    PrependedConcatenationMark, Script,
};

use crate::Broken;

const ZWNJ: char = '\u{200c}';
const ZWJ: char = '\u{200d}';
const KEYCAP: char = '\u{20e3}';
const BLACK_FLAG: char = '\u{1f3f4}';
const END_OF_FLAG: char = '\u{e007f}';
const KHITAN_FILLER: char = '\u{16fe4}';
const NULL_NOTEHEAD: char = '\u{1d159}';
const BRAILLE_BLANK: char = '\u{2800}';

/// The text in NFC: what looks and means the same is the same.
#[must_use]
pub fn nfc(text: &str) -> Cow<'_, str> {
    ComposingNormalizerBorrowed::new_nfc().normalize(text)
}

/// The form in which names, labels, options and e-mails are compared and kept: NFC, without blanks at either end.
#[must_use]
pub fn normal(text: &str) -> Cow<'_, str> {
    nfc(text.trim())
}

/// A text for people in its normal form. Lengths are in Unicode scalar values of that form; with a least length
/// something has to be visible. Control characters are refused but for line breaks and tabs where `lines`.
///
/// # Errors
/// The rule that it breaks.
pub(crate) fn read(text: &str, length: RangeInclusive<usize>, lines: bool) -> Result<String, Broken> {
    let text = normal(text);
    let (least, most) = (*length.start(), *length.end());
    if text.chars().count() > most {
        return Err(Broken::new("too_long", format!("Must have at most {most} characters.")));
    }
    if text.chars().any(|c| c.is_control() && !(lines && matches!(c, '\n' | '\r' | '\t'))) {
        return Err(Broken::new("control_character", "Must not hold control characters."));
    }
    let breaks = |c: char| matches!(c, '\u{2028}' | '\u{2029}');
    if let Some(found) = hidden(&text).or_else(|| text.chars().find(|c| breaks(*c) && !lines)) {
        let message = format!("Must not hold the invisible character U+{:04X}.", u32::from(found));
        return Err(Broken::new("invisible_character", message));
    }
    if text.chars().count() < least || (least > 0 && !text.chars().any(is_visible)) {
        return Err(Broken::new("too_short", "Must not be empty."));
    }
    Ok(text.into_owned())
}

fn is_visible(c: char) -> bool {
    !c.is_whitespace() && !c.is_control() && c != BRAILLE_BLANK && !is_invisible(c)
}

/// The first invisible formatting character that nothing around it needs.
pub(crate) fn hidden(text: &str) -> Option<char> {
    if text.is_ascii() {
        return None;
    }
    let all: Vec<char> = text.chars().collect();
    let alone = |(at, c): (usize, &char)| is_invisible(*c) && !is_needed(*c, &all[..at], &all[at + 1..]);
    all.iter().enumerate().find(|found| alone(*found)).map(|(_, c)| *c)
}

/// Has no shape of its own: Unicode's Default_Ignorable_Code_Point, other formats but for the signs that go around
/// numbers, and two that have a category of letters or signs.
fn is_invisible(c: char) -> bool {
    let is_format = GeneralCategory::for_char(c) == GeneralCategory::Format;
    DefaultIgnorableCodePoint::for_char(c)
        || (is_format && !PrependedConcatenationMark::for_char(c))
        || matches!(c, KHITAN_FILLER | NULL_NOTEHEAD)
}

fn is_needed(c: char, before: &[char], after: &[char]) -> bool {
    let (last, next) = (before.last().copied(), after.first().copied());
    match c {
        ZWNJ => joins_letters(before, next),
        ZWJ => joins_letters(before, next) || joins_emoji(before, next),
        '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}' => last.is_some_and(|last| selects(last, c, next)),
        // Mongolian's own variation selectors and vowel separator.
        '\u{180b}'..='\u{180f}' => last.is_some_and(|last| Script::for_char(last) == Script::Mongolian),
        '\u{e0020}'..=END_OF_FLAG => is_in_flag(before, c, after),
        // How hieroglyphs stand together.
        '\u{13430}'..='\u{1343f}' => [last, next].into_iter().flatten().any(is_hieroglyph),
        KHITAN_FILLER => {
            last.is_some_and(|last| Script::for_char(last) == Script::KhitanSmallScript && is_letter(last))
        }
        NULL_NOTEHEAD => next.is_some_and(is_mark),
        _ => false,
    }
}

/// RFC 5892 appendix A: after a virama; else between letters of scripts that join (a Persian keyboard puts a ZWNJ after
/// letters that do not join, too) or that build syllables (Bengali's ra and ya).
fn joins_letters(before: &[char], next: Option<char>) -> bool {
    let Some(last) = before.last() else { return false };
    if CanonicalCombiningClass::for_char(*last) == CanonicalCombiningClass::Virama {
        return true;
    }
    let base = before.iter().rev().find(|c| !is_mark(**c));
    base.is_some_and(|base| takes_joiners(*base)) && next.is_some_and(takes_joiners)
}

fn takes_joiners(c: char) -> bool {
    let joins = !matches!(JoiningType::for_char(c), JoiningType::NonJoining | JoiningType::Transparent);
    let builds_syllables = IndicSyllabicCategory::for_char(c) != IndicSyllabicCategory::Other;
    (is_letter(c) || is_mark(c)) && (joins || builds_syllables || Script::for_char(c) == Script::Arabic)
}

/// UTS #51: between two pictures, the first perhaps with a variation selector or a skin tone.
fn joins_emoji(before: &[char], next: Option<char>) -> bool {
    let first = before.iter().rev().find(|c| **c != '\u{fe0f}' && !EmojiModifier::for_char(**c));
    first.is_some_and(|c| ExtendedPictographic::for_char(*c)) && next.is_some_and(ExtendedPictographic::for_char)
}

/// Variants of pictures, keycaps, ideographs, and letters of Myanmar and Phags-pa.
fn selects(last: char, selector: char, next: Option<char>) -> bool {
    match selector {
        '\u{fe0e}' | '\u{fe0f}' if ExtendedPictographic::for_char(last) => true,
        '\u{fe0f}' if matches!(last, '0'..='9' | '#' | '*') => next == Some(KEYCAP),
        '\u{fe00}' if is_letter(last) && IndicSyllabicCategory::for_char(last) != IndicSyllabicCategory::Other => true,
        _ => Ideographic::for_char(last),
    }
}

fn is_hieroglyph(c: char) -> bool {
    Script::for_char(c) == Script::EgyptianHieroglyphs && is_letter(c)
}

/// UTS #51 §1.4.6: a black flag, a subdivision's code (CLDR: a country's two letters and up to three more characters) in
/// tags, and their end.
fn is_in_flag(before: &[char], tag: char, after: &[char]) -> bool {
    let is_tag = |c: &&char| ('\u{e0020}'..=END_OF_FLAG).contains(*c);
    let head = before.iter().rev().take_while(is_tag).count();
    let (flag, head) = before.split_at(before.len() - head);
    let tags = head.iter().chain([&tag]).chain(after.iter().take_while(is_tag));
    let code: Option<String> = tags.map(|tag| char::from_u32(u32::from(*tag) - 0xe_0000)).collect();
    let Some(code) = code.as_deref().and_then(|code| code.strip_suffix('\u{7f}')) else { return false };
    let known = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let is_code = (3..=5).contains(&code.len()) && code.bytes().all(known);
    flag.last() == Some(&BLACK_FLAG) && is_code && code.starts_with(|c: char| c.is_ascii_lowercase())
}

/// Whether the character has a shape of its own and a meaning: no blank, no control, no format, neither private nor
/// unassigned.
pub(crate) fn is_shown(c: char) -> bool {
    let of = GeneralCategory::for_char(c);
    is_visible(c) && !GeneralCategoryGroup::Other.contains(of) && !GeneralCategoryGroup::Separator.contains(of)
}

pub(crate) fn is_mark(c: char) -> bool {
    GeneralCategoryGroup::Mark.contains(GeneralCategory::for_char(c))
}

pub(crate) fn is_letter(c: char) -> bool {
    GeneralCategoryGroup::Letter.contains(GeneralCategory::for_char(c))
}

pub(crate) fn is_digit(c: char) -> bool {
    GeneralCategoryGroup::Number.contains(GeneralCategory::for_char(c))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};

    use super::*;
    use crate::patterns::{line, lines, matches};

    fn code(text: &str) -> Result<String, &'static str> {
        read(text, 1..=200, false).map_err(|broken| broken.code)
    }

    #[test]
    fn joiners_stay_where_letters_and_pictures_need_them() {
        for good in [
            "می‌خواهم",
            "برادر‌ها",
            "جزء‌ها",
            "श्री क्‍ष",
            "क्‌ष",
            "ශ්‍රී ලංකා",
            "র‍্যাব",
            "അവന്‍",
            "👨‍👩‍👧‍👦",
            "👩🏽‍💻 team",
            "🏳️‍🌈",
            "❤️‍🔥",
            "🐦‍⬛",
            "1️⃣ #️⃣",
            "☎︎ ☎️",
            "🏴󠁧󠁢󠁥󠁮󠁧󠁿 England",
            "🏴\u{e0075}\u{e0073}\u{e0074}\u{e0078}\u{e007f}",
            "葛󠄀飾区",
            "\u{13000}\u{13430}\u{13001}",
            "\u{18b00}\u{16fe4}\u{18b01}",
            "\u{1d159}\u{1d165}",
            "\u{600}\u{661}",
            "ᠠ᠋ᠨ ᠭᠠᠯ᠎ᠠ",
            "မ︀",
            "a",
            "日本",
            "🇩🇪",
            "Zoë",
            "①",
        ] {
            assert_eq!(code(good), Ok(good.to_owned()));
            assert!(matches(&line(), good), "{good}");
        }
    }

    #[test]
    fn what_is_hidden_is_refused() {
        for bad in [
            "\u{200b}",
            "\u{feff}Acme",
            "Ac\u{200b}me",
            "Ac\u{ad}me",
            "Ac\u{200d}me",
            "Ac\u{200c}me",
            "a\u{301}\u{200d}b",
            "\u{200d}",
            "می\u{200c}",
            "\u{200c}می",
            "می\u{200c} خواهم",
            "1\u{200d}2",
            "👨\u{200d}",
            "👨\u{200d}a",
            "1\u{fe0f}",
            "a\u{fe0f}",
            "a\u{fe00}",
            "a\u{e0101}",
            "a\u{180b}",
            "\u{202e}evil",
            "\u{2066}a\u{2069}",
            "a\u{200e}",
            "a\u{61c}",
            "a\u{2060}b",
            "a\u{2063}b",
            "a\u{34f}b",
            "\u{3164}",
            "\u{ffa0}",
            "\u{115f}",
            "a\u{e0041}",
            "\u{1f3f4}\u{e0067}\u{e0062}",
            "\u{1f3f4}\u{e007f}",
            "🚩\u{e0067}\u{e0062}\u{e0065}\u{e007f}",
            "\u{1f3f4}\u{e0068}\u{e0069}\u{e0064}\u{e0064}\u{e0065}\u{e006e}\u{e007f}",
            "\u{1f3f4}\u{e0067}\u{e0062}\u{e0041}\u{e007f}",
            "\u{1f3f4}\u{e0067}\u{e0062}\u{e0065}\u{e007f}\u{e007f}",
            "\u{1f3f4}a\u{e0067}\u{e0062}\u{e0065}\u{e007f}",
            "a\u{13430}b",
            "\u{13430}",
            "\u{1343c}",
            "a\u{16fe4}",
            "\u{16fe4}",
            "\u{1d159}",
            "a\u{1bca0}b",
            "a\u{fff9}b",
            "a\u{2028}b",
            "a\u{1d173}b",
        ] {
            assert_eq!(code(bad), Err("invisible_character"), "{}", bad.escape_unicode());
        }
        for bad in ["", " ", "\u{3000}\u{a0}", "\u{2800}", "\n"] {
            assert_eq!(code(bad), Err("too_short"), "{}", bad.escape_unicode());
            assert!(!matches(&line(), bad), "{}", bad.escape_unicode());
        }
        assert_eq!(code("a\u{7}b"), Err("control_character"));
    }

    /// Beyond these it is for what stands around them, or no letter of the basic plane.
    #[test]
    fn what_is_always_hidden_is_described() {
        let needed = |c: char| matches!(c, ZWNJ | ZWJ | '\u{180b}'..='\u{180f}' | '\u{fe00}'..='\u{fe0f}');
        for c in ('\u{a0}'..='\u{ffff}').filter(|c| !matches!(c, '\u{2028}' | '\u{2029}')) {
            let hidden = is_invisible(c) && !needed(c);
            assert_eq!(matches(&line(), &format!("a{c}b")), !hidden, "{}", c.escape_unicode());
            assert_eq!(matches(&lines(), &format!("a{c}b")), !hidden, "{}", c.escape_unicode());
        }
    }

    #[test]
    fn one_form() {
        assert_eq!(code(" Cafe\u{301}\u{a0}"), Ok("Café".to_owned()));
        assert_eq!(code("\u{1100}\u{1161}"), Ok("가".to_owned()));
        assert_eq!(code("\u{212b}"), Ok("Å".to_owned()));
        assert_eq!(code("ﬁ"), Ok("ﬁ".to_owned()), "what looks different stays different");
        assert_eq!(code(&"e\u{301}".repeat(200)), Ok("é".repeat(200)));
        assert_eq!(read("a\u{2028}\tb\r\nc", 0..=9, true).as_deref(), Ok("a\u{2028}\tb\r\nc"));
        assert_eq!(read(" \n", 0..=9, true).as_deref(), Ok(""));
    }

    proptest! {
        #[test]
        fn what_is_read_is_read_again(text in any::<String>()) {
            if let Ok(once) = read(&text, 0..=200, true) {
                assert_eq!(read(&once, 0..=200, true), Ok(once));
            }
        }
    }
}

//! Numbers as they are written, against what a double holds (contract: a number is refused, never altered).

use std::borrow::Cow;

use serde_json::Number;

/// 2^53: up to it every whole number is a double.
pub(super) const MAX_WHOLE: i64 = 1 << 53;
/// No double needs more decimal digits to be told from its neighbours.
const MAX_DIGITS: usize = 17;
/// Numbers of so few digits, of these powers of ten, all have a double of their own.
const SAFE_DIGITS: usize = 15;
const SAFE_EXPONENTS: std::ops::RangeInclusive<i64> = -290..=300;
/// So many are named: a body of nothing else costs no more than that.
const MAX_NAMED: usize = 1_000;

/// A number that no double holds as it is written.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Inexact {
    /// How many numbers stand before it in the text.
    pub(super) index: usize,
    /// The double nearest to it.
    pub(super) nearest: Number,
    /// One sentence.
    pub(super) why: String,
}

/// The text with `0` in the place of every number that no double holds, and the first of those numbers in their order. What is
/// not a number by JSON's grammar stays as it is, for the parser to refuse.
pub(super) fn set_aside(text: &[u8]) -> (Cow<'_, [u8]>, Vec<Inexact>) {
    let (mut kept, mut inexact) = (Cow::Borrowed(text), Vec::new());
    let (mut at, mut index) = (0, 0);
    while let Some(byte) = text.get(at) {
        at += match byte {
            b'"' => string_length(&text[at..]),
            b'-' | b'0'..=b'9' => {
                let length = text[at..].iter().take_while(|byte| b"+-.eE0123456789".contains(byte)).count();
                let literal = str::from_utf8(&text[at..at + length]).ok().and_then(Literal::read);
                if let Some((nearest, why)) = literal.and_then(|literal| literal.inexact()) {
                    if inexact.len() < MAX_NAMED {
                        inexact.push(Inexact { index, nearest, why });
                    }
                    kept.to_mut()[at..at + length].fill(b' ');
                    kept.to_mut()[at] = b'0';
                }
                index += 1;
                length
            }
            _ => 1,
        };
    }
    (kept, inexact)
}

/// The bytes of the string that begins here, its quotes among them.
fn string_length(text: &[u8]) -> usize {
    let mut length = 1;
    while let Some(byte) = text.get(length) {
        match byte {
            b'"' => return length + 1,
            b'\\' => length += 2,
            _ => length += 1,
        }
    }
    text.len()
}

/// RFC 8259 §6: `[-] int [frac] [exp]`.
#[derive(Clone, Copy)]
struct Literal<'a> {
    text: &'a str,
    whole: &'a str,
    fraction: &'a str,
    exponent: Option<&'a str>,
}

impl<'a> Literal<'a> {
    fn read(text: &'a str) -> Option<Self> {
        let (number, exponent) = match text.split_once(['e', 'E']) {
            Some((number, exponent)) => (number, Some(exponent)),
            None => (text, None),
        };
        let number = number.strip_prefix('-').unwrap_or(number);
        let (whole, fraction) = match number.split_once('.') {
            Some((whole, fraction)) => (whole, Some(fraction)),
            None => (number, None),
        };
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let good = digits(whole)
            && (whole == "0" || !whole.starts_with('0'))
            && fraction.is_none_or(digits)
            && exponent.is_none_or(|exponent| digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent)));
        good.then_some(Self { text, whole, fraction: fraction.unwrap_or_default(), exponent })
    }

    /// The nearest double and why it is not the number, unless it is.
    fn inexact(self) -> Option<(Number, String)> {
        let integer = self.fraction.is_empty() && self.exponent.is_none();
        let beyond = integer && self.whole.parse().map_or(true, |whole: i64| whole > MAX_WHOLE);
        let (digits, exponent) = self.decimal();
        if !beyond && digits.len() <= SAFE_DIGITS && SAFE_EXPONENTS.contains(&exponent) {
            return None;
        }
        let double: f64 = self.text.parse().ok()?;
        let nearest = double.clamp(f64::MIN, f64::MAX);
        let why = if beyond {
            format!("Must lie between -{MAX_WHOLE} and {MAX_WHOLE}, where every whole number can be kept.")
        } else if is_decimal_of(double, &digits, exponent) {
            return None;
        } else if double.is_infinite() {
            let (beyond, last) = if double > 0.0 { ("larger", "largest") } else { ("smaller", "smallest") };
            format!("Is {beyond} than the {last} number that can be kept, {nearest:e}.")
        } else if double == 0.0 {
            format!(
                "Is nearer to 0 than any number that can be kept; the nearest of those is {:e}.",
                5e-324_f64.copysign(double)
            )
        } else {
            let said = if digits.len() > SAFE_DIGITS { "Has more digits than" } else { "Is no number that" };
            let nearest = Number::from_f64(nearest)?.to_string();
            format!("{said} can be kept exactly; the nearest is {}.", nearest.trim_end_matches(".0"))
        };
        Number::from_f64(nearest).map(|nearest| (nearest, why))
    }

    /// The digits between the zeros at both ends, and the power of ten by which `0.digits` is to be multiplied.
    fn decimal(self) -> (String, i64) {
        let all = [self.whole, self.fraction].concat();
        let from_first = all.trim_start_matches('0');
        let digits = from_first.trim_end_matches('0');
        if digits.is_empty() {
            return (String::new(), 0);
        }
        // What does not fit is far beyond any double, on the side of its sign.
        let exponent = self.exponent.map_or(0, |exponent| {
            exponent.parse().unwrap_or(if exponent.starts_with('-') { i64::MIN } else { i64::MAX })
        });
        let zeros = all.len() - from_first.len();
        let point = i64::try_from(self.whole.len()).unwrap_or(i64::MAX) - i64::try_from(zeros).unwrap_or(i64::MAX);
        (digits.to_owned(), exponent.saturating_add(point))
    }
}

/// Whether this is the double's nearest decimal of so few digits as it needs. Where it lies midway between two, either
/// is: programs differ in which they write.
fn is_decimal_of(double: f64, digits: &str, exponent: i64) -> bool {
    if !double.is_finite() || digits.len() > MAX_DIGITS {
        return false;
    }
    let is = |text: &str| Literal::read(text).is_some_and(|text| text.decimal() == (digits.to_owned(), exponent));
    let shortest = format!("{double:e}");
    let enough = Literal::read(&shortest).is_some_and(|shortest| shortest.decimal().0.len() == digits.len());
    let rounded = || format!("{double:.*e}", digits.len().saturating_sub(1));
    enough
        && (is(&shortest) || is(&rounded()) || Number::from_f64(double).is_some_and(|number| is(&number.to_string())))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn held(text: &str) -> bool {
        Literal::read(text).unwrap().inexact().is_none()
    }

    #[test]
    fn what_a_double_holds_as_written() {
        for good in [
            "0",
            "-0",
            "0.0",
            "0e999",
            "0.000e-999999999999999999999",
            "5.0",
            "5.000000000000000000000000000000",
            "0.1",
            "-0.1",
            "0.30000000000000004",
            "1e300",
            "1E+300",
            "10e299",
            "5e-324",
            "2.2250738585072014e-308",
            "1.7976931348623157e308",
            "9007199254740992",
            "-9007199254740992",
            "9007199254740994.0",
            "123456789123456.12",
            "123456789123456.13",
            "-2104111237605019.2",
            "-2104111237605019.3",
            "1e23",
            "100000000000000000000000e0",
        ] {
            assert!(held(good), "{good}");
        }
        for bad in [
            "123456789123456.12345",
            "9007199254740993",
            "9007199254740993.0",
            "-9007199254740993",
            "9007199254740994",
            "18446744073709551615",
            "100000000000000000000",
            "1e-400",
            "-1e-400",
            "1e400",
            "1e99999999999999999999999",
            "1e-99999999999999999999999",
            "4e-324",
            "6e-324",
            "0.1000000000000000055511151231257827",
            "0.10000000000000001",
            "3.14159265358979323846",
            "1.7976931348623159e308",
        ] {
            assert!(!held(bad), "{bad}");
        }
        for (bad, why) in [
            ("0.10000000000000001", "Has more digits than can be kept exactly; the nearest is 0.1."),
            ("-3.14159265358979323846", "Has more digits than can be kept exactly; the nearest is -3.141592653589793."),
            ("9007199254740993.0", "Has more digits than can be kept exactly; the nearest is 9007199254740992."),
            ("6e-324", "Is no number that can be kept exactly; the nearest is 5e-324."),
            ("1e400", "Is larger than the largest number that can be kept, 1.7976931348623157e308."),
            ("-1e400", "Is smaller than the smallest number that can be kept, -1.7976931348623157e308."),
            ("1e-400", "Is nearer to 0 than any number that can be kept; the nearest of those is 5e-324."),
            ("-1e-400", "Is nearer to 0 than any number that can be kept; the nearest of those is -5e-324."),
            (
                "9007199254740993",
                "Must lie between -9007199254740992 and 9007199254740992, where every whole number can be kept.",
            ),
        ] {
            assert_eq!(Literal::read(bad).unwrap().inexact().unwrap().1, why, "{bad}");
        }
        let long = format!("0.{}1e1000000", "0".repeat(999_999));
        assert!(held(&long), "1, in a roundabout way");
        assert!(!held(&"9".repeat(1_000_000)));
    }

    proptest! {
        #[test]
        fn every_double_is_held_as_it_is_usually_written(double in any::<f64>()) {
            let shortest = format!("{double:e}");
            prop_assert!(held(&shortest));
            prop_assert!(held(&serde_json::to_string(&double).unwrap()));
        }

        #[test]
        fn what_is_held_is_the_nearest(text in r"-?(0|[1-9][0-9]{0,18})\.[0-9]{1,18}") {
            if held(&text) {
                let double: f64 = text.parse().unwrap();
                let digits = Literal::read(&text).unwrap().decimal().0.len();
                // No other decimal as short is the double's as well, but where it lies midway.
                let shortest = format!("{double:e}");
                let least = Literal::read(&shortest).unwrap().decimal().0.len();
                prop_assert_eq!(digits, least, "{} {}", text, shortest);
            }
        }
    }
}

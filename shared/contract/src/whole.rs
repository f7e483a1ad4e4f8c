//! Whole numbers in requests.

use std::ops::RangeInclusive;

use deserr::{Deserr, ErrorKind, IntoValue, Value, ValueKind, ValuePointerRef};

use crate::{Broken, Problems};

/// A whole number: `5` and `5.0` are the same one, as JSON Schema's `integer` has it (Validation 2020-12 §6.1.1) and
/// [`json::parse`](crate::json::parse) reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Whole(i64);

impl Whole {
    /// The number, if it is in the range.
    ///
    /// # Errors
    /// `out_of_range`.
    pub fn within(self, range: RangeInclusive<u32>) -> Result<u32, Broken> {
        let found = u32::try_from(self.0).ok().filter(|number| range.contains(number));
        found.ok_or_else(|| Broken::new("out_of_range", format!("Must be from {} to {}.", range.start(), range.end())))
    }
}

/// Beyond every range.
const BEYOND: i64 = i64::MAX;

impl Deserr<Problems> for Whole {
    fn deserialize_from_value<V: IntoValue>(value: Value<V>, location: ValuePointerRef<'_>) -> Result<Self, Problems> {
        let whole = match &value {
            Value::Integer(number) => Some(i64::try_from(*number).unwrap_or(BEYOND)),
            Value::NegativeInteger(number) => Some(*number),
            // Without a fraction, and still no integer: over 2^53.
            Value::Float(number) if number.fract() == 0.0 => Some(BEYOND),
            _ => None,
        };
        whole.map(Self).ok_or_else(|| {
            let accepted = &[ValueKind::Integer];
            deserr::take_cf_content(<Problems as deserr::DeserializeError>::error(
                None,
                ErrorKind::IncorrectValueKind { actual: value, accepted },
                location,
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;

    #[test]
    fn a_fraction_of_nought_is_none() {
        let read = |text: &str| json::parse(text.as_bytes()).unwrap().read::<Whole>();
        for (text, number) in [("5", 5), ("5.0", 5), ("-0.0", 0), ("1e3", 1000)] {
            assert_eq!(read(text).unwrap().within(0..=2000), Ok(number));
        }
        for text in ["-1", "-1.0", "2001", "9007199254740992", "9007199254740994.0", "1e300", "-1e300"] {
            assert_eq!(read(text).unwrap().within(0..=2000).unwrap_err().code, "out_of_range", "{text}");
        }
        for text in ["0.5", "\"5\"", "null", "[5]", "true", "18446744073709551615"] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}

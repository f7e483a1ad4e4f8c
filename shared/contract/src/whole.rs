//! Whole numbers in requests.

use std::ops::RangeInclusive;

use deserr::{Deserr, ErrorKind, IntoValue, Value, ValueKind, ValuePointerRef};

use crate::{Broken, Problems};

/// A whole number: `5` and `5.0` are the same one, as JSON Schema's `integer` has it (Validation 2020-12 §6.1.1).
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

impl Deserr<Problems> for Whole {
    fn deserialize_from_value<V: IntoValue>(value: Value<V>, location: ValuePointerRef<'_>) -> Result<Self, Problems> {
        let whole = match &value {
            // What is beyond an i64 is beyond every range.
            Value::Integer(number) => Some(i64::try_from(*number).unwrap_or(i64::MAX)),
            Value::NegativeInteger(number) => Some(*number),
            Value::Float(number) if number.fract() == 0.0 => Some(format!("{number:.0}").parse().unwrap_or(i64::MAX)),
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
    use serde_json::json;

    use super::*;

    #[test]
    fn a_fraction_of_nought_is_none() {
        let read = |value| deserr::deserialize::<Whole, serde_json::Value, Problems>(value);
        for (value, number) in [(json!(5), 5), (json!(5.0), 5), (json!(-0.0), 0), (json!(1e3), 1000)] {
            assert_eq!(read(value).unwrap().within(0..=2000), Ok(number));
        }
        for value in [json!(-1), json!(-1.0), json!(2001), json!(u64::MAX), json!(1e300)] {
            assert!(read(value.clone()).unwrap().within(0..=2000).is_err(), "{value}");
        }
        for value in [json!(0.5), json!("5"), json!(null), json!([5]), json!(true)] {
            assert!(read(value.clone()).is_err(), "{value}");
        }
    }
}

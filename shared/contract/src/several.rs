//! Lists that narrow something: one form for each set, whatever order it was sent in.

use std::ops::RangeInclusive;

use deserr::{Deserr, IntoValue, MergeWithError, Sequence as _, Value, ValuePointerRef};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::{Broken, Problems};

/// 1 to `MAX` elements, in order, each once. Where nothing is narrowed there is no list: an empty one could mean all or
/// nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Several<T, const MAX: usize>(Vec<T>);

impl<T: Ord, const MAX: usize> Several<T, MAX> {
    /// The list of these, each once.
    ///
    /// # Errors
    /// `too_few` for none, `too_many` for more than `MAX`, however many are the same.
    pub fn of(mut list: Vec<T>) -> Result<Self, Broken> {
        check_length(list.len(), 1..=MAX)?;
        list.sort_unstable();
        list.dedup();
        Ok(Self(list))
    }
}

impl<T: Clone, const MAX: usize> Several<T, MAX> {
    /// A list of ours, which is in order.
    pub(crate) fn known(list: &[T]) -> Self {
        Self(list.to_vec())
    }
}

impl<T, const MAX: usize> Several<T, MAX> {
    /// The elements, at least one.
    #[must_use]
    pub fn as_slice(&self) -> &[T] {
        &self.0
    }
}

impl<T: Deserr<Problems> + Ord, const MAX: usize> Deserr<Problems> for Several<T, MAX> {
    fn deserialize_from_value<V: IntoValue>(value: Value<V>, location: ValuePointerRef<'_>) -> Result<Self, Problems> {
        let list = elements(value, location, 1..=MAX)?;
        Self::of(list).map_err(|broken| deserr::take_cf_content(Problems::merge(None, broken, location)))
    }
}

/// The elements of a list of so many. What is wrong with its length is told with what is wrong in it.
///
/// # Errors
/// All that is wrong.
pub fn elements<T: Deserr<Problems>, V: IntoValue>(
    value: Value<V>,
    location: ValuePointerRef<'_>,
    lengths: RangeInclusive<usize>,
) -> Result<Vec<T>, Problems> {
    let checked = match &value {
        Value::Sequence(list) => check_length(list.len(), lengths),
        _ => Ok(()),
    };
    let read = Vec::deserialize_from_value(value, location);
    let Err(broken) = checked else { return read };
    let mut all = deserr::take_cf_content(Problems::merge(None, broken, location));
    all.extend(read.err().unwrap_or_default());
    Err(all)
}

fn check_length(length: usize, lengths: RangeInclusive<usize>) -> Result<(), Broken> {
    let (least, most) = lengths.into_inner();
    if length < least {
        return Err(Broken::new("too_few", format!("Must have at least {least} element.")));
    }
    if length > most {
        return Err(Broken::new("too_many", format!("Must have at most {most} elements.")));
    }
    Ok(())
}

impl<T: JsonSchema, const MAX: usize> JsonSchema for Several<T, MAX> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("Several_{}_{MAX}", T::schema_name()).into()
    }
    fn json_schema(schemas: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "array",
            "items": schemas.subschema_for::<T>(),
            "minItems": 1,
            "maxItems": MAX,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::names::IpBlock;

    #[test]
    fn a_set_has_one_form() {
        let read = |value| deserr::deserialize::<Several<IpBlock, 5>, serde_json::Value, Problems>(value);
        for (sent, kept) in [
            (json!(["6.6.6.6", "6.6.6.6/32", "6.6.6.6"]), json!(["6.6.6.6"])),
            (json!(["::1", "10.0.0.1/8", "10.0.0.0/8"]), json!(["10.0.0.0/8", "::1"])),
            (json!(["::ffff:6.6.6.6", "::ffff:606:606/128", "6.6.6.6"]), json!(["6.6.6.6"])),
            (json!(["::ffff:6.6.6.6/120", "6.6.6.0/24"]), json!(["6.6.6.0/24"])),
            (json!(["2001:DB8:0::1/32", "2001:db8::/32"]), json!(["2001:db8::/32"])),
            (json!(["0.0.0.0/0", "1.2.3.4/0", "::5/0"]), json!(["0.0.0.0/0", "::/0"])),
        ] {
            let list = read(sent.clone()).unwrap();
            assert_eq!(serde_json::to_value(&list).unwrap(), kept, "{sent}");
            assert_eq!(read(kept).unwrap(), list, "{sent}");
        }
        for (bad, code) in [(json!([]), "too_few"), (json!(vec!["6.6.6.6"; 6]), "too_many"), (json!({}), "wrong_type")]
        {
            assert_eq!(read(bad).unwrap_err().as_slice().first().unwrap().code, code);
        }
        let wrong = read(json!(["6.6.6.6", "x", "6.6.6.6", 1, "6.6.6.6", "6.6.6.6"])).unwrap_err();
        let paths: Vec<&str> = wrong.as_slice().iter().map(|problem| problem.path.as_str()).collect();
        assert_eq!(paths, ["", "[1]", "[3]"]);
    }
}

//! JSON as it is taken from outside: no duplicate members (RFC 7493 §2.3), no deep nesting, nothing after the end, and
//! no number that would come back as another one.

mod literal;

use std::fmt;

use deserr::{Deserr, ValuePointerRef};
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use self::literal::{Inexact, MAX_WHOLE};
use crate::Problems;
use crate::problem::path_of;

/// Lists and objects within one another, the outermost counted, may be this many (contract: `malformed_request`).
pub const MAX_DEPTH: usize = 64;

/// Why a text was not taken: one sentence that names the place, never the content but for a member's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Malformed(pub String);

/// A JSON text that was read. Whole numbers up to 2^53 are integers in it, however they were written: `5.0` is `5`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Json {
    value: Value,
    inexact: Problems,
}

impl Json {
    /// A look at what was read, before its numbers are vouched for.
    #[must_use]
    pub const fn peek(&self) -> &Value {
        &self.value
    }

    /// A member of the outermost object, if it is there and nothing is wrong with it.
    #[must_use]
    pub fn member<T: Deserr<Problems>>(&self, name: &str) -> Option<T> {
        let value = self.value.get(name)?;
        let within =
            |path: &str| path.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']));
        let exact = !self.inexact.as_slice().iter().any(|problem| within(&problem.path));
        exact.then(|| deserr::deserialize::<T, _, Problems>(value.clone()).ok()).flatten()
    }

    /// What was read, as a type.
    ///
    /// # Errors
    /// Every member that is wrong, with `number_not_exact` for each number that a double does not hold as written.
    pub fn read<T: Deserr<Problems>>(self) -> Result<T, Problems> {
        let read = deserr::deserialize::<T, _, Problems>(self.value);
        if self.inexact.is_empty() {
            return read;
        }
        let mut all = self.inexact;
        if let Err(others) = read {
            // What else is said of such a number is said of its stand-in.
            all.extend_elsewhere(others);
        }
        Err(all)
    }
}

/// Reads one JSON value. A byte order mark before it is skipped (RFC 8259 §8.1).
///
/// # Errors
/// [`Malformed`] for what is not JSON in UTF-8, nests deeper than [`MAX_DEPTH`], or names a member twice.
pub fn parse(bytes: &[u8]) -> Result<Json, Malformed> {
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let (text, inexact) = literal::set_aside(text);
    let mut numbers = Numbers { met: 0, inexact: inexact.into_iter().peekable(), problems: Problems::default() };
    let mut reader = serde_json::Deserializer::from_slice(&text);
    let seed = Strict { depth: 0, at: ValuePointerRef::Origin, numbers: &mut numbers };
    let value = seed.deserialize(&mut reader).map_err(malformed)?;
    reader.end().map_err(malformed)?;
    Ok(Json { value, inexact: numbers.problems })
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err wants")]
fn malformed(error: serde_json::Error) -> Malformed {
    Malformed(format!("The body is not valid JSON: {error}."))
}

/// The numbers of a text, as they come by.
struct Numbers {
    met: usize,
    inexact: std::iter::Peekable<std::vec::IntoIter<Inexact>>,
    problems: Problems,
}

struct Strict<'a> {
    depth: usize,
    at: ValuePointerRef<'a>,
    numbers: &'a mut Numbers,
}

impl Strict<'_> {
    fn deeper<E: serde::de::Error>(&self) -> Result<usize, E> {
        if self.depth == MAX_DEPTH {
            return Err(E::custom(format!("nested deeper than {MAX_DEPTH} levels")));
        }
        Ok(self.depth + 1)
    }

    fn number(self, number: Number) -> Value {
        let index = self.numbers.met;
        self.numbers.met += 1;
        match self.numbers.inexact.next_if(|inexact| inexact.index == index) {
            None => number.into(),
            Some(inexact) => {
                self.numbers.problems.add(path_of(self.at), "number_not_exact", inexact.why);
                inexact.nearest.into()
            }
        }
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }
    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }
    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(self.number(value.into()))
    }
    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(self.number(value.into()))
    }
    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        let whole = value.fract() == 0.0 && value.abs() <= MAX_WHOLE as f64;
        let number = if whole { Some(Number::from(value as i64)) } else { Number::from_f64(value) };
        let number = number.ok_or_else(|| E::custom("number out of range"))?;
        Ok(self.number(number))
    }
    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }
    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let depth = self.deeper()?;
        let mut all = Vec::new();
        loop {
            let at = ValuePointerRef::Index { index: all.len(), prev: &self.at };
            match items.next_element_seed(Strict { depth, at, numbers: &mut *self.numbers })? {
                Some(item) => all.push(item),
                None => return Ok(Value::Array(all)),
            }
        }
    }
    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let depth = self.deeper()?;
        let mut all = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            if all.contains_key(&name) {
                let shown: String = name.chars().take(64).collect();
                return Err(A::Error::custom(format!("the member `{shown}` is there twice")));
            }
            let at = ValuePointerRef::Key { key: &name, prev: &self.at };
            let value = members.next_value_seed(Strict { depth, at, numbers: &mut *self.numbers })?;
            all.insert(name, value);
        }
        Ok(Value::Object(all))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{Just, Strategy, any, prop_oneof, proptest};

    use super::*;

    #[test]
    fn refuses_what_the_contract_refuses() {
        let deep = |n: usize| [vec![b'['; n], vec![b']'; n]].concat();
        assert!(parse(&deep(64)).is_ok());
        for bad in [
            &b"{\"a\":1,\"a\":1}"[..],
            b"{\"a\":{\"b\":1,\"\\u0062\":1}}",
            b"",
            b"{",
            b"{} x",
            b"\"\xff\"",
            b"\"\\ud800\"",
            b"NaN",
            &deep(65),
            &deep(100_000),
        ] {
            assert!(parse(bad).is_err(), "{:?}", &bad[..bad.len().min(40)]);
        }
    }

    /// What the body of such a text is told.
    fn told(text: &str) -> Vec<String> {
        let told = match parse(text.as_bytes()).unwrap().read::<Anything>() {
            Ok(_) => Problems::default(),
            Err(problems) => problems,
        };
        told.as_slice().iter().map(|problem| format!("{} {}", problem.path, problem.code)).collect()
    }

    struct Anything;
    impl Deserr<Problems> for Anything {
        fn deserialize_from_value<V: deserr::IntoValue>(
            _: deserr::Value<V>,
            _: ValuePointerRef<'_>,
        ) -> Result<Self, Problems> {
            Ok(Self)
        }
    }

    #[derive(Debug, deserr::Deserr)]
    #[deserr(error = Problems, deny_unknown_fields)]
    #[expect(dead_code, reason = "only what is wrong is looked at")]
    struct Body {
        count: u8,
        name: String,
    }

    #[test]
    fn a_number_that_no_double_holds_is_named_with_all_else() {
        assert!(told(r#"{"a":[1,-2.5,{"b":0.1}],"c":"1e-400 \" 1e999","1e-400":1e300}"#).is_empty());
        assert_eq!(
            told(r#"{"a":[1,1e-400,{"b":9007199254740993}],"c":-1e999,"d":{"e\"1e-400":0.10000000000000001}}"#),
            ["a[1] number_not_exact", "a[2].b number_not_exact", "c number_not_exact", "d.e\"1e-400 number_not_exact"]
        );
        assert_eq!(told("9007199254740993.0"), [" number_not_exact"]);
        let found = parse(br#"{"count": 1e999, "name": 7, "other": 1e-400}"#).unwrap().read::<Body>().unwrap_err();
        let found: Vec<_> = found.as_slice().iter().map(|found| (found.path.as_str(), found.code)).collect();
        assert_eq!(found, [("count", "number_not_exact"), ("other", "number_not_exact"), ("name", "wrong_type")]);
        // What is not JSON stays that, whatever stands beside it.
        for bad in ["[1e999x]", "[1e999 1]", "[1e9991e5]", "[01e999]", "[1e999", "{1e999:1}", "[-1e999-1]", "[1e+]"] {
            assert!(parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_whole_number_is_an_integer_however_it_is_written() {
        for (written, kept) in [
            ("5.0", "5"),
            ("-0", "0"),
            ("-0.0", "0"),
            ("1e3", "1000"),
            ("0e999", "0"),
            ("9007199254740992", "9007199254740992"),
            ("-9007199254740992.0", "-9007199254740992"),
            ("9007199254740994.0", "9007199254740994.0"),
            ("1E+300", "1e+300"),
            ("0.50", "0.5"),
            ("5e-324", "5e-324"),
        ] {
            let json = parse(written.as_bytes()).unwrap();
            assert_eq!((json.peek().to_string().as_str(), json.inexact.is_empty()), (kept, true), "{written}");
        }
    }

    fn values() -> impl Strategy<Value = Value> {
        let whole = -9_007_199_254_740_992_i64..=9_007_199_254_740_992;
        let fraction = any::<f64>().prop_filter("an integer, or no number", |float| float.fract() != 0.0);
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            whole.prop_map(Value::from),
            fraction.prop_map(Value::from),
            ".{0,8}".prop_map(Value::from)
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::btree_map(".{0,4}", inner, 0..4).prop_map(|m| m.into_iter().collect())
            ]
        })
    }

    proptest! {
        #[test]
        fn reads_back_what_was_written(value in values()) {
            assert_eq!(parse(value.to_string().as_bytes()), Ok(Json { value, inexact: Problems::default() }));
        }

        /// What is taken is written, stored, read and written again as the same double.
        #[test]
        fn what_is_taken_stays(text in r"-?(0|[1-9][0-9]{0,20})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?") {
            let json = parse(text.as_bytes()).unwrap();
            if json.inexact.is_empty() {
                let written = json.value.to_string();
                assert_eq!(written.parse::<f64>(), text.parse(), "{text} {written}");
                let again: Value = serde_json::from_str(&written).unwrap();
                assert_eq!((&again, again.to_string()), (&json.value, written.clone()));
                assert_eq!(parse(written.as_bytes()), Ok(json));
            }
        }

        #[test]
        fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = parse(&bytes);
        }

        #[test]
        fn never_panics_near_numbers(text in "[-+0-9.eE\"\\\\,:{}\\[\\] ]{0,40}") {
            let taken = parse(text.as_bytes()).is_ok();
            // JSON is JSON, whether its numbers fit or not; serde_json calls those that are too large malformed.
            assert!(taken || serde_json::from_str::<Value>(&text).is_err(), "{text}");
        }
    }
}

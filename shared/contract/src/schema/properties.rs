//! What holds for every schema and every value.

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::{collection, option, sample};
use serde_json::{Map, Value, json};

use super::{FieldSchema, FieldType};
use crate::problem::Problems;

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        any_type().prop_flat_map(near_value),
    ];
    leaf.prop_recursive(3, 24, 6, |inner| {
        prop_oneof![
            collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            collection::btree_map(name(), inner, 0..6).prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn name() -> impl Strategy<Value = String> {
    let known = vec!["type", "validation", "ui", "default", "options", "value", "label", "order", "min", "pattern"];
    prop_oneof![sample::select(known).prop_map(str::to_owned), "[a-z]{0,3}"]
}

/// Often a value of the type.
fn near_value(field_type: FieldType) -> BoxedStrategy<Value> {
    match field_type {
        FieldType::Number => (-4..5_i32).prop_map(|quarters| json!(f64::from(quarters) / 4.0)).boxed(),
        FieldType::Boolean => any::<bool>().prop_map(Value::from).boxed(),
        FieldType::Date => "202[67]-0[1-3]-(01|09|30)".prop_map(Value::from).boxed(),
        FieldType::Datetime => "202[67]-01-01T0[0-3]:00:00(\\.5)?(Z|[+-]0[12]:30)".prop_map(Value::from).boxed(),
        FieldType::Multiselect => collection::vec("[abc]", 0..3).prop_map(Value::from).boxed(),
        FieldType::Email => "[a.]{1,3}@[b-]{1,2}\\.example".prop_map(Value::from).boxed(),
        FieldType::Url => "(https?|ftp)://[a.]{1,3}[?#/]?".prop_map(Value::from).boxed(),
        FieldType::String | FieldType::Textarea | FieldType::Select => "[abc]{1,2}".prop_map(Value::from).boxed(),
    }
}

/// Often a value that the rule takes.
fn near_rule(field_type: FieldType, name: &str) -> BoxedStrategy<Value> {
    match name {
        "required" | "integer" => any::<bool>().prop_map(Value::from).boxed(),
        "pattern" => sample::select(vec!["^[ab]+$", "[ab]|c", "", "(a"]).prop_map(Value::from).boxed(),
        "min" | "max" => near_value(field_type),
        "options" => collection::btree_map("[abc]", any::<bool>(), 1..4)
            .prop_map(|options| {
                let one = |(value, bare): (String, bool)| {
                    if bare { Value::from(value) } else { json!({"value": value, "label": "L"}) }
                };
                options.into_iter().map(one).collect()
            })
            .boxed(),
        _ => prop_oneof![(0_u32..3).prop_map(Value::from), (0_u32..3).prop_map(|n| json!(f64::from(n)))].boxed(),
    }
}

fn any_type() -> impl Strategy<Value = FieldType> {
    sample::select(FieldType::ALL.to_vec())
}

fn object(members: Vec<(&'static str, Option<Value>)>) -> Value {
    members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect::<Map<_, _>>().into()
}

/// Often a valid schema.
fn near_schema() -> impl Strategy<Value = Value> {
    any_type().prop_flat_map(|field_type| {
        let names = field_type.rules();
        let one = |name: &&str| {
            let present = if *name == "options" { 0.95 } else { 0.4 };
            option::weighted(present, near_rule(field_type, name))
        };
        let rules: Vec<_> = names.iter().map(one).collect();
        let ui = (option::of("[a-z]{0,3}"), option::of(-9_007_199_254_740_992_i64..=9_007_199_254_740_992));
        let default = prop_oneof![4 => near_value(field_type), 1 => any_type().prop_flat_map(near_value)];
        (rules, option::of(ui), option::of(default)).prop_map(move |(rules, ui, default)| {
            let ui = ui.map(|(text, order)| {
                object(vec![("helpText", text.map(Value::from)), ("order", order.map(Value::from))])
            });
            object(vec![
                ("type", Some(json!(field_type))),
                ("validation", Some(object(names.iter().copied().zip(rules).collect()))),
                ("ui", ui),
                ("default", default),
            ])
        })
    })
}

fn saying_something(mut schema: Value) -> Value {
    let says = |name: &str, value: &Value| match name {
        "required" | "integer" => *value != false,
        "minLength" | "minItems" => value.as_f64() != Some(0.0),
        _ => true,
    };
    let members = schema.as_object_mut().unwrap();
    for part in ["validation", "ui"] {
        if let Some(inner) = members.get_mut(part).and_then(Value::as_object_mut) {
            inner.retain(|name, value| says(name, value));
            if inner.is_empty() {
                members.remove(part);
            }
        }
    }
    schema
}

proptest! {
    #[test]
    fn parsing_never_panics_and_always_says_why(value in prop_oneof![any_json(), near_schema()]) {
        if let Err(problems) = FieldSchema::parse(value, "schema") {
            prop_assert!(!problems.is_empty());
            for problem in problems.as_slice() {
                prop_assert!(problem.path.starts_with("schema"), "{}", problem.path);
                prop_assert!(!problem.message.is_empty());
            }
        }
    }

    #[test]
    fn what_is_written_is_what_was_read(value in near_schema()) {
        if let Ok(schema) = FieldSchema::parse(value.clone(), "schema") {
            let written = serde_json::to_value(&schema).unwrap();
            // A count given as `1.0` is written as `1`, and what says nothing is left out: all else is as it came.
            let given = saying_something(value).to_string();
            prop_assert_eq!(written.to_string().replace(".0", ""), given.replace(".0", ""));
            prop_assert_eq!(&FieldSchema::parse(written, "schema").unwrap(), &schema);
            let text = serde_json::to_string(&schema).unwrap();
            prop_assert_eq!(serde_json::from_str::<FieldSchema>(&text).unwrap(), schema);
        }
    }

    #[test]
    fn an_accepted_default_passes_the_check(value in near_schema()) {
        if let Ok(schema) = FieldSchema::parse(value, "schema")
            && let Some(default) = schema.default()
        {
            let mut problems = Problems::default();
            schema.check(default, "v", &mut problems);
            prop_assert!(problems.is_empty(), "{:?}", problems);
        }
    }

    #[test]
    fn checking_never_panics(
        schema in near_schema(),
        value in prop_oneof![any_json(), any_type().prop_flat_map(near_value)],
    ) {
        if let Ok(schema) = FieldSchema::parse(schema, "schema") {
            let mut problems = Problems::default();
            schema.check(&value, "v", &mut problems);
            for problem in problems.as_slice() {
                prop_assert!(problem.path.starts_with('v'), "{}", problem.path);
            }
        }
    }
}

#[test]
fn the_properties_are_about_something() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let good = (0..400).filter(|_| {
        let value = near_schema().new_tree(&mut runner).unwrap().current();
        FieldSchema::parse(value, "schema").is_ok_and(|schema| schema.default().is_some())
    });
    let good = good.count();
    assert!(good > 80, "{good}");
}

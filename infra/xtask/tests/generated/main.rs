//! That what was written agrees with the code, and works.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod agreement;
mod consumers;
mod deployment;
mod parameters;
mod policies;
mod roles;
mod stacks;

use std::fs::read_to_string;

use runtime::{Route, RouteSpec};
use serde_json::{Map, Value, json};
use xtask::{files, root};

/// Every route.
fn routes() -> impl DoubleEndedIterator<Item = &'static Route> {
    functions::routes().map(RouteSpec::route)
}

/// A template as it is committed.
fn read(path: &str) -> Value {
    serde_saphyr::from_str(&read_to_string(root().join(path)).unwrap()).unwrap()
}

/// The resources of the root and of the nested stacks, which have no name in common, as one template.
fn template() -> Value {
    let mut all = Map::new();
    for path in [vec!["infra/template.yaml".to_owned()], files::stacks(&root()).unwrap()].concat() {
        for (name, resource) in read(&path)["Resources"].as_object().unwrap() {
            assert_eq!(all.insert(name.clone(), resource.clone()), None, "{path}: {name}");
        }
    }
    json!({ "Resources": all })
}

/// The resources of a type.
fn resources<'t>(template: &'t Value, of: &'t str) -> impl Iterator<Item = &'t Value> {
    let resources = template["Resources"].as_object().unwrap();
    resources.values().filter(move |resource| resource["Type"] == of).map(|resource| &resource["Properties"])
}

/// The operation of a function of the template: where its code is says it.
fn operation(function: &Value) -> &str {
    let code = function["Code"].as_str().unwrap();
    code.rsplit_once("../target/lambda/").unwrap().1.strip_suffix('/').unwrap()
}

/// A text of the template that lasts as long as the test.
fn lasting(text: &str) -> &'static str {
    Box::leak(text.to_owned().into_boxed_str())
}

//! That what was written agrees with the code, and works.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod agreement;
mod consumers;
mod deployment;
mod policies;
mod roles;

use runtime::{Route, RouteSpec};
use serde_json::Value;
use xtask::root;

/// Every route.
fn routes() -> impl DoubleEndedIterator<Item = &'static Route> {
    functions::routes().map(RouteSpec::route)
}

/// The template as it is committed.
fn template() -> Value {
    serde_saphyr::from_str(&std::fs::read_to_string(root().join("infra/template.yaml")).unwrap()).unwrap()
}

/// The resources of a type.
fn resources<'t>(template: &'t Value, of: &'t str) -> impl Iterator<Item = &'t Value> {
    let resources = template["Resources"].as_object().unwrap();
    resources.values().filter(move |resource| resource["Type"] == of).map(|resource| &resource["Properties"])
}

/// The operation of a function of the template: where its code is says it.
fn operation(function: &Value) -> &str {
    let code = function["CodeUri"].as_str().unwrap();
    code.strip_prefix("../target/lambda/").unwrap().strip_suffix('/').unwrap()
}

/// A text of the template that lasts as long as the test.
fn lasting(text: &str) -> &'static str {
    Box::leak(text.to_owned().into_boxed_str())
}

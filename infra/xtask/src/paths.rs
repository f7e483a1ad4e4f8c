//! The paths of all routes, for the one function that has to know them: what no route takes.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use runtime::RouteSpec;

const HEADER: &str = "\
//! Written by `cargo xtask gen` from the routes' declarations. Not to be changed by hand.

/// The path of every route, and the methods that it takes as an `Allow` header lists them.
pub(crate) static PATHS: &[(&str, &str)] = &[
";

/// `functions/operations/src/paths.rs`
#[must_use]
pub fn source() -> String {
    let mut paths: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for route in functions::routes().map(RouteSpec::route).filter(|route| route.path.starts_with('/')) {
        paths.entry(route.path).or_default().extend(route.method.tokens());
    }
    let mut source = HEADER.to_owned();
    for (path, methods) in paths {
        let _ = writeln!(source, "    ({path:?}, {:?}),", methods.join(", "));
    }
    source + "];\n"
}

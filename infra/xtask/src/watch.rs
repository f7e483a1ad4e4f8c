//! The routes of `cargo lambda watch`, which it reads in the workspace's `Cargo.toml`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use runtime::{Method, Route, RouteSpec};

const BEGIN: &str = "# Written by `cargo xtask gen`: the routes of `cargo lambda watch`.\n";
const END: &str = "# End of what `cargo xtask gen` wrote.\n";

/// `Cargo.toml` with the routes between their markers; at its end, if there are none.
#[must_use]
pub fn manifest(text: &str) -> String {
    let (before, after) = match (text.find(BEGIN), text.find(END)) {
        (Some(begin), Some(end)) if begin < end => (&text[..begin], &text[end + END.len()..]),
        _ => (text, ""),
    };
    let gap = if before.ends_with("\n\n") { "" } else { "\n" };
    format!("{before}{gap}{BEGIN}{}{END}{after}", table())
}

/// The table of the tool's router: a path to its methods' functions. Anything else goes to `route-not-found`.
fn table() -> String {
    let mut paths: BTreeMap<&str, Vec<&Route>> = BTreeMap::new();
    for route in functions::routes().map(RouteSpec::route) {
        paths.entry(route.path).or_default().push(route);
    }
    let mut table = String::from("[workspace.metadata.lambda.watch.router]\n");
    for (path, routes) in paths {
        match routes.as_slice() {
            [rest] if rest.method == Method::Any => {
                // The tool's catch-all does not take the root.
                for path in ["/", "/{*rest}"] {
                    let _ = writeln!(table, "\"{path}\" = \"{}\"", rest.id);
                }
            }
            routes => {
                let _ = writeln!(table, "\"{path}\" = [");
                for (route, token) in
                    routes.iter().flat_map(|route| route.method.tokens().iter().map(|token| (*route, *token)))
                {
                    let _ = writeln!(table, "    {{ method = \"{token}\", function = \"{}\" }},", route.id);
                }
                table.push_str("]\n");
            }
        }
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writing_twice_changes_nothing_and_the_rest_stays() {
        let once = manifest("[workspace]\n");
        assert!(once.starts_with("[workspace]\n\n# Written"));
        assert_eq!(manifest(&once), once);
        let more = format!("{once}\n[profile.dev]\n");
        assert_eq!(manifest(&more), more);
    }
}

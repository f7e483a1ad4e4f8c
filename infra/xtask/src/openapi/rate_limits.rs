//! The headers that tell what is left of a rate limit.

use crate::map;
use crate::node::Node;

/// Their names, as they are written, and what they say.
const ALL: [(&str, Kind, &str); 8] = [
    ("X-RateLimit-Limit", Kind::Number, "How much the tightest of the request's limits allows."),
    ("X-RateLimit-Remaining", Kind::Number, "How much of that is left."),
    ("X-RateLimit-Reset", Kind::Number, "When there is more again, in seconds of the epoch."),
    ("RateLimit-Limit", Kind::Number, "`X-RateLimit-Limit`, by the older drafts."),
    ("RateLimit-Remaining", Kind::Number, "`X-RateLimit-Remaining`, by the older drafts."),
    ("RateLimit-Reset", Kind::Number, "After how many seconds there is more again, by the older drafts."),
    ("RateLimit-Policy", Kind::Text, "The limit and its window in seconds, by the current draft: `\"key\";q=100;w=1`."),
    (
        "RateLimit",
        Kind::Text,
        "What is left and after how many seconds there is more, by the current draft: `\"key\";r=87;t=1`.",
    ),
];

#[derive(Clone, Copy)]
enum Kind {
    Number,
    Text,
}

/// Their names.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    ALL.into_iter().map(|(name, ..)| name)
}

/// What each says; and when to come again, where there were too many.
pub(super) fn headers() -> Vec<(String, Node)> {
    let number = |least: u64| map! { "type" => "integer", "minimum" => least };
    let header = |description: &str, schema: Node| map! { "description" => description, "schema" => schema };
    let mut headers: Vec<_> = ALL
        .into_iter()
        .map(|(name, kind, description)| {
            let schema = match kind {
                Kind::Number => number(0),
                Kind::Text => map! { "type" => "string" },
            };
            (name.to_owned(), header(description, schema))
        })
        .collect();
    let again = header("After how many seconds it is worth trying again.", number(1)).with("required", true);
    headers.push(("Retry-After".to_owned(), again));
    headers
}

//! What holds for the members of a webhook, when it is made and when it is changed.

use auth::target::{self, Rules};
use contract::webhook::{HeaderNames, SignatureHeader};
use contract::{Problems, patterns};
use schemars::{Schema, SchemaGenerator, json_schema};

/// The member `url` as the deployment's rules let it through.
pub(crate) fn allowed_url(rules: &Rules, url: Option<String>, problems: &mut Problems) -> Option<String> {
    match rules.check(&url?) {
        Ok(target) => Some(target.as_str().to_owned()),
        Err(broken) => {
            problems.add("url", broken.code, broken.message);
            None
        }
    }
}

/// The form of the member `url`; which schemes, hosts and ports there may be is the deployment's to say.
pub(crate) fn url_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "description": "Where deliveries are sent, in the spelling that parsers leave unaltered: https on port 443, unless \
            the deployment allows more. It has no user name, no password and no fragment.",
        "type": "string",
        "maxLength": target::MAX_URL,
        "pattern": patterns::exact_url(),
    })
}

/// No header stands where a signature goes: neither the chosen name nor, during a rotation, that of the new one.
pub(crate) fn no_collision(headers: &HeaderNames, signature: Option<&SignatureHeader>, problems: &mut Problems) {
    let Some(signature) = signature else { return };
    let taken = [signature.name.as_str().to_owned(), format!("{}-New", signature.name.as_str())];
    for name in headers.iter().filter(|name| taken.iter().any(|taken| taken.eq_ignore_ascii_case(name))) {
        problems.add(format!("headers.{name}"), "reserved_header", "The signature goes under this name.");
    }
}

//! What holds for the members of a webhook, when it is made and when it is changed.

use auth::target::{self, Rules};
use contract::webhook::{HeaderNames, SignatureHeader};
use contract::{Error, Problems, json};
use runtime::{Admitted, FromRequest};
use schemars::{Schema, SchemaGenerator, json_schema};

/// The member `url` of the body, as the deployment's rules let it through. An argument beside the body, so that what is
/// wrong with it is told together with all else; where there is none, or no text, that is the body's to say.
pub(crate) struct AllowedUrl(pub(crate) Option<String>);

impl FromRequest for AllowedUrl {
    fn take(request: &mut Admitted) -> Result<Self, Error> {
        let rules = Rules::take(request)?;
        let body = json::parse(&request.incoming.body).unwrap_or_default();
        let Some(url) = body.peek().get("url").and_then(|url| url.as_str()) else { return Ok(Self(None)) };
        let refused = |broken: contract::Broken| Problems::one("url", broken.code, broken.message).into();
        rules.check(url).map(|target| Self(Some(target.as_str().to_owned()))).map_err(refused)
    }
}

/// The form of the member `url`; which schemes, hosts and ports there may be is the deployment's to say.
pub(crate) fn url_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "description": "Where deliveries are sent: https on port 443, unless the deployment allows more. It has no user \
            name, no password and no fragment.",
        "type": "string",
        "format": "uri",
        "maxLength": target::MAX_URL,
        "pattern": r"^https?://([a-z0-9._-]+|\[[0-9a-f:]+\])(:[0-9]{1,5})?([/?][A-Za-z0-9._~!$&()*+,;=:@%/?-]*)?$",
    })
}

/// No header stands where a signature goes: neither the chosen name nor, during a rotation, that of the new one.
pub(crate) fn no_collision(headers: &HeaderNames, signature: Option<&SignatureHeader>) -> Result<(), Problems> {
    let mut problems = Problems::default();
    let Some(signature) = signature else { return Ok(()) };
    let taken = [signature.name.as_str().to_owned(), format!("{}-New", signature.name.as_str())];
    for name in headers.iter().filter(|name| taken.iter().any(|taken| taken.eq_ignore_ascii_case(name))) {
        problems.add(format!("headers.{name}"), "reserved_header", "The signature goes under this name.");
    }
    problems.or(())
}

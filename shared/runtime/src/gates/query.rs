//! Query parameters: none that the route does not know.

use contract::{Code, Error};
use percent_encoding::percent_decode_str;

use crate::request::RequestContext;

/// The most characters of a parameter's name that are said back.
const NAME_SHOWN: usize = 40;

/// Refuses parameters that none of the handler's arguments takes, on routes that know theirs. What is between two `&` and
/// empty is no parameter (WHATWG URL §5.1).
///
/// # Errors
/// `malformed_request`
pub(super) fn refuse_unknown_parameters(context: &RequestContext) -> Result<(), Error> {
    let (route, query) = (context.route, &context.incoming.query);
    if query.is_empty() || !route.knows_its_query() {
        return Ok(());
    }
    let mut known = Vec::new();
    (route.query)(&mut known);
    let decode = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    let mut names = pairs.map(|pair| decode(pair.split_once('=').map_or(pair, |(name, _)| name)));
    let Some(unknown) = names.find(|name| !known.contains(&name.as_str())) else { return Ok(()) };
    let unknown: String = unknown.chars().take(NAME_SHOWN).map(|c| if c.is_control() { ' ' } else { c }).collect();
    let known: Vec<_> = known.into_iter().map(|name| format!("`{name}`")).collect();
    let takes = if known.is_empty() { "takes none".to_owned() } else { format!("takes {}", known.join(", ")) };
    let message = format!("The query parameter `{unknown}` is not known here: this route {takes}.");
    Err(Error::saying(Code::MalformedRequest, message))
}

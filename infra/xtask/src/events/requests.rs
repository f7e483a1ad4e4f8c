//! What the sample events ask for: what the routes' declarations say, with the sample account's identifiers in it.

use std::borrow::Cow;

use runtime::{Method, Route, RouteSpec};
use samples::Samples;
use serde_json::Value;

use crate::Failure;

/// The parts of a request that are its route's own.
pub(super) struct Request {
    /// The path's parameters.
    pub(super) parameters: Vec<(&'static str, String)>,
    /// The path, where it does not come from the parameters.
    pub(super) path: Option<&'static str>,
    /// The query.
    pub(super) query: Vec<(&'static str, String)>,
    /// The body.
    pub(super) body: Option<Value>,
}

/// Parameters of paths that most routes take from the sample account alike.
const USUAL: [(&str, &str); 3] = [("tenantId", "$tenant"), ("groupId", "product"), ("entityId", "$entity")];

/// The sample request of a route.
///
/// # Errors
/// If a parameter of its path has no sample, a name is not the account's, or its body is not JSON.
pub(super) fn request(spec: &RouteSpec, samples: &Samples) -> Result<Request, Failure> {
    let (route, sample) = (spec.route(), &spec.about.sample);
    let of_path = |name| {
        let found = sample.path.iter().chain(&USUAL).find(|(known, _)| *known == name);
        let (_, text) = found.ok_or_else(|| format!("{} has no sample for `{name}`", route.id))?;
        Ok((name, named(text, samples)?.into_owned()))
    };
    let of_query = |(name, text): &(&'static str, &str)| Ok((*name, named(text, samples)?.into_owned()));
    let body = |text| -> Result<Value, Failure> {
        let body = serde_json::from_str(&named(text, samples)?);
        body.map_err(|error| format!("{}: {error} in its sample", route.id).into())
    };
    Ok(Request {
        parameters: route.parameters().map(of_path).collect::<Result<_, Failure>>()?,
        path: path(route),
        query: sample.query.iter().map(of_query).collect::<Result<_, Failure>>()?,
        body: sample.body.map(body).transpose()?,
    })
}

/// A path at which nothing is.
fn path(route: &Route) -> Option<&'static str> {
    (route.method == Method::Any).then_some("/api/v1/hedgehogs")
}

/// A text with the account's identifiers where it has `$` and their names.
fn named<'t>(text: &'t str, samples: &Samples) -> Result<Cow<'t, str>, Failure> {
    let Some((before, rest)) = text.split_once('$') else { return Ok(text.into()) };
    let end = rest.find(|c: char| !c.is_alphabetic()).unwrap_or(rest.len());
    let (name, after) = rest.split_at(end);
    let identifier = identifier(name, samples).ok_or_else(|| format!("the sample account has no `${name}`"))?;
    Ok(format!("{before}{identifier}{}", named(after, samples)?).into())
}

fn identifier(name: &str, samples: &Samples) -> Option<String> {
    let shop = &samples.shop;
    Some(match name {
        "spareSession" => shop.spare_session.to_string(),
        "member" => samples.members[0].to_string(),
        "spareMember" => samples.members[1].to_string(),
        "invitation" => samples.invitation.to_string(),
        "invitationToken" => samples.invitation_token.reveal(),
        "resetToken" => samples.reset_token.reveal(),
        "apiKey" => shop.api_keys[0].to_string(),
        "rotatedApiKey" => samples.rotated_key.to_string(),
        "spareApiKey" => shop.api_keys[1].to_string(),
        "group" => shop.groups[0].to_string(),
        "spareGroup" => shop.groups[1].to_string(),
        "globalField" => shop.global_fields[0].to_string(),
        "spareGlobalField" => shop.global_fields[1].to_string(),
        "tenantField" => shop.tenant_fields[0].to_string(),
        "spareTenantField" => shop.tenant_fields[1].to_string(),
        "tenant" => shop.tenant.to_string(),
        "entity" => shop.entities[0].to_string(),
        "spareEntity" => shop.entities[1].to_string(),
        "webhook" => samples.webhooks[0].to_string(),
        "spareWebhook" => samples.webhooks[1].to_string(),
        "delivery" => samples.delivery.to_string(),
        "job" => samples.job.to_string(),
        _ => return None,
    })
}

//! Arguments from the path, the query and the headers.

use std::borrow::Cow;
use std::str::FromStr;

use contract::id::{DeliveryId, FieldId, InvitationId, JobId, KeyId, SessionId, UserId, WebhookId};
use contract::names::{EntityId, GroupRef};
use contract::{Broken, Code, Error, Origin, Precondition, Problems, Time};
use http::header::{ACCESS_CONTROL_REQUEST_METHOD, IF_MATCH, IF_NONE_MATCH};
use percent_encoding::percent_decode_str;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use store::author::RequestInfo;
use store::page::PageRequest;

use super::FromRequest;
use crate::request::RequestContext;
use crate::request::incoming::Incoming;
use crate::spec::operation::OperationSpec;

/// A parameter of the path.
pub(crate) fn path_parameter<T: FromStr<Err = Broken>>(incoming: &Incoming, name: &str) -> Result<T, Error> {
    let found = incoming.parameters.iter().find(|(known, _)| known == name);
    let (_, text) = found.ok_or_else(|| Error::internal(format!("the event has no path parameter `{name}`")))?;
    text.parse().map_err(|broken: Broken| Problems::one(name, broken.code, broken.message).into())
}

macro_rules! path_parameters {
    ($($type:ty, $name:literal $(($reached:ident))?, $schema:ty, $description:literal;)+) => { $(
        impl FromRequest for $type {
            fn take(context: &RequestContext) -> Result<Self, Error> {
                let read = path_parameter(&context.incoming, $name);
                $(let read = context.$reached(read?);)?
                read
            }
            fn describe(operation: &mut OperationSpec) {
                operation.parameter::<$schema>("path", $name, $description);
            }
        }
    )+ };
}

path_parameters! {
    GroupRef, "groupId"(group), GroupRef, "The identifier or the key of a field group.";
    EntityId, "entityId"(entity), EntityId, "The client's own identifier of a record.";
    SessionId, "id", SessionId, "The identifier of a session.";
    UserId, "id", UserId, "The identifier of a member's user.";
    InvitationId, "id", InvitationId, "The identifier of an invitation.";
    KeyId, "id", KeyId, "The identifier of an API key.";
    GlobalFieldId, "id", FieldId, "The identifier of a global field.";
    WebhookId, "id", WebhookId, "The identifier of a webhook.";
    DeliveryId, "id", DeliveryId, "The identifier of a delivery.";
    JobId, "id", JobId, "The identifier of a job.";
    TenantFieldId, "fieldId", FieldId, "The identifier of a tenant field.";
}

/// A field's identifier as `{id}`.
pub struct GlobalFieldId(pub FieldId);

/// A field's identifier as `{fieldId}`.
pub struct TenantFieldId(pub FieldId);

impl FromStr for GlobalFieldId {
    type Err = Broken;
    fn from_str(text: &str) -> Result<Self, Broken> {
        text.parse().map(Self)
    }
}

impl FromStr for TenantFieldId {
    type Err = Broken;
    fn from_str(text: &str) -> Result<Self, Broken> {
        text.parse().map(Self)
    }
}

/// The decoded value of a query parameter.
fn query_parameter(incoming: &Incoming, name: &str) -> Result<Option<String>, Error> {
    let decode = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8().ok().map(String::from);
    let refused =
        |why: &str| Err(Error::saying(Code::MalformedRequest, format!("The query parameter `{name}` {why}.")));
    let mut found = None;
    for pair in incoming.query.split('&') {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        if decode(key).as_deref() != Some(name) {
            continue;
        }
        if found.is_some() {
            return refused("is there twice");
        }
        found = Some(decode(value));
    }
    match found {
        None => Ok(None),
        Some(Some(value)) => Ok(Some(value)),
        Some(None) => refused("is not UTF-8"),
    }
}

/// A filter in the query, named by its type: `Query<FieldGroupFilter>`.
pub trait QueryName: Send + 'static {
    /// What it holds.
    type Value: FromStr<Err = Broken> + JsonSchema + Send + 'static;
    /// The parameter's name.
    const NAME: &'static str;
    /// What it is for.
    const DESCRIPTION: &'static str;
}

/// Makes names of query parameters: `Since: Time, "from", "Only what was done since then.";`
#[macro_export]
macro_rules! query_names {
    ($($filter:ident: $value:ty, $name:literal, $description:literal;)+) => { $(
        pub(crate) struct $filter;

        impl $crate::extract::parameters::QueryName for $filter {
            type Value = $value;
            const NAME: &'static str = $name;
            const DESCRIPTION: &'static str = $description;
        }
    )+ };
}

/// An optional query parameter.
pub struct Query<N: QueryName>(pub Option<N::Value>);

impl<N: QueryName> FromRequest for Query<N> {
    fn take(context: &RequestContext) -> Result<Self, Error> {
        let Some(text) = query_parameter(&context.incoming, N::NAME)? else { return Ok(Self(None)) };
        let refused = |broken: Broken| {
            // A `+` that was not encoded has become a blank, as in `2026-01-31T12:00:00+00:00`.
            let plus = text.contains(' ') && text.replace(' ', "+").parse::<N::Value>().is_ok();
            let hint = if plus { " A `+` in a query has to be written `%2B`." } else { "" };
            let message = format!("The query parameter `{}` is not valid: {}{hint}", N::NAME, broken.message);
            Error::saying(Code::MalformedRequest, message)
        };
        text.parse().map(|value| Self(Some(value))).map_err(refused)
    }
    fn query(names: &mut Vec<&'static str>) {
        names.push(N::NAME);
    }
    fn describe(operation: &mut OperationSpec) {
        operation.parameter::<N::Value>("query", N::NAME, N::DESCRIPTION);
    }
}

/// A page's length as the query says it.
#[derive(JsonSchema)]
#[schemars(inline)]
#[expect(dead_code, reason = "describes the parameter")]
struct Limit(#[schemars(range(min = 1, max = 100))] u8);

impl FromRequest for PageRequest {
    fn take(context: &RequestContext) -> Result<Self, Error> {
        let limit = match query_parameter(&context.incoming, "limit")? {
            None => 25,
            Some(text) => {
                let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
                let number = text.parse().ok().filter(|number| digits && (1..=100).contains(number));
                let message = "The query parameter `limit` must be a whole number from 1 to 100.";
                number.ok_or_else(|| Error::saying(Code::MalformedRequest, message))?
            }
        };
        let cursor = query_parameter(&context.incoming, "cursor")?.filter(|cursor| !cursor.is_empty());
        Ok(Self { limit, cursor })
    }
    fn query(names: &mut Vec<&'static str>) {
        names.extend(["limit", "cursor"]);
    }
    fn describe(operation: &mut OperationSpec) {
        operation.parameter::<Limit>("query", "limit", "How many at the most; 25 if it is left out.");
        operation.parameter::<String>("query", "cursor", "The `nextCursor` of the page before.");
    }
}

/// `If-Match: "3"` (`W/"3"` means the same), `If-Match: *`, or `If-None-Match: *` (RFC 9110 §13.1; contract: Conventions).
impl FromRequest for Option<Precondition> {
    fn take(context: &RequestContext) -> Result<Self, Error> {
        let refused = |message: &str| Err(Error::saying(Code::MalformedRequest, message));
        let incoming = &context.incoming;
        let (matches, none_match) = (incoming.only(&IF_MATCH), incoming.only(&IF_NONE_MATCH));
        match (matches, none_match) {
            (Ok(None), Ok(None)) => Ok(None),
            (Ok(None), Ok(Some("*"))) => Ok(Some(Precondition::Absent)),
            (_, Ok(None)) => match matches.ok().flatten().and_then(version_or_any) {
                Some(precondition) => Ok(Some(precondition)),
                None => refused("The header `If-Match` must be one version in quotes, like \"3\", or *."),
            },
            (Ok(None), _) => refused("The header `If-None-Match` of a write must be *."),
            _ => refused("A write takes one of the headers `If-Match` and `If-None-Match`, not both."),
        }
    }
    fn describe(operation: &mut OperationSpec) {
        let matches = "The version that the change is meant for, in quotes; `*` for any that there is.";
        operation.parameter::<VersionOrAny>("header", "If-Match", matches);
        operation.parameter::<Any>("header", "If-None-Match", "`*`: only if the resource doesn't exist yet.");
    }
}

/// That a write makes something new: a precondition that asks for what is there does not hold.
#[derive(Debug, Clone, Copy)]
pub struct New;

impl FromRequest for New {
    fn take(context: &RequestContext) -> Result<Self, Error> {
        let precondition = <Option<Precondition> as FromRequest>::take(context)?;
        precondition.map_or(Ok(()), |precondition| precondition.check(None)).map(|()| Self)
    }
    fn describe(operation: &mut OperationSpec) {
        <Option<Precondition> as FromRequest>::describe(operation);
    }
}

/// That something exists which has no version: of the preconditions, `If-Match: *` alone says something of it.
#[derive(Debug, Clone, Copy)]
pub struct Unversioned;

impl FromRequest for Unversioned {
    fn take(context: &RequestContext) -> Result<Self, Error> {
        match <Option<Precondition> as FromRequest>::take(context)? {
            None | Some(Precondition::Exists) => Ok(Self),
            Some(_) => {
                let message = "This has no version: of preconditions it takes `If-Match: *` alone.";
                Err(Error::saying(Code::MalformedRequest, message))
            }
        }
    }
    fn describe(operation: &mut OperationSpec) {
        operation.parameter::<Any>("header", "If-Match", "`*`: there is no version to name.");
    }
}

fn version_or_any(text: &str) -> Option<Precondition> {
    if text == "*" {
        return Some(Precondition::Exists);
    }
    let quoted = text.strip_prefix("W/").unwrap_or(text);
    let digits = quoted.strip_prefix('"')?.strip_suffix('"')?;
    let plain = digits.bytes().all(|b| b.is_ascii_digit()) && (digits == "0" || !digits.starts_with('0'));
    plain.then(|| digits.parse().ok()).flatten().map(Precondition::Version)
}

struct VersionOrAny;

impl JsonSchema for VersionOrAny {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "VersionOrAny".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let version = r#"^(W/)?"(0|[1-9][0-9]{0,17})"$"#;
        json_schema!({ "anyOf": [{ "const": "*" }, { "type": "string", "pattern": version }] })
    }
}

struct Any;

impl JsonSchema for Any {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Any".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "const": "*" })
    }
}

/// The time of the request.
#[derive(Debug, Clone, Copy)]
pub struct Now(pub Time);

impl FromRequest for Now {
    fn take(context: &RequestContext) -> Result<Self, Error> {
        Ok(Self(context.author().at()))
    }
}

impl FromRequest for RequestInfo {
    fn take(context: &RequestContext) -> Result<Self, Error> {
        Ok(context.incoming.info.clone())
    }
}

/// What a browser asks before it has a page of another origin send a request (Fetch §3.2.2).
pub struct Preflight {
    /// The page's origin, if it is one that a client could list.
    pub origin: Option<Origin>,
}

/// A request that no route takes.
pub struct Unrouted {
    /// Its method.
    pub method: String,
    /// Its path, as it came.
    pub path: String,
    /// What it asks, if it asks for a page.
    pub preflight: Option<Preflight>,
}

impl FromRequest for Unrouted {
    fn take(context: &RequestContext) -> Result<Self, Error> {
        let incoming = &context.incoming;
        let (method, path) = (incoming.method.clone(), incoming.path.clone());
        let asks = method == "OPTIONS" && incoming.headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD);
        let preflight = match incoming.page() {
            Ok(None) => None,
            page => Some(Preflight { origin: page.ok().flatten() }),
        };
        Ok(Self { method, path, preflight: preflight.filter(|_| asks) })
    }
}

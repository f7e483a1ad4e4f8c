//! Bodies: JSON, read strictly, every wrong member named at once.

use contract::json::{self, Json};
use contract::{Broken, Code, Error, Problems};
use deserr::{Deserr, IntoValue, MergeWithError, Value, ValuePointerRef};
use http::header::CONTENT_TYPE;
use schemars::{JsonSchema, Schema, SchemaGenerator};

use super::FromRequest;
use crate::request::RequestContext;
use crate::request::incoming::Incoming;
use crate::spec::operation::OperationSpec;
use crate::spec::route::Method;

/// A request's body. A type says that it is one with `impl Body for T {}`.
pub trait Body: Deserr<Problems> + JsonSchema + Send + 'static {
    /// What tells of a body whether reading it may take long, if that may be: a schema's pattern is compiled, and its
    /// default held against it.
    const TAKES_LONG: Option<fn(&serde_json::Value) -> bool> = None;
}

/// A body of more bytes may take long whatever it holds, where one may.
const SHORT: usize = 4 * 1_024;

fn takes_long<B: Body>(incoming: &Incoming) -> bool {
    let holds = |told: fn(&serde_json::Value) -> bool| parse(incoming).is_ok_and(|json| told(json.peek()));
    B::TAKES_LONG.is_some_and(|told| incoming.body.len() > SHORT || holds(told))
}

impl<T: Body> FromRequest for T {
    const TAKES_BODY: bool = true;

    fn take(context: &RequestContext) -> Result<Self, Error> {
        read(&context.incoming)
    }
    fn takes_long(context: &RequestContext) -> bool {
        takes_long::<T>(&context.incoming)
    }
    fn describe(operation: &mut OperationSpec) {
        operation.body::<T>();
    }
}

/// A body of which some is wrong for its form, perhaps, and some can be held against more than that all the same: other
/// members, the time, what is stored. So everything that is wrong with it is told at once, wherever it is found.
pub struct PartialBody<B> {
    json: Json,
    body: Result<B, Problems>,
}

impl<B> PartialBody<B> {
    /// A member, if it is there and its form is right.
    #[must_use]
    pub fn member<T: Deserr<Problems>>(&self, name: &str) -> Option<T> {
        self.json.member(name)
    }

    /// A member as it was sent, if it is there.
    #[must_use]
    pub fn sent(&self, name: &str) -> Option<&serde_json::Value> {
        self.json.peek().get(name)
    }

    /// The body as an object, whatever is in it.
    #[must_use]
    pub fn object(&self) -> Option<&serde_json::Map<String, serde_json::Value>> {
        self.json.peek().as_object()
    }

    /// What is wrong with its form.
    #[must_use]
    pub fn wrong(&self) -> Problems {
        self.body.as_ref().err().cloned().unwrap_or_default()
    }

    /// The body, if its form is right and there are no `others`.
    ///
    /// # Errors
    /// All that is wrong.
    pub fn and(&self, others: Problems) -> Result<&B, Problems> {
        match &self.body {
            Ok(body) => others.or(body),
            Err(wrong) => {
                let mut all = wrong.clone();
                all.extend_elsewhere(others);
                Err(all)
            }
        }
    }

    /// What came of it. What is wrong with its form goes before all else that stood in the way.
    ///
    /// # Errors
    /// As they come.
    pub fn told<T>(&self, done: Result<T, Error>) -> Result<T, Error> {
        match (done, &self.body) {
            (Err(error), Err(wrong)) if error.code() != Code::ValidationFailed => Err(wrong.clone().into()),
            (done, _) => done,
        }
    }
}

impl<B: Body + Sync> FromRequest for PartialBody<B> {
    const TAKES_BODY: bool = true;

    fn take(context: &RequestContext) -> Result<Self, Error> {
        let json = parse(&context.incoming)?;
        Ok(Self { body: json.clone().read(), json })
    }
    fn takes_long(context: &RequestContext) -> bool {
        takes_long::<B>(&context.incoming)
    }
    fn wrong(&self) -> Option<Problems> {
        self.body.as_ref().err().cloned()
    }
    fn describe(operation: &mut OperationSpec) {
        operation.body::<B>();
    }
}

/// The body of a route that takes none: nothing, or an object without members. Whoever sends `{"dryRun": true}` would
/// believe that it was heard; so it is refused, with what else is wrong.
pub(crate) struct NoOtherBody;

#[derive(Deserr)]
#[deserr(error = Problems, deny_unknown_fields)]
struct Nothing {}

impl FromRequest for NoOtherBody {
    fn take(context: &RequestContext) -> Result<Self, Error> {
        let route = context.route;
        if route.takes_body || route.method != Method::Post || context.incoming.body.is_empty() {
            return Ok(Self);
        }
        read(&context.incoming).map(|Nothing {}| Self)
    }
}

/// A body as a type.
///
/// # Errors
/// `unsupported_media_type`, `malformed_request`, `validation_failed`
fn read<T: Deserr<Problems>>(incoming: &Incoming) -> Result<T, Error> {
    Ok(parse(incoming)?.read::<T>()?)
}

fn parse(incoming: &Incoming) -> Result<Json, Error> {
    if !is_json(incoming.header(&CONTENT_TYPE)) {
        return Err(Code::UnsupportedMediaType.into());
    }
    json::parse(&incoming.body).map_err(|e| Error::saying(Code::MalformedRequest, e.0))
}

/// `application/json`, in UTF-8 if it says a character set (RFC 8259 §8.1).
fn is_json(content_type: &str) -> bool {
    let mut parts = content_type.split(';').map(str::trim);
    let json = parts.next().is_some_and(|essence| essence.eq_ignore_ascii_case("application/json"));
    json && parts.all(|parameter| match parameter.split_once('=') {
        Some((name, value)) if name.trim().eq_ignore_ascii_case("charset") => is_utf8(value),
        _ => true,
    })
}

/// UTF-8 by any of its names: `utf-8`, `UTF8`, `"utf-8"`, `utf_8`.
fn is_utf8(name: &str) -> bool {
    name.bytes().filter(u8::is_ascii_alphanumeric).map(|b| b.to_ascii_lowercase()).eq(*b"utf8")
}

/// A member of a change: left out, cleared with `null`, or set.
#[derive(Debug, Clone, Default)]
pub enum Patch<T> {
    /// Stays as it is.
    #[default]
    Keep,
    /// Is cleared.
    Clear,
    /// Becomes this.
    Set(T),
}

impl<T: Clone> Patch<T> {
    /// Carries out the change.
    pub fn apply(&self, to: &mut Option<T>) {
        match self {
            Self::Keep => {}
            Self::Clear => *to = None,
            Self::Set(value) => *to = Some(value.clone()),
        }
    }
}

/// A member of a change that always has a value: left out, or set; it can't be cleared with `null`.
#[derive(Debug, Clone)]
pub struct NotNull<T>(pub Option<T>);

impl<T> Default for NotNull<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T: Deserr<Problems>> Deserr<Problems> for NotNull<T> {
    fn deserialize_from_value<V: IntoValue>(value: Value<V>, location: ValuePointerRef<'_>) -> Result<Self, Problems> {
        if let Value::Null = value {
            let broken = Broken::new("not_nullable", "Can't be cleared; leave it out to keep it as it is.");
            return Err(deserr::take_cf_content(<Problems as MergeWithError<Broken>>::merge(None, broken, location)));
        }
        T::deserialize_from_value(value, location).map(|value| Self(Some(value)))
    }
}

impl<T: JsonSchema> JsonSchema for NotNull<T> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("Given_{}", T::schema_name()).into()
    }
    fn json_schema(schemas: &mut SchemaGenerator) -> Schema {
        schemas.subschema_for::<T>()
    }
}

impl<T: Deserr<Problems>> Deserr<Problems> for Patch<T> {
    fn deserialize_from_value<V: IntoValue>(value: Value<V>, location: ValuePointerRef<'_>) -> Result<Self, Problems> {
        match value {
            Value::Null => Ok(Self::Clear),
            value => T::deserialize_from_value(value, location).map(Self::Set),
        }
    }
}

impl<T: JsonSchema> JsonSchema for Patch<T> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("Patch_{}", T::schema_name()).into()
    }
    fn json_schema(schemas: &mut SchemaGenerator) -> Schema {
        Option::<T>::json_schema(schemas)
    }
}

#[cfg(test)]
mod tests {
    use super::is_json;

    #[test]
    fn json_by_any_of_its_spellings() {
        for good in [
            "application/json",
            "Application/JSON; charset=UTF-8",
            "application/json;charset=\"utf-8\"; x=y",
            "application/json; charset=utf8",
            "application/json; Charset=UTF8",
            "application/json; charset=\"UTF8\"",
            "application/json; charset=utf_8",
            "application/json; charset='utf-8'",
            "application/json ; charset = utf-8",
            "application/json;",
        ] {
            assert!(is_json(good), "{good}");
        }
        for bad in [
            "",
            "text/plain",
            "application/jsonp",
            "application/xml",
            "application/json; charset=latin1",
            "application/json; charset=utf-16",
            "application/json; charset=utf-7",
            "application/json; charset=utf-88",
            "application/json; charset=",
            "application/json; charset=utf-8; charset=utf-16",
        ] {
            assert!(!is_json(bad), "{bad}");
        }
    }
}

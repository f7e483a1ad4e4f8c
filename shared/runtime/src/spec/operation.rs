//! What a handler's types say of it: the API's description and the permissions of its function are made from this. No
//! binary that serves a route links it.

use std::collections::BTreeSet;

use contract::resource::Resource;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use store::grant::Grant;

use crate::bucket::ObjectGrant;
use crate::queues::Queue;

/// A parameter of the path, the query or the headers.
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// `path`, `query` or `header`.
    pub location: &'static str,
    /// What it is for.
    pub description: &'static str,
    /// What it may be.
    pub schema: Schema,
}

/// What it answers when all is well.
pub struct Success {
    /// The status.
    pub status: u16,
    /// The body, if there is one.
    pub body: Option<Content>,
}

/// The form of a body.
pub enum Content {
    /// `{"data": …}`
    Data(Schema),
    /// `{"data": […], "meta": {"nextCursor": …}}`
    List(Schema),
    /// A document without an envelope.
    Document,
    /// JSON lines, each of this form.
    Lines(Schema),
}

/// What a function may do.
#[derive(Debug, Clone, Default)]
pub struct Permissions {
    /// In DynamoDB.
    pub items: BTreeSet<Grant>,
    /// The queues that it may send to.
    pub sends: BTreeSet<Queue>,
    /// The queues whose messages it may have come again later.
    pub postpones: BTreeSet<Queue>,
    /// On the bucket's objects.
    pub objects: BTreeSet<ObjectGrant>,
    /// Whether it may send mail from the deployment's address.
    pub sends_mail: bool,
    /// Whether it may read the data keys.
    pub data_keys: bool,
    /// Whether it may read the keys of embed tokens.
    pub token_keys: bool,
    /// Whether it may read Stripe's keys.
    pub billing_keys: bool,
    /// Whether it may put new ones in their place.
    pub rotates_token_keys: bool,
}

/// An operation, as its handler's types describe it.
pub struct OperationSpec {
    /// Collects the schemas that others refer to.
    pub schemas: SchemaGenerator,
    /// What its function may do.
    pub permissions: Permissions,
    /// Parameters, in the order of the arguments.
    pub parameters: Vec<Parameter>,
    /// The body's schema.
    pub body: Option<Schema>,
    /// What it answers when all is well.
    pub success: Option<Success>,
    /// Whether that may be long.
    pub(crate) answers_long: bool,
}

impl OperationSpec {
    /// Nothing yet.
    #[must_use]
    pub fn new(schemas: SchemaGenerator) -> Self {
        Self {
            schemas,
            permissions: Permissions::default(),
            parameters: Vec::new(),
            body: None,
            success: None,
            answers_long: false,
        }
    }

    /// Needs these.
    pub fn grant(&mut self, grants: impl IntoIterator<Item = Grant>) {
        self.permissions.items.extend(grants);
    }

    /// Takes a parameter.
    pub fn parameter<T: JsonSchema>(&mut self, location: &'static str, name: &'static str, description: &'static str) {
        let schema = self.schemas.subschema_for::<T>();
        self.parameters.push(Parameter { name, location, description, schema });
    }

    /// Takes a body.
    pub fn body<T: JsonSchema>(&mut self) {
        self.body = Some(self.schemas.subschema_for::<T>());
    }

    pub(crate) fn answers<T: Resource>(&mut self, status: u16) {
        self.answers_long |= T::LONG;
        let schema = self.schemas.subschema_for::<T>();
        self.success = Some(Success { status, body: Some(Content::Data(schema)) });
    }

    pub(crate) fn answers_list<T: JsonSchema>(&mut self) {
        let schema = self.schemas.subschema_for::<T>();
        self.success = Some(Success { status: 200, body: Some(Content::List(schema)) });
    }

    pub(crate) fn answers_lines<T: JsonSchema>(&mut self) {
        let schema = self.schemas.subschema_for::<T>();
        self.success = Some(Success { status: 200, body: Some(Content::Lines(schema)) });
    }

    pub(crate) fn answers_nothing(&mut self) {
        self.success = Some(Success { status: 204, body: None });
    }

    pub(crate) fn answers_document(&mut self) {
        self.success = Some(Success { status: 200, body: Some(Content::Document) });
    }
}

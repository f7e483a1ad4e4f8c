//! The schemas that others refer to. Requests are described as they are read and answers as they are written, so a
//! member that is optional in one may be certain in the other.

use std::collections::BTreeMap;

use runtime::{OperationSpec, RouteSpec};
use schemars::generate::{SchemaGenerator, SchemaSettings};
use serde_json::Value;

use crate::Failure;
use crate::node::Node;

const SCHEMAS: &str = "#/components/schemas/";

/// The two generators, and what was asked of each.
pub(super) struct Schemas {
    read: SchemaGenerator,
    written: SchemaGenerator,
    asked_read: Vec<Value>,
    asked_written: Vec<Value>,
}

impl Schemas {
    pub(super) fn new() -> Self {
        let settings =
            || SchemaSettings::draft2020_12().with(|settings| settings.definitions_path = "/components/schemas".into());
        Self {
            read: settings().for_deserialize().into_generator(),
            written: settings().for_serialize().into_generator(),
            asked_read: Vec::new(),
            asked_written: Vec::new(),
        }
    }

    /// What a handler's types say when it reads, then when it answers.
    pub(super) fn operation(&mut self, spec: &RouteSpec) -> (OperationSpec, OperationSpec) {
        let run = |schemas: &mut SchemaGenerator| {
            let mut operation = OperationSpec::new(std::mem::take(schemas));
            (spec.operation)(&mut operation);
            std::mem::swap(schemas, &mut operation.schemas);
            operation
        };
        (run(&mut self.read), run(&mut self.written))
    }

    /// The schema of something that is read.
    pub(super) fn read(&mut self, schema: &schemars::Schema) -> Node {
        self.asked_read.push(schema.as_value().clone());
        schema.as_value().clone().into()
    }

    /// The schema of something that is written.
    pub(super) fn written(&mut self, schema: &schemars::Schema) -> Node {
        self.asked_written.push(schema.as_value().clone());
        schema.as_value().clone().into()
    }

    /// The schema of a type that is written or read alike.
    pub(super) fn of<T: schemars::JsonSchema>(&mut self) -> Node {
        let schema = self.read.subschema_for::<T>();
        self.read(&schema)
    }

    /// Whether what is written has a version, and so an `ETag`.
    pub(super) fn has_version(&self, schema: &schemars::Schema) -> bool {
        let name = schema.get("$ref").and_then(Value::as_str).and_then(|target| target.strip_prefix(SCHEMAS));
        let definition = name.and_then(|name| self.written.definitions().get(name));
        definition
            .unwrap_or(schema.as_value())
            .pointer("/properties/version/type")
            .is_some_and(|kind| kind == "integer")
    }

    /// What the document refers to, by name; `beside` are schemas of its own.
    pub(super) fn into_components(mut self, beside: Vec<(&str, Node)>) -> Result<Node, Failure> {
        let problem = self.written.subschema_for::<contract::Problem>();
        self.written(&problem);
        let mut found = reached(&self.asked_read, &self.read)?;
        for (name, schema) in reached(&self.asked_written, &self.written)? {
            match found.get(&name) {
                Some(read) if *read != schema => {
                    return Err(format!("the schema {name} is another when it is written:\n{read}\n{schema}").into());
                }
                _ => found.insert(name, schema),
            };
        }
        let mut components: Vec<(String, Node)> =
            beside.into_iter().map(|(name, node)| (name.to_owned(), node)).collect();
        components.extend(found.into_iter().map(|(name, schema)| (name, without_empty_defaults(schema).into())));
        components.sort_by(|(a, _), (b, _)| a.cmp(b));
        Ok(Node::Map(components))
    }
}

/// `null` as a default says only that a member may be left out, which `required` says already.
fn without_empty_defaults(schema: Value) -> Value {
    match schema {
        Value::Object(members) => {
            let kept = members.into_iter().filter(|(name, value)| name != "default" || !value.is_null());
            kept.map(|(name, value)| (name, without_empty_defaults(value))).collect()
        }
        Value::Array(items) => items.into_iter().map(without_empty_defaults).collect(),
        other => other,
    }
}

/// The definitions that these schemas refer to, and those that these refer to.
fn reached(asked: &[Value], generator: &SchemaGenerator) -> Result<BTreeMap<String, Value>, Failure> {
    let mut found = BTreeMap::new();
    let mut ahead: Vec<&Value> = asked.iter().collect();
    while let Some(schema) = ahead.pop() {
        match schema {
            Value::Object(members) => {
                let name = members.get("$ref").and_then(Value::as_str).and_then(|target| target.strip_prefix(SCHEMAS));
                if let Some(name) = name.filter(|name| !found.contains_key(*name)) {
                    let definition = generator.definitions().get(name).ok_or_else(|| format!("no schema {name}"))?;
                    found.insert(name.to_owned(), definition.clone());
                    ahead.push(definition);
                }
                ahead.extend(members.values());
            }
            Value::Array(items) => ahead.extend(items),
            _ => {}
        }
    }
    Ok(found)
}

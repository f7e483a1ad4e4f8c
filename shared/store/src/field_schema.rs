//! What holds for the schema of a field, a global or a tenant's one.

use contract::schema::{FieldSchema, FieldType};
use contract::{Error, Problems};

use crate::document::to_doc;

/// A field's type never changes.
pub(crate) fn same_type(before: &FieldSchema, named: Option<FieldType>, problems: &mut Problems) {
    if named.is_some_and(|named| named != before.field_type()) {
        problems.add("schema.type", "immutable", "A field's type never changes.");
    }
}

/// The bytes of a schema, as they count for its group.
pub(crate) fn schema_bytes(schema: &FieldSchema) -> Result<i64, Error> {
    i64::try_from(to_doc(schema)?.len()).map_err(Error::internal)
}

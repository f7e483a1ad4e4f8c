//! `POST /api/v1/global-fields`

use contract::names::{FieldKey, Name};
use contract::resource::GlobalField;
use contract::schema::FieldSchema;
use contract::{Error, Problems};
use deserr::Deserr;
use runtime::{Body, Created, New, PartialBody};
use schemars::JsonSchema;
use serde_json::Value;
use store::global_fields::{GlobalFields, NewGlobalField};
use store::grant::Create;

use crate::rules::{self, Groups};

/// A new global field.
#[derive(Deserr, JsonSchema)]
#[deserr(error = Problems, rename_all = camelCase, deny_unknown_fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct CreateGlobalField {
    key: FieldKey,
    label: Name,
    schema: FieldSchema,
    /// The groups that it is to be in: 1 to 40.
    field_group_ids: Groups,
}

impl Body for CreateGlobalField {
    const TAKES_LONG: Option<fn(&Value) -> bool> = Some(rules::has_pattern);
}

pub(crate) async fn create(
    fields: GlobalFields<Create>,
    body: PartialBody<CreateGlobalField>,
    _: New,
) -> Result<Created<GlobalField>, Error> {
    match body.and(Problems::default()) {
        Ok(CreateGlobalField { key, label, schema, field_group_ids: Groups(groups) }) => {
            let (key, label, schema, groups) = (key.clone(), label.clone(), schema.clone(), groups.clone());
            fields.create(NewGlobalField { key, label, schema, groups }).await.map(Created)
        }
        Err(wrong) => Err(fields.refuse(wrong, &rules::named_groups(&body)).await),
    }
}

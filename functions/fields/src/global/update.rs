//! `PATCH /api/v1/global-fields/{id}`

use contract::id::GroupId;
use contract::names::Name;
use contract::resource::GlobalField;
use contract::schema::FieldSchema;
use contract::{Error, Problems};
use deserr::Deserr;
use runtime::parameters::GlobalFieldId;
use runtime::{Body, Found, IfMatch};
use schemars::JsonSchema;
use store::global_fields::{GlobalFieldChange, GlobalFields};
use store::grant::Write;

use crate::rules;

/// A change of a global field; members left out stay. Its key and its type never change.
#[derive(Default, Deserr, JsonSchema)]
#[deserr(error = Problems, rename_all = camelCase, deny_unknown_fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct UpdateGlobalField {
    #[deserr(default)]
    label: Option<Name>,
    #[deserr(default)]
    schema: Option<FieldSchema>,
    /// All the groups that it is to be in: 1 to 40, each once.
    #[deserr(default)]
    field_group_ids: Option<Vec<GroupId>>,
}

impl Body for UpdateGlobalField {}

pub(crate) async fn update(
    fields: GlobalFields<Write>,
    id: GlobalFieldId,
    if_match: IfMatch,
    body: UpdateGlobalField,
) -> Result<Found<GlobalField>, Error> {
    let UpdateGlobalField { label, schema, field_group_ids: groups } = body;
    groups.as_deref().map_or(Ok(()), rules::groups)?;
    Ok(Found(fields.update(id.0, if_match.0, &GlobalFieldChange { label, schema, groups }).await?))
}

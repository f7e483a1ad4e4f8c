//! `POST /api/v1/field-groups`

use contract::names::{Description, GroupKey, Name};
use contract::resource::{FieldGroup, Publishing};
use contract::{Error, Problems};
use deserr::Deserr;
use runtime::{Body, Created, New};
use schemars::JsonSchema;
use store::field_groups::{FieldGroups, NewFieldGroup};
use store::grant::Create;

/// A new field group.
#[derive(Deserr, JsonSchema)]
#[deserr(error = Problems, rename_all = camelCase, deny_unknown_fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct CreateFieldGroup {
    key: GroupKey,
    name: Name,
    #[deserr(default)]
    description: Option<Description>,
    /// `immediate`, if it is left out.
    #[deserr(default)]
    publishing: Option<Publishing>,
}

impl Body for CreateFieldGroup {}

pub(crate) async fn create(
    groups: FieldGroups<Create>,
    body: CreateFieldGroup,
    _: New,
) -> Result<Created<FieldGroup>, Error> {
    let CreateFieldGroup { key, name, description, publishing } = body;
    let publishing = publishing.unwrap_or_default();
    Ok(Created(groups.create(NewFieldGroup { key, name, description, publishing }).await?))
}

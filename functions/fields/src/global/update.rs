//! `PATCH /api/v1/global-fields/{id}`

use contract::names::Name;
use contract::resource::GlobalField;
use contract::schema::FieldSchema;
use contract::{Error, Precondition, Problems};
use deserr::Deserr;
use runtime::extract::parameters::GlobalFieldId;
use runtime::{Body, Found, NotNull, PartialBody};
use schemars::JsonSchema;
use serde_json::Value;
use store::global_fields::{GlobalFieldChange, GlobalFields};
use store::grant::Update;

use crate::rules::{self, Groups};

/// A change of a global field; members left out stay. Its key and its type never change.
#[derive(Default, Deserr, JsonSchema)]
#[deserr(error = Problems, rename_all = camelCase, deny_unknown_fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct UpdateGlobalField {
    #[deserr(default)]
    label: NotNull<Name>,
    #[deserr(default)]
    schema: NotNull<FieldSchema>,
    /// All the groups that it is to be in: 1 to 40.
    #[deserr(default)]
    field_group_ids: NotNull<Groups>,
}

impl Body for UpdateGlobalField {
    const TAKES_LONG: Option<fn(&Value) -> bool> = Some(rules::has_pattern);
}

pub(crate) async fn update(
    fields: GlobalFields<Update>,
    id: GlobalFieldId,
    precondition: Option<Precondition>,
    body: PartialBody<UpdateGlobalField>,
) -> Result<Found<GlobalField>, Error> {
    let change = GlobalFieldChange {
        label: body.member("label"),
        schema: body.member("schema"),
        field_type: rules::named_type(&body),
        groups: body.member("fieldGroupIds").map(|Groups(groups)| groups),
        named_groups: rules::named_groups(&body),
        wrong: body.wrong(),
    };
    body.told(fields.update(id.0, precondition, &change).await).map(Found)
}

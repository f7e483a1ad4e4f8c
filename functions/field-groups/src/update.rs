//! `PATCH /api/v1/field-groups/{groupId}`

use contract::names::{Description, GroupRef, Name};
use contract::resource::{FieldGroup, Publishing};
use contract::{Error, Precondition, Problems};
use deserr::Deserr;
use runtime::{Body, Found, NotNull, Patch};
use schemars::JsonSchema;
use store::field_groups::FieldGroups;
use store::grant::Update;

/// A change of a field group; members left out stay. Its key never changes.
#[derive(Default, Deserr, JsonSchema)]
#[deserr(error = Problems, rename_all = camelCase, deny_unknown_fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct UpdateFieldGroup {
    #[deserr(default)]
    name: NotNull<Name>,
    #[deserr(default)]
    description: Patch<Description>,
    #[deserr(default)]
    publishing: NotNull<Publishing>,
}

impl Body for UpdateFieldGroup {}

pub(crate) async fn update(
    groups: FieldGroups<Update>,
    group: GroupRef,
    precondition: Option<Precondition>,
    body: UpdateFieldGroup,
) -> Result<Found<FieldGroup>, Error> {
    let change = |group: &mut FieldGroup| {
        if let Some(name) = &body.name.0 {
            group.name = name.clone();
        }
        body.description.apply(&mut group.description);
        if let Some(publishing) = body.publishing.0 {
            group.publishing = publishing;
        }
    };
    Ok(Found(groups.update(&group, precondition, change).await?))
}

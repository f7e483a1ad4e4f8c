//! `PATCH /api/v1/tenants/{tenantId}/field-groups/{groupId}/fields/{fieldId}`

use contract::names::{GroupRef, Name};
use contract::resource::TenantField;
use contract::schema::FieldSchema;
use contract::{Error, Precondition, Problems};
use deserr::Deserr;
use runtime::extract::parameters::TenantFieldId;
use runtime::{Body, Found, NotNull, PartialBody};
use schemars::JsonSchema;
use serde_json::Value;
use store::grant::Update;
use store::tenant_fields::{TenantFieldChange, TenantFields};

use crate::rules;

/// A change of a tenant field; members left out stay. Its key and its type never change.
#[derive(Default, Deserr, JsonSchema)]
#[deserr(error = Problems, rename_all = camelCase, deny_unknown_fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct UpdateTenantField {
    #[deserr(default)]
    label: NotNull<Name>,
    #[deserr(default)]
    schema: NotNull<FieldSchema>,
}

impl Body for UpdateTenantField {
    const TAKES_LONG: Option<fn(&Value) -> bool> = Some(rules::has_pattern);
}

pub(crate) async fn update(
    fields: TenantFields<Update>,
    group: GroupRef,
    field: TenantFieldId,
    precondition: Option<Precondition>,
    body: PartialBody<UpdateTenantField>,
) -> Result<Found<TenantField>, Error> {
    let change = TenantFieldChange {
        label: body.member("label"),
        schema: body.member("schema"),
        field_type: rules::named_type(&body),
        wrong: body.wrong(),
    };
    body.told(fields.update(&group, field.0, precondition, &change).await).map(Found)
}

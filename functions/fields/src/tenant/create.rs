//! `POST /api/v1/tenants/{tenantId}/field-groups/{groupId}/fields`

use contract::names::{FieldKey, GroupRef, Name};
use contract::resource::TenantField;
use contract::schema::FieldSchema;
use contract::{Error, Problems};
use deserr::Deserr;
use runtime::{Body, Created, New};
use schemars::JsonSchema;
use serde_json::Value;
use store::grant::Create;
use store::tenant_fields::{NewTenantField, TenantFields};

use crate::rules;

/// A new tenant field.
#[derive(Deserr, JsonSchema)]
#[deserr(error = Problems, rename_all = camelCase, deny_unknown_fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct CreateTenantField {
    key: FieldKey,
    label: Name,
    schema: FieldSchema,
}

impl Body for CreateTenantField {
    const TAKES_LONG: Option<fn(&Value) -> bool> = Some(rules::has_pattern);
}

pub(crate) async fn create(
    fields: TenantFields<Create>,
    group: GroupRef,
    body: CreateTenantField,
    _: New,
) -> Result<Created<TenantField>, Error> {
    let CreateTenantField { key, label, schema } = body;
    Ok(Created(fields.create(&group, NewTenantField { key, label, schema }).await?))
}

//! `PATCH /api/v1/members/{id}`

use contract::id::UserId;
use contract::permission::Role;
use contract::resource::Member;
use contract::{Error, Precondition, Problems};
use deserr::Deserr;
use runtime::{Body, Found, LoggedIn};
use schemars::JsonSchema;
use store::grant::Update;
use store::members::Members;

/// A member's new role.
#[derive(Deserr, JsonSchema)]
#[deserr(error = Problems, rename_all = camelCase, deny_unknown_fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct UpdateMember {
    role: Role,
}

impl Body for UpdateMember {}

pub(crate) async fn update(
    session: LoggedIn,
    members: Members<Update>,
    id: UserId,
    precondition: Option<Precondition>,
    body: UpdateMember,
) -> Result<Found<Member>, Error> {
    Ok(Found(members.give_role(&session.0, id, precondition, body.role).await?))
}

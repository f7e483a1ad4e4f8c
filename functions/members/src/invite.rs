//! `POST /api/v1/members/invitations`

use contract::names::Email;
use contract::permission::Role;
use contract::resource::Invitation;
use contract::{Error, Problems};
use deserr::Deserr;
use runtime::{Body, Created, LoggedIn, Mail, Mailer, New};
use schemars::JsonSchema;
use store::grant::Create;
use store::invitations::Invitations;

/// Who is to become a member, and as what.
#[derive(Deserr, JsonSchema)]
#[deserr(error = Problems, rename_all = camelCase, deny_unknown_fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct InviteMember {
    email: Email,
    role: Role,
}

impl Body for InviteMember {}

pub(crate) async fn invite(
    session: LoggedIn,
    invitations: Invitations<Create>,
    mailer: Mailer,
    body: InviteMember,
    _: New,
) -> Result<Created<Invitation>, Error> {
    let client_name = invitations.client_name().await?;
    let (invitation, token) = invitations.create(&session.0, body.email, body.role).await?;
    let (to, invited_by) = (invitation.email.clone(), session.0.user.email);
    mailer.send(&Mail::Invitation { to, token, client_name, invited_by }).await?;
    Ok(Created(invitation))
}

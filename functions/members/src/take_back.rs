//! `DELETE /api/v1/members/invitations/{id}`

use contract::Error;
use contract::id::InvitationId;
use runtime::NoContent;
use store::grant::Delete;
use store::invitations::Invitations;

pub(crate) async fn take_back(invitations: Invitations<Delete>, id: InvitationId) -> Result<NoContent, Error> {
    invitations.delete(id).await?;
    Ok(NoContent)
}

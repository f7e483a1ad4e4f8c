//! `GET /api/v1/members/invitations`

use contract::Error;
use contract::resource::Invitation;
use runtime::Listed;
use store::grant::List;
use store::invitations::Invitations;
use store::page::PageRequest;

pub(crate) async fn list_invitations(
    invitations: Invitations<List>,
    page: PageRequest,
) -> Result<Listed<Invitation>, Error> {
    Ok(Listed(invitations.list(&page).await?))
}

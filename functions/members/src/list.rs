//! `GET /api/v1/members`

use contract::Error;
use contract::resource::Member;
use runtime::Listed;
use store::grant::List;
use store::members::Members;
use store::page::PageRequest;

pub(crate) async fn list(members: Members<List>, page: PageRequest) -> Result<Listed<Member>, Error> {
    Ok(Listed(members.list(&page).await?))
}

//! `GET /api/v1/field-groups`

use contract::Error;
use contract::resource::FieldGroup;
use runtime::Listed;
use store::field_groups::FieldGroups;
use store::grant::Read;
use store::page::PageRequest;

pub(crate) async fn list(groups: FieldGroups<Read>, page: PageRequest) -> Result<Listed<FieldGroup>, Error> {
    Ok(Listed(groups.list(&page).await?))
}

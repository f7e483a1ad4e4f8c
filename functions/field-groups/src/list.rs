//! `GET /api/v1/field-groups`

use contract::Error;
use contract::resource::FieldGroup;
use runtime::Listed;
use store::field_groups::FieldGroups;
use store::grant::List;
use store::page::PageRequest;

pub(crate) async fn list(groups: FieldGroups<List>, page: PageRequest) -> Result<Listed<FieldGroup>, Error> {
    Ok(Listed(groups.list(&page).await?))
}

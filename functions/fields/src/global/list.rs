//! `GET /api/v1/global-fields`

use contract::Error;
use contract::id::GroupId;
use contract::resource::GlobalField;
use runtime::extract::parameters::QueryName;
use runtime::{Listed, Query};
use store::global_fields::GlobalFields;
use store::grant::List;
use store::page::PageRequest;

pub(crate) struct FieldGroupFilter;

impl QueryName for FieldGroupFilter {
    type Value = GroupId;
    const NAME: &'static str = "fieldGroupId";
    const DESCRIPTION: &'static str = "Only the fields of this group.";
}

pub(crate) async fn list(
    fields: GlobalFields<List>,
    group: Query<FieldGroupFilter>,
    page: PageRequest,
) -> Result<Listed<GlobalField>, Error> {
    Ok(Listed(fields.list(group.0, &page).await?))
}

//! `GET /api/v1/audit-log`

use contract::Error;
use contract::audit::Entry;
use runtime::{Listed, Query};
use store::audit::{AuditFilter, AuditLog};
use store::grant::List;
use store::page::PageRequest;

use crate::filters::{Actor, Resource, Since, Until, Which};

/// The filters, as one argument.
type Filters = (Query<Actor>, Query<Which>, Query<Resource>, Query<Since>, Query<Until>);

pub(crate) async fn list(
    log: AuditLog<List>,
    (actor, action, resource, from, to): Filters,
    page: PageRequest,
) -> Result<Listed<Entry>, Error> {
    let filter = AuditFilter { actor: actor.0, action: action.0, resource: resource.0, from: from.0, to: to.0 };
    Ok(Listed(log.list(&filter, &page).await?))
}

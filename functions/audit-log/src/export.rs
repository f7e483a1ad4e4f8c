//! `GET /api/v1/audit-log/export`

use contract::Error;
use contract::audit::Entry;
use runtime::{JsonLines, Query};
use store::audit::AuditLog;
use store::grant::Get;

use crate::filters::{FirstDay, LastDay};

pub(crate) async fn export(
    log: AuditLog<Get>,
    from: Query<FirstDay>,
    to: Query<LastDay>,
) -> Result<JsonLines<Entry>, Error> {
    Ok(JsonLines::of(log.lines(from.0, to.0).await?))
}
